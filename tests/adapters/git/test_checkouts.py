"""A whole release in every kind of checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Refused
from tests.contracts.scm import FILES, PATHS, RELEASE, land_and_tag
from tests.support.checkouts import LAYOUTS, in_a_subfolder, with_sparse_checkout
from tests.support.git_repository import Repository, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("layout", LAYOUTS)
def test_releases_in_every_kind_of_checkout(layout: Callable[[Path], Repository], tmp_path: Path) -> None:
    repository = layout(tmp_path / "here")
    scm = GitScm(repository.path)
    assert scm.head().branch == "main"
    assert scm.modified_files() == scm.blockers() == ()

    commit = land_and_tag(scm)
    scm.push(branch="main", tag="v1.2.3")
    into = tmp_path / "export"
    into.mkdir()
    scm.export(commit, into)

    repository.git("diff-files", "--quiet")  # before anything else looks: it does not refresh the index
    assert scm.modified_files() == ()
    assert repository.git("status", "--porcelain") == ""
    assert {path: scm.read_at(commit, path) for path in PATHS} == RELEASE
    assert {path: (into / path).read_bytes() for path in FILES} == {**FILES, **RELEASE}
    assert commit == repository.remote_git("rev-parse", "main") == repository.git("rev-parse", "origin/main")
    assert commit == repository.remote_git("rev-parse", "v1.2.3^{commit}")
    repository.git("fsck", "--strict")


def test_finds_hooks_of_a_subfolder_app_at_the_top(tmp_path: Path) -> None:
    repository = in_a_subfolder(tmp_path / "here")
    top = Repository(repository.path.parents[1], repository.remote)
    top.git("config", "core.hooksPath", "hooks")
    top.hook("pre-commit", "echo 'not today' >&2; exit 1")

    with pytest.raises(Refused, match="pre-commit hook rejects the commit: not today") as refused:
        land_and_tag(GitScm(repository.path))

    assert refused.value.hint == "fix what the hook complains about, then run the same command again"


def test_knows_where_the_files_of_an_app_are_in_the_repository(repository: Repository, tmp_path: Path) -> None:
    below = in_a_subfolder(tmp_path / "below")
    folder = below.git("rev-parse", "--show-prefix")

    assert GitScm(repository.path).path_in_repository("VERSION") == "VERSION"
    assert GitScm(below.path).path_in_repository("./VERSION") == f"{folder}VERSION"
    assert folder.endswith("/")


def test_changed_files_of_other_apps_are_named_from_the_app_s_folder(tmp_path: Path) -> None:
    below = in_a_subfolder(tmp_path / "below")
    scm, first = GitScm(below.path), below.git("rev-parse", "HEAD")
    below.commit({"../web/app.py": b"1\n", "VERSION": b"9.9.9\n"})
    scm.invalidate_cache()

    assert scm.changed_files(first, scm.head().commit) == ("../web/app.py", "VERSION")


def test_works_without_a_remote(repository: Repository, scm: GitScm) -> None:
    repository.git("remote", "remove", "origin")
    commit = land_and_tag(scm)

    assert commit == scm.head().commit
    assert scm.tags() == ("v1.2.3",)


def test_leaves_out_what_a_sparse_checkout_leaves_out(tmp_path: Path) -> None:
    repository = with_sparse_checkout(tmp_path / "here")
    land_and_tag(GitScm(repository.path))

    assert not (repository.path / "CHANGELOG.md").exists()
    assert repository.git("ls-files", "-t", "CHANGELOG.md") == "S CHANGELOG.md"


def test_keeps_apps_of_one_repository_apart(tmp_path: Path) -> None:
    files = {f"{app}/{path}": content for app in ("web", "api") for path, content in FILES.items()}
    repository = make_repository(tmp_path / "here", files)
    web = GitScm(repository.path / "web", tag="web-v{version}")
    api = GitScm(repository.path / "api", tag="api-v{version}")
    web.save_pending("v1.2.3", web.head().commit)
    repository.write({"api/VERSION": b"2\n"})

    assert list(web.pending_releases()) == ["v1.2.3"]
    assert api.pending_releases() == {}
    assert (web.modified_files(), api.modified_files()) == ((), ("VERSION",))

    web.create_tag("web-v1.2.3", web.head().commit, "web 1.2.3")
    assert web.pending_releases() == {}
    assert repository.git("for-each-ref", "refs/kaizen") == ""


class TestLineEndings:
    @pytest.fixture
    def crlf(self, repository: Repository) -> Repository:
        repository.git("config", "core.autocrlf", "true")
        return repository

    def test_normalises_what_the_working_tree_holds(self, crlf: Repository, scm: GitScm) -> None:
        commit = scm.write_commit(parent=scm.head().commit, files={"VERSION": b"1.2.3\r\n"}, message="Release")
        scm.fast_forward(commit, paths=("VERSION",))

        assert scm.read_at(commit, "VERSION") == b"1.2.3\n"
        assert (crlf.path / "VERSION").read_bytes() == b"1.2.3\r\n"
        assert crlf.git("status", "--porcelain") == ""

    def test_normalised_content_is_not_a_change(self, crlf: Repository, scm: GitScm) -> None:
        commit = crlf.git("rev-parse", "HEAD")

        assert scm.files_differing_from(commit, {"VERSION": b"1.2.2\r\n", "CHANGELOG.md": FILES["CHANGELOG.md"]}) == ()
        assert scm.files_differing_from(commit, {"VERSION": b"1.2.3\r\n"}) == ("VERSION",)

    def test_leaves_what_is_committed_with_crlf(self, crlf: Repository, scm: GitScm) -> None:
        crlf.git("config", "core.autocrlf", "false")
        crlf.commit({"VERSION": b"1.2.2\r\n"})
        crlf.git("config", "core.autocrlf", "true")
        commit = scm.write_commit(parent=scm.head().commit, files={"VERSION": b"1.2.3\r\n"}, message="Release")
        scm.fast_forward(commit, paths=("VERSION",))

        assert scm.read_at(commit, "VERSION") == (crlf.path / "VERSION").read_bytes() == b"1.2.3\r\n"
        assert crlf.git("status", "--porcelain") == ""

    def test_safecrlf_does_not_make_normalised_content_a_change(self, crlf: Repository, scm: GitScm) -> None:
        crlf.git("config", "core.safecrlf", "true")

        assert scm.files_differing_from(crlf.git("rev-parse", "HEAD"), FILES) == ()

    def test_file_equal_for_git_is_not_rewritten(self, crlf: Repository, scm: GitScm) -> None:
        crlf.write({"VERSION": b"1.2.3\n"})
        land_and_tag(scm)

        assert (crlf.path / "VERSION").read_bytes() == b"1.2.3\n"
        assert crlf.git("status", "--porcelain") == ""

    def test_exports_the_same_bytes_everywhere(self, crlf: Repository, scm: GitScm, tmp_path: Path) -> None:
        into = tmp_path / "export"
        into.mkdir()
        scm.export(crlf.git("rev-parse", "HEAD"), into)

        assert (into / "app.py").read_bytes() == FILES["app.py"]

    def test_runs_the_filters_of_the_attributes(self, repository: Repository, scm: GitScm) -> None:
        repository.git("config", "filter.shout.clean", "tr a-z A-Z")
        repository.git("config", "filter.shout.smudge", "tr A-Z a-z")
        repository.commit({".gitattributes": b"CHANGELOG.md filter=shout\n", "CHANGELOG.md": b"# news\n"})
        commit = land_and_tag(scm)

        assert scm.read_at(commit, "CHANGELOG.md") == RELEASE["CHANGELOG.md"].upper()
        assert (repository.path / "CHANGELOG.md").read_bytes() == RELEASE["CHANGELOG.md"].lower()
        assert repository.git("status", "--porcelain") == ""
