"""The pipeline of GitLab CI, as YAML."""

from __future__ import annotations

import fnmatch
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kaizen_tasks.domain.init.ci.gitlab import JOBS_PATHS, PIPELINE_PATH, jobs_path, render_pipeline
from kaizen_tasks.domain.init.ci.inputs import AppFolder, PipelineInputs, PipelineStage, locate_app
from tests.domain.init.ci.samples import INSTALLATION, STAGES
from tests.support.gitlab_yaml import load_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUTS = PipelineInputs(branch="main", region="eu-west-1", stages=STAGES, installation=INSTALLATION)


BACKEND = locate_app("services/backend", "backend-v{version}")
JOBS_PATH = jobs_path(AppFolder())


def jobs(inputs: PipelineInputs = INPUTS) -> Mapping[str, Any]:
    """Return the jobs, without templates and global keywords."""
    document = load_pipeline(render_pipeline(inputs)[jobs_path(inputs.folder)])
    return {name: job for name, job in document.items() if name != "workflow" and not name.startswith(".")}


def commands(job: Mapping[str, Any]) -> list[str]:
    """Return the tasks that change something."""
    return [line for line in job["script"] if line.startswith("inv ") and line != "inv status"]


def test_each_job_runs_one_task_in_the_order_of_the_pipeline() -> None:
    assert {name: commands(job) for name, job in jobs().items()} == {
        "changelog": ["inv changelog.check"],
        "release": ["inv release-staging"],
        "promote-prod": ['inv promote-prod --release "$RELEASE" --yes'],
        "promote-beta": ['inv promote-beta --release "$RELEASE"'],
    }
    assert [job.get("needs") for job in jobs().values()] == [None, None, ["release"], ["release", "promote-prod"]]


def test_a_protected_stage_is_started_by_a_person() -> None:
    """A pipeline whose manual job nobody starts has passed."""
    prod, beta = jobs()["promote-prod"], jobs()["promote-beta"]

    assert prod["environment"] == "production"
    assert [(rule["when"], rule.get("allow_failure")) for rule in prod["rules"][1:]] == [("manual", True)] * 2
    assert "environment" not in beta
    assert [rule.get("when") for rule in beta["rules"]] == ["never", None, None]


def test_releases_wait_for_each_other_and_none_is_cancelled() -> None:
    document = load_pipeline(render_pipeline(INPUTS)[JOBS_PATH])

    assert document["workflow"] == {"auto_cancel": {"on_new_commit": "interruptible"}}
    assert document[".kaizen"]["interruptible"] is False
    groups = [job.get("resource_group") for job in jobs().values()]
    assert groups == [None, "kaizen-staging", "kaizen-prod", "kaizen-beta"]


def test_nothing_is_released_before_there_is_a_role() -> None:
    for name, job in jobs().items():
        if name != "changelog":
            assert job["rules"][0] == {"if": '$CI_COMMIT_BRANCH != "main" || $KAIZEN_ROLE_ARN == null', "when": "never"}


@pytest.mark.parametrize(("size", "shards"), [(25, None), (60, ["1/3", "2/3", "3/3"])])
def test_a_promotion_to_many_tenants_is_split_into_shards(size: int, shards: list[str] | None) -> None:
    stages = (*STAGES[:2], PipelineStage(name="beta", protected=False, size=size))
    job = jobs(evolve(INPUTS, stages=stages))["promote-beta"]

    assert (job.get("parallel") and job["parallel"]["matrix"][0]["SHARD"]) == shards
    assert ('--shard "$SHARD"' in commands(job)[0]) == bool(shards)
    assert ("$SHARD" in job["resource_group"]) == bool(shards)


@pytest.mark.parametrize(("stages", "task"), [(STAGES, "inv release-staging"), ((), "inv cut --push")])
def test_a_merged_proposal_is_released_and_nothing_else(stages: tuple[PipelineStage, ...], task: str) -> None:
    proposing = jobs(evolve(INPUTS, stages=stages, proposes=True))

    assert commands(proposing["propose"]) == ["inv propose"]
    assert commands(proposing["release"]) == [task]
    assert [rule["changes"] for rule in proposing["release"]["rules"] if "changes" in rule] == [["VERSION"]]


def test_without_a_pipeline_there_is_only_the_changelog_check() -> None:
    assert jobs(evolve(INPUTS, stages=())).keys() == {"changelog"}


def test_a_bundle_needs_no_engine() -> None:
    assert "services" in jobs()["release"]
    release = jobs(evolve(INPUTS, needs_engine=False))["release"]
    assert "services" not in release
    assert not any("docker" in line for line in release["script"])


def test_the_pipeline_includes_the_jobs() -> None:
    (included,) = load_pipeline(render_pipeline(INPUTS)[PIPELINE_PATH])["include"]

    assert included == {"local": JOBS_PATHS}
    assert all(fnmatch.fnmatchcase(jobs_path(folder), JOBS_PATHS) for folder in (AppFolder(), BACKEND))


def test_each_app_of_a_repository_has_jobs_and_queues_of_its_own() -> None:
    """GitLab merges what files that it includes call the same, hidden jobs too."""
    files = (
        load_pipeline(render_pipeline(evolve(INPUTS, folder=folder, proposes=True))[jobs_path(folder)])
        for folder in (BACKEND, locate_app("web", "web@{version}"), AppFolder())
    )
    backend, web, top = files

    assert backend.keys() & web.keys() == backend.keys() & top.keys() == {"workflow"}
    assert backend["workflow"] == web["workflow"] == top["workflow"]
    assert backend["backend-promote-beta"]["needs"] == ["backend-release", "backend-promote-prod"]
    groups = [job["resource_group"] for job in backend.values() if "resource_group" in job]
    assert groups == ["kaizen-backend-propose", "kaizen-backend-staging", "kaizen-backend-prod", "kaizen-backend-beta"]


def test_jobs_of_an_app_run_in_its_folder_when_its_files_change() -> None:
    """What a person starts names the app."""
    release = jobs(evolve(INPUTS, folder=BACKEND))["backend-release"]
    template = load_pipeline(render_pipeline(evolve(INPUTS, folder=BACKEND))[jobs_path(BACKEND)])[".kaizen-backend"]

    assert template["before_script"][-1] == "cd services/backend"
    assert release["artifacts"]["reports"]["dotenv"] == "services/backend/release.env"
    assert release["rules"][1]["changes"] == ["services/backend/CHANGELOG.md", "services/backend/VERSION"]
    assert release["rules"][2] == {"if": '$CI_PIPELINE_SOURCE == "web" && $KAIZEN_APP == "backend"'}


def test_an_approval_of_one_app_does_not_outdate_that_of_another() -> None:
    """GitLab makes an older deployment to the same environment fail."""
    assert jobs(evolve(INPUTS, folder=BACKEND))["backend-promote-prod"]["environment"] == "backend/production"


def test_an_app_has_a_role_of_its_own_or_that_of_all_apps() -> None:
    release = jobs(evolve(INPUTS, folder=BACKEND))["backend-release"]

    assert "($KAIZEN_ROLE_ARN_BACKEND == null && $KAIZEN_ROLE_ARN == null)" in release["rules"][0]["if"]
    assert 'export AWS_ROLE_ARN="${KAIZEN_ROLE_ARN_BACKEND:-$KAIZEN_ROLE_ARN}"' in release["script"]


@pytest.mark.parametrize("folder", ["my app", "a: b", "it's"])
def test_the_folder_is_quoted_for_yaml_and_the_shell(folder: str) -> None:
    app = locate_app(folder, "app-v{version}")
    document = load_pipeline(render_pipeline(evolve(INPUTS, folder=app))[jobs_path(app)])

    assert shlex.split(document[".kaizen-app"]["before_script"][-1]) == ["cd", folder]


def test_the_dashboard_is_published_after_each_stage_and_on_a_schedule() -> None:
    document = load_pipeline(render_pipeline(evolve(INPUTS, publishes=True))[JOBS_PATH])
    dashboards = {name: job for name, job in document.items() if name.startswith("dashboard")}

    assert {name: job.get("needs") for name, job in dashboards.items()} == {
        "dashboard": None,
        "dashboard-staging": ["release"],
        "dashboard-prod": ["promote-prod"],
        "dashboard-beta": ["promote-beta"],
    }
    assert dashboards["dashboard"]["rules"][-1] == {"if": '$CI_PIPELINE_SOURCE == "schedule"'}
    template = document[".kaizen-dashboard"]
    assert (template["pages"], template["artifacts"]) == (True, {"paths": ["public"]})
    assert 'inv dashboard --out "$CI_PROJECT_DIR/public/index.html"' in template["script"]


def test_a_dashboard_is_written_when_the_job_before_it_has_run() -> None:
    """That of a stage which a person starts has no button of its own."""
    dashboard = jobs(evolve(INPUTS, publishes=True))["dashboard-prod"]

    assert [rule.get("when") for rule in dashboard["rules"]] == ["never", None, None]


def test_only_jobs_on_the_branch_and_with_a_role_write_a_dashboard() -> None:
    for name, job in jobs(evolve(INPUTS, publishes=True)).items():
        if name.startswith("dashboard"):
            assert job["rules"][0] == {"if": '$CI_COMMIT_BRANCH != "main" || $KAIZEN_ROLE_ARN == null', "when": "never"}
