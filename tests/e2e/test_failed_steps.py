"""What a release that cannot go on leaves behind: nothing, and words that lead further."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.crash.library import CHAIN, CHANGELOG, CUT, CUT_AND_PUSH, FILES, Library, create_library
from tests.crash.release_cases import with_crlf, with_signed_tags, with_uncommitted_work
from tests.crash.snapshots import parse_refs, take_snapshot, without_private_refs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workspaces import CommandResult

pytestmark = pytest.mark.e2e

OTHERS = ("--", ".", ":(exclude)VERSION", ":(exclude)CHANGELOG.md")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return create_library(tmp_path / "ours")


@pytest.fixture
def colleague(library: Library, tmp_path: Path) -> Library:
    return library.clone_for_colleague(tmp_path / "theirs")


def assert_told(result: CommandResult, code: int, *words: str) -> None:
    """Check the exit code, and that three lines at most say these things."""
    assert result.code == code, result
    assert 1 <= len(result.err.splitlines()) <= 3, result
    for word in words:
        assert word in result.err


def assert_released(library: Library, version: str = "1.3.0") -> None:
    """Check that the release is complete, here and on the remote."""
    here, there = (parse_refs(text) for text in (refs(library), library.repository.remote_git("for-each-ref")))
    tag = f"refs/tags/v{version}"
    assert here[tag] == there[tag]
    assert here["refs/heads/main"] == there["refs/heads/main"]
    assert library.repository.git("show", f"v{version}:VERSION") == version
    assert library.repository.git("status", "--porcelain") == ""
    assert library.repository.git("for-each-ref", "refs/kaizen") == ""


def refs(library: Library) -> str:
    """Return every ref of the clone and what it names."""
    return library.repository.git("for-each-ref")


class TestTagThatExists:
    def test_is_found_on_the_remote_before_anything_is_written(self, library: Library, colleague: Library) -> None:
        colleague.repository.git("tag", "v1.3.0")
        colleague.repository.git("push", "--quiet", "origin", "v1.3.0")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*CUT_AND_PUSH), 3, "origin has the tag v1.3.0", "git fetch --tags")
        assert take_snapshot(library.repository) == before

    def test_is_not_taken_by_the_chain(self, library: Library, colleague: Library) -> None:
        colleague.repository.git("tag", "v1.3.0")
        colleague.repository.git("push", "--quiet", "origin", "v1.3.0")
        there = library.repository.remote_git("for-each-ref")

        assert_told(library.inv(*CHAIN), 3, "the tag v1.3.0 exists on commit")
        assert library.repository.git("tag") == "v1.2.2"
        assert library.repository.remote_git("for-each-ref") == there


class TestHookThatRejects:
    @pytest.mark.parametrize("hook", ["pre-commit", "commit-msg"])
    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH], ids=" ".join)
    def test_leaves_everything_as_it_was(self, library: Library, command: tuple[str, ...], hook: str) -> None:
        library.repository.hook(hook, "echo 'not on a Friday' >&2; exit 1")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*command), 3, f"the {hook} hook rejects the commit: not on a Friday")
        assert take_snapshot(library.repository) == before

    @pytest.mark.parametrize("hook", ["pre-commit", "commit-msg"])
    def test_stops_the_chain_until_it_is_satisfied(self, library: Library, hook: str) -> None:
        library.repository.hook(hook, "echo 'not on a Friday' >&2; exit 1")
        before = refs(library)

        assert_told(library.inv(*CHAIN), 3, f"the {hook} hook rejects the commit: not on a Friday")
        assert refs(library) == before
        library.repository.hook(hook, "exit 0")
        library.inv(*CHAIN).expect_success()
        assert_released(library)


class TestOtherWork:
    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH], ids=" ".join)
    def test_is_refused_by_cut(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        library = with_uncommitted_work(tmp_path / "ours")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*command), 3, "uncommitted changes would not be in the release", "lib.py", "notes.txt")
        assert take_snapshot(library.repository) == before

    def test_is_exactly_as_before_after_the_chain(self, tmp_path: Path) -> None:
        library = with_uncommitted_work(tmp_path / "ours")
        git, before = library.repository.git, take_snapshot(library.repository)
        staged, status = git("diff-index", "--cached", "HEAD", *OTHERS), git("status", "--porcelain", *OTHERS)
        library.inv(*CHAIN).expect_success()
        after = take_snapshot(library.repository)

        assert (git("diff-index", "--cached", "HEAD"), git("status", "--porcelain")) == (staged, status)
        assert git("show", "--format=", "--name-only", "HEAD") == "CHANGELOG.md\nVERSION"
        released = {str(library.path / name) for name in ("VERSION", "CHANGELOG.md")}
        assert {name: after.files[name] for name in before.files.keys() - released} == {
            name: before.files[name] for name in before.files.keys() - released
        }

    @pytest.mark.parametrize("staged", [False, True])
    def test_in_the_changelog_is_not_lost(self, library: Library, *, staged: bool) -> None:
        library.repository.write({"CHANGELOG.md": CHANGELOG.replace(b"- A lever", b"- A lever\n- A knob")})
        if staged:
            library.repository.git("add", "CHANGELOG.md")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*CUT_AND_PUSH), 3, "CHANGELOG.md is edited and not committed", "-- CHANGELOG.md")
        assert take_snapshot(library.repository) == before


class TestCheckout:
    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH], ids=" ".join)
    def test_that_is_detached_is_refused(self, library: Library, command: tuple[str, ...]) -> None:
        library.repository.git("checkout", "--quiet", "--detach")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*command), 3, "HEAD is detached", "git switch main")
        assert take_snapshot(library.repository) == before

    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH], ids=" ".join)
    def test_without_an_identity_is_refused(self, library: Library, command: tuple[str, ...]) -> None:
        library.repository.git("config", "user.useConfigOnly", "true")
        before = take_snapshot(library.repository)
        nobody = {name: "" for name in library.environ if name.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_"))}

        assert_told(library.inv(*command, **nobody), 3, "git has no author or committer", "git config user.name")
        assert take_snapshot(library.repository) == before


class TestChangelog:
    @pytest.mark.parametrize("command", [CUT_AND_PUSH, CHAIN], ids=" ".join)
    def test_keeps_its_line_endings_byte_for_byte(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        library = with_crlf(tmp_path / "ours")
        library.inv(*command).expect_success()
        today = datetime.now(UTC).astimezone().date().isoformat()
        heading = f"## [Unreleased]\n\n## [1.3.0] - {today}\n".encode()
        expected = FILES["CHANGELOG.md"].replace(b"## [Unreleased]\n", heading).replace(b"\n", b"\r\n")

        assert (library.path / "CHANGELOG.md").read_bytes() == expected
        assert library.repository.git_bytes("show", "v1.3.0:CHANGELOG.md") == expected
        assert library.repository.git_bytes("show", "v1.3.0:VERSION") == b"1.3.0\r\n"
        assert library.repository.git("status", "--porcelain") == ""

    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH, CHAIN], ids=" ".join)
    def test_with_nothing_to_release_is_refused(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        empty = CHANGELOG.replace(b"### Added\n\n- A lever\n\n", b"")
        library = create_library(tmp_path / "ours", {**FILES, "CHANGELOG.md": empty})
        library.repository.commit({"lib.py": b"LEVERS = 2\n"})
        before = take_snapshot(library.repository)

        assert_told(library.inv(*command), 3, "nothing is noted under [Unreleased]")
        assert take_snapshot(library.repository) == before


class TestRemote:
    def test_that_has_moved_is_found_before_anything_is_written(self, library: Library, colleague: Library) -> None:
        colleague.repository.commit({"other.py": b"of others\n"})
        colleague.repository.git("push", "--quiet", "origin", "main")
        before = take_snapshot(library.repository)
        result = library.inv(*CUT_AND_PUSH)

        assert_told(result, 3, "origin/main has commits that this clone lacks", "git pull")
        assert take_snapshot(library.repository) == before
        assert typed(library, result) == 0
        library.inv(*CUT_AND_PUSH).expect_success()
        assert_released(library)

    def test_that_moves_at_the_last_moment_gets_nothing_until_asked_again(
        self, library: Library, colleague: Library
    ) -> None:
        moved = colleague.repository.commit({"other.py": b"of others\n"})
        library.repository.hook("pre-push", f"cd '{colleague.path}' && env -u GIT_DIR git push --quiet origin main")
        before = take_snapshot(library.repository)
        result = library.inv(*CUT_AND_PUSH)

        assert_told(result, 6, "origin rejects main", "nothing has been pushed", "git pull")
        assert library.repository.git("tag") == "v1.2.2"
        assert parse_refs(library.repository.remote_git("for-each-ref")) == {
            "refs/heads/main": moved,
            "refs/tags/v1.2.2": library.repository.git("rev-parse", "v1.2.2"),
        }
        assert without_private_refs(take_snapshot(library.repository)) == without_private_refs(before)

        library.repository.hook("pre-push", "exit 0")
        again = library.inv(*CUT_AND_PUSH)
        assert again.code in {3, 6}, again
        assert "git pull" in again.err
        assert typed(library, result) == 0
        library.inv(*CUT_AND_PUSH).expect_success()
        assert_released(library)
        assert library.repository.git("log", "--format=%s").splitlines().count("Release v1.3.0") == 1

    def test_that_moves_at_the_last_moment_gets_a_merge_of_a_release_in_steps(
        self, library: Library, colleague: Library
    ) -> None:
        colleague.repository.commit({"other.py": b"of others\n"})
        library.repository.hook("pre-push", f"cd '{colleague.path}' && env -u GIT_DIR git push --quiet origin main")

        done = library.inv(*CHAIN).expect_success()

        assert "git pull --no-rebase --tags origin main brings it here" in done.out
        library.repository.git("pull", "--quiet", "--no-rebase", "--tags", "origin", "main")
        assert_released(library)
        assert library.repository.git("log", "--format=%s").splitlines().count("Release v1.3.0") == 1

    def test_that_protects_its_branch_is_told_how_to_go_round(self, library: Library, colleague: Library) -> None:
        protects = "grep -q refs/heads/main$ || exit 0; echo 'GH006: Protected branch update failed' >&2; exit 1"
        library.repository.remote_hook("pre-receive", protects)
        before = take_snapshot(library.repository)
        result = library.inv(*CUT_AND_PUSH)

        assert_told(
            result,
            6,
            "origin protects main",
            "nothing has been pushed",
            "merge it into main by a pull request, with a merge commit",
        )
        assert without_private_refs(take_snapshot(library.repository)) == without_private_refs(before)
        assert library.repository.remote_git("for-each-ref") == before.remote

        assert typed(library, result) == 0
        library.repository.remote_hook("pre-receive", "exit 0")
        colleague.shell(
            "git fetch --quiet && git merge --quiet --no-ff --no-edit origin/release-v1.3.0"
        ).expect_success()
        colleague.shell("git push --quiet origin main").expect_success()
        library.repository.remote_hook("pre-receive", protects)
        again = library.inv(*CUT_AND_PUSH)
        assert_told(again, 3, "git pull")
        assert typed(library, again) == 0
        library.inv(*CUT_AND_PUSH).expect_success()
        assert_released(library)

    def test_that_is_missing_is_no_reason_to_say_it_was_pushed(self, library: Library) -> None:
        library.repository.git("remote", "remove", "origin")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*CUT_AND_PUSH), 3, "there is no remote to push to", "git remote add origin URL")
        assert without_private_refs(take_snapshot(library.repository)) == without_private_refs(before)


class TestLock:
    def test_of_a_git_that_was_killed_is_found_before_anything_is_written(self, library: Library) -> None:
        lock = library.path / ".git" / "index.lock"
        lock.touch()
        before = take_snapshot(library.repository)

        assert_told(library.inv(*CUT_AND_PUSH), 3, "another git process is running", f"rm {lock}")
        assert take_snapshot(library.repository) == before

    @pytest.mark.parametrize(("command", "code"), [(CUT, 3), (CHAIN, 130)], ids=["cut", "chain"])
    def test_on_the_branch_is_named(self, library: Library, command: tuple[str, ...], code: int) -> None:
        """The chain has noted its release commit before, so something has changed."""
        lock = library.path / ".git" / "refs" / "heads" / "main.lock"
        lock.touch()

        assert_told(library.inv(*command), code, "another git process is running", f"rm {lock}")
        assert library.repository.git("tag") == "v1.2.2"
        lock.unlink()
        library.inv(*command).expect_success()
        library.inv(*CUT_AND_PUSH).expect_success()
        assert_released(library)


class TestSignature:
    @pytest.mark.parametrize("command", [CUT, CUT_AND_PUSH], ids=" ".join)
    def test_that_fails_leaves_nothing(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        library = with_signed_tags(tmp_path / "ours")
        library.repository.sign_with("echo 'no secret key' >&2; exit 2")
        before = take_snapshot(library.repository)

        assert_told(library.inv(*command), 3, "v1.3.0 could not be signed", "git config user.signingKey")
        assert without_private_refs(take_snapshot(library.repository)) == without_private_refs(before)
        assert library.repository.remote_git("for-each-ref") == before.remote

    def test_that_fails_leaves_no_tag_of_the_chain(self, tmp_path: Path) -> None:
        library = with_signed_tags(tmp_path / "ours")
        library.repository.sign_with("echo 'no secret key' >&2; exit 2")
        there = library.repository.remote_git("for-each-ref")

        assert_told(library.inv(*CHAIN), 3, "v1.3.0 could not be signed")
        assert library.repository.git("tag") == "v1.2.2"
        assert library.repository.remote_git("for-each-ref") == there


def typed(library: Library, result: CommandResult) -> int:
    """Type the git command that a message names, and return its exit code."""
    (command,) = re.findall(r"git (?:pull|push)[^,;\n]*", result.err)
    return library.shell(command).code
