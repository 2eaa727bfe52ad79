"""The flow of `inv cut`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from semver import Version

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, PushFailed, Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.runner import apply_step, dry_run_step, run_flow
from kaizen_tasks.flows.steps import Bump, CutChangelog, FastForward
from tests.fakes.scm import FakeScm
from tests.fakes.tools import CHANGELOG, FILES, FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.version import Part


@pytest.fixture
def tools() -> FakeTools:
    """A library: an app without anything to deploy."""
    return FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))


def cut(tools: FakeTools, bump: Bump | None = None, *, push: bool = False, dry: bool = False) -> Release:
    """Run `inv cut`."""
    tools.next_command()
    flow = catalogue.cut(bump or Bump(accept_released=True), push=push)
    return run_flow(flow, Release(version=files.read_version(tools)), tools, dry_run_step if dry else apply_step)


def note(tools: FakeTools, text: bytes) -> None:
    """Note a change under `[Unreleased]`, and commit it."""
    changelog = tools.scm.working_tree.files["CHANGELOG.md"]
    tools.scm.commit({"CHANGELOG.md": changelog.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n" + text, 1)})


def changelog_sections(tools: FakeTools) -> list[bytes]:
    """Return what is above the first section, and each section."""
    return tools.scm.working_tree.files["CHANGELOG.md"].split(b"\n## ")


def test_cut_bumps_commits_and_tags(tools: FakeTools) -> None:
    before = tools.scm.head().commit

    released = cut(tools)

    head = tools.scm.head()
    assert released == Release(version=Version.parse("0.2.0"), commit=head.commit)
    assert tools.scm.commits[head.commit].parent == before
    assert tools.scm.resolve("refs/tags/v0.2.0") == head.commit
    assert tools.scm.working_tree.files["VERSION"] == b"0.2.0\n"
    assert b"## [0.2.0] - 2026-11-20" in tools.scm.working_tree.files["CHANGELOG.md"]
    assert tools.scm.modified_files() == ()


def test_a_changelog_without_entries_is_found_before_anything_is_written(tools: FakeTools) -> None:
    """A VERSION that is ahead is kept, so that only the changelog stands in the way."""
    tools.scm.commit({"CHANGELOG.md": b"# Changelog\n\n## [Unreleased]\n", "VERSION": b"0.3.0\n"})

    with pytest.raises(Refused, match=r"nothing is noted under \[Unreleased\] for 0\.3\.0"):
        cut(tools)
    assert tools.reporter.labels_with("act") == []


def test_message_of_commit_and_tag_are_templates(tools: FakeTools) -> None:
    tools.settings = settings(
        pipeline=[],
        environments={},
        groups={},
        smoke=[],
        release={"message": "chore(release): {version}\n\n{notes}", "signoff": True},
        tag={"message": "{app} {tag}\n\n{notes}"},
    )

    released = cut(tools)

    notes = "Added\n\n- Weekly plans"
    commit = tools.scm.commits[released.commit]
    assert commit.message == f"chore(release): 0.2.0\n\n{notes}\n\nSigned-off-by: Sam Example <sam@example.com>\n"
    assert tools.scm.messages["v0.2.0"] == f"web v0.2.0\n\n{notes}\n"


def test_a_release_with_a_message_of_its_own_is_not_made_twice(tools: FakeTools) -> None:
    tools.settings = settings(pipeline=[], environments={}, groups={}, smoke=[], release={"message": "Ship it"})
    released = cut(tools)

    assert cut(tools) == released
    assert tools.scm.head().commit == released.commit


def test_cut_without_a_push_asks_no_remote(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("asked the remote")

    monkeypatch.setattr(tools.scm, "cached_remote_refs", fail)

    assert cut(tools, Bump(accept_released=True, ask_remote=False)).commit


def test_first_release_with_a_part_is_bumped_once(tools: FakeTools) -> None:
    """There is neither a tag nor a released section to count from."""
    changelog = b"# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A fix.\n"
    tools.scm = FakeScm({**FILES, "VERSION": b"0.1.1\n", "CHANGELOG.md": changelog})

    assert cut(tools, Bump(part="patch")).version == Version.parse("0.1.2")
    assert tools.scm.working_tree.files["VERSION"] == b"0.1.2\n"


def test_fast_forward_updates_an_index_left_by_a_stopped_run(tools: FakeTools) -> None:
    """Files that were written before the commit are up to date; only the index is not."""
    before = dict(tools.scm.index)
    released = cut(tools)
    tools.scm.index.update(before)
    assert tools.scm.modified_files() == ("CHANGELOG.md", "VERSION")

    run_flow((FastForward(),), released, tools)
    assert tools.scm.modified_files() == ()


def test_fast_forward_keeps_later_edits(tools: FakeTools) -> None:
    released = cut(tools)
    tools.release_files = tools.scm.working_tree
    tools.release_files.write("CHANGELOG.md", b"# Changelog\n")

    run_flow((FastForward(),), released, tools)
    assert tools.scm.modified_files() == ("CHANGELOG.md",)


def test_cut_makes_no_request(tools: FakeTools) -> None:
    tools.upstream.tags["v9.9.9"] = "0123456789abcdef"
    tools.upstream.branches["main"] = "0123456789abcdef"

    cut(tools)

    assert tools.upstream.tags == {"v9.9.9": "0123456789abcdef"}
    assert tools.ledger.all_entries == []


def test_cut_pushes_branch_and_tag_when_asked_to(tools: FakeTools) -> None:
    released = cut(tools, push=True)

    assert tools.upstream.tags == {"v0.2.0": released.commit}
    assert tools.upstream.branches["main"] == released.commit


def test_cut_needs_a_remote_only_to_push() -> None:
    """A repository may have no remote."""
    tools = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))
    tools.scm = FakeScm(FILES, working_tree=tools.scm.working_tree)

    with pytest.raises(Refused, match="there is no remote to push to"):
        cut(tools, push=True)
    assert tools.scm.tags() == ()

    assert cut(tools).name == "v0.2.0"


def test_cut_is_idempotent(tools: FakeTools) -> None:
    first = cut(tools)
    before = dict(tools.scm.commits)

    assert cut(tools) == first
    assert tools.reporter.labels_with("act") == []
    assert tools.scm.commits == before


def test_cut_can_be_pushed_later(tools: FakeTools) -> None:
    """`inv cut` and then `inv cut --push` is one release."""
    first = cut(tools)

    cut(tools, push=True)

    assert tools.reporter.labels_with("acted") == ["push"]
    assert tools.upstream.tags == {"v0.2.0": first.commit}


PUSHING = Bump(accept_released=True, ask_remote=False, push=True)


def test_release_that_was_not_pushed_is_finished_after_later_commits(tools: FakeTools) -> None:
    first = cut(tools)
    later = tools.scm.commit({"app.py": b"later\n"})

    assert cut(tools, PUSHING, push=True) == first
    assert tools.upstream.tags == {"v0.2.0": first.commit}
    assert tools.upstream.branches["main"] == later


def test_finished_release_is_done_while_the_branch_on_the_remote_notes_nothing_more(tools: FakeTools) -> None:
    first = cut(tools, push=True)
    tools.scm.commit({"app.py": b"later\n"})
    tools.upstream.branches["main"] = tools.scm.head().commit

    assert cut(tools, PUSHING, push=True) == first
    assert tools.reporter.labels_with("act") == []


def test_own_commits_after_a_finished_release_need_a_note(tools: FakeTools) -> None:
    cut(tools, push=True)
    tools.scm.commit({"app.py": b"later\n"})

    with pytest.raises(Refused, match="nothing is noted"):
        cut(tools, PUSHING, push=True)


@pytest.mark.parametrize(("part", "name"), [("auto", "v0.2.1"), ("patch", "v0.2.1"), ("major", "v1.0.0")])
def test_what_is_noted_after_a_release_that_was_not_pushed_is_the_next_one(
    tools: FakeTools, part: Part, name: str
) -> None:
    cut(tools)
    note(tools, b"### Fixed\n\n- A typo\n")

    assert cut(tools, attrs.evolve(PUSHING, part=part), push=True).name == name


def test_cut_dry_run_shows_the_plan_and_changes_nothing(tools: FakeTools) -> None:
    planned = cut(tools, push=True, dry=True)

    assert planned.name == "v0.2.0"
    assert tools.reporter.labels_with("act") == ["bump", "changelog", "commit", "push", "commit+tag"]
    assert (len(tools.scm.commits), tools.scm.tags()) == (1, ())
    assert tools.scm.working_tree.files == FILES


@pytest.mark.parametrize(
    ("bump", "name"),
    [
        (Bump(accept_released=True), "v0.2.0"),
        (Bump(accept_released=True, part="feature"), "v0.2.0"),
        (Bump(accept_released=True, part="rc"), "v0.2.0-rc.1"),
        (Bump(accept_released=True, part="major"), "v1.0.0"),
        (Bump(accept_released=True, part="patch", force=True), "v0.1.1"),
        (Bump(accept_released=True, to=Version.parse("3.0.0")), "v3.0.0"),
    ],
)
def test_cut_uses_the_requested_version(tools: FakeTools, bump: Bump, name: str) -> None:
    assert cut(tools, bump).name == name


@pytest.mark.parametrize(
    ("bump", "what"),
    [
        (Bump(accept_released=True, part="patch"), "'Weekly plans' requires a feature, not a patch"),
        (Bump(accept_released=True, to=Version.parse("0.1.0")), "does not come after the last release"),
        (Bump(accept_released=True, to=Version.parse("0.0.9")), "does not come after the last release"),
    ],
)
def test_wrong_version_is_refused(tools: FakeTools, bump: Bump, what: str) -> None:
    tools.scm.create_tag("v0.1.0", tools.scm.head().commit, "")

    with pytest.raises(Refused, match=what):
        cut(tools, bump)

    assert tools.scm.working_tree.files == FILES
    assert tools.scm.tags() == ("v0.1.0",)


def test_cut_needs_unreleased_entries(tools: FakeTools) -> None:
    cut(tools)
    tools.scm.commit({"app.py": b"print()\n"})

    with pytest.raises(Refused, match=r"nothing is noted under \[Unreleased\] since 0\.2\.0"):
        cut(tools)


def test_next_version_is_inferred_from_the_entries(tools: FakeTools) -> None:
    cut(tools)
    note(tools, b"### Fixed\n\n- A typo\n")

    assert cut(tools).name == "v0.2.1"
    assert tools.scm.tags() == ("v0.2.0", "v0.2.1")


def test_release_candidates_lead_to_their_release(tools: FakeTools) -> None:
    names = [cut(tools, Bump(accept_released=True, part="rc")).name]
    for part, text in (("rc", b"- A typo\n"), ("patch", b"- Another\n")):
        note(tools, b"### Fixed\n\n" + text)
        names.append(cut(tools, Bump(accept_released=True, part=part, force=True)).name)  # type: ignore[arg-type]

    assert names == ["v0.2.0-rc.1", "v0.2.0-rc.2", "v0.2.0"]


def test_rejecting_hook_changes_nothing(tools: FakeTools) -> None:
    tools.scm.hook_message = "the tests fail"

    with pytest.raises(KaizenError, match="the tests fail"):
        cut(tools)

    assert tools.scm.working_tree.files == FILES
    assert (len(tools.scm.commits), tools.scm.tags(), tools.scm.pending_releases()) == (1, (), {})


def test_rejected_push_changes_nothing_here(tools: FakeTools) -> None:
    """Running the command again finishes the same commit."""
    before = tools.scm.head()
    tools.upstream.protection_message = "needs a review"
    with pytest.raises(PushFailed):
        cut(tools, push=True)
    begun = tools.scm.pending_releases()["v0.2.0"]
    after, tags, files = tools.scm.head(), tools.scm.tags(), dict(tools.scm.working_tree.files)
    tools.upstream.protection_message = ""

    assert cut(tools, push=True).commit == begun
    assert (after, tags, files) == (before, (), FILES)
    assert tools.upstream.tags == {"v0.2.0": begun}


def test_cut_keeps_every_other_byte_of_the_changelog(tools: FakeTools) -> None:
    cut(tools)

    old = CHANGELOG.partition(b"## [0.1.0]")[2]
    assert old.strip() in tools.scm.working_tree.files["CHANGELOG.md"]


class TestReleaseCandidates:
    """What follows `--part rc`."""

    def candidate(self, tools: FakeTools) -> Release:
        return cut(tools, Bump(part="rc", accept_released=True))

    @pytest.mark.parametrize("part", ["auto", "patch", "feature", "major"])
    def test_any_part_makes_the_final_release(self, tools: FakeTools, part: Part) -> None:
        assert self.candidate(tools).name == "v0.2.0-rc.1"
        assert self.candidate(tools).name == "v0.2.0-rc.1"
        note(tools, b"### Fixed\n\n- Later\n")

        assert cut(tools, Bump(part=part, accept_released=True)).name == "v0.2.0"
        section = changelog_sections(tools)[2]
        assert section == b"[0.2.0] - 2026-11-20\n\n### Added\n\n- Weekly plans\n\n### Fixed\n\n- Later\n"
        assert cut(tools).name == "v0.2.0"

    def test_nothing_new_is_needed_for_the_final_release(self, tools: FakeTools) -> None:
        self.candidate(tools)
        note(tools, b"### Fixed\n\n- Later\n")
        assert self.candidate(tools).name == "v0.2.0-rc.2"

        assert cut(tools).name == "v0.2.0"
        assert tools.scm.working_tree.files["CHANGELOG.md"].count(b"- Weekly plans") == 2

    def test_a_breaking_change_after_the_candidate_is_no_feature(self, tools: FakeTools) -> None:
        cut(tools, Bump(to=Version.parse("1.0.0")))
        note(tools, b"### Added\n\n- New\n")
        assert self.candidate(tools).name == "v1.1.0-rc.1"
        note(tools, b"### Removed\n\n- Old\n")

        with pytest.raises(Refused, match=r"'Old' requires a major, and 1.1.0 is not one"):
            cut(tools, Bump(part="feature"))
        assert cut(tools, dry=True).name == "v2.0.0"
        assert self.candidate(tools).name == "v2.0.0-rc.1"
        assert cut(tools, Bump(part="major")).name == "v2.0.0"

    def test_a_part_can_be_forced(self, tools: FakeTools) -> None:
        cut(tools, Bump(to=Version.parse("1.0.0")))
        note(tools, b"### Added\n\n- New\n")
        self.candidate(tools)
        note(tools, b"### Removed\n\n- Old\n")

        assert cut(tools, Bump(part="feature", force=True)).name == "v1.1.0"

    def test_the_first_candidate_of_a_breaking_change_is_of_a_major_release(self, tools: FakeTools) -> None:
        cut(tools, Bump(to=Version.parse("1.0.0")))
        note(tools, b"### Removed\n\n- Old\n")

        assert self.candidate(tools).name == "v2.0.0-rc.1"


class TestUndatedSection:
    """`## [0.1.1] - Unreleased`, which gets its date in the release commit."""

    def place(self, tools: FakeTools, version: bytes, heading: bytes) -> None:
        """Tag 0.1.0, and note what follows under a heading of its own."""
        tools.scm.create_tag("v0.1.0", tools.scm.head().commit, "v0.1.0")
        changelog = CHANGELOG.replace(b"## [Unreleased]\n\n### Added", heading + b"\n\n### Fixed")
        tools.scm.commit({"CHANGELOG.md": changelog, "VERSION": version})

    @pytest.mark.parametrize("version", [b"0.1.1\n", b"0.1.0\n"])
    def test_gets_its_date_in_the_release_commit(self, tools: FakeTools, version: bytes) -> None:
        self.place(tools, version, b"## [0.1.1] - Unreleased")
        before = tools.scm.working_tree.files["CHANGELOG.md"]

        released = cut(tools)

        changelog = tools.scm.read_at(released.commit, "CHANGELOG.md")
        assert released.name == "v0.1.1"
        assert changelog is not None
        text, _, link = changelog.rpartition(b"\n[0.1.1]: ")
        assert text == before.replace(b"Unreleased", b"2026-11-20")
        assert link.endswith(b"/compare/v0.1.0...v0.1.1\n")
        assert cut(tools) == released

    @pytest.mark.parametrize("part", ["auto", "patch"])
    def test_in_the_released_commit_is_not_taken_for_nothing(self, tools: FakeTools, part: Part) -> None:
        changelog = CHANGELOG.replace(b"## [Unreleased]\n\n### Added", b"## [0.1.1] - Unreleased\n\n### Fixed")
        tools.scm.create_tag("v0.1.0", tools.scm.commit({"CHANGELOG.md": changelog, "VERSION": b"0.1.0\n"}), "v0.1.0")

        assert cut(tools, Bump(part=part, accept_released=True)).name == "v0.1.1"

    @pytest.mark.parametrize("heading", [b"## [0.1.1] - TBD", b"## [0.1.1] - 2026-11-19"])
    def test_that_names_no_part_is_asked_for(self, tools: FakeTools, heading: bytes) -> None:
        self.place(tools, b"0.1.0\n", heading)
        content = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"\n### Fixed", b"")
        tools.scm.commit({"CHANGELOG.md": content})

        with pytest.raises(Refused, match=r"but under 0\.1\.1 at CHANGELOG\.md:\d+") as refused:
            cut(tools)

        assert "--to 0.1.1" in refused.value.hint
        assert cut(tools, Bump(to=Version.parse("0.1.1"))).name == "v0.1.1"

    def test_of_another_version_is_not_left_behind(self, tools: FakeTools) -> None:
        self.place(tools, b"0.1.0\n", b"## [0.1.1] - TBD")

        with pytest.raises(Refused, match=r"CHANGELOG.md:3: 0.1.1 has no date yet, and 0.2.0 would be released"):
            cut(tools, Bump(part="feature"))

    @pytest.mark.parametrize("version", [b"0.1.0\n", b"0.2.0\n"])
    def test_takes_up_entries_that_require_its_version(self, tools: FakeTools, version: bytes) -> None:
        self.place(tools, version, b"## [Unreleased]\n\n### Added\n\n- Later\n\n## [0.2.0] - TBD")

        assert cut(tools).name == "v0.2.0"

    def test_without_any_tag_is_released_too(self, tools: FakeTools) -> None:
        changelog = CHANGELOG.replace(b"## [0.1.0]", b"## [0.1.1] - TBD\n\n### Fixed\n\n- Later\n\n## [0.1.0]")
        tools.scm.commit({"CHANGELOG.md": changelog, "VERSION": b"0.1.1\n"})

        assert cut(tools).name == "v0.1.1"
        assert changelog_sections(tools)[2].startswith(b"[0.1.1] - 2026-11-20\n\n### Added\n\n- Weekly plans\n")

    def test_is_not_released_with_plans(self, tools: FakeTools) -> None:
        self.place(tools, b"0.1.0\n", b"## [0.9.0] - Coming soon\n\n### Planned\n\n- Maps\n\n## [0.0.9] - 2026-01-01")

        with pytest.raises(Refused, match="nothing is noted"):
            cut(tools)

    def test_takes_up_unreleased_entries(self, tools: FakeTools) -> None:
        self.place(tools, b"0.1.1\n", b"## [Unreleased]\n\n### Fixed\n\n- Later\n\n## [0.1.1] - TBD")
        cut(tools)

        section = changelog_sections(tools)[2]
        assert section == b"[0.1.1] - 2026-11-20\n\n### Fixed\n\n- Weekly plans\n- Later\n"

    def test_without_entries_is_nothing_to_release(self, tools: FakeTools) -> None:
        self.place(tools, b"0.1.1\n", b"## [0.1.1] - TBD\n\n## [0.0.9] - 2026-01-01")

        with pytest.raises(Refused, match="nothing is noted"):
            cut(tools)

    def test_is_not_committed_without_its_date(self, tools: FakeTools) -> None:
        self.place(tools, b"0.1.1\n", b"## [0.1.1] - TBD")

        with pytest.raises(Refused, match=r"0.1.1 is missing from CHANGELOG.md"):
            run_flow(catalogue.commit(), Release(version=Version.parse("0.1.1")), tools)

    def test_of_a_release_that_is_out_stays(self, tools: FakeTools) -> None:
        released = cut(tools)
        changelog = tools.scm.working_tree.files["CHANGELOG.md"].replace(b" - 2026-11-20", b"")
        tools.scm.commit({"CHANGELOG.md": changelog})

        run_flow((CutChangelog(),), attrs.evolve(released, commit=""), tools)
        assert tools.scm.working_tree.files["CHANGELOG.md"] == changelog


def write_changelog(tools: FakeTools, text: str) -> None:
    """Commit another changelog, above the sections of the releases there."""
    releases = tools.scm.working_tree.files["CHANGELOG.md"].partition(b"## [0.1.0]")
    tools.scm.commit({"CHANGELOG.md": f"# Changelog\n\n{text}\n".encode() + b"".join(releases[1:])})


@pytest.mark.parametrize(
    "notes", ["- a\n- b\n", "A text.\n", "- a\n  - b\n", "### Parser\n\n- a\n", "- a\n\n### Fixed\n\n- b\n"]
)
def test_notes_without_a_type_of_change_are_released_with_a_part(tools: FakeTools, notes: str) -> None:
    write_changelog(tools, f"## [Unreleased]\n\n{notes}")

    released = cut(tools, Bump(part="patch"))

    assert released.name == "v0.1.1"
    assert f"## [0.1.1] - 2026-11-20\n\n{notes}".encode() in tools.scm.working_tree.files["CHANGELOG.md"]


def test_the_part_is_asked_for_where_a_note_has_no_type_of_change(tools: FakeTools) -> None:
    write_changelog(tools, "## [Unreleased]\n\n- a\n")

    with pytest.raises(Refused, match="no type of change"):
        cut(tools)


@pytest.mark.parametrize("bump", [Bump(), Bump(part="patch"), Bump(to=Version.parse("0.1.1"))])
def test_a_heading_that_may_be_unreleased_stops_the_release(tools: FakeTools, bump: Bump) -> None:
    write_changelog(tools, "## [À venir]\n\n### Corrigé\n\n- a\n")
    before = dict(tools.scm.working_tree.files)

    with pytest.raises(Refused, match=r"'## \[À venir\]', is neither a release nor"):
        cut(tools, bump)
    assert tools.scm.working_tree.files == before


def test_a_translated_changelog_is_released(tools: FakeTools) -> None:
    write_changelog(tools, "## [Non publié]\n\n### Corrigé\n\n- a\n")

    assert cut(tools).name == "v0.1.1"
    assert (
        "## [Non publié]\n\n## [0.1.1] - 2026-11-20\n\n### Corrigé\n\n- a\n".encode()
        in (tools.scm.working_tree.files["CHANGELOG.md"])
    )
