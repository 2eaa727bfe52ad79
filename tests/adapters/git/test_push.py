"""Reading and pushing to a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git import remote_refs
from kaizen_tasks.adapters.git.command import redact_urls
from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import BranchProtected, PushFailed, Unreachable
from tests.contracts.scm import land_and_tag
from tests.support.git_repository import Repository, clone_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


class TestPush:
    @pytest.fixture(autouse=True)
    def _released(self, repository: Repository) -> None:
        land_and_tag(GitScm(repository.path))

    def test_names_the_pull_request_for_a_protected_branch(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("update", "echo 'GH013: Repository rule violations found' >&2; exit 1")
        commit = scm.head().commit

        with pytest.raises(PushFailed) as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert failure.value.state == "nothing has been pushed: origin is as before"
        assert f"makes: git push origin {commit}:refs/heads/release-v1.2.3, then run" in failure.value.hint

    def test_pushes_the_tag_alone_once_the_pull_request_is_merged(
        self, repository: Repository, scm: GitScm, tmp_path: Path
    ) -> None:
        repository.git("push", "--quiet", "origin", "main:release-v1.2.3")
        colleague = clone_repository(repository, tmp_path / "colleague")
        colleague.git("merge", "--quiet", "--no-ff", "--message", "Merge", "origin/release-v1.2.3")
        colleague.git("push", "--quiet", "origin", "main")
        repository.git("fetch", "--quiet")
        repository.remote_hook("update", 'test "$1" != refs/heads/main')
        scm.push(branch="main", tag="v1.2.3")

        assert repository.remote_git("rev-parse", "v1.2.3^{commit}") == scm.head().commit

    def test_push_succeeds_after_a_merge(self, repository: Repository, scm: GitScm, tmp_path: Path) -> None:
        colleague = clone_repository(repository, tmp_path / "colleague")
        colleague.commit({"docs.md": b"of others\n"})
        colleague.git("push", "--quiet", "origin", "main")
        with pytest.raises(PushFailed) as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert failure.value.hint.startswith("git pull --no-rebase --tags origin main, ")

        repository.git("pull", "--quiet", "--no-rebase", "origin", "main")
        scm.invalidate_cache()
        scm.push(branch="main", tag="v1.2.3")
        assert repository.remote_git("rev-parse", "main") == scm.head().commit

    def test_declined_push_quotes_the_remote_hook(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("pre-receive", "echo 'no pushes on Friday' >&2; exit 1")

        with pytest.raises(BranchProtected, match="a hook on origin declines main: no pushes on Friday"):
            scm.push(branch="main", tag="v1.2.3")

    def test_rejected_push_names_the_rejected_ref(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("update", 'test "$1" != refs/tags/v1.2.3 || { echo "no tags today" >&2; exit 1; }')

        with pytest.raises(PushFailed, match=r"a hook on origin declines v1.2.3: no tags today"):
            scm.push(branch="main", tag="v1.2.3")
        assert repository.remote_git("rev-parse", "main") != scm.head().commit

    def test_rejection_by_a_rule_for_tags_asks_for_no_pull_request(self, repository: Repository, scm: GitScm) -> None:
        lines = ("error: GH013: Repository rule violations found for refs/tags/v1.2.3.", "", "- Creations restricted.")
        words = "".join(f"echo '{line}' >&2; " for line in lines)
        repository.remote_hook("update", f"test $1 != refs/tags/v1.2.3 || {{ {words} exit 1; }}")

        with pytest.raises(PushFailed, match=r"origin protects v1\.2\.3: Creations restricted") as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert failure.value.hint.startswith("let this account create the tag v1.2.3 in the rules of origin, or ")
        assert failure.value.output[:3] == tuple(f"remote: {line}".rstrip() for line in lines)
        assert not isinstance(failure.value, BranchProtected)

    def test_rejection_for_a_signature_says_how_to_sign_anew(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("pre-receive", "echo 'GitLab: Commit must be signed with a GPG key'; exit 1")

        with pytest.raises(PushFailed, match="origin wants signatures on main: Commit must be signed") as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert "git config commit.gpgSign true && git config tag.gpgSign true" in failure.value.hint
        assert "git reset --keep HEAD^ && git tag -d v1.2.3" in failure.value.hint

    def test_rejected_push_shows_all_that_the_pre_push_hook_prints(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-push", "echo '== tests =='; echo; echo '  two'; echo '1 failed' >&2; exit 1")

        with pytest.raises(PushFailed, match=r"the pre-push hook rejects main and v1.2.3: 1 failed") as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert failure.value.output == ("== tests ==", "", "  two", "1 failed")

    def test_rejected_push_quotes_the_pre_push_hook(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-push", "echo 'tests fail' >&2; exit 1")

        with pytest.raises(PushFailed, match=r"the pre-push hook rejects main and v1.2.3: tests fail"):
            scm.push(branch="main", tag="v1.2.3")

    def test_remote_without_atomic_pushes_hints_at_the_setting(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_git("config", "receive.advertiseAtomic", "false")

        with pytest.raises(PushFailed, match="does not support atomic pushes of two refs") as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert failure.value.hint.startswith("release.atomic = false in kaizen.toml")

    def test_non_atomic_push_sends_branch_then_tag(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_git("config", "receive.advertiseAtomic", "false")
        one_by_one = GitScm(repository.path, atomic=False)

        one_by_one.push(branch="main", tag="v1.2.3")

        assert repository.remote_git("rev-parse", "main", "v1.2.3^{commit}").split() == [scm.head().commit] * 2

    def test_pushes_no_tag_without_its_branch(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("pre-receive", "read old new ref; case $ref in refs/heads/*) exit 1;; esac")
        one_by_one = GitScm(repository.path, atomic=False)

        with pytest.raises(PushFailed):
            one_by_one.push(branch="main", tag="v1.2.3")

        assert repository.remote_git("tag") == ""

    def test_refused_tag_after_a_pushed_branch_says_what_is_there(self, repository: Repository, scm: GitScm) -> None:
        repository.remote_hook("update", "case $1 in refs/tags/*) exit 1;; esac")
        one_by_one = GitScm(repository.path, atomic=False)

        with pytest.raises(PushFailed, match=r"declines v1\.2\.3") as failure:
            one_by_one.push(branch="main", tag="v1.2.3")

        assert repository.remote_git("rev-parse", "main") == scm.head().commit
        assert failure.value.state == "origin has main; nothing else has been pushed"

    def test_pushes_from_a_detached_head(self, repository: Repository, scm: GitScm) -> None:
        repository.git("checkout", "--quiet", "--detach")
        scm.push(branch="main", tag="v1.2.3")

        assert repository.remote_git("rev-parse", "main") == scm.head().commit

    def test_pushes_nothing_when_the_tag_appears_meanwhile(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-push", f"git --git-dir='{repository.remote}' tag v1.2.3 main")
        before = repository.remote_git("rev-parse", "main")

        with pytest.raises(PushFailed, match=r"origin has a tag v1.2.3 on another commit"):
            scm.push(branch="main", tag="v1.2.3")
        assert repository.remote_git("rev-parse", "main") == before

    def test_pushes_nothing_when_the_branch_moves_meanwhile(self, repository: Repository, scm: GitScm) -> None:
        other = 'git commit-tree -p main -m other "main^{tree}"'
        repository.hook("pre-push", f"export GIT_DIR='{repository.remote}'; git update-ref refs/heads/main $({other})")

        with pytest.raises(PushFailed, match="origin rejects main"):
            scm.push(branch="main", tag="v1.2.3")
        assert repository.remote_git("tag") == ""

    def test_local_tag_is_the_pushed_tag_object(self, repository: Repository, scm: GitScm) -> None:
        commit = repository.commit({"VERSION": b"1.2.4\n"})
        scm.create_tag_object("v1.2.4", commit, "web v1.2.4")
        scm.push(branch="main", tag="v1.2.4")
        scm.create_tag("v1.2.4", commit, "another message")

        assert repository.remote_git("rev-parse", "v1.2.4") == repository.git("rev-parse", "v1.2.4")
        assert repository.git("for-each-ref", "refs/kaizen") == ""

    def test_ls_remote_has_a_timeout(
        self, repository: Repository, scm: GitScm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(remote_refs, "LS_REMOTE_TIMEOUT_SECONDS", 0.3)
        repository.git("config", "remote.origin.uploadpack", "sleep 60;")

        with pytest.raises(Unreachable, match=r"origin cannot be read: no answer within 0.3s"):
            scm.remote_refs("main")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("to https://ada:s3cret@host/app", "to https://[redacted]@host/app"),
            ("'https://ghp_token@host/app'", "'https://[redacted]@host/app'"),
            ("https://ada:p@ss@host/app and ssh://git@host/b", "https://[redacted]@host/app and ssh://git@host/b"),
            ("mail ada@example.com", "mail ada@example.com"),
        ],
    )
    def test_redacts_addresses(self, text: str, expected: str) -> None:
        assert expected == redact_urls(text)

    def test_keeps_credentials_out_of_messages(self, repository: Repository, scm: GitScm) -> None:
        repository.git("remote", "set-url", "origin", "https://ada:s3cret@127.0.0.1:1/app.git")

        with pytest.raises(Unreachable) as failure:
            scm.remote_refs("main")
        assert "s3cret" not in str(failure.value)
        assert "ada" not in str(failure.value)
        with pytest.raises(Unreachable) as failure:
            scm.push(branch="main", tag="v1.2.3")
        assert "s3cret" not in str(failure.value)
