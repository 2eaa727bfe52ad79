"""`python minify.py SOURCE TARGET`: a stylesheet without comments and needless blanks."""

import re
import sys
from pathlib import Path


def minify(css: str) -> str:
    """Drop what a browser does not need; blanks inside selectors and values mean something and stay."""
    without_comments = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    single_blanks = " ".join(without_comments.split())
    return re.sub(r" ?([{};,]) ?|(:) ", r"\1\2", single_blanks).replace(";}", "}")


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(minify(source.read_text(encoding="utf-8")), encoding="utf-8")
