"""Renders `json.md`: every field of every JSON document, compared with documents that were really printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docs.generating.examples import Purpose
from docs.generating.pages import tasks_page
from docs.generating.pages.json_fields import DOCUMENTS, LOCK, DocumentFields, Fields
from docs.generating.pages.markdown import code, link, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.generating.example_tasks import Task
    from docs.generating.recordings import Recordings

NAME_KEYED_OBJECTS = ("environments", "environ", "keys", "metrics", "registries", "targets", "timeline")
"""Objects whose keys are names."""

INTRODUCTION = """\
With `--json` a task prints one document on stdout, and all other output on stderr. Fields may be added; existing ones
keep their names and meanings. In a path, `NAME` means the name of an environment, a variable or a key, and `[]` each
element of a list. What happens while a task runs is in its [events](events.md).
"""


class ExplanationMismatch(Exception):
    """The fields of a document and those of json_fields.py differ."""


def render(tasks: Sequence[Task], recordings: Recordings) -> str:
    """Return the page.

    Raises:
        ExplanationMismatch: a field or a document has no explanation, or an explanation has no field.
    """
    missing_tasks = {task.name for task in tasks if task.takes("--json")} - {document.task for document in DOCUMENTS}
    if missing_tasks:
        raise ExplanationMismatch(f"pages/json_fields.py: no document of {', '.join(sorted(missing_tasks))}")
    return page("JSON documents", INTRODUCTION, *(_section(document, recordings) for document in DOCUMENTS), _lock())


def _lock() -> str:
    return f"## A lock\n\nThe fields of `lock` while somebody changes an environment.\n\n{_table(LOCK)}"


def _table(fields: Fields) -> str:
    rows = ((code(path), kind, meaning) for path, (kind, meaning) in fields.items())
    return table(("Field", "Type", "Meaning"), rows)


def _section(document: DocumentFields, recordings: Recordings) -> str:
    actual_paths = set(leaf_paths(json.loads(recordings[document.task, Purpose.DOCUMENT].document)))
    if mismatched := actual_paths ^ (document.fields | document.like).keys():
        raise ExplanationMismatch(
            f"docs/generating/pages/json_fields.py: {document.command}: {', '.join(sorted(mismatched))}"
        )
    example = link("An example", tasks_page.example_link(document.task))
    heading = f"## `{document.command}`"
    return "\n\n".join((heading, f"{document.about} {example}.", _table(document.fields)))


def leaf_paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield the path of every leaf of a document."""
    if isinstance(value, dict):
        for key, child in value.items():
            name = "NAME" if prefix.rpartition(".")[2] in NAME_KEYED_OBJECTS else key
            yield from leaf_paths(child, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for child in value:
            yield from leaf_paths(child, f"{prefix}[]")
    else:
        yield prefix
