"""Make a new fragment."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from kaizen_tasks.domain.changelog.add import entry_lines, parse_change_type
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.fragments import names
from kaizen_tasks.domain.changelog.fragments.fragment import parse_fragments
from kaizen_tasks.errors import Refused


@attrs.frozen(kw_only=True)
class NewFragment:
    """A fragment's file: its path, relative to the app's folder, and its content."""

    path: str
    content: bytes


def new_fragment(
    folder: str,
    *,
    kind: str,
    text: str,
    taken: Collection[str],
    breaking: bool = False,
    slug: str = "",
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
) -> NewFragment:
    """Return a fragment with an entry, under a name that is free.

    Args:
        folder: the folder of fragments, relative to the app's.
        kind: a type of change, in any case.
        text: the entry in Markdown.
        taken: names of the files in the folder.
        breaking: whether to mark the entry with `**Breaking:**`.
        slug: beginning of the name, such as the number of an issue; by default the first words of the text.
        changelog_format: the types of change.

    Raises:
        UsageError: there is no such type, the entry is empty, or the slug is unsafe.
        Refused: the text would not be parsed as one entry.
    """
    change_type, lines = parse_change_type(kind, changelog_format), entry_lines(text, breaking=breaking)
    entry = "\n".join(lines)
    path = f"{folder}/{names.new_name(entry, change_type, taken=taken, slug=slug)}"
    content = f"{entry}\n".encode()
    problems = parse_fragments({path: content}, changelog_format).problems
    if problems:
        problem = problems[0]
        message = f"--text: line {problem.line} of the entry: {problem.message}"
        raise Refused(message, state="nothing was written", hint=problem.fix)
    return NewFragment(path=path, content=content)
