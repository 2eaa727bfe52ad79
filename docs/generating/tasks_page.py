"""Renders `tasks.md`: every task with its flags, its help, and output of real runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docs.generating.examples import Purpose
from docs.generating.markdown import code, fence, link, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from docs.generating.example_tasks import Flag, Task
    from docs.generating.recordings import Recordings
    from docs.generating.session import Recording

INTRODUCTION = """\
These are the tasks of the [example app](../../examples/coach/kaizen.toml). `release-staging`, `promote-prod` and
`promote-beta` are named after the stages of its `pipeline`; your app has its own. An app without environments has only
`bump`, `changelog.*`, `commit`, `cut`, `tag`, `demo` and `local.*`.

`inv NAME` and `kaizen NAME` run the same task. `inv --dry NAME` shows the plan and changes nothing; `inv --debug NAME`
shows where an error comes from.

The examples are real runs. Times, hashes, ports and the names of people and folders are replaced by fixed values,
progress lines are left out, and environments are rolled out one by one.
"""


class MissingExample(Exception):
    """An example that the reference needs is missing."""


def render(tasks: Sequence[Task], helps: Mapping[str, str], recordings: Recordings) -> str:
    """Return the page.

    Args:
        tasks: every task.
        helps: the `--help` of each.
        recordings: what the examples printed.

    Raises:
        MissingExample: a task lacks an example, its `--json` or an error; or an example is about an unknown task.
    """
    missing_examples = [*_missing(tasks, recordings)]
    if missing_examples:
        raise MissingExample("docs/generating/examples.py: " + "; ".join(missing_examples))
    rows = ((link(code(task.name), f"#{_anchor(task.name)}"), task.summary) for task in tasks)
    overview = table(("Task", "Does"), rows)
    return page("Tasks", INTRODUCTION, overview, *(_section(task, helps[task.name], recordings) for task in tasks))


def _missing(tasks: Sequence[Task], recordings: Recordings) -> Iterator[str]:
    for task in tasks:
        required = (Purpose.EXAMPLE, Purpose.ERROR, *((Purpose.DOCUMENT,) if task.takes("--json") else ()))
        yield from (f"{task.name} lacks {part.value}" for part in required if (task.name, part) not in recordings)
    unknown_tasks = sorted({name for name, _ in recordings} - {task.name for task in tasks})
    yield from (f"{name} is not a task" for name in unknown_tasks)


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _section(task: Task, help_text: str, recordings: Recordings) -> str:
    parts = [
        f"## `{task.name}`",
        task.summary,
        task.description,
        f"Also: {', '.join(map(code, task.aliases))}." if task.aliases else "",
        _flags(task.flags),
        "Example:",
        _console(recordings[task.name, Purpose.EXAMPLE]),
        *(_document(recordings[task.name, Purpose.DOCUMENT]) if task.takes("--json") else ()),
        *_error(recordings[task.name, Purpose.ERROR]),
        "`--help` as printed:",
        fence("text", help_text),
    ]
    return "\n\n".join(part for part in parts if part)


def _flags(flags: Sequence[Flag]) -> str:
    if not flags:
        return "No flags."
    rows = ((*map(code, (flag.name, flag.letter, flag.value, flag.default)), flag.help) for flag in flags)
    return table(("Flag", "Letter", "Value", "Default", "Meaning"), rows)


def _console(recording: Recording) -> str:
    return fence("console", f"$ {recording.line}\n{recording.output}")


def _document(recording: Recording) -> tuple[str, ...]:
    full_document = json.loads(recording.document)
    document = _shorten(full_document)
    note = ", here shortened" if document != full_document else ""
    return (
        f"For programs ({link('every field', 'json.md')}){note}:",
        fence("console", f"$ {recording.line}"),
        fence("json", json.dumps(document, indent=2, ensure_ascii=False)),
    )


def _shorten(document: Any) -> Any:
    """Keep only the first environment or finding."""
    if not isinstance(document, dict):
        return document
    environments, findings = document.get("environments"), document.get("findings")
    if environments:
        return {**document, "environments": dict(list(environments.items())[:1])}
    return {**document, "findings": findings[:1]} if findings else document


def _error(recording: Recording) -> tuple[str, ...]:
    return (
        f"A typical error, with exit code {link(str(recording.code), f'exit-codes.md#{recording.code}')}:",
        _console(recording),
    )
