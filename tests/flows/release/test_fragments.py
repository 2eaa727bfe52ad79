"""Releases of changes that are noted in fragments."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import changelog_check, files, optional_files
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import Bump, Commit, CutChangelog, FastForward, Tag
from tests.fakes.tools import FakeTools, settings

EMPTY = b"# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-01\n\n- First.\n"
ZONES, PACES, CRASH = "changelog.d/17.added.md", "changelog.d/paces.fixed.md", "changelog.d/crash.fixed.md"
NEXT = Release(version=Version.parse("0.2.0"))


@pytest.fixture
def tools() -> FakeTools:
    """A library whose last release is 0.1.0, with two fragments and nothing under `[Unreleased]`."""
    changelog = {"fragments": "changelog.d"}
    tools = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[], changelog=changelog))
    tools.scm.create_tag("v0.1.0", tools.scm.head().commit, "")
    tools.scm.commit({"CHANGELOG.md": EMPTY, ZONES: b"Heart rate zones.\n", PACES: b"- Paces are rounded.\n"})
    return tools


def cut(tools: FakeTools) -> Release:
    """Run `inv cut`."""
    tools.next_command()
    flow = catalogue.cut(Bump(accept_released=True, ask_remote=False))
    return run_flow(flow, Release(version=files.read_version(tools)), tools)


def tree(tools: FakeTools, commit: str) -> set[str]:
    return {path for path in tools.scm.commits[commit].tree if path.startswith("changelog.d/")}


def test_release_commit_has_the_entries_and_deletes_the_fragments(tools: FakeTools) -> None:
    tools.scm.commit({"changelog.d/README.md": b"How to note a change.\n"})

    released = cut(tools)

    assert released.version == NEXT.version
    assert (
        b"### Added\n\n- Heart rate zones.\n\n### Fixed\n\n- Paces are rounded.\n"
        in tools.scm.working_tree.files["CHANGELOG.md"]
    )
    assert tree(tools, released.commit) == {"changelog.d/README.md"}
    assert tools.scm.working_tree.names("changelog.d") == ("README.md",)
    assert tools.scm.modified_files() == ()


def test_cut_that_is_run_again_finds_nothing_to_do(tools: FakeTools) -> None:
    assert cut(tools) == cut(tools)


def test_reason_names_the_fragment(tools: FakeTools) -> None:
    decision = Bump(ask_remote=False).decide(NEXT, tools)
    assert "0.1.0 → 0.2.0, feature: changelog.d/17.added.md:1 (Added): Heart rate zones." in str(decision)


def test_reason_names_the_line_of_the_changelog(tools: FakeTools) -> None:
    noted = EMPTY.replace(b"ed]\n", b"ed]\n\n### Added\n\n- Logins\n", 1)
    tools.scm.commit({"CHANGELOG.md": noted})
    assert "feature: line 7 (Added): Logins" in str(Bump(ask_remote=False).decide(NEXT, tools))


def test_part_that_is_too_low_is_refused_with_the_fragment(tools: FakeTools) -> None:
    with pytest.raises(
        Refused, match=r"changelog\.d/17\.added\.md:1: 'Heart rate zones\.' requires a feature, not a patch"
    ):
        Bump(part="patch", ask_remote=False).decide(NEXT, tools)


def test_dry_run_changes_nothing(tools: FakeTools) -> None:
    before = dict(tools.scm.working_tree.files)
    run_flow(catalogue.cut(Bump(ask_remote=False)), NEXT, tools, dry_run_step)
    assert tools.scm.working_tree.files == before
    assert "cut [Unreleased] and the fragments into [0.2.0]" in "\n".join(tools.reporter.lines)


def test_folder_that_does_not_exist_is_fine(tools: FakeTools) -> None:
    cut(tools)
    tools.scm.commit(
        {
            "CHANGELOG.md": tools.scm.working_tree.files["CHANGELOG.md"].replace(
                b"ed]\n", b"ed]\n\n### Fixed\n\n- x\n", 1
            )
        }
    )
    assert cut(tools).version == Version.parse("0.2.1")


def _edit(tools: FakeTools) -> None:
    tools.scm.working_tree.files[PACES] = b"Paces.\n"


def _delete(tools: FakeTools) -> None:
    tools.scm.working_tree.delete(PACES)


def _stage_deletion(tools: FakeTools) -> None:
    _delete(tools)
    del tools.scm.index[PACES]


def _stage_renaming(tools: FakeTools) -> None:
    _stage_deletion(tools)
    _stage(tools)


def _add(tools: FakeTools) -> None:
    tools.scm.working_tree.files[CRASH] = b"A crash.\n"


def _ignore(tools: FakeTools) -> None:
    _add(tools)
    tools.scm.ignored = (CRASH,)


def _stage(tools: FakeTools) -> None:
    _add(tools)
    tools.scm.index[CRASH] = b"A crash.\n"


def _leave_out(tools: FakeTools) -> None:
    _delete(tools)
    tools.scm.sparse_files = {PACES}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_edit, r"paces\.fixed\.md: edited and not committed"),
        (_delete, r"paces\.fixed\.md: deleted and not committed"),
        (_stage_deletion, r"paces\.fixed\.md: deleted and not committed"),
        (_stage_renaming, r"paces\.fixed\.md: deleted and not committed"),
        (_add, r"crash\.fixed\.md: not in git"),
        (_stage, r"crash\.fixed\.md: edited and not committed"),
        (_ignore, r"crash\.fixed\.md: ignored by git"),
        (_leave_out, r"paces\.fixed\.md: left out by the sparse checkout"),
    ],
)
def test_fragments_that_are_not_committed_refuse_the_release(tools: FakeTools, change: object, problem: str) -> None:
    assert callable(change)
    change(tools)
    before = dict(tools.scm.working_tree.files)
    with pytest.raises(Refused, match=problem):
        cut(tools)
    with pytest.raises(Refused, match=problem):
        run_flow((CutChangelog(),), NEXT, tools)
    assert tools.scm.working_tree.files == before


def test_fragment_with_a_problem_refuses_the_release(tools: FakeTools) -> None:
    tools.scm.commit({"changelog.d/5.bugfix.md": b"A crash.\n"})
    with pytest.raises(Refused, match=r"changelog\.d/5\.bugfix\.md:1:1: 'bugfix' is not a type of change"):
        cut(tools)


def test_fragment_that_is_a_symbolic_link_refuses_the_release(tools: FakeTools) -> None:
    tools.scm.commit({CRASH: b"0.1.0\n"})
    tools.scm.working_tree.links[CRASH] = "VERSION"
    before = dict(tools.scm.working_tree.files)
    with pytest.raises(Refused, match=r"changelog\.d/crash\.fixed\.md:1:1: this is a symbolic link to VERSION"):
        cut(tools)
    assert tools.scm.working_tree.files == before
    assert CRASH in [problem.path for problem in changelog_check.changelog_problems(tools)]
    assert CRASH not in optional_files.read_fragments(tools).paths


def test_fragment_in_a_folder_of_its_own_refuses_the_release(tools: FakeTools) -> None:
    tools.scm.commit({"changelog.d/api/5.fixed.md": b"A crash.\n", "changelog.d/api/README.md": b""})
    with pytest.raises(Refused, match=r"changelog\.d/api/5\.fixed\.md: no release looks for fragments in subfolders"):
        cut(tools)
    assert "changelog.d/api/5.fixed.md" in [problem.path for problem in changelog_check.changelog_problems(tools)]


def test_files_that_the_configuration_allows_stay_in_the_folder() -> None:
    changelog = {"fragments": "changelog.d", "rules": {"fragment-name": "off", "fragment-type": "warning"}}
    tools = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[], changelog=changelog))
    others = {f"changelog.d/{name}": b"x\n" for name in ("notes.txt", "5.internal.md", "api/5.fixed.md")}
    tools.scm.commit({"CHANGELOG.md": EMPTY, PACES: b"Paces.\n", **others})

    released = cut(tools)

    assert tree(tools, released.commit) == set(others)


def test_single_steps_make_the_same_release(tools: FakeTools) -> None:
    tools.release_files = tools.scm.working_tree
    run_flow((Bump(ask_remote=False), CutChangelog()), NEXT, tools)
    assert tools.scm.working_tree.names("changelog.d") == ()
    released = run_flow((*catalogue.commit(), Tag()), NEXT, tools)
    assert tree(tools, released.commit) == set()
    assert tools.scm.modified_files() == ()


def test_stopped_cut_is_finished(tools: FakeTools) -> None:
    """The changelog was written, and only one fragment deleted; a new one has come since."""
    contents = dict(tools.scm.working_tree.files)
    tools.release_files = tools.scm.working_tree
    run_flow((Bump(ask_remote=False), CutChangelog()), NEXT, tools)
    tools.scm.working_tree.files[PACES] = contents[PACES]
    _add(tools)

    run_flow((CutChangelog(),), NEXT, tools)

    assert tools.scm.working_tree.names("changelog.d") == ("crash.fixed.md",)


def test_fragment_that_repeats_a_released_entry_is_not_deleted(tools: FakeTools) -> None:
    released = cut(tools)
    tools.scm.commit({PACES: b"Paces are rounded.\n"})
    tools.release_files = tools.scm.working_tree

    run_flow((CutChangelog(),), Release(version=released.version), tools)

    assert tools.scm.working_tree.names("changelog.d") == ("paces.fixed.md",)
    assert cut(tools).version == Version.parse("0.2.1")


def test_stopped_cut_is_finished_by_the_flow(tools: FakeTools) -> None:
    tools.release_files = tools.scm.working_tree
    run_flow((Bump(ask_remote=False), CutChangelog()), NEXT, tools)

    released = cut(tools)

    assert released.version == NEXT.version
    assert tree(tools, released.commit) == set()


def test_update_that_was_stopped_is_finished(tools: FakeTools) -> None:
    """The branch has moved, and the fragments are still here."""
    contents, index = dict(tools.scm.working_tree.files), dict(tools.scm.index)
    released = cut(tools)
    tools.scm.working_tree.files, tools.scm.index = contents, index

    run_flow((FastForward(),), released, tools)

    assert tools.scm.working_tree.names("changelog.d") == ()
    assert tools.scm.modified_files() == ()


def test_fragments_that_reach_the_branch_meanwhile_stay(tools: FakeTools) -> None:
    """The branch has a new fragment, an edited one, and one that was renamed."""
    base = tools.scm.head().commit
    tools.next_command()
    released = run_flow((Bump(ask_remote=False), CutChangelog(), Commit()), NEXT, tools)
    tools.scm.commit(
        {
            ZONES: b"Heart rate zones, in colour.\n",
            CRASH: b"A crash.\n",
            "changelog.d/rounded.fixed.md": b"- Paces are rounded.\n",
        }
    )
    tip = tools.scm.head().commit

    merged = optional_files.merged_fragments(base, tip, released.commit, tools)

    assert merged == {ZONES: b"Heart rate zones, in colour.\n", PACES: None, "changelog.d/rounded.fixed.md": None}
