"""What `inv next-release` says that CI is to release."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.next_release import NextRelease, find_next_release
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FakeTools, settings

NOTE = b"### Fixed\n\n- Paces\n"
CHANGELOG = b"# Changelog\n\n## [Unreleased]\n\n%s## [0.1.0] - 2026-11-01\n\n### Added\n\n- Everything\n"


def library() -> FakeTools:
    """Return a library without a configuration, of which nothing was released."""
    return FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))


@pytest.fixture
def tools() -> FakeTools:
    """A library with a release, since which nothing is noted."""
    made = library()
    commit = made.scm.commit({"kaizen.toml": b'app = "web"\n', "CHANGELOG.md": CHANGELOG % b""})
    made.scm.create_tag("v0.1.0", commit, "")
    return made


def find(tools: FakeTools) -> NextRelease:
    tools.next_command()
    return find_next_release(Bump(accept_released=True, ask_remote=False), tools)


def test_what_is_noted_is_to_be_released(tools: FakeTools) -> None:
    tools.scm.commit({"CHANGELOG.md": CHANGELOG % NOTE})

    assert find(tools) == NextRelease("v0.1.1")


def test_a_corrected_section_of_an_old_release_is_not(tools: FakeTools) -> None:
    tools.scm.commit({"CHANGELOG.md": (CHANGELOG % b"").replace(b"Everything", b"All")})

    assert find(tools) == NextRelease(reason="nothing is noted under [Unreleased] since v0.1.0")


def test_a_merged_proposal_is_to_be_released(tools: FakeTools) -> None:
    """Its VERSION is ahead of the last release, and the changelog has its section."""
    section = b"## [0.2.0] - 2026-12-01\n\n### Added\n\n- Plans\n\n"
    tools.scm.commit({"VERSION": b"0.2.0\n", "CHANGELOG.md": CHANGELOG % section})

    assert find(tools) == NextRelease("v0.2.0")


@pytest.mark.parametrize("configuration", [{"kaizen.toml": b""}, {"pyproject.toml": b'[tool.kaizen]\napp = "web"\n'}])
def test_the_commit_that_brings_the_configuration_is_not(configuration: dict[str, bytes]) -> None:
    """What it notes goes out with the next commit that notes something."""
    tools = library()
    tools.scm.commit({**configuration, "CHANGELOG.md": b"# Changelog\n\n## [Unreleased]\n\n" + NOTE})

    assert "brings the configuration" in find(tools).reason
    tools.scm.commit({"CHANGELOG.md": b"# Changelog\n\n## [Unreleased]\n\n" + NOTE + b"- Plans\n"})
    assert find(tools) == NextRelease("v0.1.0")


def test_a_first_release_waits_until_something_is_noted() -> None:
    tools = library()
    tools.scm.commit({"kaizen.toml": b'app = "web"\n', "CHANGELOG.md": b"# Changelog\n\n## [Unreleased]\n"})
    tools.scm.commit({"README.md": b"# Web\n"})

    assert find(tools).name == ""


def test_a_number_that_is_refused_is_an_error(tools: FakeTools) -> None:
    """A job must not take it for nothing to release."""
    tools.scm.commit({"CHANGELOG.md": CHANGELOG % NOTE})
    tools.next_command()

    with pytest.raises(Refused):
        find_next_release(Bump(to=Version(0, 1, 0), ask_remote=False), tools)
