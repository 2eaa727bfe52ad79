"""Renders `events.md`: every event and field, from the docstrings of their definitions."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import attrs

from docs.generating.pages.markdown import code, fence, page, table
from kaizen_tasks.adapters.console.events import EventType, RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n     .+)*)", re.MULTILINE)

INTRODUCTION = """\
Every task can write its progress for programs. Name a file in the environment variable `KAIZEN_EVENTS`; the output on
the console stays as it is:
"""

EXAMPLE = """\
KAIZEN_EVENTS=events.jsonl inv release-staging
jq -r 'select(.type == "finished") | [.step, .environment, .verdict, .seconds] | @tsv' events.jsonl
"""

RULES = """\
Each event is appended as one line, a JSON object in UTF-8. Several threads and processes may write to the same file on
a local file system: lines never mix. The tasks that `demo` runs write to the same file. A file that cannot be created
is a usage error ([exit code 2](exit-codes.md#2)); one that cannot be written later, on a full disk for example, is
reported once and does not stop the task. Types, fields and verdicts may be added; existing ones keep their names and
meanings.
"""


def render() -> str:
    """Return the page."""
    types = _table("Type", EventType, ((member.name, member.value) for member in EventType))
    fields = _table("Field", RunEvent, ((field.name, field.name) for field in attrs.fields(RunEvent)))
    return page("Events", INTRODUCTION, fence("sh", EXAMPLE), RULES, "## Types", types, "## Fields", fields)


def _table(head: str, definition: type, names: Iterable[tuple[str, str]]) -> str:
    """Return a table of what a docstring says about each attribute.

    Args:
        head: head of the first column.
        definition: has the docstring.
        names: each attribute, and its name in the file.
    """
    meanings = dict(ATTRIBUTE.findall((inspect.getdoc(definition) or "").partition("Attributes:\n")[2]))
    rows = ((code(name), _sentence(meanings[attribute])) for attribute, name in names)
    return table((head, "Meaning"), rows)


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined[0].upper() + joined[1:]
