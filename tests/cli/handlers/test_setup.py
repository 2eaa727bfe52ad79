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

REPOSITORIES = ("staging-web-app", "prod-web-app")


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run a local cloud with the app's repositories, as a team's Terraform makes them, and nothing else."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        for name in REPOSITORIES:
            running.client("ecr").create_repository(repositoryName=name)
        yield running


@pytest.fixture
def _app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    cli_app.make(tmp_path, cli_app.TEAM, cloud.environ, monkeypatch)


def _mutability(cloud: Cloud) -> set[str]:
    found = cloud.client("ecr").describe_repositories(repositoryNames=list(REPOSITORIES))["repositories"]
    return {each["imageTagMutability"] for each in found}


@pytest.mark.usefixtures("_app")
def test_makes_what_is_missing_and_then_has_nothing_to_do(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Dry, it changes nothing; the second time, it is already done."""
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


@pytest.mark.usefixtures("_app")
def test_asks_before_it_touches_a_protected_environment(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be done is shown, and nothing has been."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    said = cli_app.kaizen("setup", capsys=capsys)

    assert said.code == 3
    assert "make the mutable tags of prod-web-app immutable except latest" in said.out
    assert "prod is protected" in said.err
    assert _mutability(cloud) == {"MUTABLE"}


@pytest.mark.usefixtures("_app")
def test_prints_the_policy_without_asking_anybody(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A configured account is enough; stdout holds one document."""
    before = len(cloud.requests)

    said = cli_app.kaizen("setup", "--print-iam", capsys=capsys)

    resources = [each["Resource"] for each in json.loads(said.out)["Statement"]]
    assert said.code == 0
    assert ["arn:aws:dynamodb:eu-west-1:123456789012:table/kaizen-web"] in resources
    assert len(cloud.requests) == before


@pytest.mark.usefixtures("_app")
def test_names_every_repository_that_somebody_has_to_make(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Repositories are not ours; until they are there, nothing is changed."""
    for name in REPOSITORIES:
        cloud.client("ecr").delete_repository(repositoryName=name)

    said = cli_app.kaizen("setup", "--yes", capsys=capsys)

    assert said.code == 3
    assert all(name in said.err for name in REPOSITORIES)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []


@pytest.mark.usefixtures("_app")
def test_prints_the_role_of_a_repository(capsys: pytest.CaptureFixture[str]) -> None:
    """Who may take it, and what it may do."""
    said = cli_app.kaizen("setup", "--print-iam", "--github", "ada/web", capsys=capsys)

    document = json.loads(said.out)
    assert document.keys() == {"trust", "permissions"}
    assert "repo:ada/web:environment:production" in said.out


@pytest.mark.usefixtures("_app")
@pytest.mark.parametrize("words", [("--github", "ada/web"), ("--print-iam", "--github", "web")])
def test_a_role_is_described_for_a_repository_and_never_made(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """The account is not touched."""
    said = cli_app.kaizen("setup", *words, capsys=capsys)

    assert said.code == 2
    assert len(said.err.splitlines()) <= 3
