"""Scanning an app's folder and its repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.init import scan_repo
from kaizen_tasks.errors import Refused
from tests.support import git_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

FILES = {
    "Dockerfile": b"FROM scratch\n",
    "scripts/deploy.sh": b"docker push\n",
    "node_modules/left/pad.sh": b"docker push\n",
    "app.py": b'@app.get("/version")\n',
    "other.py": b'print({"version": 1})\n',
    "binary.sh": b"\xff\xfe\x00docker",
    "huge.sh": b"#" * (scan_repo.MAX_FILE_BYTES + 1),
    "secrets.json": b"{}",
    ".gitignore": b"private.sh\n__pycache__/\n",
}


def test_scan_reads_only_relevant_files(tmp_path: Path) -> None:
    """Ignored, vendored and large files are not read."""
    repository = git_repository.make_repository(tmp_path, FILES)
    repository.write({"private.sh": b"docker push\n", "infra/new.tf": b"# not added yet\n"})

    found = scan_repo.scan_repo(repository.path)

    assert found.texts.keys() == {"Dockerfile", "scripts/deploy.sh", "binary.sh", "infra/new.tf"}
    assert found.version_endpoint_files == ("app.py",)
    assert found.ignored_names == ("__pycache__/",)
    assert (found.name, found.subfolder) == ("app", "")


def test_knows_which_files_git_ignores(tmp_path: Path) -> None:
    repository = git_repository.make_repository(tmp_path, {"Dockerfile": b"FROM scratch\n", ".gitignore": b"*.toml\n"})

    assert scan_repo.scan_repo(repository.path).ignored_names == ("kaizen.toml",)


def test_knows_branches_remotes_and_tags(tmp_path: Path) -> None:
    """The remote's default branch is known after a clone."""
    origin = git_repository.make_repository(tmp_path, FILES)
    origin.git("tag", "v1.2.3")
    origin.git("push", "--quiet", "--tags")
    clone = git_repository.clone_repository(origin, tmp_path / "clone")
    clone.git("switch", "--quiet", "--create", "fix/typo")

    found = scan_repo.scan_repo(clone.path).repository

    assert (found.branch, found.default_branch) == ("fix/typo", "main")
    assert set(found.branches) == {"main", "fix/typo"}
    assert found.tags == ("v1.2.3",)
    assert found.remotes.keys() == {"origin"}


def test_an_app_below_the_top_sees_its_own_files_alone(tmp_path: Path) -> None:
    """Scripts of neighbouring apps are not read."""
    files = {"web/Dockerfile": b"FROM scratch\n", "blog/deploy.sh": b"docker push\n"}
    web = git_repository.make_repository(tmp_path, files).path / "web"

    found = scan_repo.scan_repo(web)

    assert scan_repo.find_app_folder(web) == web
    assert found.subfolder == "web"
    assert found.texts.keys() == {"Dockerfile"}


def test_finds_the_app_that_is_configured_above(tmp_path: Path) -> None:
    """An app that is not configured is refused with its folder."""
    repository = git_repository.make_repository(tmp_path, {"VERSION": b"1.0.0\n", "src/app.py": b""})
    below = repository.path / "src"

    with pytest.raises(Refused, match="is inside an app") as caught:
        scan_repo.find_app_folder(below)
    repository.write({"kaizen.toml": b'app = "web"\n'})

    assert str(repository.path) in caught.value.hint
    assert scan_repo.find_app_folder(below) == repository.path


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-north-1"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({}, "eu-west-3"),
        ({"AWS_PROFILE": "team"}, "eu-central-1"),
        ({"AWS_PROFILE": "other"}, ""),
    ],
)
def test_a_region_is_that_of_the_users_own_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str
) -> None:
    """In the precedence of AWS clients."""
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-west-3\n[profile team]\nregion = eu-central-1\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    repository = git_repository.make_repository(tmp_path / "work", {"VERSION": b"1.0.0\n"})

    assert scan_repo.scan_repo(repository.path).region == region
