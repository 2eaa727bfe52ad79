"""Finds the environments for which Terraform repeats a service: the keys of its `for_each`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

SERVICE_FOR_EACH = re.compile(
    r'(?ms)^resource\s*"aws_apprunner_service"\s*"[\w-]+"\s*\{(?:(?!^resource).)*?^[ \t]*for_each[ \t]*=[ \t]*'
)
REFERENCE = re.compile(r"(?:toset\(\s*)?(var|local)\.([\w-]+)")
KEY = re.compile(r'[ \t\n,]*"?([A-Za-z][\w-]*)"?[ \t]*=[ \t]*')
TEXT = re.compile(r'"([\w-]+)"')
ATTRIBUTE = re.compile(r'([A-Za-z]\w*)[ \t]*=[ \t]*"([^"$]*)"')


def environment_names(code: str) -> tuple[str, ...]:
    """Return the keys of the services' `for_each`; none when a service is not repeated, or by what cannot be read."""
    return tuple(_entries(code))


def scope_of(code: str, environment: str) -> dict[str, str]:
    """Return the values of `each.key` and of the members of `each.value` that are text, by name."""
    entry = _entries(code).get(environment)
    if entry is None:
        return {}
    members = {f"each.value.{name}": value for name, value in ATTRIBUTE.findall(entry)}
    return {"each.key": environment, "each.value": environment, **members}


def closing_brace(code: str, start: int) -> int:
    """Return the position of the brace that closes the block whose content starts there; the end if there is none."""
    depth, position = 1, start
    for match in re.compile(r'"(?:[^"\\]|\\.)*"|(?:#|//)[^\n]*|[{}]').finditer(code, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
        position = match.end()
    return max(position, len(code))


def _entries(code: str) -> Mapping[str, str]:
    """Return the source text of each entry of the `for_each`, by its key."""
    match = SERVICE_FOR_EACH.search(code)
    if match is None:
        return {}
    expression = code[match.end() :]
    if reference := REFERENCE.match(expression):
        expression = _definition(code, reference[1], reference[2])
    return dict(_parse_collection(expression))


def _definition(code: str, kind: str, name: str) -> str:
    """Return the source text from the default of a variable, or the value of a local, on."""
    escaped = re.escape(name)
    if kind == "var":
        pattern = rf'(?s)variable\s*"{escaped}"\s*\{{(?:(?!^variable).)*?default[ \t]*=[ \t]*'
    else:
        pattern = rf"(?m)^[ \t]*{escaped}[ \t]*=[ \t]*"
    match = re.search(pattern, code)
    return code[match.end() :] if match else ""


def _parse_collection(expression: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of a map, or of a list or set of texts."""
    text = expression.lstrip().removeprefix("toset(").lstrip()
    if text.startswith("["):
        yield from ((name, "") for name in TEXT.findall(text[: text.find("]")]))
    elif text.startswith("{"):
        position, end = 1, closing_brace(text, 1)
        while position < end and (match := KEY.match(text, position)):
            value_end = _value_end(text, match.end(), end)
            yield match[1], text[match.end() : value_end]
            position = value_end


def _value_end(text: str, start: int, end: int) -> int:
    if text.startswith("{", start):
        return closing_brace(text, start + 1) + 1
    line_end = re.compile(r"[,\n}]").search(text, start)
    return min(line_end.start() if line_end else end, end)
