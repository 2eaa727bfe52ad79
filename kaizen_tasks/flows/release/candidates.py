"""Release candidates: the next one, and the final release that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from attrs import frozen
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog.bump_inference import BumpDecision, ChangePart, find_decision
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import files, optional_files, tags

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class FinalRelease:
    """The version of a final release, and why it has that one."""

    version: Version
    reason: str


def final_release(candidate: Version, part: versions.Part, tools: Tools, *, force: bool) -> FinalRelease:
    """Return the final release of a candidate: its version without `-rc.N`, or what the notes since then require.

    Args:
        candidate: the last release.
        part: what was asked for; any part means the final release, and `auto` whatever the notes require.
        tools: the ports.
        force: whether the part may be lower than the notes require.

    Raises:
        Refused: the notes require more than the candidate's version and the part.
    """
    final, decision = candidate.finalize_version(), _infer_part(candidate, tools)
    reason = f"the final release of {candidate}"
    if decision is None or _required_version(candidate, decision, tools) <= final:
        return FinalRelease(version=final, reason=reason)
    if part == "auto" or _order(part) >= _order(decision.part):
        return FinalRelease(
            version=_required_version(candidate, decision, tools), reason=optional_files.reason_of(decision, tools)
        )
    if force:
        return FinalRelease(version=final, reason=reason)
    from kaizen_tasks.flows.release import lines

    path, line = optional_files.place_of(decision.entry, tools)
    hint = lines.sufficient_part_hint(decision.part, _required_version(candidate, decision, tools), candidate, tools)
    message = f"{path}:{line}: {decision.entry.excerpt!r} requires a {decision.part}, and {final} is not one"
    raise Refused(message, state=NOTHING_CHANGED, hint=hint)


def next_candidate(base: Version, tools: Tools) -> Version:
    """Return the next release candidate after a version: of a feature, or of what the notes require beyond."""
    candidate, decision = versions.bump_version(base, "rc"), _infer_part(base, tools)
    required = _required_version(base, decision, tools) if decision else candidate
    return required.bump_prerelease("rc") if required > candidate.finalize_version() else candidate


def _infer_part(base: Version, tools: Tools) -> BumpDecision | None:
    """Return what the notes since the last final release require; None when no entry has a type."""
    changelog = optional_files.read_noted_changelog(tools)
    unreleased = (changelog.unreleased,) if changelog.unreleased else ()
    sections = (*changelog.candidates_of(base.finalize_version()), *unreleased)
    last_final = _last_final(base, tools) or base
    return find_decision(*sections, current_version=last_final, rules=tools.settings.bump_rules)


def _required_version(base: Version, decision: BumpDecision, tools: Tools) -> Version:
    last_final = _last_final(base, tools)
    return versions.bump_version(last_final, decision.part) if last_final else base.finalize_version()


def _last_final(base: Version, tools: Tools) -> Version | None:
    """Return the last final release up to a version, by its tag or heading; None when there is none."""
    releases = {*tags.tagged_versions(tools), *_headings(files.read_changelog(tools))}
    return max((version for version in releases if version <= base and not version.prerelease), default=None)


def _headings(changelog: Changelog) -> tuple[Version, ...]:
    return tuple(section.version for section in changelog.releases if section.version)


def _order(part: versions.Part) -> int:
    return get_args(ChangePart).index(part)
