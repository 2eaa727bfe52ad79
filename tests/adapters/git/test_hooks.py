"""Hooks of the release commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Refused
from tests.contracts.scm import FILES, PATHS, RELEASE, release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.adapters.git.scm import GitScm
    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration

FIX_ENDS = 'for file in VERSION CHANGELOG.md; do test -z "$(tail -c1 $file)" || echo >> $file; done'


def status(repository: Repository) -> str:
    return repository.git("status", "--porcelain")


def read(repository: Repository) -> dict[str, bytes]:
    """Return the release's files in the working tree."""
    return {path: (repository.path / path).read_bytes() for path in PATHS}


def committed(repository: Repository, commit: str) -> dict[str, bytes]:
    """Return the release's files in a commit."""
    return {path: repository.git_bytes("cat-file", "blob", f"{commit}:{path}") for path in PATHS}


class TestCommitHooks:
    def test_see_the_release_in_index_and_working_tree(self, repository: Repository, scm: GitScm) -> None:
        seen = repository.path.parent / "seen"
        repository.hook("pre-commit", f"(pwd; git diff --cached --name-only; cat VERSION; git diff) > '{seen}'")
        release(scm)

        assert seen.read_text().splitlines() == [str(repository.path), "CHANGELOG.md", "VERSION", "1.2.3"]
        assert (read(repository)["VERSION"], status(repository)) == (FILES["VERSION"], "")

    def test_filter_that_fails_before_them_leaves_the_files_as_they_were(
        self, repository: Repository, scm: GitScm
    ) -> None:
        repository.hook("pre-commit", "exit 0")
        for key, value in {"clean": "cat", "smudge": "false", "required": "true"}.items():
            repository.git("config", f"filter.broken.{key}", value)
        attributes = repository.path / ".git" / "info" / "attributes"
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text("VERSION filter=broken\n")

        with pytest.raises(Refused, match="VERSION: smudge filter broken failed"):
            release(scm)
        assert read(repository) == {path: FILES[path] for path in PATHS}

    def test_see_no_other_file_that_is_staged(self, repository: Repository, scm: GitScm) -> None:
        seen = repository.path.parent / "seen"
        repository.hook("pre-commit", f"git diff --cached --name-only > '{seen}'")
        repository.write({"app.py": b"staged\n"})
        repository.git("add", "app.py")
        release(scm)

        assert seen.read_text().splitlines() == ["CHANGELOG.md", "VERSION"]
        assert status(repository) == "M  app.py"

    def test_run_like_those_of_git_commit(self, repository: Repository, scm: GitScm) -> None:
        log = repository.path.parent / "log"
        for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
            repository.hook(name, f'echo "{name} $# $2" >> "{log}"')
        scm.fast_forward(release(scm), paths=PATHS)

        assert log.read_text().splitlines() == [
            "pre-commit 0 ",
            "prepare-commit-msg 2 message",
            "commit-msg 1 ",
            "post-commit 0 ",
        ]

    def test_are_found_in_another_folder(self, repository: Repository, scm: GitScm) -> None:
        repository.git("config", "core.hooksPath", ".husky/_")
        repository.hook("pre-commit", "echo husky; exit 1")

        with pytest.raises(Refused, match="the pre-commit hook rejects the commit: husky"):
            release(scm)

    @pytest.mark.parametrize("name", ["prepare-commit-msg", "commit-msg"])
    def test_may_edit_the_message(self, repository: Repository, scm: GitScm, name: str) -> None:
        repository.hook(name, 'echo "Change-Id: I1234" >> "$1"')
        commit = release(scm)

        assert repository.git("log", "-1", "--format=%B", commit) == "Release v1.2.3\n\nNotes.\nChange-Id: I1234\n"

    def test_may_not_leave_an_empty_message(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("commit-msg", ': > "$1"')

        with pytest.raises(Refused, match="left no message"):
            release(scm)

    @pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
    def test_rejection_names_the_hook_and_shows_all_of_its_output(
        self, repository: Repository, scm: GitScm, name: str
    ) -> None:
        repository.hook(
            name, "echo '╭─ box ─╮'; echo; echo '  indented' >&2; echo 'no ticket'; echo '╰───────╯'; exit 1"
        )

        with pytest.raises(Refused, match=f"the {name} hook rejects the commit: no ticket") as refusal:
            release(scm)
        assert refusal.value.output == ("╭─ box ─╮", "", "  indented", "no ticket", "╰───────╯")
        assert (read(repository)["VERSION"], status(repository)) == (FILES["VERSION"], "")

    def test_rejection_shows_the_last_40_lines(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-commit", "seq 1 100; exit 1")

        with pytest.raises(Refused) as refusal:
            release(scm)
        assert refusal.value.output[:2] == ("… 60 lines before", "61")
        assert refusal.value.output[-1] == "100"

    def test_rejection_names_the_failed_hooks_of_pre_commit(self, repository: Repository, scm: GitScm) -> None:
        failed = "printf 'Check....Failed\\n- hook id: check-json\\n- exit code: 1\\n\\nbad.json: oops\\n'"
        repository.hook("pre-commit", f"{failed}; exit 1")

        with pytest.raises(Refused, match="the pre-commit hook rejects the commit: check-json"):
            release(scm)

    def test_output_is_in_the_language_of_the_user(
        self, repository: Repository, scm: GitScm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        repository.hook("pre-commit", 'echo "locale $LC_ALL"; exit 1')

        with pytest.raises(Refused, match=r"locale C\.UTF-8"):
            release(scm)


class TestCorrections:
    """Hooks that change the files of the release."""

    UNENDED: Mapping[str, bytes] = {**RELEASE, "CHANGELOG.md": b"# Changelog\n\n## 1.2.3"}

    @pytest.mark.parametrize("end", ["", "\ngit add --all", "\ngit diff --quiet"])
    def test_are_committed(self, repository: Repository, scm: GitScm, end: str) -> None:
        """Whether the hook passes, stages what it changed, or fails for that, as those of pre-commit do."""
        repository.hook("pre-commit", FIX_ENDS + end)
        changes: dict[str, bytes] = {}
        commit = scm.write_commit(parent=scm.head().commit, files=self.UNENDED, message="Release", check=changes.update)

        assert committed(repository, commit) == RELEASE
        assert changes == {"CHANGELOG.md": RELEASE["CHANGELOG.md"]}
        assert (read(repository)["VERSION"], status(repository)) == (FILES["VERSION"], "")
        scm.fast_forward(commit, paths=PATHS)
        assert (read(repository), status(repository)) == (RELEASE, "")

    def test_stay_in_files_that_were_edited_before(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-commit", f"{FIX_ENDS}\ngit diff --quiet")
        repository.write(self.UNENDED)
        commit = scm.write_commit(parent=scm.head().commit, files=self.UNENDED, message="Release")
        scm.fast_forward(commit, paths=PATHS)

        assert (read(repository), status(repository)) == (RELEASE, "")

    def test_are_undone_when_another_hook_fails(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-commit", f"{FIX_ENDS}\necho 'check failed'; exit 1")
        repository.write(self.UNENDED)

        with pytest.raises(Refused, match="check failed"):
            scm.write_commit(parent=scm.head().commit, files=self.UNENDED, message="Release")
        assert read(repository) == self.UNENDED

    @pytest.mark.parametrize("end", ["", "; git add --all", "; exit 1"])
    def test_of_other_files_are_refused(self, repository: Repository, scm: GitScm, end: str) -> None:
        repository.hook("pre-commit", f"echo '# formatted' | tee -a app.py{end}")

        with pytest.raises(Refused, match=r"the pre-commit hook changed app\.py, which the release commit does not"):
            release(scm)
        assert repository.git("diff", "--cached", "--name-only") == ""
        assert read(repository)["VERSION"] == FILES["VERSION"]

    def test_that_spoil_the_release_are_refused(self, repository: Repository, scm: GitScm) -> None:
        repository.hook("pre-commit", "echo 2.0.0 > VERSION")

        def check(contents: Mapping[str, bytes]) -> None:
            raise Refused(f"spoilt: {contents['VERSION']!r}")

        with pytest.raises(Refused, match=r"spoilt: b'2\.0\.0"):
            scm.write_commit(parent=scm.head().commit, files=RELEASE, message="Release", check=check)
        assert status(repository) == ""


def test_rejection_of_ref_changes_is_named(repository: Repository, scm: GitScm) -> None:
    commit = release(scm)
    repository.hook("reference-transaction", "test $1 != prepared || { echo 'frozen'; exit 1; }")

    with pytest.raises(Refused, match="the reference-transaction hook rejects the release commit on main"):
        scm.fast_forward(commit, paths=PATHS)
