"""Generates docs/reference and the outputs in the guides, or checks that the committed ones are up to date.

`python -m docs.generate --write` writes them. Without the flag they are compared, and every document of the repository
is checked for dead links and unknown commands. Both run every command of the tutorial and the how-to pages.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from docs.generating import check_documents, doctest_runner, example_tasks, recordings
from docs.generating.example_tasks import ROOT
from docs.generating.pages import (
    configuration_page,
    diagram,
    events_page,
    exit_codes_page,
    json_page,
    lint_rules_page,
    markdown,
    steps_page,
    tasks_page,
)
from kaizen_tasks.config.json_schema import schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS = ROOT / "docs"


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs")
    if parser.parse_args().write:
        write(generate_pages())
        return 0
    problems = [*differences(generate_pages()), *check_documents.find_problems(ROOT)]
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return int(bool(problems))


def generate_pages() -> dict[str, str]:
    """Return every generated page, by its path below docs."""
    tasks = example_tasks.tasks()
    with ThreadPoolExecutor() as pool:  # both mostly wait for deployments
        guides = pool.submit(doctest_runner.render_pages)
        examples = recordings.record_examples()
        helps = recordings.help_texts([task.name for task in tasks])
    return {
        **tasks_page.render(tasks, helps, examples),
        "reference/configuration.md": configuration_page.render(),
        "../kaizen_tasks/kaizen.schema.json": schema_text(),
        "reference/changelog-rules.md": lint_rules_page.render(),
        "reference/events.md": events_page.render(),
        "reference/exit-codes.md": exit_codes_page.render(),
        "reference/json.md": json_page.render(tasks, examples),
        "reference/steps.md": steps_page.render(),
        **diagram.render_all(),
        **guides.result(),
    }


def write(pages: Mapping[str, str]) -> None:
    """Write pages into docs."""
    for name, text in pages.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


def differences(pages: Mapping[str, str]) -> Iterator[str]:
    """Yield a unified diff from the committed pages to the generated ones."""
    pages_of_reference = (DOCS / "reference").rglob("*.md")
    committed = {str(path.relative_to(DOCS)) for path in pages_of_reference if markdown.NOTICE in path.read_text()}
    for name in sorted(committed | pages.keys()):
        path = DOCS / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = pages.get(name, "")
        yield from difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"docs/{name}", "generated", lineterm=""
        )


if __name__ == "__main__":
    sys.exit(main())
