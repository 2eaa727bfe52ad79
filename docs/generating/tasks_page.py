"""`tasks.md`: every task, its flags, its help, and what it really says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docs.generating.markdown import code, fence, link, page, table
from docs.generating.scenes import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from docs.generating.coach import Flag, Task
    from docs.generating.recording import Recording
    from docs.generating.story import Shown

INTRODUCTION = """\
These are the tasks of the [example app](../../examples/coach/kaizen.toml). `release-staging`, `promote-prod` and
`promote-beta` have their names from its `pipeline`; your app has its own. An app without environments has the release
side alone: `bump`, `changelog.*`, `commit`, `cut` and `tag`, with `demo` and `local.*`.

`inv NAME` and `kaizen NAME` run the same task. `inv --dry NAME` says what would be done and changes nothing;
`inv --debug NAME` shows where an error came from.

The examples are real runs. Times, hashes, ports and the names of people and folders are replaced by fixed ones, lines
of progress are left out, and environments are rolled out one by one.
"""


class NotShown(Exception):
    """The scenes lack something that the reference has to show."""


def render(tasks: Sequence[Task], helps: Mapping[str, str], shown: Shown) -> str:
    """Return the page.

    Args:
        tasks: every task.
        helps: the `--help` of each.
        shown: what each said in the scenes.

    Raises:
        NotShown: a task lacks an example, its `--json` or an error; or a scene shows a task that is gone.
    """
    missing = [*_missing(tasks, shown)]
    if missing:
        raise NotShown("docs/generating/scenes.py: " + "; ".join(missing))
    rows = ((link(code(task.name), f"#{_anchor(task.name)}"), task.summary) for task in tasks)
    overview = table(("Task", "Does"), rows)
    return page("Tasks", INTRODUCTION, overview, *(_section(task, helps[task.name], shown) for task in tasks))


def _missing(tasks: Sequence[Task], shown: Shown) -> Iterator[str]:
    for task in tasks:
        wanted = (Part.EXAMPLE, Part.ERROR, *((Part.DOCUMENT,) if task.takes("--json") else ()))
        yield from (f"{task.name} lacks {part.value}" for part in wanted if (task.name, part) not in shown)
    gone = sorted({name for name, _ in shown} - {task.name for task in tasks})
    yield from (f"{name} is no task" for name in gone)


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _section(task: Task, printed: str, shown: Shown) -> str:
    parts = [
        f"## `{task.name}`",
        task.summary,
        task.description,
        f"Also: {', '.join(map(code, task.aliases))}." if task.aliases else "",
        _flags(task.flags),
        "Example:",
        _console(shown[task.name, Part.EXAMPLE]),
        *(_document(shown[task.name, Part.DOCUMENT]) if task.takes("--json") else ()),
        *_error(shown[task.name, Part.ERROR]),
        "`--help` as printed:",
        fence("text", printed),
    ]
    return "\n\n".join(part for part in parts if part)


def _flags(flags: Sequence[Flag]) -> str:
    if not flags:
        return "It has no flags."
    rows = ((code(each.names[0]), code(each.names[-1]), each.kind, code(each.default), each.help) for each in flags)
    return table(("Flag", "Short", "Takes", "Default", "Meaning"), rows)


def _console(recording: Recording) -> str:
    return fence("console", f"$ {recording.line}\n{recording.people}")


def _document(recording: Recording) -> tuple[str, ...]:
    whole = json.loads(recording.document)
    document = _shortened(whole)
    note = ", here shortened" if document != whole else ""
    return (
        f"For programs ({link('every field', 'json.md')}){note}:",
        fence("console", f"$ {recording.line}"),
        fence("json", json.dumps(document, indent=2, ensure_ascii=False)),
    )


def _shortened(document: Any) -> Any:
    """Keep the first of several environments or findings."""
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
