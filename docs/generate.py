"""Generates docs/reference from the code, or checks that what is committed is what would be generated.

`python -m docs.generate --write` writes it; without the flag it is compared, and every document of the repository is
checked for links that lead nowhere and commands that do not exist.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import TYPE_CHECKING

from docs.generating import checking, coach, configuration_page, exit_codes_page, json_page, story, tasks_page
from docs.generating.coach import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REFERENCE = ROOT / "docs" / "reference"


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/reference")
    if parser.parse_args().write:
        write(pages())
        return 0
    problems = [*differences(pages()), *checking.problems(ROOT)]
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return int(bool(problems))


def pages() -> dict[str, str]:
    """Return every page of the reference by its file name."""
    tasks = coach.tasks()
    shown, helps = story.play(), story.helps([task.name for task in tasks])
    return {
        "tasks.md": tasks_page.render(tasks, helps, shown),
        "configuration.md": configuration_page.render(),
        "exit-codes.md": exit_codes_page.render(),
        "json.md": json_page.render(tasks, shown),
    }


def write(generated: Mapping[str, str]) -> None:
    """Write pages into docs/reference."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in generated.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def differences(generated: Mapping[str, str]) -> Iterator[str]:
    """Yield a unified diff from what stands in docs/reference to what was generated."""
    present = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md")}
    for name in sorted(present.keys() | generated.keys()):
        before, after = present.get(name, ""), generated.get(name, "")
        yield from difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"docs/reference/{name}", "generated", lineterm=""
        )


if __name__ == "__main__":
    sys.exit(main())
