"""`changelog.*`: entries, and cutting them into a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.tasks.boundary import command

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.context import Context


def collection() -> Collection:
    """Return the tasks as a collection; plain `changelog` is `changelog.release`."""
    from invoke.collection import Collection

    return Collection(release, add)


@command(default=True)
def release(c: Context) -> None:
    """Cut [Unreleased] into the section of the version that VERSION says."""
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import documents
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.flows.steps import Changelog
    from kaizen_tasks.tasks.executing import executor
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    run((Changelog(),), Release(version=documents.version(tools)), tools, executor(tools))


@command(
    help={
        "type": "added, changed, deprecated, removed, fixed or security",
        "text": "what changed, for the people who use it",
        "breaking": "mark it as breaking",
    },
)
def add(c: Context, type: str = "", text: str = "", breaking: bool = False) -> None:
    """Put an entry under [Unreleased]."""
    from kaizen_tasks.domain import changelog
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows import documents
    from kaizen_tasks.wiring import toolbox

    if not type or not text.strip():
        raise UsageError("changelog.add: an entry needs --type and --text", hint='--type fixed --text "A typo"')
    tools = toolbox(c.config)
    before = tools.documents.read(documents.CHANGELOG)
    after = changelog.add(changelog.empty() if before is None else before, kind=type, text=text, breaking=breaking)
    tools.documents.write(documents.CHANGELOG, after)
    tools.reporter.note(f"{'would add' if tools.dry else 'added'} to [Unreleased]: {text}")
