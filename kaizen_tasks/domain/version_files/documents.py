"""Finds a value in a JSON, TOML, YAML or INI document as a span of its text.

A parser says what a value is, but not where it is. So every place with the value's text is marked, and the marked text
is parsed again: the value of the key is then the mark of its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Parser = Callable[[str], Any]


def parse_json(text: str) -> Any:
    """Parse JSON."""
    import json

    return json.loads(text)


def parse_toml(text: str) -> Any:
    """Parse TOML."""
    import tomllib

    return tomllib.loads(text)


def parse_yaml(text: str) -> Any:
    """Parse the first document of YAML; every scalar is a text, as it is written."""
    from invoke.vendor import yaml  # PyYAML, which Invoke has loaded already

    try:
        return next(iter(yaml.load_all(text, Loader=yaml.BaseLoader)), None)  # type: ignore[no-untyped-call]
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def parse_ini(text: str) -> Any:
    """Parse the sections of an INI file."""
    import configparser

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    return {name: dict(section) for name, section in parser.items()}


def parse_properties(text: str) -> Any:
    """Parse a file of properties, which is an INI file without sections."""
    return parse_ini(f"[properties]\n{text}")["properties"]


PARSERS: dict[str, Parser] = {
    ".cfg": parse_ini,
    ".ini": parse_ini,
    ".json": parse_json,
    ".properties": parse_properties,
    ".toml": parse_toml,
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    "Cargo.lock": parse_toml,
    "composer.lock": parse_json,
    "pdm.lock": parse_toml,
    "poetry.lock": parse_toml,
    "uv.lock": parse_toml,
}
"""The parser of a file, by its name or the end of that."""


def find_parser(path: str) -> Parser | None:
    """Return the parser of a file; None for another format."""
    name = path.rpartition("/")[2]
    return PARSERS.get(name) or PARSERS.get(f".{name.rpartition('.')[2]}")


def parse_key(key: str) -> tuple[str, ...]:
    """Return the names in a key: a JSON pointer, or names with dots between them, in quotes if they have dots."""
    if key.startswith("/"):
        from kaizen_tasks.domain.text.json_pointer import pointer_tokens

        return pointer_tokens(key)
    parts = re.findall(r'"([^"]*)"|\'([^\']*)\'|([^."\']+)', key.removeprefix("$"))
    return tuple("".join(part) for part in parts)


def look_up(document: Any, names: Sequence[str]) -> Any:
    """Return the value of a key; in a list, an item is named by its number or by the value of its `name`.

    Raises:
        LookupError: there is no such value.
    """
    if not names:
        return document
    if isinstance(document, list):
        return look_up(_item(document, names[0]), names[1:])
    if isinstance(document, dict):
        for size in range(1, len(names) + 1):  # the name of a section or a property may have dots
            if (name := ".".join(names[:size])) in document:
                return look_up(document[name], names[size:])
    raise LookupError(".".join(names))


def _item(items: Sequence[Any], name: str) -> Any:
    if name.isdecimal():
        return items[int(name)]
    for item in items:
        if isinstance(item, dict) and item.get("name") == name:
            return item
    raise LookupError(name)


def find_span(text: str, names: Sequence[str], value: str, parse: Parser) -> tuple[int, int] | None:
    """Return start and end of a value in a document's text; None if the text does not have it as it is.

    Args:
        text: the document.
        names: the names in the value's key.
        value: the value.
        parse: the document's parser.
    """
    mark = "kaizen"
    while mark in text:
        mark += "n"
    word = re.escape(value)
    for pattern in (rf"(?<=([\"'])){word}(?=\1)", rf"(?<![\w.+-]){word}(?![\w.+-])"):  # few places, then all
        places = list(re.finditer(pattern, text))
        try:
            marked_value = str(look_up(parse(_mark_places(text, places, mark)), names))
        except (ValueError, LookupError):
            continue
        if marked_value.startswith(mark) and marked_value.removeprefix(mark).isdecimal():
            return places[int(marked_value.removeprefix(mark))].span()
    return None


def _mark_places(text: str, places: Sequence[re.Match[str]], mark: str) -> str:
    pieces, position = [], 0
    for number, place in enumerate(places):
        pieces += [text[position : place.start()], f"{mark}{number}"]
        position = place.end()
    return "".join([*pieces, text[position:]])
