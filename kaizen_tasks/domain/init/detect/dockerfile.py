"""What a Dockerfile says about versions and platforms.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re

from attrs import frozen

CONTINUED = re.compile(r"\\[ \t]*\n")
LINE = re.compile(r"(?m)^[ \t]*(FROM|ARG|ENV)[ \t]+(.+)$", re.IGNORECASE)
ARGUMENT = re.compile(r"(\w+)")
SETTING = re.compile(r"(\w+)[= \t]+[\"']?\$\{?(\w+)")
PLATFORM = re.compile(r"--platform=(\S+)")
USUAL = ("VERSION", "APP_VERSION")
AMD64 = "linux/amd64"


@frozen(kw_only=True)
class Dockerfile:
    """What matters of it for a release.

    Attributes:
        argument: the build argument of the final stage that takes the version; empty when there is none.
        variable: the variable that the app finds it in; empty when there is none.
        platform: what the final stage is fixed to; empty when it is not.
    """

    argument: str = ""
    variable: str = ""
    platform: str = ""


def read(text: str) -> Dockerfile:
    """Read a Dockerfile's final stage; arguments of other stages do not reach the app."""
    lines = [(word.upper(), rest) for word, rest in LINE.findall(CONTINUED.sub(" ", text))]
    last = max((place for place, (word, _) in enumerate(lines) if word == "FROM"), default=-1)
    final = lines[last + 1 :] if last >= 0 else []
    arguments = [found[1] for word, rest in final if word == "ARG" and (found := ARGUMENT.match(rest))]
    settings = {used: name for word, rest in final if word == "ENV" for name, used in SETTING.findall(rest)}
    argument = _version(arguments, settings)
    fixed = PLATFORM.search(lines[last][1]) if last >= 0 else None
    return Dockerfile(
        argument=argument,
        variable=settings.get(argument, argument),
        platform=fixed[1] if fixed and "$" not in fixed[1] else "",
    )


def _version(arguments: list[str], settings: dict[str, str]) -> str:
    """Choose the argument: the usual name, else one that becomes the app's version."""
    for name in (*USUAL, *(each for each in arguments if settings.get(each) in USUAL)):
        if name in arguments:
            return name
    return ""


def lines_to_add(argument: str) -> tuple[str, ...]:
    """Return what makes a Dockerfile take the version; at the end, so that a new one reuses every layer above."""
    return (f"ARG {argument}=dev", f"ENV APP_VERSION=${argument}")
