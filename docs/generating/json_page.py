"""`json.md`: the documents for programs, held against what was really printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docs.generating.json_fields import DOCUMENTS, LOCK, Document, Fields
from docs.generating.markdown import code, link, page, table
from docs.generating.scenes import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.generating.coach import Task
    from docs.generating.story import Shown

NAMED = ("environments", "environ", "keys")
"""Objects whose keys are names."""

INTRODUCTION = """\
With `--json` a task prints one document on stdout and everything for people on stderr. Fields may be added; the ones
here keep their names and meanings. In a path, `NAME` stands for the name of an environment, a variable or a key, and
`[]` for each element of a list.
"""


class NotExplained(Exception):
    """A document and its explanation differ."""


def render(tasks: Sequence[Task], shown: Shown) -> str:
    """Return the page.

    Raises:
        NotExplained: a field or a document has no explanation, or an explanation has no field.
    """
    unexplained = {task.name for task in tasks if task.takes("--json")} - {document.task for document in DOCUMENTS}
    if unexplained:
        raise NotExplained(f"docs/generating/json_fields.py: nothing on --json of {', '.join(sorted(unexplained))}")
    return page("JSON documents", INTRODUCTION, *(_section(document, shown) for document in DOCUMENTS), _lock())


def _lock() -> str:
    return f"## A lock\n\nWhat `lock` is while somebody changes an environment.\n\n{_table(LOCK)}"


def _table(fields: Fields) -> str:
    rows = ((code(path), kind, meaning) for path, (kind, meaning) in fields.items())
    return table(("Field", "Type", "Meaning"), rows)


def _section(document: Document, shown: Shown) -> str:
    said = set(paths(json.loads(shown[document.task, Part.DOCUMENT].document)))
    if differing := said ^ (document.fields | document.like).keys():
        raise NotExplained(f"docs/generating/json_fields.py: {document.command}: {', '.join(sorted(differing))}")
    example = link("An example", f"tasks.md#{document.task.replace('.', '')}")
    heading = f"## `{document.command}`"
    return "\n\n".join((heading, f"{document.about} {example}.", _table(document.fields)))


def paths(value: Any, above: str = "") -> Iterator[str]:
    """Yield the path of every leaf of a document, with `NAME` for names and `[]` for elements."""
    if isinstance(value, dict):
        for key, below in value.items():
            name = "NAME" if above.rpartition(".")[2] in NAMED else key
            yield from paths(below, f"{above}.{name}" if above else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for below in value:
            yield from paths(below, f"{above}[]")
    else:
        yield above
