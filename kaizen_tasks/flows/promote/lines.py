"""Which environments of a stage a release is for, and which release of several lines they get."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve
from semver import Version

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.ledger import Verification
from kaizen_tasks.domain.line import Line, accepts, line_of_branch, line_of_environment, line_of_version
from kaizen_tasks.domain.version import image_tag, parse_version
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, UsageError
from kaizen_tasks.ports.tools import Tools


def line_of_stage(stage: Stage, version: Version | None, tools: Tools) -> Line | None:
    """Return the line whose releases go to a stage; None for those that no environment stays behind for.

    Args:
        stage: the stage.
        version: the requested release; without one, that of the environments which stay on no line.
        tools: the ports.

    Raises:
        UsageError: the environments stay on different lines, so that a release must be named.
    """
    lines = tools.settings.lines
    by_environment = {member.name: line_of_environment(lines, member.name) for member in stage.environments}
    own_lines = set(by_environment.values())
    if version is not None:
        line = line_of_version(lines, version)
        return line if line in own_lines else None
    if len(own_lines) > 1 and None not in own_lines:
        places = ", ".join(f"{name} stays on {line.name}" for name, line in by_environment.items() if line)
        raise UsageError(f"{stage.name} has environments of several lines: {places}", hint="add --release vX.Y.Z")
    return None if None in own_lines else own_lines.pop()


def source_stage(stage: Stage, line: Line | None, tools: Tools) -> Stage | None:
    """Return the stage that a release comes from: the one before or, for a line, the last one before that gets it.

    A stage gets the releases of a line if one of its environments stays on it; the first stage gets those of all lines.
    """
    source = tools.settings.stage_before(stage)
    while source is not None and line is not None:
        members = tuple(member for member in source.environments if member.name in line.environments)
        if members:
            return evolve(source, environments=members)
        earlier = tools.settings.stage_before(source)
        if earlier is None:
            break
        source = earlier
    return source


def accepting_environments(stage: Stage, version: Version, tools: Tools) -> Stage:
    """Return a stage without the environments that a release is not for, after saying which these are.

    Raises:
        Refused: the release is for none of them.
    """
    lines = tools.settings.lines
    accepting = without_other_lines(stage, version, tools)
    left_out = [member.name for member in stage.environments if member not in accepting.environments]
    reasons = {name: _reason(line_of_environment(lines, name), version, tools) for name in left_out}
    if not accepting.environments:
        name = left_out[0]
        hint = "promote a release of its line; to see what was verified: inv history"
        raise Refused(f"{image_tag(version)} is not for {name}: {reasons[name]}", state=NOTHING_CHANGED, hint=hint)
    for name, reason in reasons.items():
        tools.reporter.note(f"{name} is left out: {reason}")
    return accepting


def without_other_lines(stage: Stage, version: Version, tools: Tools) -> Stage:
    """Return a stage with the environments alone that a release is for; there may be none."""
    lines = tools.settings.lines
    members = (member for member in stage.environments if accepts(lines, member.name, version))
    return evolve(stage, environments=tuple(members))


def _reason(own_line: Line | None, version: Version, tools: Tools) -> str:
    if own_line is not None:
        return f"it stays on the line {own_line.name}"
    line = line_of_version(tools.settings.lines, version)
    return f"it is not one of the environments on the line {line.name if line else ''}"


def first_stage_of_branch(stage: Stage, tools: Tools) -> Stage:
    """Return the first stage with the environments that the branch's line is released to.

    These are the ones that stay on the line or, if there are none, those that stay on no line.
    """
    lines = tools.settings.lines
    line = line_of_branch(lines, tools.scm.head().branch) if lines else None
    groups = [
        [member for member in stage.environments if line_of_environment(lines, member.name) is own_line]
        for own_line in ((line, None) if line else (None,))
    ]
    members = next(filter(None, groups), list(stage.environments))
    return evolve(stage, environments=tuple(members))


def acceptance(line: Line | None, tools: Tools) -> Callable[[Version], bool]:
    """Return the function that tells the releases of a line or, for None, those that are for all other environments."""
    lines = tools.settings.lines

    def is_accepted(version: Version) -> bool:
        own_line = line_of_version(lines, version)
        return own_line is line if line else own_line is None or not own_line.environments

    return is_accepted


def newest_of_lines(verifications: tuple[Verification, ...], tools: Tools) -> Verification | None:
    """Return the last verification or, if that is one of an older line, the last one of the newest line.

    Without this, a backport that the first stage verifies last would replace a later release in the stages after it.
    """
    if not verifications:
        return None
    last = verifications[0]
    others = [other for other in verifications[1:] if not other.withdrawal and _is_of_newer_line(other, last, tools)]
    if not others:
        return last
    name = last.entry.version
    tools.reporter.note(f"{name} was verified last, and is of an older line; to promote it: --release {name}")
    return others[0]


def _is_of_newer_line(other: Verification, last: Verification, tools: Tools) -> bool:
    version, last_version = parse_version(other.entry.version), parse_version(last.entry.version)
    if version <= last_version:
        return False
    if tools.scm.resolve(last.entry.commit) and tools.scm.resolve(other.entry.commit):
        return not tools.scm.is_ancestor(last.entry.commit, other.entry.commit)
    return version.to_tuple()[:2] != last_version.to_tuple()[:2]
