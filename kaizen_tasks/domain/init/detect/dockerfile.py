"""Reads the version argument and the platform of a Dockerfile: https://docs.docker.com/reference/dockerfile/."""

from __future__ import annotations

import re

from attrs import frozen

LINE_CONTINUATION = re.compile(r"\\[ \t]*\n")
INSTRUCTION = re.compile(r"(?m)^[ \t]*(FROM|ARG|ENV)[ \t]+(.+)$", re.IGNORECASE)
ARG_NAME = re.compile(r"(?m)^(\w+)")
ENV_REFERENCE = re.compile(r"(\w+)[= \t]+[\"']?\$\{?(\w+)")
PLATFORM_FLAG = re.compile(r"--platform=(\S+)")
VERSION_NAMES = ("VERSION", "APP_VERSION")
AMD64 = "linux/amd64"


@frozen(kw_only=True)
class Dockerfile:
    """The parts of a Dockerfile that a release needs.

    Attributes:
        version_arg: the build argument of the final stage that takes the version; empty when there is none.
        version_variable: the environment variable with the version in the container; empty when there is none.
        platform: the platform to which the final stage is fixed, or empty.
    """

    version_arg: str = ""
    version_variable: str = ""
    platform: str = ""


def parse_dockerfile(text: str) -> Dockerfile:
    """Parse a Dockerfile's final stage; build arguments of other stages do not reach the app."""
    stage: dict[str, list[str]] = {}
    for keyword, operands in INSTRUCTION.findall(LINE_CONTINUATION.sub(" ", text)):
        if keyword.upper() == "FROM":
            stage = {"FROM": [operands], "ARG": [], "ENV": []}
        elif stage:
            stage[keyword.upper()].append(operands)
    arg_names = ARG_NAME.findall("\n".join(stage.get("ARG", ())))
    references = [reference for operands in stage.get("ENV", ()) for reference in ENV_REFERENCE.findall(operands)]
    variable_by_arg = {arg: variable for variable, arg in references}
    version_arg = _choose_version_arg(arg_names, variable_by_arg)
    platform_match = PLATFORM_FLAG.search("".join(stage.get("FROM", ())))
    return Dockerfile(
        version_arg=version_arg,
        version_variable=variable_by_arg.get(version_arg, version_arg),
        platform=platform_match[1] if platform_match and "$" not in platform_match[1] else "",
    )


def _choose_version_arg(arg_names: list[str], variable_by_arg: dict[str, str]) -> str:
    """Return the build argument with a conventional name, or assigned to a variable with such a name, or empty."""
    for name in (*VERSION_NAMES, *(arg for arg in arg_names if variable_by_arg.get(arg) in VERSION_NAMES)):
        if name in arg_names:
            return name
    return ""


def version_snippet(version_arg: str) -> tuple[str, ...]:
    """Return the lines that take the version, for the end of a Dockerfile, so that a new version reuses every layer."""
    return (f"ARG {version_arg}=dev", f"ENV APP_VERSION=${version_arg}")
