"""Releases of repositories whose VERSION or changelog is not where, or what, a release needs it to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.doctor.checkout import checks
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.scm import FakeScm
from tests.fakes.tools import CHANGELOG, FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def tools() -> FakeTools:
    """A library: an app without anything to deploy."""
    return FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))


def use(tools: FakeTools, committed: dict[str, bytes], untracked: dict[str, bytes] | None = None) -> None:
    """Give the repository other files."""
    tree = tools.scm.working_tree
    tree.files.clear()
    tools.scm = FakeScm(committed, working_tree=tree)
    tree.files.update(untracked or {})


def cut(tools: FakeTools) -> Release:
    """Run `inv cut`."""
    tools.next_command()
    return run_flow(catalogue.cut(Bump()), Release(version=files.read_version(tools)), tools)


VERSION = b"0.1.0\n"


@pytest.mark.parametrize("name", ["Changelog.md", "CHANGES.md", "HISTORY.md", "docs/CHANGELOG.md"])
def test_a_changelog_of_another_name_is_released(tools: FakeTools, name: str) -> None:
    use(tools, {"VERSION": VERSION, name: CHANGELOG})
    released = cut(tools)

    assert b"## [0.2.0] - 2026-11-20" in tools.scm.commits[released.commit].tree[name]
    assert "CHANGELOG.md" not in tools.scm.working_tree.files
    assert tools.scm.modified_files() == ()


def test_a_link_to_the_changelog_is_followed(tools: FakeTools) -> None:
    use(tools, {"VERSION": VERSION, "CHANGELOG.md": CHANGELOG, "docs/log.md": CHANGELOG})
    tools.scm.working_tree.links["CHANGELOG.md"] = "docs/log.md"
    released = cut(tools)

    assert b"## [0.2.0] - 2026-11-20" in tools.scm.commits[released.commit].tree["docs/log.md"]
    assert tools.scm.commits[released.commit].tree["CHANGELOG.md"] == CHANGELOG


@pytest.mark.parametrize(
    ("committed", "untracked", "words"),
    [
        ({"VERSION": VERSION}, {}, 'there is no CHANGELOG.md · start one with an entry: inv changelog.add'),
        ({"VERSION": VERSION}, {"CHANGELOG.md": CHANGELOG},
         "CHANGELOG.md is not tracked by git · git add --force CHANGELOG.md && git commit"),
        ({"CHANGELOG.md": CHANGELOG}, {"VERSION": VERSION}, "VERSION is not tracked by git · git add --force VERSION"),
        ({"CHANGELOG.md": CHANGELOG}, {}, "there is no VERSION · create it with the current version: echo 0.1.0 >"),
    ],
)  # fmt: skip
def test_what_is_missing_is_refused_with_the_command_that_adds_it(
    tools: FakeTools, committed: dict[str, bytes], untracked: dict[str, bytes], words: str
) -> None:
    use(tools, committed, untracked)
    before = (tools.scm.head(), dict(tools.scm.working_tree.files), tools.scm.pending_releases())

    with pytest.raises(KaizenError) as refused:
        cut(tools)
    message, hint = words.split(" · ")
    assert message in refused.value.message
    assert hint in refused.value.hint
    assert before == (tools.scm.head(), tools.scm.working_tree.files, tools.scm.pending_releases())


@pytest.mark.parametrize("name", ["VERSION", "CHANGELOG.md"])
def test_a_dry_run_refuses_an_untracked_file_as_the_release_does(tools: FakeTools, name: str) -> None:
    committed = {"VERSION": VERSION, "CHANGELOG.md": CHANGELOG}
    use(tools, committed, {name: committed.pop(name)})

    with pytest.raises(KaizenError, match=f"{name} is not tracked by git"):
        run_flow(catalogue.cut(Bump()), Release(version=files.read_version(tools)), tools, dry_run_step)


@pytest.mark.parametrize("name", ["VERSION", "CHANGELOG.md"])
def test_a_deleted_file_is_restored_and_not_begun_again(tools: FakeTools, name: str) -> None:
    del tools.scm.working_tree.files[name]

    with pytest.raises(KaizenError, match=f"{name} is deleted and not committed") as refused:
        cut(tools)
    assert f"git checkout HEAD -- {name}" in refused.value.hint


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda tree: tree.links.update({"CHANGELOG.md": "/srv/log.md"}), "out of the app's folder, to /srv/log.md"),
        (lambda tree: tree.links.update({"VERSION": "web/VERSION"}), "VERSION is a symbolic link to web/VERSION"),
        (lambda tree: tree.repositories.update({"CHANGELOG.md": "docs"}), "is in the submodule docs"),
    ],
)
def test_files_that_no_commit_of_this_repository_can_change_are_refused(
    tools: FakeTools, arrange: Callable[[object], None], words: str
) -> None:
    arrange(tools.scm.working_tree)

    with pytest.raises(KaizenError) as refused:
        cut(tools)
    assert words in refused.value.message


def test_doctor_says_why_there_is_no_changelog(tools: FakeTools) -> None:
    use(tools, {"VERSION": VERSION, "CHANGES.md": CHANGELOG, "HISTORY.md": CHANGELOG})
    findings = {check.subject.check: check.run() for check in checks(tools)}

    assert findings["changelog"][0].message == "there are 2 changelogs: CHANGES.md, HISTORY.md"
