"""`inv setup`, as it is typed."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.support import cli_app
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

REPOSITORIES = ("staging-web-app", "prod-web-app")


@pytest.fixture
def _app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_app.make(tmp_path, cli_app.TEAM, {}, monkeypatch)


@pytest.fixture
def cloud(_app: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Run a local cloud with the app's repositories, as a team's Terraform makes them, and nothing else."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        for name in REPOSITORIES:
            running.client("ecr").create_repository(repositoryName=name)
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def _mutability(cloud: Cloud) -> set[str]:
    found = cloud.client("ecr").describe_repositories(repositoryNames=list(REPOSITORIES))["repositories"]
    return {each["imageTagMutability"] for each in found}


def test_setup_creates_what_is_missing_once(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Dry, it changes nothing."""
    dry = cli_app.kaizen("--dry", "setup", capsys=capsys)
    untouched = _mutability(cloud), cloud.client("dynamodb").list_tables()["TableNames"]

    done = cli_app.kaizen("setup", "--yes", capsys=capsys)
    again = cli_app.kaizen("setup", capsys=capsys)

    assert (dry.code, done.code, again.code) == (0, 0, 0)
    assert dry.out.count("  would  ") == 4
    assert untouched == ({"MUTABLE"}, [])
    assert done.out.count("  done  ") == 4
    assert _mutability(cloud) == {"IMMUTABLE_WITH_EXCLUSION"}
    assert cloud.client("dynamodb").list_tables()["TableNames"] == ["kaizen-web"]
    assert cloud.client("ecr").get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    assert again.out.count("already done") == 4


def test_protected_environment_needs_confirmation(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    said = cli_app.kaizen("setup", capsys=capsys)

    assert said.code == 3
    assert "make the mutable tags of prod-web-app immutable except latest" in said.out
    assert "prod is protected" in said.err
    assert _mutability(cloud) == {"MUTABLE"}


@pytest.mark.usefixtures("_app")
def test_policy_is_printed_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    """A configured account is enough; stdout has one document."""
    said = cli_app.kaizen("setup", "--print-iam", capsys=capsys)

    resources = [each["Resource"] for each in json.loads(said.out)["Statement"]]
    assert said.code == 0
    assert ["arn:aws:dynamodb:eu-west-1:123456789012:table/kaizen-web"] in resources


def test_setup_names_every_missing_repository(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Until they exist, nothing is changed."""
    for name in REPOSITORIES:
        cloud.client("ecr").delete_repository(repositoryName=name)

    said = cli_app.kaizen("setup", "--yes", capsys=capsys)

    assert said.code == 3
    assert all(name in said.err for name in REPOSITORIES)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []


def test_env_limits_the_setup_to_one_repository(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    done = cli_app.kaizen("setup", "--env", "staging", "--yes", capsys=capsys)

    assert done.code == 0
    assert done.out.count("  done  ") == 3
    assert _mutability(cloud) == {"MUTABLE", "IMMUTABLE_WITH_EXCLUSION"}


@pytest.mark.usefixtures("_app")
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--create",), "add --env with one of: staging, prod"),
        (("--create", "--env", "staging", "--env", "prod"), "inv setup --env staging --create"),
        (("--create", "--env", "prod"), "--like ENV"),
        (("--create", "--env", "prod", "--like", "prod"), "name another one"),
        (("--like", "staging"), "kaizen setup --like staging --create"),
    ],
)
def test_creation_needs_one_environment_and_a_neighbour(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], hint: str
) -> None:
    said = cli_app.kaizen("setup", *words, capsys=capsys)

    assert said.code == 2
    assert hint in said.err


@pytest.mark.usefixtures("_app")
def test_role_for_github_has_trust_and_permissions(capsys: pytest.CaptureFixture[str]) -> None:
    said = cli_app.kaizen("setup", "--print-iam", "--github", "ada/web", capsys=capsys)

    document = json.loads(said.out)
    assert document.keys() == {"trust", "permissions"}
    assert "repo:ada/web:environment:production" in said.out
    assert "repo:ada@*/web@*:environment:production" in said.out
    assert "gh api repos/ada/web" in said.err


@pytest.mark.usefixtures("_app")
def test_role_for_gitlab_has_trust_and_permissions(capsys: pytest.CaptureFixture[str]) -> None:
    said = cli_app.kaizen("setup", "--print-iam", "--gitlab", "ada/web", capsys=capsys)

    assert json.loads(said.out).keys() == {"trust", "permissions"}
    assert "project_path:ada/web:ref_type:branch:ref:main" in said.out


@pytest.mark.usefixtures("_app")
@pytest.mark.parametrize(
    "words",
    [
        ("--github", "ada/web"),
        ("--print-iam", "--github", "web"),
        ("--print-iam", "--gitlab", "web"),
        ("--print-iam", "--gitlab", "ada/web", "--github", "ada/web"),
    ],
)
def test_role_for_ci_needs_print_iam_and_a_repository(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    said = cli_app.kaizen("setup", *words, capsys=capsys)

    assert said.code == 2
    assert len(said.err.splitlines()) <= 3
