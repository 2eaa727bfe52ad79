"""Texts of others in Markdown that GitHub and Buildkite render: https://github.github.com/gfm/."""

from __future__ import annotations

import re
from urllib.parse import quote

from kaizen_tasks.domain.text.printable import printable, printable_lines

_STRUCTURE = r"[!-+;-@\[-`{-~]|(?i:(?<=www)\.)|:(?! )"
"""ASCII punctuation that may form a structure, a link, a mention or an emoji; entities in its place form none."""

_URL_SAFE = "!#$%&'()*+,/:;=?@~-._[]"
MIN_FENCE = 3


def escape_markdown(text: str) -> str:
    """Return a text as it is, on one line, in a paragraph or the cell of a table."""
    return re.sub(_STRUCTURE, lambda match: f"&#{ord(match[0])};", printable(" ".join(text.split())))


def markdown_link(text: str, url: str) -> str:
    """Return a link with an escaped text; the text alone if the URL leads to no web page."""
    if not url.startswith(("https://", "http://")):
        return escape_markdown(text)
    return f"[{escape_markdown(text)}](<{quote(url, safe=_URL_SAFE)}>)"


def code_block(text: str) -> str:
    """Return a text as a block of code, which nothing in it ends."""
    lines = printable_lines(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", lines)), default=0)
    fence = "`" * max(MIN_FENCE, longest + 1)
    return f"{fence}text\n{lines}\n{fence}"
