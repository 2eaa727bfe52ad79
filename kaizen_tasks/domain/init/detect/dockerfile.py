"""Finds the version argument, the place for one and the platform in a Dockerfile."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.dockerfile.instructions import read_lines, split_instructions
from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile as parse_stages

START_KEYWORDS = ("ENTRYPOINT", "CMD")
LAYER_KEYWORDS = ("ADD", "COPY", "RUN", "WORKDIR")
VERSION_NAMES = ("VERSION", "APP_VERSION")
AMD64 = "linux/amd64"
SAMPLE_VERSION = "v0.0.0-sample"
"""A value of the version argument that no variable has by chance."""


@frozen(kw_only=True)
class Dockerfile:
    """The parts of a Dockerfile that a release needs.

    Attributes:
        version_arg: the build argument of the stage that takes the version; empty when there is none.
        version_variable: the environment variable with the version in the container; empty when there is none.
        platform: the platform to which the stage is fixed, or empty.
        version_line: the line of the file above which the stage takes a version; None for its end.
        start_keyword: the instruction on that line, `ENTRYPOINT` or `CMD`; empty for the end.
    """

    version_arg: str = ""
    version_variable: str = ""
    platform: str = ""
    version_line: int | None = None
    start_keyword: str = ""


def parse_dockerfile(text: str, target: str = "") -> Dockerfile:
    """Parse the stage of a Dockerfile that is built; build arguments of other stages do not reach the app."""
    dockerfile = parse_stages(text)
    stage = dockerfile.find_stage(target) or dockerfile.final
    variable_by_arg = {arg: _find_variable(text, arg, target) for arg in stage.build_args}
    version_arg = _choose_version_arg(variable_by_arg)
    line, keyword = _version_place(text, stage.index)
    return Dockerfile(
        version_arg=version_arg,
        version_variable=variable_by_arg.get(version_arg) or version_arg,
        platform=stage.platform,
        version_line=line,
        start_keyword=keyword,
    )


def _version_place(text: str, stage: int) -> tuple[int | None, str]:
    """Return the line above which a stage takes the version, and its instruction: a new version reuses every layer.

    That is the first ENTRYPOINT or CMD below all layers, with the comment above it; else the end of the stage.
    """
    source = read_lines(text)
    start, keyword, number = None, "", -1
    for instruction in split_instructions(source):
        if instruction.keyword == "FROM":
            if number == stage:
                return (start, keyword) if start else (instruction.line, "")
            number, start, keyword = number + 1, None, ""
        elif instruction.keyword in LAYER_KEYWORDS:
            start, keyword = None, ""
        elif instruction.keyword in START_KEYWORDS and start is None:
            start, keyword = instruction.line, instruction.keyword
    while start and source.lines[start - 2].lstrip().startswith("#"):
        start -= 1
    return start, keyword


def _find_variable(text: str, arg: str, target: str) -> str:
    """Return the environment variable of the stage with the value of a build argument, or empty."""
    dockerfile = parse_stages(text, {arg: SAMPLE_VERSION})
    stage = dockerfile.find_stage(target) or dockerfile.final
    return next((name for name, value in stage.env.items() if SAMPLE_VERSION in value), "")


def _choose_version_arg(variable_by_arg: dict[str, str]) -> str:
    """Return the build argument with a conventional name, or assigned to a variable with such a name, or empty."""
    for name in (*VERSION_NAMES, *(arg for arg, variable in variable_by_arg.items() if variable in VERSION_NAMES)):
        if name in variable_by_arg:
            return name
    return ""


def version_snippet(version_arg: str) -> tuple[str, ...]:
    """Return the lines by which a stage takes the version."""
    return (f"ARG {version_arg}=dev", f"ENV APP_VERSION=${version_arg}")
