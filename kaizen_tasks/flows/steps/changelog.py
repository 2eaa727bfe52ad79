"""The step that cuts the changelog."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.flows.release import files, last_release, optional_files, preconditions, tags, undated_sections
from kaizen_tasks.flows.step import FileStep

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class CutChangelog(FileStep):
    """Cut `[Unreleased]` into the section of the version, with the entries of fragments, which are deleted.

    Attributes:
        after_preflight: whether fragments were found to be as in the last commit just before.
    """

    after_preflight: bool = False
    label = StepLabel("changelog")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the heading of the version."""
        if release.commit:
            return Done(f"[{release.version}] is in the release commit", release)
        changelog, date = files.read_changelog(tools), tools.clock.release_date()
        section = changelog.find_section(release.version)
        undated = undated_sections.undated_section(changelog, release.version, tools)
        if undated is None and section is not None:
            leftovers = optional_files.folded_fragments(section, tools)
            description = f"delete {' and '.join(leftovers)}, which [{release.version}] contains"
            return Act(description, release) if leftovers else Done(f"[{release.version}] exists", release)
        if not self.after_preflight and (uncommitted := tuple(preconditions.check_fragments(tools))):
            return evolve(preconditions.refusal(uncommitted), state="")  # an earlier step may have changed something
        notes = _sources(release, tools)
        if undated is not None and (notes or not undated.is_empty):
            also = f", with the notes of {notes}" if notes else ""
            return Act(f"date [{release.version}] {date}, at line {undated.line}{also}", release)
        if not notes:
            reason = f"nothing is noted under [Unreleased] for {release.version}"
            return Refuse(reasons=(reason,), hint=f"note what changed: {files.note_command(tools)}")
        return Act(f"cut {notes} into [{release.version}] - {date}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the changelog with the new section, all other bytes stay; then delete what was folded in."""
        section = undated_sections.find_cut_section(release.version, tools)
        if section is not None:
            folded_paths = optional_files.folded_fragments(section, tools)
        else:
            folded_paths = optional_files.read_fragments(tools).paths if tools.settings.changelog.fragments else ()
            self._write_section(release, tools)
        for path in folded_paths:
            tools.release_files.delete(path)
        return release

    def _write_section(self, release: Release, tools: Tools) -> None:
        previous = last_release.previous_release(release.version, tools)
        changelog, version = optional_files.read_noted_changelog(tools), release.version
        undated = undated_sections.undated_section(changelog, version, tools)
        cut = partial(
            cut_release,
            version=version,
            date=tools.clock.release_date(),
            repository_url=tools.scm.web_url() or None,
            tag_pattern=tools.settings.tag_pattern,
            changelog_format=tools.settings.changelog.format,
            previous=previous,
            previous_tag=tags.tag_name(previous, tools) if previous else "",
        )
        if undated is not None or changelog.candidates_of(version):
            from kaizen_tasks.domain.changelog.gather import cut_gathered

            new_content = cut_gathered(changelog, version, undated, cut, tag=tools.settings.git_tag(version))
        else:
            new_content = cut(changelog.content)
        tools.release_files.write(files.changelog_file(tools), new_content)


def _sources(release: Release, tools: Tools) -> str:
    """Return the names of what is cut into the section of a release."""
    changelog = optional_files.read_noted_changelog(tools)
    names = [f"[{section.version}]" for section in changelog.candidates_of(release.version)]
    if files.has_unreleased_entries(changelog):
        has_fragments = tools.settings.changelog.fragments and optional_files.read_fragments(tools).items
        names.append("[Unreleased] and the fragments" if has_fragments else "[Unreleased]")
    return ", ".join(names)
