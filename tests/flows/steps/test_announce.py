"""The step that publishes release notes on the server of the remote."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.forge import ReleasePage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, PushFailed, Refused, Unreachable
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.release.announcement import find_pushed_release
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import Announce, Bump
from tests.fakes.tools import FakeTools, settings


@pytest.fixture
def tools() -> FakeTools:
    """A library: an app without anything to deploy."""
    return FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))


def cut(tools: FakeTools, to: str = "0.2.0") -> Release:
    """Release and announce."""
    tools.next_command()
    bump = Bump(to=Version.parse(to), ask_remote=False)
    flow = catalogue.cut(bump, push=True, announce=True)
    return run_flow(flow, Release(version=files.read_version(tools)), tools)


def note(tools: FakeTools, text: bytes = b"### Fixed\n\n- Paces\n") -> None:
    """Note a change and commit it."""
    changelog = tools.scm.working_tree.files["CHANGELOG.md"]
    tools.scm.commit({"CHANGELOG.md": changelog.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n" + text, 1)})


def decide(tools: FakeTools, version: str = "0.2.0") -> Decision:
    """Return what another run would do."""
    tools.next_command()
    return Announce().decide(find_pushed_release(Version.parse(version), tools), tools)


def test_a_pushed_release_is_announced_with_its_section(tools: FakeTools) -> None:
    cut(tools)

    notes = "### Added\n\n- Weekly plans\n"
    assert tools.forge.pages == {"v0.2.0": ReleasePage(tag="v0.2.0", title="v0.2.0", notes=notes, is_prerelease=False)}
    assert tools.forge.latest == "v0.2.0"


def test_a_release_that_is_announced_is_left_alone(tools: FakeTools) -> None:
    cut(tools)

    decision = decide(tools)

    assert isinstance(decision, Done)
    assert decision.reason == "the release notes of v0.2.0 are on GitHub"


def test_relative_links_lead_to_the_files_of_the_tag(tools: FakeTools) -> None:
    note(tools, b"### Fixed\n\n- See [the guide](docs/guide.md)\n")
    cut(tools)

    assert "(https://github.com/team/app/blob/v0.2.0/docs/guide.md)" in tools.forge.pages["v0.2.0"].notes


def test_relative_links_of_an_app_in_a_subfolder_lead_to_files_there(tools: FakeTools) -> None:
    tools.scm.folder = "services/my app/"
    note(tools, b"### Fixed\n\n- See [the guide](docs/guide.md)\n")
    cut(tools)

    address = "https://github.com/team/app/blob/v0.2.0/services/my%20app/docs/guide.md"
    assert f"({address})" in tools.forge.pages["v0.2.0"].notes


def test_corrected_notes_are_published(tools: FakeTools) -> None:
    cut(tools)
    changelog = tools.scm.working_tree.files["CHANGELOG.md"]
    tools.scm.commit({"CHANGELOG.md": changelog.replace(b"Weekly", b"Monthly")})

    assert decide(tools) == Act("replace the release notes of v0.2.0 on GitHub", find_pushed_release(None, tools))
    run_flow((Announce(),), find_pushed_release(None, tools), tools)

    assert "Monthly" in tools.forge.pages["v0.2.0"].notes


def test_page_that_was_deleted_by_hand_is_published_again(tools: FakeTools) -> None:
    cut(tools)
    tools.forge.pages.clear()

    run_flow((Announce(),), find_pushed_release(None, tools), tools)

    assert "v0.2.0" in tools.forge.pages


def test_draft_is_published(tools: FakeTools) -> None:
    cut(tools)
    tools.forge.pages["v0.2.0"] = evolve(tools.forge.pages["v0.2.0"], is_draft=True)

    decision = decide(tools)

    assert isinstance(decision, Act)
    assert decision.description == "publish the draft of v0.2.0 on GitHub"


def test_prerelease_is_marked_and_not_the_latest(tools: FakeTools) -> None:
    cut(tools, "0.2.0-rc.1")

    assert tools.forge.pages["v0.2.0-rc.1"].is_prerelease
    assert tools.forge.latest == ""


def test_release_of_an_older_line_is_not_the_latest(tools: FakeTools) -> None:
    cut(tools)
    tools.upstream.tags["v1.0.0"] = tools.upstream.tags["v0.2.0"]
    tools.next_command()
    tools.forge.pages.clear()
    tools.forge.latest = "v1.0.0"

    run_flow((Announce(),), find_pushed_release(Version.parse("0.2.0"), tools), tools)

    assert tools.forge.latest == "v1.0.0"


def test_without_a_token_nothing_fails_and_it_is_said(tools: FakeTools) -> None:
    tools.forge.problem = "there is no token for github.com: set GITHUB_TOKEN"

    release = cut(tools)

    assert tools.forge.pages == {}
    decision = Announce().decide(release, tools)
    assert isinstance(decision, Done)
    assert decision.reason == "v0.2.0 is not announced: there is no token for github.com: set GITHUB_TOKEN"


@pytest.mark.parametrize(
    ("failure", "hint"),
    [
        (Denied("GitHub rejects the token", hint="set it"), "set it; then: inv announce --release v0.2.0"),
        (Unreachable("GitHub fails", hint="run the same command again"), "inv announce --release v0.2.0"),
        (
            Unreachable("GitHub is busy", hint="run the same command again in 30 seconds"),
            "in 30 seconds: inv announce --release v0.2.0",
        ),
    ],
)
def test_failure_after_the_tag_says_that_the_release_stays(
    tools: FakeTools, failure: Denied | Unreachable, hint: str
) -> None:
    tools.forge.failure = failure

    with pytest.raises(PushFailed) as caught:
        cut(tools)

    assert caught.value.message == failure.message
    expected = "v0.2.0 is released and stays so; only its release notes on GitHub are missing or old"
    assert caught.value.state == expected
    assert caught.value.hint == hint
    assert "v0.2.0" in tools.upstream.tags


def test_dry_run_announces_nothing(tools: FakeTools) -> None:
    tools.next_command()
    flow = catalogue.cut(Bump(ask_remote=False), push=True, announce=True)

    run_flow(flow, Release(version=files.read_version(tools)), tools, dry_run_step)

    assert tools.forge.pages == {}


def test_cut_that_is_not_pushed_is_not_announced() -> None:
    flow = catalogue.cut(Bump(), announce=True)

    assert not any(isinstance(step, Announce) for step in flow)


def test_tag_that_is_only_here_is_not_announced(tools: FakeTools) -> None:
    """The server would make a tag of its own, on another commit."""
    tools.next_command()
    run_flow(catalogue.cut(Bump(ask_remote=False)), Release(version=files.read_version(tools)), tools)

    with pytest.raises(Refused, match=r"the tag v0\.2\.0 is not on the remote") as caught:
        find_pushed_release(None, tools)
    assert caught.value.hint == "git push origin v0.2.0"
    with pytest.raises(PushFailed, match="is not on the remote"):
        Announce().act(Release(version=Version.parse("0.2.0"), commit=tools.scm.head().commit), tools)


def test_nothing_is_announced_before_the_first_release(tools: FakeTools) -> None:
    tools.scm.commit({"CHANGELOG.md": b"# Changelog\n\n## [Unreleased]\n"})

    with pytest.raises(Refused, match="nothing is released yet"):
        find_pushed_release(None, tools)
