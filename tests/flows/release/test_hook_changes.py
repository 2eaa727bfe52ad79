"""Files of the release that a commit hook changes."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.steps import Commit
from tests.fakes.tools import FakeTools

RELEASE = Release(version=parse_version("1.3.0"))
CHANGELOG = b"# Changelog\n\n## [Unreleased]\n\n## [1.3.0] - 2026-01-01\n\n### Added\n\n- A thing.\n"


@pytest.fixture
def tools() -> FakeTools:
    """Return a repository with the release in the working tree."""
    tools = FakeTools()
    tools.scm.working_tree.files.update({"VERSION": b"1.3.0\n", "CHANGELOG.md": CHANGELOG})
    return tools


def test_are_committed_with_the_release(tools: FakeTools) -> None:
    tools.scm.hook_changes = {"CHANGELOG.md": CHANGELOG + b"\n"}
    Commit().act(RELEASE, tools)

    assert tools.scm.read_at(tools.scm.pending_releases()["v1.3.0"], "CHANGELOG.md") == CHANGELOG + b"\n"


@pytest.mark.parametrize(("name", "content"), [("VERSION", b"2.0.0\n"), ("CHANGELOG.md", b"# Changelog\n")])
def test_are_refused_if_the_release_is_no_longer_in_them(tools: FakeTools, name: str, content: bytes) -> None:
    tools.scm.hook_changes = {name: content}

    with pytest.raises(Refused, match=f"a hook changed {name}, which no longer has 1.3.0"):
        Commit().act(RELEASE, tools)
    assert tools.scm.pending_releases() == {}
