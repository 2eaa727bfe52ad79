"""The latest release's notes, read from CHANGELOG.md in the form of Keep a Changelog."""

import re
from dataclasses import dataclass

RELEASE = re.compile(r"## \[(?P<version>\d[^\]]*)\] - (?P<date>\S+)")


@dataclass(frozen=True, kw_only=True)
class Group:
    """The entries under one heading, such as Added or Fixed."""

    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What one release changed."""

    version: str
    date: str
    groups: tuple[Group, ...]


def latest_notes(text: str) -> Notes:
    """Find the topmost released section; `[Unreleased]` is not one.

    Raises:
        ValueError: nothing has been released.
    """
    for section in re.split(r"\n(?=## )", text):
        if heading := RELEASE.match(section):
            return Notes(version=heading["version"], date=heading["date"], groups=_groups(section))
    raise ValueError("the changelog holds no released section")


def _groups(section: str) -> tuple[Group, ...]:
    _, *parts = re.split(r"\n### ", section)
    return tuple(_group(*part.partition("\n")[::2]) for part in parts)


def _group(name: str, body: str) -> Group:
    _, *entries = re.split(r"(?:^|\n)- ", body)
    return Group(name=name.strip(), entries=tuple(" ".join(entry.split()) for entry in entries))
