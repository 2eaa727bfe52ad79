"""What a Dockerfile says about versions and platforms.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re

from attrs import frozen

LINE_CONTINUATION = re.compile(r"\\[ \t]*\n")
INSTRUCTION = re.compile(r"(?m)^[ \t]*(FROM|ARG|ENV)[ \t]+(.+)$", re.IGNORECASE)
ARG_NAME = re.compile(r"(\w+)")
ENV_REFERENCE = re.compile(r"(\w+)[= \t]+[\"']?\$\{?(\w+)")
PLATFORM_FLAG = re.compile(r"--platform=(\S+)")
VERSION_NAMES = ("VERSION", "APP_VERSION")
AMD64 = "linux/amd64"


@frozen(kw_only=True)
class Dockerfile:
    """What matters of it for a release.

    Attributes:
        version_arg: the build argument of the final stage that takes the version; empty when there is none.
        version_variable: the variable that the app finds it in; empty when there is none.
        platform: what the final stage is fixed to; empty when it is not.
    """

    version_arg: str = ""
    version_variable: str = ""
    platform: str = ""


def parse_dockerfile(text: str) -> Dockerfile:
    """Read a Dockerfile's final stage; arguments of other stages do not reach the app."""
    instructions = [
        (keyword.upper(), operands) for keyword, operands in INSTRUCTION.findall(LINE_CONTINUATION.sub(" ", text))
    ]
    from_index = max((index for index, (keyword, _) in enumerate(instructions) if keyword == "FROM"), default=-1)
    final_stage = instructions[from_index + 1 :] if from_index >= 0 else []
    arg_names = [
        match[1] for keyword, operands in final_stage if keyword == "ARG" and (match := ARG_NAME.match(operands))
    ]
    variable_by_arg = {
        arg: variable
        for keyword, operands in final_stage
        if keyword == "ENV"
        for variable, arg in ENV_REFERENCE.findall(operands)
    }
    version_arg = _choose_version_arg(arg_names, variable_by_arg)
    platform_match = PLATFORM_FLAG.search(instructions[from_index][1]) if from_index >= 0 else None
    return Dockerfile(
        version_arg=version_arg,
        version_variable=variable_by_arg.get(version_arg, version_arg),
        platform=platform_match[1] if platform_match and "$" not in platform_match[1] else "",
    )


def _choose_version_arg(arg_names: list[str], variable_by_arg: dict[str, str]) -> str:
    """Choose the argument: the usual name, else one that becomes the app's version."""
    for name in (*VERSION_NAMES, *(arg for arg in arg_names if variable_by_arg.get(arg) in VERSION_NAMES)):
        if name in arg_names:
            return name
    return ""


def version_snippet(version_arg: str) -> tuple[str, ...]:
    """Return what makes a Dockerfile take the version; at the end, so that a new one reuses every layer above."""
    return (f"ARG {version_arg}=dev", f"ENV APP_VERSION=${version_arg}")
