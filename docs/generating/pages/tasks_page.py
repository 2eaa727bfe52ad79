"""Renders the pages of `reference/tasks`: every task with its flags, its help, and output of real runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docs.generating.examples import Purpose
from docs.generating.pages.markdown import code, fence, link, page, table
from kaizen_tasks.cli.task_groups import group_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from docs.generating.example_tasks import Flag, Task
    from docs.generating.recordings import Recordings
    from docs.generating.session import Recording

INTRODUCTION = """\
These are the tasks of the [example app](../../../examples/coach/kaizen.toml), in the groups of `inv --list`.
`release-staging`, `promote-prod` and `promote-beta` are named after the stages of its `pipeline`; your app has its own.
An app without environments has only `announce`, `bump`, `changelog.*`, `commit`, `cut`, `propose`, `tag`, `demo`,
`doctor`, `init` and `local.*`.

`inv NAME` and `kaizen NAME` run the same task. `inv --dry NAME` shows the plan and changes nothing; `inv --debug NAME`
shows where an error comes from.

The examples are real runs. Times, hashes, ports and the names of people and folders are replaced by fixed values,
progress lines are left out, and environments are rolled out one by one.
"""


class MissingExample(Exception):
    """An example that the reference needs is missing."""


def render(tasks: Sequence[Task], helps: Mapping[str, str], recordings: Recordings) -> dict[str, str]:
    """Return the pages by their paths below docs: an overview, and one page for each group.

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
    by_name = {task.name: task for task in tasks}
    groups = {title: [by_name[name] for name in names] for title, names in group_tasks(by_name).items()}
    pages = {
        f"reference/tasks/{title.lower()}.md": page(
            title, _overview(members), *(_section(task, helps[task.name], recordings) for task in members)
        )
        for title, members in groups.items()
    }
    return {"reference/tasks/index.md": _index(groups), **pages}


def _index(groups: Mapping[str, Sequence[Task]]) -> str:
    sections = (f"## {title}\n\n{_overview(members, f'{title.lower()}.md')}" for title, members in groups.items())
    toctree = "\n".join(("```{toctree}", ":hidden:", "", *map(str.lower, groups), "```"))
    return page("Tasks", INTRODUCTION, *sections, toctree)


def _overview(tasks: Sequence[Task], path: str = "") -> str:
    rows = ((link(code(task.name), f"{path}#{anchor(task.name)}"), task.summary) for task in tasks)
    return table(("Task", "Does"), rows)


def _missing(tasks: Sequence[Task], recordings: Recordings) -> Iterator[str]:
    for task in tasks:
        required = (Purpose.EXAMPLE, Purpose.ERROR, *((Purpose.DOCUMENT,) if task.takes("--json") else ()))
        yield from (f"{task.name} lacks {part.value}" for part in required if (task.name, part) not in recordings)
    unknown_tasks = sorted({name for name, _ in recordings} - {task.name for task in tasks})
    yield from (f"{name} is not a task" for name in unknown_tasks)


def example_link(task: str) -> str:
    """Return where a task's example is, for the pages beside the folder `tasks`."""
    (title,) = group_tasks([task])
    return f"tasks/{title.lower()}.md#{anchor(task)}"


def anchor(task: str) -> str:
    """Return the anchor of a task's heading."""
    return task.replace(".", "")


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
    return table(("Flag", "Meaning"), ((_names(flag), _meaning(flag)) for flag in flags))


def _names(flag: Flag) -> str:
    name = code(f"{flag.name} {flag.value}".strip())
    return f"{name}, {code(flag.letter)}" if flag.letter else name


def _meaning(flag: Flag) -> str:
    return f"{flag.help} (default: {code(flag.default)})" if flag.default else flag.help


def _console(recording: Recording) -> str:
    return fence("console", f"$ {recording.line}\n{recording.output}")


def _document(recording: Recording) -> tuple[str, ...]:
    full_document = json.loads(recording.document)
    document = _shorten(full_document)
    note = ", here shortened" if document != full_document else ""
    return (
        f"For programs ({link('every field', '../json.md')}){note}:",
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
        f"A typical error, with exit code {link(str(recording.code), f'../exit-codes.md#{recording.code}')}:",
        _console(recording),
    )
