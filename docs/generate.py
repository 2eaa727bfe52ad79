"""Generates docs/reference and what the guides show, or checks that what is committed is what would be generated.

`python -m docs.generate --write` writes it; without the flag it is compared, and every document of the repository is
checked for links that lead nowhere and commands that do not exist. The tutorial and the how-to pages are typed along in
both cases, so that every command in them has run.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from docs.generating import checking, coach, configuration_page, exit_codes_page, guides, json_page, story, tasks_page
from docs.generating.coach import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS = ROOT / "docs"


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs")
    if parser.parse_args().write:
        write(pages())
        return 0
    problems = [*differences(pages()), *checking.find_problems(ROOT)]
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return int(bool(problems))


def pages() -> dict[str, str]:
    """Return every generated page, by its path below docs."""
    tasks = coach.tasks()
    with ThreadPoolExecutor() as pool:  # both wait most of the time, for deployments
        typed = pool.submit(guides.render_pages)
        shown, helps = story.record_scenes(), story.help_texts([task.name for task in tasks])
    return {
        "reference/tasks.md": tasks_page.render(tasks, helps, shown),
        "reference/configuration.md": configuration_page.render(),
        "reference/exit-codes.md": exit_codes_page.render(),
        "reference/json.md": json_page.render(tasks, shown),
        **typed.result(),
    }


def write(generated: Mapping[str, str]) -> None:
    """Write pages into docs."""
    for name, text in generated.items():
        (DOCS / name).write_text(text, encoding="utf-8")


def differences(generated: Mapping[str, str]) -> Iterator[str]:
    """Yield a unified diff from what stands in docs to what was generated."""
    present = {f"reference/{path.name}" for path in (DOCS / "reference").glob("*.md")}
    for name in sorted(present | generated.keys()):
        path = DOCS / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = generated.get(name, "")
        yield from difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"docs/{name}", "generated", lineterm=""
        )


if __name__ == "__main__":
    sys.exit(main())
