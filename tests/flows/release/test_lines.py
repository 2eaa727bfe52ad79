"""Releases of several lines in one repository: each has its own last release and its own numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import changelog_check, files, last_release, preconditions
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FakeTools, settings

LINK = "https://git.example.com/team/app/compare"
CHANGELOG = f"""\
# Changelog

## [Unreleased]

## [1.2.3] - 2026-11-01

### Fixed

- A bug

[Unreleased]: {LINK}/v1.2.3...HEAD
[1.2.3]: {LINK}/v1.2.2...v1.2.3
"""
KINDS = {"patch": "Fixed", "feature": "Added", "major": "Removed"}


def make_tools(**changes: object) -> FakeTools:
    """Return a library with releases on main and on stable/1.x: v1.2.3 on both, v2.0.0 on main alone."""
    release = {"branches": ["main", "stable/*"]}
    tools = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[], release=release, **changes))
    tools.scm.commit({"VERSION": b"1.2.3\n", "CHANGELOG.md": CHANGELOG.encode()})
    tools.scm.create_tag("v1.2.3", tools.scm.head().commit, "")
    note(tools, "Removed")
    cut(tools)
    tools.scm.switch("stable/1.x", start="v1.2.3")
    return tools.next_command()


def note(tools: FakeTools, heading: str) -> None:
    """Note a change, and commit it."""
    changelog = tools.scm.working_tree.files["CHANGELOG.md"].decode()
    entry = f"## [Unreleased]\n\n### {heading}\n\n- Change {len(tools.scm.commits)}\n"
    tools.scm.commit({"CHANGELOG.md": changelog.replace("## [Unreleased]\n", entry, 1).encode()})


def cut(tools: FakeTools, bump: Bump | None = None) -> Release:
    """Run `inv cut`."""
    tools.next_command()
    step = bump or Bump(accept_released=True, ask_remote=False)
    return run_flow(catalogue.cut(step), Release(version=files.read_version(tools)), tools)


def to(number: str) -> Bump:
    """Return the bump of `--to`."""
    return Bump(to=Version.parse(number), accept_released=True, ask_remote=False)


def changelog_of(tools: FakeTools) -> str:
    """Return the changelog of the branch."""
    return tools.scm.working_tree.files["CHANGELOG.md"].decode()


def test_the_last_release_is_that_of_the_line() -> None:
    tools = make_tools()
    note(tools, "Fixed")

    assert cut(tools).name == "v1.2.4"
    assert f"[Unreleased]: {LINK}/v1.2.4...HEAD\n[1.2.4]: {LINK}/v1.2.3...v1.2.4\n" in changelog_of(tools)
    assert "2.0.0" not in changelog_of(tools)


def test_a_line_goes_on_after_a_release_of_its_own() -> None:
    tools = make_tools()
    for expected in ("v1.2.4", "v1.2.5"):
        note(tools, "Fixed")
        assert cut(tools).name == expected
    tools.scm.switch("main")
    note(tools, "Fixed")

    assert cut(tools).name == "v2.0.1"


def test_a_number_of_the_line_can_be_asked_for() -> None:
    tools = make_tools()
    note(tools, "Fixed")

    assert cut(tools, to("1.2.9")).name == "v1.2.9"


@pytest.mark.parametrize("number", ["2.0.0", "2.0.1", "2.1.0", "2.0.0-rc.1"])
def test_a_number_of_another_line_is_refused(number: str) -> None:
    tools = make_tools()
    note(tools, "Fixed")

    with pytest.raises(Refused) as refusal:
        cut(tools, to(number))

    assert "v2.0.0" in refusal.value.message
    assert "--to 1.2.4" in refusal.value.hint
    assert tools.scm.tags() == ("v1.2.3", "v2.0.0")


def test_a_breaking_change_on_an_old_line_takes_no_number_of_the_new_one() -> None:
    tools = make_tools()
    note(tools, "Removed")

    with pytest.raises(Refused, match=r"2\.0\.0 is taken"):
        cut(tools)
    assert cut(tools, to("1.2.4")).name == "v1.2.4"


def test_a_feature_takes_no_number_of_a_line_that_has_begun_it() -> None:
    tools = make_tools()
    note(tools, "Added")
    assert cut(tools).name == "v1.3.0"
    tools.scm.switch("stable/1.2", start="v1.2.3")
    note(tools, "Added")

    with pytest.raises(Refused, match=r"1\.3\.0 is taken"):
        cut(tools)
    with pytest.raises(Refused, match=r"1\.3\.1: v1\.3\.0 is a release of another line"):
        cut(tools, to("1.3.1"))


def test_a_patch_that_another_branch_took_is_passed_over() -> None:
    tools = make_tools()
    note(tools, "Fixed")
    cut(tools)
    tools.scm.switch("stable/hotfix", start="v1.2.3")
    note(tools, "Fixed")

    assert cut(tools).name == "v1.2.5"
    assert f"[1.2.5]: {LINK}/v1.2.3...v1.2.5" in changelog_of(tools)


def test_a_new_branch_may_release_what_main_has_not_begun() -> None:
    """2.0.0 is out, and 1.3.0 comes after 1.2.3."""
    tools = make_tools()
    note(tools, "Added")

    assert cut(tools).name == "v1.3.0"


def test_a_release_candidate_of_a_line() -> None:
    tools = make_tools()
    note(tools, "Added")
    assert cut(tools, Bump(part="rc", ask_remote=False)).name == "v1.3.0-rc.1"
    note(tools, "Fixed")

    assert cut(tools, Bump(part="rc", ask_remote=False)).name == "v1.3.0-rc.2"


def test_a_squashed_release_is_one_of_its_branch() -> None:
    """Its tag is on a commit that the branch never got, but its section and VERSION are here."""
    tools = make_tools()
    squashed = CHANGELOG.replace("## [1.2.3]", "## [1.2.4] - 2026-11-10\n\n### Fixed\n\n- A squash\n\n## [1.2.3]")
    tools.scm.switch("side", start="v1.2.3")
    tools.scm.create_tag("v1.2.4", tools.scm.commit({"VERSION": b"1.2.4\n"}), "")
    tools.scm.switch("stable/1.x")
    tools.scm.commit({"VERSION": b"1.2.4\n", "CHANGELOG.md": squashed.encode()})
    note(tools, "Fixed")

    assert cut(tools).name == "v1.2.5"
    assert f"[1.2.5]: {LINK}/v1.2.4...v1.2.5" in changelog_of(tools)


def test_section_of_a_later_release_may_be_in_the_changelog_of_an_old_line() -> None:
    tools = make_tools()
    section = "## [2.0.0] - 2026-11-10\n\n### Removed\n\n- Old things\n\n## [1.2.3]"
    links = f"[2.0.0]: {LINK}/v1.2.3...v2.0.0\n[1.2.3]: "
    changelog = CHANGELOG.replace("## [1.2.3]", section).replace("[1.2.3]: ", links)
    tools.scm.commit({"CHANGELOG.md": changelog.encode()})
    note(tools, "Fixed")

    assert cut(tools).name == "v1.2.4"
    assert [line[4:9] for line in changelog_of(tools).splitlines() if line.startswith("## [")][1:] == [
        "2.0.0",
        "1.2.4",
        "1.2.3",
    ]
    assert changelog_check.changelog_problems(tools) == ()


def test_changelog_of_a_line_needs_no_section_of_another_one() -> None:
    tools = make_tools()
    note(tools, "Fixed")
    cut(tools)
    assert changelog_check.changelog_problems(tools) == ()

    tools.scm.switch("main")
    assert changelog_check.changelog_problems(tools.next_command()) == ()


def test_tags_without_v_count_as_releases() -> None:
    tools = make_tools()
    tools.scm.create_tag("1.2.4", tools.scm.commit({}), "")
    note(tools, "Fixed")

    assert last_release.last_released_version(tools) == Version.parse("1.2.4")
    assert list(preconditions.check_versions(Release(version=Version.parse("1.2.5")), tools)) == [
        (
            "the tag 1.2.4 has no heading in CHANGELOG.md, which ends at [1.2.3]"
            " (write its section, or if it was a mistake: git tag -d 1.2.4)"
        )
    ]


@pytest.mark.parametrize(
    ("branch", "number", "message"),
    [
        ("stable/1.x", "2.0.1", "2.0.1 is not a version of the line 1.x"),
        ("stable/1.x", "1.3.0", ""),
        ("main", "1.9.0", "1.9.0 is of the line 1.x, which is released from stable/1.x"),
        ("main", "2.1.0", ""),
        ("main", "3.0.0", ""),
    ],
)
def test_configured_lines_have_their_numbers(branch: str, number: str, message: str) -> None:
    tools = make_tools(lines={"1.x": "stable/1.x"})
    tools.scm.switch("old-main", start="v1.2.3")
    tools.scm.switch("stable/1.x" if branch == "stable/1.x" else "main")
    if number == "1.9.0":
        tools.scm.switch("main", start="v1.2.3")
    note(tools, "Fixed")

    if not message:
        assert cut(tools, to(number)).name == f"v{number}"
        return
    with pytest.raises(Refused, match=re.escape(message)):
        cut(tools, to(number))


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ({"1.x": "stable/1.x"}, "--force to override"),
        ({"1.2.x": "stable/1.x"}, "choose a number of this line, such as --to 1.2.4"),
        ({}, "--part major, or --force to override"),
    ],
)
def test_hint_for_a_part_that_is_too_low_names_what_the_line_accepts(lines: dict[str, str], hint: str) -> None:
    release = {"branches": ["*"]}
    library = settings(pipeline=[], environments={}, groups={}, smoke=[], lines=lines, release=release)
    tools = FakeTools(settings=library)
    tools.scm.commit({"VERSION": b"1.2.3\n", "CHANGELOG.md": CHANGELOG.encode()})
    tools.scm.create_tag("v1.2.3", tools.scm.head().commit, "")
    tools.scm.switch("stable/1.x", start="v1.2.3")
    note(tools, "Removed")

    with pytest.raises(Refused) as refused:
        Bump(part="feature", ask_remote=False).decide(Release(version=Version.parse("1.2.3")), tools)
    assert refused.value.hint == hint


def test_the_branch_of_a_line_need_not_be_listed_twice() -> None:
    tools = FakeTools(settings=settings(lines={"1.x": "maintenance"}))
    tools.scm.branch = "maintenance"

    assert list(preconditions.check_worktree(tools.settings.release_branches, tools)) == []


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Return cuts on two lines, by branch and part, of which each line has one at least."""
    branches = draw(st.permutations(["main", "stable/1.x", *draw(st.lists(st.sampled_from(["main", "stable/1.x"])))]))
    return [(branch, draw(st.sampled_from([*KINDS]))) for branch in branches]


@given(histories())
def test_no_cut_takes_a_number_twice_or_goes_back_or_moves_a_link_of_another_line(cuts: list[tuple[str, str]]) -> None:
    tools = make_tools()
    last: dict[str, Version] = {"main": Version.parse("2.0.0"), "stable/1.x": Version.parse("1.2.3")}
    for branch, part in cuts:
        tools.scm.switch(branch)
        before, tags = changelog_of(tools), set(tools.scm.tags())
        note(tools, KINDS[part])
        try:
            released = cut(tools)
        except KaizenError:
            tools.scm.switch(branch, start=f"v{last[branch]}")  # refused: the number is one of the other line
            assert set(tools.scm.tags()) == tags
            continue
        assert released.name not in tags
        assert released.version > last[branch]
        assert f"[{released.version}]: {LINK}/v{last[branch]}...{released.name}\n" in changelog_of(tools)
        links = [line for line in before.splitlines() if "/compare/" in line and not line.startswith("[Unreleased]")]
        assert [line for line in links if line not in changelog_of(tools)] == []
        last[branch] = released.version
    assert all(last[branch].major == major for branch, major in (("stable/1.x", 1),))


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("v1.2.3", ""),
        ("1.2.3", '; 1.2.3 is tagged 1.2.3, and new tags are like v1.2.3 (release.tag = "{version}" keeps the form)'),
        (
            "rel/1.2.3",
            '; 1.2.3 is tagged rel/1.2.3, and new tags are like v1.2.3 (release.tag = "rel/{version}" keeps the form)',
        ),
    ],
)
def test_change_of_the_tags_form_is_said(tag: str, words: str) -> None:
    tools = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))
    tools.scm.commit({"VERSION": b"1.2.3\n", "CHANGELOG.md": CHANGELOG.encode()})
    tools.scm.create_tag(tag, tools.scm.head().commit, "")
    note(tools, "Fixed")

    assert cut(tools).name == "v1.2.4"
    assert f"preflight: no problems{words}" in tools.reporter.lines


@pytest.mark.parametrize(("number", "is_accepted"), [("0.1.1", True), ("1.0.0", False)])
def test_hotfix_is_of_the_line_of_its_environment(number: str, *, is_accepted: bool) -> None:
    tools = FakeTools(settings=settings(lines={"0.x": {"branch": "stable/0.x", "environments": ["mark"]}}))
    tools.scm.branch = "hotfix/paces"
    bump = Bump(to=Version.parse(number), hotfix=True, environment=tools.settings.environments["mark"])
    start = Release(version=files.read_version(tools))

    if is_accepted:
        assert bump.target_release(start, tools).name == f"v{number}"
        return
    with pytest.raises(Refused, match=r"1\.0\.0 is not of the line of mark"):
        bump.decide(start, tools)
