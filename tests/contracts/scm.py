"""What every version control must do."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Protocol

import pytest

from kaizen_tasks.errors import NotFound, PushFailed, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kaizen_tasks.ports.scm import Scm

FILES: Mapping[str, bytes] = {"VERSION": b"1.2.2\n", "CHANGELOG.md": b"# Changelog\n", "app.py": b"print('hello')\n"}
RELEASE: Mapping[str, bytes] = {"VERSION": b"1.2.3\n", "CHANGELOG.md": b"# Changelog\n\n## 1.2.3\n"}
PATHS = ("VERSION", "CHANGELOG.md")


class Scene(Protocol):
    """A repository with one pushed commit of FILES on main, and what people do around the tool."""

    @property
    def scm(self) -> Scm:
        """The repository under test, with a remote."""

    @property
    def alone(self) -> Scm:
        """Another repository, without a remote."""

    @property
    def empty(self) -> Scm:
        """Another repository, without a commit."""

    @property
    def colleague(self) -> Scm:
        """Another clone of the remote, with nothing but the pushed commit."""

    def commit(self, files: Mapping[str, bytes | None]) -> str:
        """Commit files as a developer does; return the hash. None deletes a file."""

    def write(self, path: str, content: bytes) -> None:
        """Edit a file of the working tree."""

    def stage(self, path: str, content: bytes) -> None:
        """Edit a file and add it to the index."""

    def written(self, path: str) -> bytes | None:
        """Return what the working tree holds."""

    def staged(self, path: str) -> bytes | None:
        """Return what the index holds."""

    def detach(self) -> None:
        """Leave the branch."""

    def merge(self) -> None:
        """Start a merge and leave it unfinished."""

    def reject(self, words: str) -> None:
        """Make the commit hook reject with a message."""

    def protect(self, words: str) -> None:
        """Make the remote reject pushes to main with a message."""

    def push_of_others(self) -> None:
        """Push a commit to main as somebody else."""

    def tag_of_others(self, tag: str) -> None:
        """Push a tag on another commit as somebody else."""


def release(scm: Scm, notes: str = "Notes.") -> str:
    """Write the release commit on top of HEAD."""
    return scm.write_commit(parent=scm.head().commit, files=RELEASE, message=f"Release v1.2.3\n\n{notes}")


def land_and_tag(scm: Scm) -> str:
    """Write the release commit, fast-forward and tag."""
    commit = release(scm)
    scm.fast_forward(commit, paths=PATHS)
    scm.create_tag("v1.2.3", commit, "v1.2.3")
    return commit


class ScmContract:
    """Subclasses provide the fixture `scene`."""

    def test_head_has_commit_and_branch(self, scene: Scene) -> None:
        head = scene.scm.head()

        assert head.branch == "main"
        assert head.commit == scene.scm.resolve("main")

    def test_detached_head_has_no_branch(self, scene: Scene) -> None:
        before = scene.scm.head().commit
        scene.detach()

        assert (before, "") == (scene.scm.head().commit, scene.scm.head().branch)

    def test_invalidated_cache_shows_changes_of_others(self, scene: Scene) -> None:
        before = scene.scm.head().commit
        assert scene.scm.modified_files() == ()
        commit = scene.commit({"app.py": b"2\n"})
        scene.write("VERSION", b"2\n")
        scene.scm.invalidate_cache()

        assert before != commit == scene.scm.head().commit
        assert scene.scm.modified_files() == ("VERSION",)

    def test_refuses_a_repository_without_a_commit(self, scene: Scene) -> None:
        with pytest.raises(Refused, match="no commit yet"):
            scene.empty.head()

    def test_resolves_branches_tags_and_hashes(self, scene: Scene) -> None:
        commit = land_and_tag(scene.scm)

        names = ("main", "HEAD", "v1.2.3", commit, commit[:10])
        assert [commit] * 5 == [scene.scm.resolve(name) for name in names]

    @pytest.mark.parametrize("name", ["", "nope", "f" * 40, "--help", "-v", "a b", "v1.2.3\n"])
    def test_unknown_names_resolve_to_nothing(self, scene: Scene, name: str) -> None:
        assert not scene.scm.resolve(name)

    def test_reads_files_of_a_commit(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        second = scene.commit({"VERSION": b"1.2.3\r\nno line break at the end", "docs/a.md": b""})

        assert scene.scm.read_at(first, "VERSION") == b"1.2.2\n"
        assert scene.scm.read_at(second, "VERSION") == b"1.2.3\r\nno line break at the end"
        assert scene.scm.read_at(second, "docs/a.md") == b""
        assert scene.scm.read_at(first, "docs/a.md") is None
        assert scene.scm.read_at(second, "docs") is None
        assert scene.scm.read_at("f" * 40, "VERSION") is None

    def test_finds_the_files_with_a_matching_line(self, scene: Scene) -> None:
        scene.commit({"app/views.py": b"x = 1\n@get('/version')\n", "docs/é.md": b"GET /versions\n"})
        scene.write("app/draft.py", b"'/version'\n")

        assert scene.scm.find_lines("/version([^a-z]|$)") == ("app/views.py",)
        assert scene.scm.find_lines("^GET /v") == ("docs/é.md",)
        assert scene.scm.find_lines("nowhere") == ()

    def test_names_the_files_of_a_folder_that_git_tracks(self, scene: Scene) -> None:
        scene.commit({"notes/1.md": b"", "notes/é 2.md": b"", "notes.md": b""})
        scene.stage("notes/3.md", b"")
        scene.write("notes/4.md", b"")

        assert dict(scene.scm.tracked_files("notes")) == {"notes/1.md": True, "notes/3.md": True, "notes/é 2.md": True}
        assert dict(scene.scm.tracked_files("nothing")) == {}
        assert scene.scm.ignored_files("notes") == ()

    def test_names_modified_files_staged_or_not(self, scene: Scene) -> None:
        assert scene.scm.modified_files() == ()
        scene.write("VERSION", b"2\n")
        scene.stage("CHANGELOG.md", b"2\n")
        scene.write("untracked", b"")

        assert scene.scm.modified_files() == ("CHANGELOG.md", "VERSION")

    def test_names_a_file_whose_staged_edit_was_undone(self, scene: Scene) -> None:
        scene.stage("VERSION", b"2\n")
        scene.write("VERSION", FILES["VERSION"])

        assert scene.scm.modified_files() == ("VERSION",)

    def test_clean_repository_has_no_blockers(self, scene: Scene) -> None:
        assert scene.scm.blockers() == ()

    def test_merge_in_progress_is_a_blocker(self, scene: Scene) -> None:
        scene.merge()

        (obstacle,) = scene.scm.blockers()
        assert "a merge is under way" in obstacle

    def test_changed_files_lists_the_files_of_the_commits(self, scene: Scene) -> None:
        """Every changed file once, even if a later commit reverts it."""
        first = scene.scm.head().commit
        scene.commit({"app.py": b"print('a')\n", "docs/new.md": b"new\n"})
        scene.commit({"app.py": FILES["app.py"]})
        last = scene.scm.head().commit

        assert scene.scm.changed_files(first, last) == ("app.py", "docs/new.md")
        assert scene.scm.changed_files("", last) == ("CHANGELOG.md", "VERSION", "app.py", "docs/new.md")
        assert scene.scm.changed_files(last, last) == ()

    def test_is_ancestor_follows_history(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        second = scene.commit({"app.py": b"2\n"})

        assert scene.scm.is_ancestor(first, second)
        assert scene.scm.is_ancestor(first, first)
        assert not scene.scm.is_ancestor(second, first)
        assert not scene.scm.is_ancestor("f" * 40, first)
        with pytest.raises(NotFound):
            scene.scm.is_ancestor(first, "f" * 40)

    def test_names_files_that_a_commit_holds_differently(self, scene: Scene) -> None:
        commit = scene.scm.head().commit
        scene.stage("app.py", b"work under way\n")

        assert scene.scm.files_differing_from(commit, {}) == ()
        assert scene.scm.files_differing_from(commit, FILES) == ()
        assert scene.scm.files_differing_from(commit, {**FILES, **RELEASE, "new": b""}) == (
            "CHANGELOG.md",
            "VERSION",
            "new",
        )

    def test_names_untracked_files_that_a_commit_would_overwrite(self, scene: Scene) -> None:
        commit = scene.scm.head().commit
        scene.write("NEWS.md", b"mine\n")

        assert scene.scm.untracked_files(commit, RELEASE) == ()
        assert scene.scm.untracked_files(commit, {"NEWS.md": b"mine\n", "new": b""}) == ()
        assert scene.scm.untracked_files(commit, {"NEWS.md": b"other\n"}) == ("NEWS.md",)

    def test_files_without_content_are_deleted(self, scene: Scene) -> None:
        scene.commit({"notes/1.md": b"1\n", "notes/2.md": b"2\n", "notes/keep.md": b"\n"})
        head, files = scene.scm.head().commit, {**RELEASE, "notes/1.md": None, "notes/2.md": None}
        assert scene.scm.files_differing_from(head, {"notes/1.md": None, "none.md": None}) == ("notes/1.md",)

        commit = scene.scm.write_commit(parent=head, files=files, message="Release")
        scene.scm.fast_forward(commit, paths=("VERSION", "CHANGELOG.md", "notes"))

        assert [scene.scm.read_at(commit, f"notes/{name}.md") for name in ("1", "2", "keep")] == [None, None, b"\n"]
        assert scene.scm.modified_files() == ()
        assert scene.scm.changed_files(head, commit) == ("CHANGELOG.md", "VERSION", "notes/1.md", "notes/2.md")

    def test_an_edited_file_is_not_deleted(self, scene: Scene) -> None:
        scene.commit({"notes/1.md": b"1\n"})
        commit = scene.scm.write_commit(parent=scene.scm.head().commit, files={"notes/1.md": None}, message="Release")
        scene.write("notes/1.md", b"edited\n")

        with pytest.raises(Refused, match=r"notes/1.md"):
            scene.scm.fast_forward(commit, paths=("notes",))
        assert scene.written("notes/1.md") == b"edited\n"

    def test_write_commit_moves_no_ref(self, scene: Scene) -> None:
        before = scene.scm.head()
        commit = release(scene.scm)

        assert scene.scm.head() == before
        assert scene.scm.modified_files() == ()
        assert scene.written("VERSION") == scene.staged("VERSION") == b"1.2.2\n"
        assert scene.scm.is_ancestor(before.commit, commit)
        assert {path: scene.scm.read_at(commit, path) for path in FILES} == {**FILES, **RELEASE}

    def test_commit_contains_only_the_given_files(self, scene: Scene) -> None:
        scene.stage("app.py", b"work under way\n")
        scene.stage("VERSION", b"9.9.9\n")
        commit = release(scene.scm)

        assert scene.scm.read_at(commit, "app.py") == FILES["app.py"]
        assert scene.scm.read_at(commit, "VERSION") == RELEASE["VERSION"]
        assert scene.staged("app.py") == b"work under way\n"

    def test_adds_a_file_that_was_not_there(self, scene: Scene) -> None:
        files = {"docs/NEWS.md": b"new\n"}
        commit = scene.scm.write_commit(parent=scene.scm.head().commit, files=files, message="News")
        scene.scm.fast_forward(commit, paths=("docs/NEWS.md",))

        assert scene.written("docs/NEWS.md") == scene.staged("docs/NEWS.md") == b"new\n"
        assert scene.scm.modified_files() == ()

    def test_is_refused_by_the_commit_hook(self, scene: Scene) -> None:
        scene.reject("tests fail")
        before = scene.scm.head()

        with pytest.raises(Refused, match="pre-commit hook rejects the commit: tests fail"):
            release(scene.scm)
        assert scene.scm.head() == before
        assert scene.scm.modified_files() == ()

    def test_fast_forward_moves_branch_and_paths(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.fast_forward(commit, paths=PATHS)

        assert (commit, "main") == (scene.scm.head().commit, scene.scm.head().branch)
        assert scene.scm.modified_files() == ()
        assert scene.written("VERSION") == scene.staged("VERSION") == b"1.2.3\n"

    def test_fast_forward_accepts_files_with_the_new_content(self, scene: Scene) -> None:
        scene.write("VERSION", RELEASE["VERSION"])
        scene.stage("CHANGELOG.md", RELEASE["CHANGELOG.md"])
        scene.scm.fast_forward(release(scene.scm), paths=PATHS)

        assert scene.scm.modified_files() == ()

    def test_fast_forward_keeps_other_edits(self, scene: Scene) -> None:
        scene.stage("app.py", b"staged\n")
        scene.write("app.py", b"and edited again\n")
        scene.scm.fast_forward(release(scene.scm), paths=PATHS)

        assert scene.scm.modified_files() == ("app.py",)
        assert (scene.staged("app.py"), scene.written("app.py")) == (b"staged\n", b"and edited again\n")

    @pytest.mark.parametrize("how", ["write", "stage"])
    def test_fast_forward_refuses_edited_paths(self, scene: Scene, how: str) -> None:
        before = scene.scm.head()
        commit = release(scene.scm)
        getattr(scene, how)("CHANGELOG.md", b"my own words\n")

        with pytest.raises(Refused, match=r"CHANGELOG.md"):
            scene.scm.fast_forward(commit, paths=PATHS)
        assert scene.scm.head() == before
        assert scene.written("CHANGELOG.md") == b"my own words\n"
        assert scene.written("VERSION") == b"1.2.2\n"

    def test_fast_forward_refuses_a_diverged_branch(self, scene: Scene) -> None:
        commit = release(scene.scm)
        moved = scene.commit({"app.py": b"meanwhile\n"})

        with pytest.raises(Refused, match="main has moved"):
            scene.scm.fast_forward(commit, paths=PATHS)
        assert scene.scm.head().commit == moved

    def test_fast_forward_can_be_repeated(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.fast_forward(commit, paths=PATHS)
        scene.scm.fast_forward(commit, paths=PATHS)
        later = scene.commit({"VERSION": b"1.3.0\n"})
        scene.scm.fast_forward(commit, paths=PATHS)

        assert later == scene.scm.head().commit
        assert scene.scm.modified_files() == ()

    def test_fast_forward_moves_a_detached_head(self, scene: Scene) -> None:
        scene.detach()
        main = scene.scm.resolve("main")
        commit = release(scene.scm)
        scene.scm.fast_forward(commit, paths=PATHS)

        assert (commit, "") == (scene.scm.head().commit, scene.scm.head().branch)
        assert main != commit
        assert scene.scm.modified_files() == ()

    def test_release_is_pending_until_it_is_tagged(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        scene.scm.save_pending("v1.2.3", first)
        commit = release(scene.scm)
        scene.scm.save_pending("v1.2.3", commit)
        scene.scm.save_pending("v1.3.0", first)
        assert scene.scm.pending_releases() == {"v1.2.3": commit, "v1.3.0": first}

        scene.scm.drop_pending("v1.3.0")
        scene.scm.drop_pending("v1.3.0")
        assert scene.scm.pending_releases() == {"v1.2.3": commit}

        scene.scm.create_tag("v1.2.3", commit, "v1.2.3")
        assert scene.scm.pending_releases() == {}
        assert scene.scm.tags() == ("v1.2.3",)

    def test_create_tag_can_be_repeated(self, scene: Scene) -> None:
        commit = scene.scm.head().commit
        scene.scm.create_tag("v1.2.3", commit, "v1.2.3\n\nNotes.")
        scene.scm.create_tag("v1.2.3", commit, "another message")
        other = scene.commit({"app.py": b"2\n"})

        with pytest.raises(Refused, match=r"v1.2.3 exists on another commit"):
            scene.scm.create_tag("v1.2.3", other, "v1.2.3")
        assert scene.scm.resolve("v1.2.3") == commit

    def test_fast_forward_and_tag_moves_both(self, scene: Scene) -> None:
        """The branch is on the commit, the tag too, and nothing is pending."""
        scm = scene.scm
        commit = release(scm)
        scm.save_pending("v1.2.3", commit)

        scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")

        assert scm.head().commit == commit
        assert scm.resolve("refs/tags/v1.2.3") == commit
        assert scm.pending_releases() == {}
        assert scene.written("VERSION") == RELEASE["VERSION"]

    def test_fast_forward_and_tag_changes_nothing_when_the_tag_exists(self, scene: Scene) -> None:
        """A tag on another commit keeps the branch where it is."""
        scm = scene.scm
        before = scm.head().commit
        scm.create_tag("v1.2.3", before, "somebody else's")

        with pytest.raises(Refused, match=r"v1\.2\.3 exists on another commit"):
            scm.fast_forward_and_tag(release(scm), paths=PATHS, tag="v1.2.3", message="web v1.2.3")

        assert scm.head().commit == before
        assert scene.written("VERSION") == FILES["VERSION"]

    def test_fast_forward_and_tag_changes_nothing_when_the_branch_has_moved(self, scene: Scene) -> None:
        """No tag is created when the branch has moved."""
        scm = scene.scm
        commit = release(scm)
        scene.commit({"app.py": b"print('meanwhile')\n"})

        with pytest.raises(Refused, match="moved"):
            scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")

        assert scm.tags() == ()

    def test_tags_merged_into_a_commit(self, scene: Scene) -> None:
        """A tag on another line of history is not listed."""
        scm = scene.scm
        first = scm.head().commit
        scm.create_tag("v1.2.2", first, "web v1.2.2")
        other = release(scm)
        scm.create_tag("v1.2.3", other, "web v1.2.3")

        assert scm.tags() == ("v1.2.2", "v1.2.3")
        assert scm.tags(merged_into=first) == ("v1.2.2",)
        assert scm.tags(merged_into=other) == ("v1.2.2", "v1.2.3")

    def test_remote_refs_has_branch_and_tags(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        commit = land_and_tag(scene.scm)
        before = scene.scm.remote_refs("main")
        scene.scm.push(branch="main", tag="v1.2.3")
        after = scene.scm.remote_refs("main")

        assert before is not None
        assert after is not None
        assert (first, {}) == (before.branch_commit, before.tags)
        assert (commit, {"v1.2.3": commit}) == (after.branch_commit, after.tags)

    def test_remote_refs_is_none_without_a_remote(self, scene: Scene) -> None:
        land_and_tag(scene.alone)

        assert scene.alone.remote_refs("main") is None
        assert not scene.alone.web_url()
        with pytest.raises(PushFailed, match="there is no remote"):
            scene.alone.push(branch="main", tag="v1.2.3")

    def test_push_sends_missing_refs(self, scene: Scene) -> None:
        commit = land_and_tag(scene.scm)
        scene.scm.push(branch="", tag="v1.2.3")
        scene.scm.push(branch="main", tag="v1.2.3")
        scene.scm.push(branch="main", tag="v1.2.3")

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (commit, {"v1.2.3": commit}) == (there.branch_commit, there.tags)

    def test_push_sends_a_tag_object_without_a_local_ref(self, scene: Scene) -> None:
        """Branch and tag are on the remote first; locally they follow."""
        before, commit = scene.scm.head(), release(scene.scm)
        scene.scm.save_pending("v1.2.3", commit)
        scene.scm.create_tag_object("v1.2.3", commit, "web v1.2.3")
        scene.scm.create_tag_object("v1.2.3", commit, "another message")
        scene.scm.push(branch="main", tag="v1.2.3")

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (commit, {"v1.2.3": commit}) == (there.branch_commit, there.tags)
        assert (before, ()) == (scene.scm.head(), scene.scm.tags())
        assert scene.scm.pending_releases() == {"v1.2.3": commit}

        scene.scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="a third message")
        assert scene.scm.tags() == ("v1.2.3",)
        assert scene.scm.pending_releases() == {}

    def test_tag_object_is_refused_when_the_tag_exists(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.create_tag("v1.2.3", scene.scm.head().commit, "somebody else's")

        with pytest.raises(Refused, match=r"v1.2.3 exists on another commit"):
            scene.scm.create_tag_object("v1.2.3", commit, "web v1.2.3")

    def test_push_does_not_send_later_commits(self, scene: Scene) -> None:
        commit = land_and_tag(scene.scm)
        scene.commit({"app.py": b"not ready\n"})
        scene.scm.push(branch="main", tag="v1.2.3")

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert there.branch_commit == commit

    def test_pushes_nothing_when_the_branch_is_behind(self, scene: Scene) -> None:
        land_and_tag(scene.scm)
        scene.push_of_others()

        with pytest.raises(PushFailed, match="origin rejects main: it has commits that this clone lacks") as failure:
            scene.scm.push(branch="main", tag="v1.2.3")
        assert failure.value.branch_has_moved
        there = scene.scm.remote_refs("main")
        assert there is not None
        assert there.tags == {}

    def test_pushes_nothing_when_the_tag_is_taken(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        land_and_tag(scene.scm)
        scene.tag_of_others("v1.2.3")

        with pytest.raises(PushFailed, match=r"origin has a tag v1.2.3 on another commit"):
            scene.scm.push(branch="main", tag="v1.2.3")
        there = scene.scm.remote_refs("main")
        assert there is not None
        assert there.branch_commit == first

    def test_pushes_nothing_to_a_protected_branch(self, scene: Scene) -> None:
        land_and_tag(scene.scm)
        scene.protect("GH006: Protected branch update failed")

        with pytest.raises(PushFailed, match=r"origin protects main: .*GH006"):
            scene.scm.push(branch="main", tag="v1.2.3")
        there = scene.scm.remote_refs("main")
        assert there is not None
        assert there.tags == {}

    def test_claim_is_seen_and_fetched_by_another_clone(self, scene: Scene) -> None:
        commit = release(scene.scm, "Kaizen-Environment: mark")
        scene.scm.claim("v1.2.3", commit)

        there = scene.colleague.remote_refs("main")
        assert there is not None
        assert (there.claims, there.tags, there.abandoned) == ({"v1.2.3": commit}, {}, {})
        assert not scene.colleague.resolve(commit)
        scene.colleague.fetch_claims(["v1.2.3"])
        assert scene.colleague.resolve(commit) == commit
        assert scene.colleague.commit_trailer(commit, "Kaizen-Environment") == "mark"
        assert not scene.colleague.commit_trailer(scene.scm.head().commit, "Kaizen-Environment")
        assert scene.colleague.pending_releases() == {}

    def test_only_the_first_of_two_clones_claims_a_number(self, scene: Scene) -> None:
        scene.colleague.remote_refs("main")
        commit = release(scene.scm)
        scene.scm.claim("v1.2.3", commit)

        with pytest.raises(Refused, match=f"somebody else has just claimed v1.2.3 on origin, for {commit[:10]}"):
            scene.colleague.claim("v1.2.3", release(scene.colleague, "Another one."))
        there = scene.colleague.remote_refs("main")
        assert there is not None
        assert there.claims == {"v1.2.3": commit}

    def test_claim_is_withdrawn(self, scene: Scene) -> None:
        scene.scm.claim("v1.2.3", release(scene.scm))
        assert scene.scm.cached_remote_refs("main")
        scene.scm.withdraw_claim("v1.2.3")

        there = scene.colleague.cached_remote_refs("main")
        assert there is not None
        assert (there.claims, there.abandoned) == ({}, {})

    def test_claim_moves_from_the_commit_that_was_read(self, scene: Scene) -> None:
        scene.scm.claim("v1.2.3", release(scene.scm))
        scene.colleague.remote_refs("main")
        other = release(scene.colleague, "Another one.")

        scene.colleague.claim("v1.2.3", other)
        there = scene.scm.remote_refs("main")
        assert there is not None
        assert there.claims == {"v1.2.3": other}

    def test_claim_ends_the_claims_that_it_replaces(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.claim("v1.2.3", commit)
        scene.scm.claim("v1.2.4", commit)
        scene.scm.claim("v1.3.0", commit, abandons=["v1.2.3"], drops=["v1.2.4"])

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (there.claims, there.abandoned) == ({"v1.3.0": commit}, {"v1.2.3": commit})

    def test_pushed_tag_ends_the_claim(self, scene: Scene) -> None:
        commit = land_and_tag(scene.scm)
        scene.scm.claim("v1.2.3", commit)
        scene.scm.push(branch="main", tag="v1.2.3")

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (there.claims, there.tags) == ({}, {"v1.2.3": commit})

    def test_abandoned_number_has_no_claim(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.claim("v1.2.3", commit)
        scene.scm.abandon("v1.2.3", commit)
        scene.scm.abandon("v1.2.3", commit)

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (there.claims, there.abandoned) == ({}, {"v1.2.3": commit})

    def test_branch_is_replaced_if_it_is_as_expected(self, scene: Scene) -> None:
        first, second = release(scene.scm, "First."), release(scene.scm, "Second.")
        scene.scm.replace_branch("release/next", first, expected="")
        scene.scm.replace_branch("release/next", second, expected=first)

        refs = scene.scm.remote_refs("release/next")
        assert refs is not None
        assert refs.branch_commit == second

    @pytest.mark.parametrize("is_new", [False, True])
    def test_branch_of_somebody_else_is_not_replaced(self, scene: Scene, *, is_new: bool) -> None:
        first, second = release(scene.scm, "First."), release(scene.scm, "Second.")
        scene.scm.replace_branch("release/next", first, expected="")

        with pytest.raises(Refused, match="somebody else has just pushed to release/next"):
            scene.scm.replace_branch("release/next", second, expected="" if is_new else second)
        refs = scene.scm.remote_refs("release/next")
        assert refs is not None
        assert refs.branch_commit == first

    def test_commits_between_two_are_listed_newest_first(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        second = scene.commit({"app.py": b"print('second')\n"})
        third = scene.commit({"app.py": b"print('third')\n"})

        commits = scene.scm.commits_between(first, third)

        assert [line.partition(" ")[0] for line in commits] == [third[:10], second[:10]]
        assert all(line.partition(" ")[2] for line in commits)
        assert scene.scm.commits_between(third, first) == ()

    def test_latest_change_of_a_file_follows_first_parents(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        version = scene.commit({"VERSION": b"1.2.3\n"})
        other = scene.commit({"app.py": b"2\n"})

        assert scene.scm.latest_change(other, ("VERSION", "CHANGELOG.md")) == version
        assert scene.scm.latest_change(first, ("VERSION",)) == first
        assert scene.scm.latest_change(other, ("missing",)) == ""

    def test_cached_refs_are_read_again_on_demand(self, scene: Scene) -> None:
        before = scene.scm.cached_remote_refs("main")
        scene.colleague.claim("v1.2.3", release(scene.colleague))

        assert scene.scm.cached_remote_refs("main") == before
        scene.scm.invalidate_cache()
        assert scene.scm.cached_remote_refs("main") == before
        scene.scm.invalidate_cache(remote=True)
        assert scene.scm.cached_remote_refs("main") != before

    def test_merge_has_both_parents_and_the_given_files(self, scene: Scene) -> None:
        base = scene.scm.head().commit
        commit = release(scene.scm)
        moved = scene.commit({"app.py": b"meanwhile\n", "CHANGELOG.md": b"# Changelog\n\nmore\n"})
        before = scene.scm.head()
        merged = {"CHANGELOG.md": b"# Changelog\n\nmore\n\n## 1.2.3\n"}
        merge = scene.scm.write_merge(onto=moved, commit=commit, files=merged, message="Merge v1.2.3")

        assert scene.scm.merge_base(moved, commit) == base
        assert scene.scm.is_ancestor(moved, merge)
        assert scene.scm.is_ancestor(commit, merge)
        contents = {path: scene.scm.read_at(merge, path) for path in FILES}
        assert contents == {**merged, "VERSION": b"1.2.3\n", "app.py": b"meanwhile\n"}
        assert scene.scm.head() == before
        assert scene.scm.modified_files() == ()

    def test_merge_deletes_what_the_commit_deletes(self, scene: Scene) -> None:
        """On the branch one of these files was edited, and another renamed."""
        notes = {f"notes/{name}.md": f"A note that is long enough: {name}\n".encode() for name in ("a", "b", "c")}
        base = scene.commit(notes)
        commit = scene.scm.write_commit(parent=base, files={**RELEASE, **dict.fromkeys(notes)}, message="Release")
        moved = scene.commit({"notes/b.md": b"Other\n", "notes/c.md": None, "notes/d.md": notes["notes/c.md"]})

        files = {"notes/b.md": b"Other\n"}
        merge = scene.scm.write_merge(onto=moved, commit=commit, files=files, message="Merge v1.2.3")

        contents = [scene.scm.read_at(merge, f"notes/{name}.md") for name in ("a", "b", "c", "d")]
        assert contents == [None, b"Other\n", None, notes["notes/c.md"]]

    def test_merge_refuses_conflicts_of_other_files(self, scene: Scene) -> None:
        first = scene.scm.head().commit
        ours = scene.commit({"app.py": b"ours\n"})
        theirs = scene.scm.write_commit(parent=first, files={"app.py": b"theirs\n"}, message="Theirs")

        with pytest.raises(Refused, match=r"conflicting changes of app\.py"):
            scene.scm.write_merge(onto=ours, commit=theirs, files={"VERSION": b"1.2.3\n"}, message="Merge")

    def test_push_moves_the_branch_to_a_merge(self, scene: Scene) -> None:
        commit = release(scene.scm)
        scene.scm.save_pending("v1.2.3", commit)
        scene.scm.create_tag_object("v1.2.3", commit, "web v1.2.3")
        scene.push_of_others()
        scene.scm.invalidate_cache(remote=True)
        scene.scm.fetch_branch("main")
        there = scene.scm.remote_refs("main")
        assert there is not None
        merge = scene.scm.write_merge(onto=there.branch_commit, commit=commit, files=RELEASE, message="Merge")
        scene.scm.push(branch="main", tag="v1.2.3", tip=merge)

        there = scene.scm.remote_refs("main")
        assert there is not None
        assert (there.branch_commit, there.tags) == (merge, {"v1.2.3": commit})

    def test_missing_tag_cannot_be_pushed(self, scene: Scene) -> None:
        scene.scm.save_pending("v1.2.3", release(scene.scm))
        with pytest.raises(NotFound, match=r"no tag v1.2.3"):
            scene.scm.push(branch="main", tag="v1.2.3")

    def test_exports_what_is_committed(self, scene: Scene, tmp_path: Path) -> None:
        commit = scene.commit({"docs/a.md": b"line\r\n"})
        scene.write("app.py", b"not committed\n")
        into = tmp_path / "export"
        into.mkdir()
        scene.scm.export(commit, into)

        files = {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}
        assert files == {**FILES, "docs/a.md": b"line\r\n"}

    def test_commit_time_is_in_utc(self, scene: Scene) -> None:
        at = scene.scm.commit_time(scene.scm.head().commit)

        assert at.tzinfo is UTC
        assert at.year >= 2026

    def test_history_leads_to_the_commits_from_the_last_one_that_they_share(self, scene: Scene) -> None:
        before = scene.scm.head().commit
        first = scene.commit({"app.py": b"1\n"})
        second = scene.commit({"app.py": b"2\n"})
        tagged = land_and_tag(scene.scm)
        hotfix = scene.scm.write_commit(parent=first, files=RELEASE, message="Fix\n\nKaizen-Environment: mark")

        history = scene.scm.history([tagged, hotfix, "f" * 40, "", "main"], version_file="VERSION")

        assert history.keys() == {first, second, tagged, hotfix}
        assert history[first].parents == (before,)
        assert history[second].parents == (first,)
        assert history[second].at == scene.scm.commit_time(second)
        assert (history[hotfix].environment, history[tagged].environment) == ("mark", "")

    def test_history_of_unknown_commits_is_empty(self, scene: Scene) -> None:
        for tips in (["f" * 40], []):
            assert scene.scm.history(tips, version_file="VERSION") == {}

    def test_history_has_both_parents_of_a_merge(self, scene: Scene) -> None:
        base = scene.scm.head().commit
        ours, theirs = (scene.scm.write_commit(parent=base, files={name: b"1\n"}, message=name) for name in ("a", "b"))
        merge = scene.scm.write_merge(onto=ours, commit=theirs, files={}, message="Merge")

        history = scene.scm.history([base, merge], version_file="VERSION")

        assert history.keys() == {base, ours, theirs, merge}
        assert history[merge].parents == (ours, theirs)

    def test_history_tells_which_commits_set_a_version(self, scene: Scene) -> None:
        """Without a tag, and on a branch whose merge kept the version of the other one; the merge itself does not."""
        base = scene.commit({"app.py": b"1\n"})
        ours = scene.scm.write_commit(parent=base, files={"VERSION": b"2.0.0\n"}, message="Release v2.0.0")
        theirs = scene.scm.write_commit(parent=base, files=RELEASE, message="Anything")
        merge = scene.scm.write_merge(onto=ours, commit=theirs, files={"VERSION": b"2.0.0\n"}, message="Merge")

        history = scene.scm.history([base, merge], version_file="VERSION")

        assert {name for name, commit in history.items() if commit.sets_version} == {ours, theirs}

    def test_full_clone_is_not_shallow(self, scene: Scene) -> None:
        assert not scene.scm.is_shallow()
