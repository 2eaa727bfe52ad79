"""The step that cuts the changelog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class CutChangelog:
    """Cut `[Unreleased]` into the section of the version."""

    label = StepLabel("changelog")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the heading of the version."""
        if release.commit:
            return Done(f"[{release.version}] is in the release commit", release)
        changelog = files.read_changelog(tools)
        if changelog.find_section(release.version) is not None:
            return Done(f"[{release.version}] exists", release)
        if not files.has_unreleased_entries(changelog):
            reason = f"nothing is noted under [Unreleased] for {release.version}"
            return Refuse(reasons=(reason,), hint='note what changed: inv changelog.add --type fixed --text "…"')
        return Act(f"cut [Unreleased] into [{release.version}] - {tools.clock.release_date()}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write CHANGELOG.md with the new section; all other bytes stay."""
        new_content = cut_release(
            files.read_changelog_bytes(tools),
            version=release.version,
            date=tools.clock.release_date(),
            repository_url=tools.scm.web_url() or None,
            tag_pattern=tools.settings.tag_pattern,
            changelog_format=tools.settings.changelog.format,
        )
        tools.release_files.write(files.CHANGELOG_FILE, new_content)
        return release
