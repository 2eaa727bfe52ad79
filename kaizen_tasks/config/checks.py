"""Checks that a configuration value must pass beyond its type: each returns what is wrong, or an empty text."""

from __future__ import annotations

import difflib
import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ENGINES = ("auto", "docker", "podman", "buildah", "bundle")
PLATFORMS = ("apprunner",)
VERSION_LIKE = re.compile(r"v.*\.|v?[0-9]+(\.|$)")


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest of the choices, or `; known: x, y` when none is near."""
    choices = tuple(choices)
    if matches := difflib.get_close_matches(name, choices, n=1):
        return f"; did you mean {matches[0]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""


def engine(name: str) -> str:
    """Accept the engines that can build an image."""
    return "" if name in ENGINES else f"{name!r} is not an engine{suggest(name, ENGINES)}"


def platform(name: str) -> str:
    """Accept the platforms that can be deployed to."""
    return "" if name in PLATFORMS else f"{name!r} is not a platform{suggest(name, PLATFORMS)}"


def inherited(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check that also accepts an empty value, which is inherited."""
    return lambda value: check(value) if value else ""


def account_number(account: str) -> str:
    """Accept a 12-digit account number or an empty text."""
    return "" if re.fullmatch(r"([0-9]{12})?", account) else f"{account!r} is not a 12-digit account number"


def name_template(template: str) -> str:
    """Accept a name with the placeholders `{env}` and `{app}` only."""
    if placeholders(template) <= {"env", "app"}:
        return ""
    return f"{template!r} has a placeholder other than {{env}} and {{app}}"


def followed_tag(tag: str) -> str:
    """Accept a tag that an image may have and that is not reserved for versions."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag):
        return f"{tag!r} is not the tag of an image"
    return f"{tag!r} looks like a version, and the tag of a version never moves" if VERSION_LIKE.match(tag) else ""


def tag_template(template: str) -> str:
    """Accept the name of a git tag with the placeholder `{version}` only."""
    if "{version}" not in template:
        return f"{template!r} does not contain {{version}}"
    return "" if placeholders(template) == {"version"} else f"{template!r} has a placeholder other than {{version}}"


def placeholders(template: str) -> set[str]:
    """Return the names in braces; for a malformed template the template itself, which is never a valid name."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        return {template}


def url(address: str) -> str:
    """Accept a web address or an empty text."""
    is_valid = not address or address.startswith(("https://", "http://"))
    return "" if is_valid else f"{address!r} begins with neither https:// nor http://"


def url_path(path: str) -> str:
    """Accept the path of a web address."""
    return "" if path.startswith("/") else f"{path!r} does not begin with /"


def at_least(minimum: int) -> Callable[[int], str]:
    """Return a check that accepts numbers from a minimum up."""
    return lambda number: "" if number >= minimum else f"{number} is below {minimum}"


def not_zero(seconds: float) -> str:
    """Accept a timeout above zero."""
    return "" if seconds else "leaves no time for a request"
