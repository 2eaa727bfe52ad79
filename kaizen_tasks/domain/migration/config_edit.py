"""Edits the keys of environments in the text of a configuration file: everything else stays as it is written.

A candidate is written in each way that such a table may have, and the first one is taken that a parser reads as the
expected configuration. So no edit is made whose meaning is not known.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from kaizen_tasks.domain.version_files.documents import find_span, parse_toml

Keys = Mapping[str, str | None]
"""Texts by key; None removes the key."""


def edit_environment(text: str, name: str, keys: Keys, *, prefix: tuple[str, ...] = ()) -> str | None:
    """Return the text with changed keys of one environment; None if no edit has exactly that meaning.

    Args:
        text: the configuration file.
        name: the environment's name.
        keys: the keys to set or remove.
        prefix: the tables above `environments`: `tool`, `kaizen` in pyproject.toml.
    """
    for key, value in keys.items():
        edited = _edit_key(text, (*prefix, "environments", name), key, value)
        if edited is None:
            return None
        text = edited
    return text


def _edit_key(text: str, path: tuple[str, ...], key: str, value: str | None) -> str | None:
    document = tomllib.loads(text)
    table = _table(document, path)
    if table.get(key) == value:
        return text
    expected = copy.deepcopy(document)
    _set(expected, path, key, value)
    for candidate in _candidates(text, path, key, value, table):
        try:
            if tomllib.loads(candidate) == expected:
                return candidate
        except tomllib.TOMLDecodeError:
            continue
    return None


def _table(document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    table: Any = document
    for part in path:
        table = table.get(part, {}) if isinstance(table, Mapping) else {}
    return table if isinstance(table, Mapping) else {}


def _set(document: dict[str, Any], path: tuple[str, ...], key: str, value: str | None) -> None:
    table = document
    for part in path:
        table = table.setdefault(part, {})
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _candidates(
    text: str, path: tuple[str, ...], key: str, value: str | None, table: Mapping[str, Any]
) -> Iterator[str]:
    """Yield texts that may have the changed key, the usual spelling first."""
    current, line = table.get(key), f"{key} = {json.dumps(value, ensure_ascii=False)}"
    if value is None:
        yield from _without_line(text, key)
        yield from _without_member(text, key)
        return
    if isinstance(current, str):
        if span := find_span(text, (*path, key), current, parse_toml):
            yield f"{text[: span[0]]}{value}{text[span[1] :]}"
        return
    for match in re.finditer(r"^[ \t]*\[[^\[\]\n]+\][^\n]*(?:\n|$)", text, re.MULTILINE):
        head = match[0] if match[0].endswith("\n") else f"{match[0]}\n"
        yield f"{text[: match.start()]}{head}{line}\n{text[match.end() :]}"
    for match in re.finditer(r"\{[^{}\n]*\}", text):  # mark = { … }
        members = match[0][1:-1].strip()
        yield f"{text[: match.start()]}{{ {members + ', ' if members else ''}{line} }}{text[match.end() :]}"
    dotted = rf"^([ \t]*(?:[\w\"'.-]+\.)?[\"']?{re.escape(path[-1])}[\"']?\.)[\w-]+[ \t]*=[^\n]*(?:\n|$)"
    for match in re.finditer(dotted, text, re.MULTILINE):  # mark.protected = true
        head = match[0] if match[0].endswith("\n") else f"{match[0]}\n"
        yield f"{text[: match.start()]}{head}{match[1]}{line}\n{text[match.end() :]}"
    separator = "" if text.endswith("\n\n") or not text else "\n" if text.endswith("\n") else "\n\n"
    header = ".".join(part if re.fullmatch(r"[\w-]+", part, re.ASCII) else json.dumps(part) for part in path)
    yield f"{text}{separator}[{header}]\n{line}\n"


def _without_line(text: str, key: str) -> Iterator[str]:
    for match in re.finditer(rf"^[ \t]*{re.escape(key)}[ \t]*=[^\n]*(?:\n|$)", text, re.MULTILINE):
        yield text[: match.start()] + text[match.end() :]


def _without_member(text: str, key: str) -> Iterator[str]:
    member = rf"{re.escape(key)}[ \t]*=[ \t]*\"[^\"\n]*\""
    for match in re.finditer(rf"[ \t]*,[ \t]*{member}|{member}[ \t]*,?[ \t]*", text):
        yield text[: match.start()] + text[match.end() :]
