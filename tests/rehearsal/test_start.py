"""Where a rehearsal starts from."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from attrs import evolve

from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import NotFound
from kaizen_tasks.rehearsal import start
from kaizen_tasks.rehearsal.clone import ScratchClone
from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from kaizen_tasks.rehearsal.services import landscape, provision
from kaizen_tasks.rehearsal.services.landscape import EarlierReleases
from kaizen_tasks.rehearsal.services.service_input import ServiceDescription
from kaizen_tasks.rehearsal.start import SAMPLE_ENTRY, Start, prepare_start
from tests.fakes.tools import CHANGELOG, settings
from tests.rehearsal.test_example import git
from tests.rehearsal.test_plan import plan

LIKE = ServiceDescription(service="staging-web-service", variables=("LOG_LEVEL",), secrets=("TOKEN", "URL"), port=8000)
CLOUD = Cloud(
    state=Path("cloud"),
    pid=1,
    endpoint_url="http://127.0.0.1:9",
    region="eu-west-1",
    account="123456789012",
    access_key_id="local",
    secret_access_key="",
    control_token="",
)


def test_the_landscape_is_created_with_the_variables_of_the_cloud_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real-account")
    monkeypatch.setenv("KAIZEN_LOCKS", "of-this-process")
    seen: dict[str, str] = {}
    monkeypatch.setattr(landscape, "create_landscape", lambda *_, **__: seen.update(os.environ))
    earlier = EarlierReleases(
        previous=parse_version("v1.0.0"), newest=parse_version("v1.0.1"), newest_in=settings().environments
    )
    clone = ScratchClone(app_folder=tmp_path, remote=None, remote_name="", refusals=())
    rehearsal = plan(tmp_path, "status")

    Start(plan=rehearsal, clone=clone, earlier=earlier, like=LIKE).create_landscape(CLOUD)

    assert seen["AWS_ACCESS_KEY_ID"] == "local"
    assert seen["AWS_ENDPOINT_URL"] == CLOUD.endpoint_url
    assert not {"AWS_PROFILE", "KAIZEN_LOCKS"} & seen.keys()
    assert os.environ["AWS_PROFILE"] == "real-account"
    assert isinstance(rehearsal.out, io.StringIO)
    assert rehearsal.out.getvalue().splitlines() == [
        "as if released before: v1.0.1 runs in staging, prod, mark, shane, dom",
        "services are like staging-web-service: 1 variable, 2 secrets, port 8000; the values are made up",
    ]


CUT_CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-01\n\n### Added\n\n- All\n"


def new_clone(folder: Path, changelog: str) -> ScratchClone:
    """Return a repository with a bare remote."""
    app = folder / "web"
    app.mkdir()
    git(folder, "init", "--quiet", "--bare", "web.git")
    git(app, "init", "--quiet", "--initial-branch=main")
    git(app, "config", "user.name", "Sam")
    git(app, "config", "user.email", "sam@web.example")
    git(app, "remote", "add", "origin", str(folder / "web.git"))
    (app / "VERSION").write_text("0.2.0\n")
    (app / "CHANGELOG.md").write_text(changelog)
    (app / "kaizen.toml").write_text('app = "web"\n')
    git(app, "add", "--all")
    git(app, "commit", "--quiet", "--message", "First")
    return ScratchClone(app_folder=app, remote=folder / "web.git", remote_name="origin", refusals=())


@pytest.mark.integration
def test_an_app_without_releases_gets_two_that_are_pushed_too(tmp_path: Path) -> None:
    clone = new_clone(tmp_path, "# Changelog\n\n## [Unreleased]\n")

    prepared = prepare_start(plan(tmp_path, "promote-prod"), clone)

    assert prepared.clone == clone
    assert prepared.earlier
    assert (str(prepared.earlier.previous), str(prepared.earlier.newest)) == ("0.0.0", "0.1.0")
    assert prepared.earlier.newest_in == ("staging",)
    assert clone.remote
    assert git(clone.remote, "tag", "--list").split() == ["v0.0.0", "v0.1.0"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("flow", "changelog", "is_noted"),
    [
        ("", "# Changelog\n\n## [Unreleased]\n", False),
        (
            "hotfix --env mark",
            CUT_CHANGELOG,
            False,
        ),
        ("", CHANGELOG.decode(), True),
        ("", CUT_CHANGELOG, True),
    ],
    ids=["a new changelog", "a hotfix of what is released", "entries", "a section that is cut"],
)
def test_a_release_of_nothing_gets_a_sample_entry(tmp_path: Path, flow: str, changelog: str, *, is_noted: bool) -> None:
    clone = new_clone(tmp_path, changelog)

    prepared = prepare_start(plan(tmp_path, flow), clone)

    assert (prepared.clone.refusals == ()) is is_noted
    assert (SAMPLE_ENTRY in (clone.app_folder / "CHANGELOG.md").read_text()) is not is_noted


@pytest.mark.integration
@pytest.mark.parametrize(
    ("adopts", "is_noted"), [(False, True), (True, False)], ids=["the release", "a commit after it"]
)
def test_a_commit_after_a_release_gets_a_sample_entry(tmp_path: Path, *, adopts: bool, is_noted: bool) -> None:
    clone = new_clone(tmp_path, CUT_CHANGELOG)
    git(clone.app_folder, "tag", "v0.2.0")
    if adopts:
        git(clone.app_folder, "commit", "--quiet", "--allow-empty", "--message", "Release with kaizen_tasks")

    prepared = prepare_start(plan(tmp_path, ""), clone)

    assert (prepared.clone.refusals == ()) is is_noted


def test_a_real_service_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(_environment: object, tools: object) -> ServiceDescription:
        assert getattr(tools, "dry") is True  # noqa: B009 - whatever the tools are
        raise NotFound("there is no service staging-web-service")

    monkeypatch.setattr(provision, "describe_service", describe)
    monkeypatch.setattr(start, "_tag_earlier_releases", lambda *_: None)
    environment = settings().environments["staging"]
    clone = ScratchClone(app_folder=tmp_path, remote=None, remote_name="", refusals=())

    with pytest.raises(NotFound):
        prepare_start(evolve(plan(tmp_path, "status"), like=environment), clone)
