"""The GitHub workflows, as YAML."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from attrs import evolve

from kaizen_tasks.domain.init.ci.github import PINNED_ACTIONS, cache_lines, render_workflows, workflow_path
from kaizen_tasks.domain.init.ci.inputs import AppFolder, PipelineInputs, PipelineStage, locate_app
from tests.domain.init.ci.samples import INSTALLATION, STAGES, is_workflow

CHECK_WORKFLOW_PATH, RELEASE_WORKFLOW_PATH, PROPOSAL_WORKFLOW_PATH = (
    workflow_path(AppFolder(), name) for name in ("changelog", "release", "propose")
)


def written(*stages: PipelineStage) -> dict[str, Any]:
    """Return the jobs of the release workflow."""
    delivery = PipelineInputs(branch="main", region="eu-west-1", stages=stages, installation=INSTALLATION)
    jobs: dict[str, Any] = yaml.safe_load(render_workflows(delivery)[RELEASE_WORKFLOW_PATH])["jobs"]
    return jobs


def commands(job: dict[str, Any]) -> list[str]:
    """Return the tasks that a job runs, apart from showing the status."""
    return [step["run"] for step in job["steps"] if step.get("run", "").startswith("inv ")]


def test_each_job_runs_one_task_in_the_order_of_the_pipeline() -> None:
    """Later jobs promote what the first one has released."""
    jobs = written(*STAGES)

    assert {name: commands(job) for name, job in jobs.items()} == {
        "release": ["inv release-staging"],
        "promote-prod": ['inv promote-prod --release "$RELEASE" --yes'],
        "promote-beta": ['inv promote-beta --release "$RELEASE"'],
    }
    assert [job.get("needs") for job in jobs.values()] == [None, ["release"], ["release", "promote-prod"]]


def test_only_a_job_with_reviewers_has_yes() -> None:
    """`--yes` and the GitHub environment go together."""
    jobs = written(*STAGES, PipelineStage(name="eu", protected=True, size=1))

    assert {name: job.get("environment", {}).get("name") for name, job in jobs.items()} == {
        "release": None,
        "promote-prod": "production",
        "promote-beta": None,
        "promote-eu": "eu",
    }
    assert [name for name, job in jobs.items() if "--yes" in str(commands(job))] == ["promote-prod", "promote-eu"]


@pytest.mark.parametrize("name", ["on", "NO", "null", "1", "1e3", "0x1"])
def test_names_that_yaml_would_take_for_something_else_are_quoted(name: str) -> None:
    job = written(STAGES[0], PipelineStage(name=name, protected=True, size=1))[f"promote-{name.lower()}"]

    assert job["environment"]["name"] == name


@pytest.mark.parametrize("name", ["a;id", "$(id)", "a b"])
def test_names_are_quoted_for_the_shell(name: str) -> None:
    """The configuration refuses such names anyway."""
    jobs = written(PipelineStage(name=name, protected=False, size=1), PipelineStage(name=name, protected=False, size=1))

    assert [shlex.split(run)[1] for job in jobs.values() for run in commands(job)] == [
        f"release-{name}",
        f"promote-{name}",
    ]


def test_jobs_have_least_permissions_and_no_secrets() -> None:
    """Only the job that pushes the release may write."""
    delivery = PipelineInputs(branch="main", region="eu-west-1", stages=STAGES, installation=INSTALLATION)
    for text in filter(is_workflow, render_workflows(delivery).values()):
        assert yaml.safe_load(text)["permissions"] == {}
        assert "secrets." not in text

    allowed = {name: job["permissions"] for name, job in written(*STAGES).items()}
    assert allowed.pop("release") == {"contents": "write", "deployments": "write", "id-token": "write"}
    assert all(each == {"contents": "read", "deployments": "write", "id-token": "write"} for each in allowed.values())


def test_every_job_shows_its_deployments_and_github_shows_no_second_one() -> None:
    jobs = written(*STAGES)

    for job in jobs.values():
        step = next(step for step in job["steps"] if step.get("run") in commands(job))
        assert step["env"]["GITHUB_TOKEN"] == "${{ github.token }}"
    assert jobs["promote-prod"]["environment"]["deployment"] is False


@pytest.mark.parametrize(("size", "shards"), [(25, None), (26, ["1/2", "2/2"]), (60, ["1/3", "2/3", "3/3"])])
def test_a_promotion_to_many_tenants_is_split_into_shards(size: int, shards: list[str] | None) -> None:
    """Each shard is a job of a matrix."""
    job = written(*STAGES[:2], PipelineStage(name="beta", protected=False, size=size))["promote-beta"]

    strategy = job.get("strategy")
    assert (strategy and strategy["matrix"]["shard"]) == shards
    assert ('--shard "$SHARD"' in commands(job)[0]) == bool(shards)
    assert ("SHARD" in job["steps"][-2]["env"]) == bool(shards)


def test_releases_wait_for_each_other_and_none_is_cancelled() -> None:
    """Without `queue: max`, a release that waits is cancelled when the next one comes."""
    queues = [job["concurrency"] for job in written(*STAGES).values()]

    assert [queue["group"] for queue in queues] == ["kaizen-staging", "kaizen-prod", "kaizen-beta"]
    assert all((queue["queue"], queue["cancel-in-progress"]) == ("max", False) for queue in queues)


def test_nothing_is_promoted_when_nothing_was_released() -> None:
    """The job that finds nothing to release succeeds, and the others are skipped."""
    jobs = written(*STAGES)

    steps = {step.get("id"): step for step in jobs["release"]["steps"]}
    assert steps["release"]["if"].startswith("steps.next.outputs.release != '' ||")
    assert steps["name"]["if"] == "steps.release.outcome == 'success'"
    assert {job["if"] for name, job in jobs.items() if name != "release"} == {"needs.release.outputs.release != ''"}


def test_nothing_is_released_before_there_is_a_role() -> None:
    """The push of the commit that brings the workflow would fail otherwise."""
    assert written(*STAGES)["release"]["if"] == "vars.KAIZEN_ROLE_ARN != ''"


def test_only_the_job_that_pushes_keeps_the_credentials_of_its_checkout() -> None:
    jobs = written(*STAGES)

    assert [job["steps"][0]["with"]["persist-credentials"] for job in jobs.values()] == [True, False, False]
    assert {job["steps"][0]["with"]["fetch-depth"] for job in jobs.values()} == {0}


def test_the_problems_are_listed_before_they_are_uploaded() -> None:
    """A private repository may be without code scanning, and the list is what people read."""
    inputs = PipelineInputs(branch="main", region="", stages=(), installation=INSTALLATION)
    job = yaml.safe_load(render_workflows(inputs)[CHECK_WORKFLOW_PATH])["jobs"]["changelog"]

    listing, collecting, uploading = job["steps"][-3:]
    assert listing["run"] == "inv changelog.check"
    assert collecting["if"].startswith("${{ !cancelled()")
    assert uploading["continue-on-error"] is True
    assert job["permissions"] == {"contents": "read", "actions": "read", "security-events": "write"}


def test_layers_are_kept_where_the_configuration_says_so() -> None:
    """The builder comes before the tasks that build with it."""
    inputs = PipelineInputs(branch="main", region="eu-west-1", stages=STAGES, installation=INSTALLATION)
    plain, caching = (
        yaml.safe_load(render_workflows(evolve(inputs, caches_layers=caches_layers))[RELEASE_WORKFLOW_PATH])["jobs"]
        for caches_layers in (False, True)
    )

    added = [
        step["uses"] for step in caching["release"]["steps"] if "uses" in step and step not in plain["release"]["steps"]
    ]
    assert [use.partition("@")[0] for use in added] == [
        "docker/setup-buildx-action",
        "crazy-max/ghaction-github-runtime",
    ]
    assert [caching[name] == plain[name] for name in ("release", "promote-prod", "promote-beta")] == [False, True, True]


def test_every_job_installs_what_is_pinned_by_hash() -> None:
    inputs = PipelineInputs(branch="main", region="eu-west-1", stages=STAGES, installation=INSTALLATION, proposes=True)
    files = render_workflows(inputs)

    jobs = [job for text in filter(is_workflow, files.values()) for job in yaml.safe_load(text)["jobs"].values()]
    for job in (job for job in jobs if "steps" in job):
        (install,) = (step["run"] for step in job["steps"] if step.get("name") == "Install the tasks")
        assert install.splitlines()[0].split()[-3:-1] == ["--require-hashes", "--requirement"]
        assert all(line.split()[-1] in files for line in install.splitlines())
    assert INSTALLATION.dependencies in files[".github/kaizen/dependencies.txt"]
    assert files[".github/kaizen/kaizen.txt"].splitlines()[-1] == INSTALLATION.requirement


def test_every_action_is_pinned_to_a_commit() -> None:
    """A tag can be moved."""
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in PINNED_ACTIONS.values())


def test_without_a_pipeline_there_is_only_the_changelog_check() -> None:
    delivery = PipelineInputs(branch="main", region="", stages=(), installation=INSTALLATION)

    assert {path for path in render_workflows(delivery) if path.endswith(".yml")} == {CHECK_WORKFLOW_PATH}


def proposing(*stages: PipelineStage, paths: tuple[str, ...] = ("CHANGELOG.md",)) -> dict[str, dict[Any, Any]]:
    """Return the workflows of an app that releases by pull request, by path."""
    delivery = PipelineInputs(
        branch="main", region="eu-west-1", stages=stages, installation=INSTALLATION, proposes=True, release_paths=paths
    )
    return {path: yaml.safe_load(text) for path, text in render_workflows(delivery).items() if is_workflow(text)}


def trigger(workflow: dict[Any, Any]) -> Any:
    """Return what starts a workflow; YAML 1.1 takes its key `on` for true."""
    return workflow[True]["push"]


@pytest.mark.parametrize(("stages", "task"), [(STAGES, "inv release-staging"), ((), "inv cut --push")])
def test_a_merged_proposal_is_released_and_nothing_else(stages: tuple[PipelineStage, ...], task: str) -> None:
    workflow = proposing(*stages)[RELEASE_WORKFLOW_PATH]

    assert trigger(workflow) == {"branches": ["main"], "paths": ["VERSION"]}
    assert commands(workflow["jobs"]["release"]) == [task]
    assert workflow["permissions"] == {}


def test_what_is_noted_is_proposed() -> None:
    workflow = proposing(paths=("CHANGELOG.md", "VERSION"))[PROPOSAL_WORKFLOW_PATH]

    assert trigger(workflow)["paths"] == ["CHANGELOG.md", "VERSION"]
    assert commands(workflow["jobs"]["propose"]) == ["inv propose"]
    assert workflow["jobs"]["propose"]["permissions"] == {"contents": "write", "pull-requests": "write"}


@pytest.mark.parametrize("stages", [STAGES, ()])
def test_what_was_noted_during_a_release_is_proposed_after_it(stages: tuple[PipelineStage, ...]) -> None:
    """The release calls the workflow: a run that a run sets off may do what its event may not."""
    workflows = proposing(*stages)

    job = workflows[RELEASE_WORKFLOW_PATH]["jobs"]["propose"]
    assert job["uses"] == f"./{PROPOSAL_WORKFLOW_PATH}"
    assert job["needs"] == ["release"]
    assert job["permissions"] == workflows[PROPOSAL_WORKFLOW_PATH]["jobs"]["propose"]["permissions"]
    assert job["secrets"].keys() == workflows[PROPOSAL_WORKFLOW_PATH][True]["workflow_call"]["secrets"].keys()


def test_a_job_that_proposes_has_the_token_of_its_checkout() -> None:
    """Git pushes the branch, and the API opens the pull request."""
    steps = proposing()[PROPOSAL_WORKFLOW_PATH]["jobs"]["propose"]["steps"]

    assert steps[0]["with"]["token"] == steps[-1]["env"]["GITHUB_TOKEN"]


BACKEND = locate_app("services/backend", "backend-v{version}")


def of_backend(*, proposes: bool = False, version_paths: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the workflows of an app in a subfolder, by path."""
    inputs = PipelineInputs(
        branch="main",
        region="eu-west-1",
        stages=STAGES,
        installation=INSTALLATION,
        folder=BACKEND,
        proposes=proposes,
        version_paths=version_paths,
    )
    return {path: yaml.safe_load(text) for path, text in render_workflows(inputs).items() if is_workflow(text)}


def test_each_app_of_a_repository_has_workflows_and_queues_of_its_own() -> None:
    workflows = of_backend(proposes=True)

    release, propose = (workflows[f".github/workflows/backend-{name}.yml"] for name in ("release", "propose"))
    assert {workflow["name"] for workflow in workflows.values()} == {
        "Changelog backend", "Release backend", "Propose backend"
    }  # fmt: skip
    queues = [job["concurrency"]["group"] for job in release["jobs"].values() if "concurrency" in job]
    assert queues == ["kaizen-backend-staging", "kaizen-backend-prod", "kaizen-backend-beta"]
    assert propose["concurrency"]["group"] == "kaizen-backend-propose"
    assert release["jobs"]["propose"]["uses"] == "./.github/workflows/backend-propose.yml"


def test_workflows_of_an_app_run_in_its_folder_when_its_files_change() -> None:
    """The requirements are those of the whole repository."""
    workflows = of_backend(version_paths=("web/package.json", "../package.json"))
    check, release = (workflows[f".github/workflows/backend-{name}.yml"] for name in ("changelog", "release"))

    assert all(each["defaults"] == {"run": {"working-directory": "services/backend"}} for each in workflows.values())
    assert release[True]["push"]["paths"] == ["services/backend/CHANGELOG.md", "services/backend/VERSION"]
    assert check[True]["pull_request"]["paths"][2:] == ["services/backend/web/package.json", "services/package.json"]
    assert check["jobs"]["changelog"]["steps"][-1]["with"]["sarif_file"] == "services/backend/changelog.sarif"
    for job in release["jobs"].values():
        (install,) = (step["run"] for step in job["steps"] if step.get("name") == "Install the tasks")
        assert install.split()[-1] == "../../.github/kaizen/kaizen.txt"


def test_an_app_has_a_role_of_its_own_or_that_of_all_apps() -> None:
    job = of_backend()[".github/workflows/backend-release.yml"]["jobs"]["release"]

    roles = "vars.KAIZEN_ROLE_ARN_BACKEND || vars.KAIZEN_ROLE_ARN"
    assert job["if"] == f"({roles}) != ''"
    assert [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})] == [
        f"${{{{ {roles} }}}}"
    ]


def test_a_merged_proposal_of_an_app_is_released_and_no_other_one() -> None:
    release = of_backend(proposes=True)[".github/workflows/backend-release.yml"]

    assert release[True]["push"]["paths"] == ["services/backend/VERSION"]


def test_each_app_has_a_scope_for_its_layers() -> None:
    assert cache_lines(AppFolder()) == ('cache_from = ["type=gha"]', 'cache_to = ["type=gha,mode=max"]')
    assert all("scope=backend" in line for line in cache_lines(BACKEND))


TOP = AppFolder()


def publishing(folder: AppFolder = TOP) -> dict[str, dict[Any, Any]]:
    """Return the workflows of an app whose dashboard is published, by name."""
    inputs = PipelineInputs(
        branch="main", region="eu-west-1", stages=STAGES, installation=INSTALLATION, publishes=True, folder=folder
    )
    paths = {name: workflow_path(folder, name) for name in ("release", "dashboard")}
    files = render_workflows(inputs)
    return {name: yaml.safe_load(files[path]) for name, path in paths.items()}


def test_the_dashboard_is_published_after_each_stage_and_on_a_schedule() -> None:
    """A stage that waits for its reviewers for days keeps nobody from seeing the one before."""
    workflows = publishing()

    jobs = {name: job for name, job in workflows["release"]["jobs"].items() if name.startswith("dashboard-")}
    assert {name: job["needs"] for name, job in jobs.items()} == {
        "dashboard-staging": ["release"],
        "dashboard-prod": ["promote-prod"],
        "dashboard-beta": ["promote-beta"],
    }
    assert all(job["if"].startswith("${{ !cancelled() && needs.") for job in jobs.values())
    assert {job["uses"] for job in jobs.values()} == {"./.github/workflows/dashboard.yml"}
    assert workflows["dashboard"][True].keys() == {"schedule", "workflow_call", "workflow_dispatch"}


def test_no_release_waits_for_a_dashboard() -> None:
    jobs = publishing()["release"]["jobs"]

    assert not [need for job in jobs.values() for need in job.get("needs", ()) if need.startswith("dashboard")]


def test_the_job_that_reads_aws_may_not_publish_and_the_other_way_round() -> None:
    workflows = publishing()
    jobs = workflows["dashboard"]["jobs"]

    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "write": {"contents": "read", "id-token": "write"},
        "publish": {"pages": "write", "id-token": "write"},
    }
    caller = workflows["release"]["jobs"]["dashboard-prod"]["permissions"]
    assert caller == {"contents": "read", "id-token": "write", "pages": "write"}
    assert "environment" not in jobs["write"]  # its token would name the environment, which the role does not trust
    assert jobs["publish"]["environment"]["name"] == "github-pages"
    assert jobs["write"]["if"] == "vars.KAIZEN_ROLE_ARN != ''"


def test_the_page_that_is_written_is_the_one_that_is_published() -> None:
    steps = publishing()["dashboard"]["jobs"]["write"]["steps"]

    assert 'inv dashboard --out "$RUNNER_TEMP/site/index.html"' in steps[-2]["run"]
    assert steps[-1]["with"]["path"] == "${{ runner.temp }}/site"


def test_the_dashboard_of_an_app_in_a_folder_has_a_workflow_of_its_own() -> None:
    workflows = publishing(BACKEND)

    assert workflows["dashboard"]["defaults"] == {"run": {"working-directory": "services/backend"}}
    assert workflows["dashboard"]["concurrency"]["group"] == "kaizen-backend-dashboard"
    assert workflows["release"]["jobs"]["dashboard-prod"]["uses"] == "./.github/workflows/backend-dashboard.yml"
