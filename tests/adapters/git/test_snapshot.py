"""The git commands of a snapshot, and its invalidation."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.contracts.scm import PATHS, RELEASE, land_and_tag, release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaizen_tasks.adapters.git.scm import GitScm
    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return the git commands that were run since the last call, the first word of each."""
    log, git = tmp_path / "asked", tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=os.pathsep)

    def commands() -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [next(word for word in line.split() if word[0] != "-" and "=" not in word) for line in lines]

    return commands


def test_reads_all_refs_at_once(scm: GitScm, asked: Callable[[], list[str]]) -> None:
    """Head, tags, pending releases and a missing tag need one git command."""
    for _ in range(2):
        assert scm.head().branch == "main"
        assert scm.tags() == ()
        assert scm.pending_releases() == {}
        assert scm.resolve("refs/tags/v1.2.3") == ""

    assert sorted(asked()) == ["for-each-ref", "rev-parse"]


def test_stages_the_same_files_once(scm: GitScm, asked: Callable[[], list[str]]) -> None:
    """The tree that shows the changes is the one that is committed."""
    head = scm.head().commit
    assert scm.files_differing_from(head, RELEASE) == ("CHANGELOG.md", "VERSION")
    staging = asked()
    scm.write_commit(parent=head, files=RELEASE, message="Release")

    assert "write-tree" in staging
    assert asked() == ["config", "commit-tree"]


def test_every_change_invalidates_the_snapshot(scm: GitScm, asked: Callable[[], list[str]]) -> None:
    """Each kind of change makes the next read run git again."""
    before = scm.head().commit
    commit = release(scm)
    scm.save_pending("v1.2.3", commit)
    assert scm.pending_releases() == {"v1.2.3": commit}
    asked()
    scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")
    asked()

    assert before != scm.head().commit == commit == scm.resolve("refs/tags/v1.2.3")
    assert scm.pending_releases() == {}
    assert scm.modified_files() == ()
    assert sorted(asked()) == ["for-each-ref", "status"]


def test_what_was_written_is_known_but_not_where_refs_point(repository: Repository, scm: GitScm) -> None:
    """An object never changes; a tag may be moved by somebody else."""
    before, commit = scm.head().commit, release(scm)
    scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")
    assert scm.resolve("refs/tags/v1.2.3") == commit

    repository.git("tag", "--force", "v1.2.3", before)
    scm.invalidate_cache()

    assert scm.resolve("refs/tags/v1.2.3") == before


def test_head_is_found_among_branches_with_odd_names(repository: Repository, scm: GitScm) -> None:
    """A tag with the branch's name is not confused with it."""
    for name in ("a", "zz/main", "main2"):
        repository.git("branch", name)
    repository.git("tag", "main")
    repository.git("checkout", "--quiet", "-b", "wörk/v1.2")

    assert scm.head().branch == "wörk/v1.2"
    assert scm.tags() == ("main",)


def test_prepared_tag_is_a_pending_release(repository: Repository, scm: GitScm) -> None:
    """The private ref points to a tag object, and still resolves to the commit."""
    commit = release(scm)
    scm.create_tag_object("v1.2.3", commit, "web v1.2.3")
    made = repository.git("rev-parse", "refs/kaizen/release/v1.2.3")

    assert repository.git("cat-file", "-t", made) == "tag"
    assert scm.pending_releases() == {"v1.2.3": commit}
    scm.create_tag("v1.2.3", commit, "other words")
    assert repository.git("rev-parse", "refs/tags/v1.2.3") == made


@pytest.mark.parametrize("folder", ["hooks of ours", ".githooks"])
def test_finds_hooks_of_a_folder_that_is_configured(repository: Repository, scm: GitScm, folder: str) -> None:
    """A relative path is relative to the top of the working tree."""
    repository.git("config", "core.hooksPath", folder)
    repository.hook("commit-msg", 'echo "Seen-By: hook" >> "$1"')

    assert "Seen-By: hook" in repository.git("log", "-1", "--format=%B", land_and_tag(scm))


def test_runs_git_on_hooks_that_the_configuration_names(
    repository: Repository, scm: GitScm, asked: Callable[[], list[str]]
) -> None:
    """Newer versions of git configure hooks without a file."""
    repository.git("config", "hook.lint.command", "true")
    repository.git("config", "hook.lint.event", "pre-commit")
    release(scm)

    assert asked().count("hook") == 3
