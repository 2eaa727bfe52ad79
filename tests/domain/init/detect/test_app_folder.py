"""What counts for an app of a repository with several apps."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect import other_pipelines
from kaizen_tasks.domain.init.detect.app_folder import AppFolder, Owner
from kaizen_tasks.domain.init.detect.github import workflows
from kaizen_tasks.domain.init.detect.shell import scripts as shell_scripts
from kaizen_tasks.domain.init.evidence import Facts, ImageBuild

REGISTRY = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
WEB, API = (AppFolder(path=name, has_dockerfile=True) for name in ("web", "api"))


def build(name: str) -> str:
    """Return the command that builds the image of an app."""
    return f"docker build -t {REGISTRY}/shop-{name}:latest {name}"


def deploy(name: str) -> str:
    """Return the command that deploys an app."""
    return f"aws apprunner start-deployment --service-arn arn:aws:apprunner:eu-central-1:2:service/shop-{name}/a"


def job(name: str, *commands: str, needs: str = "") -> str:
    """Return a job of GitHub Actions."""
    needed = f"    needs: [{needs}]\n" if needs else ""
    return f"  {name}:\n{needed}    steps:\n" + "".join(f"      - run: {command}\n" for command in commands)


def workflow(*jobs: str) -> str:
    """Return a workflow."""
    return "on: push\njobs:\n" + "".join(jobs)


def names(facts: Facts) -> tuple[set[str], set[str]]:
    """Return repositories and services."""
    found = facts.environment_facts
    return {each.repository for each in found} - {""}, {each.service for each in found} - {""}


@pytest.mark.parametrize(
    ("context", "dockerfile", "owner"),
    [
        ("../web", "../web/Dockerfile", Owner.APP),
        ("..", "../web/Dockerfile", Owner.APP),
        ("..", "../docker/web/Dockerfile", Owner.UNKNOWN),
        ("..", "../docker/Dockerfile.prod", Owner.UNKNOWN),
        ("..", "../Dockerfile", Owner.UNKNOWN),
        ("..", "../api/Dockerfile", Owner.NEIGHBOUR),
        ("../api", "../api/Dockerfile", Owner.NEIGHBOUR),
        ("../web-admin", "../web-admin/Dockerfile", Owner.NEIGHBOUR),
    ],
)
def test_a_build_is_of_the_app_whose_folder_it_reads(context: str, dockerfile: str, owner: Owner) -> None:
    assert WEB.owner(ImageBuild(context=context, dockerfile=dockerfile)) == owner


def test_at_the_top_of_a_repository_everything_is_the_apps() -> None:
    assert AppFolder().owner(ImageBuild(context="api", dockerfile="api/Dockerfile")) == Owner.APP


WORKFLOWS = {
    "a job for each app": workflow(job("api", build("api"), deploy("api")), job("web", build("web"), deploy("web"))),
    "jobs that need the builds": workflow(
        *(job(f"build-{name}", build(name)) for name in ("api", "web")),
        *(job(f"deploy-{name}", deploy(name), needs=f"build-{name}") for name in ("api", "web")),
    ),
    "a job with both": workflow(job("all", build("api"), deploy("api"), build("web"), deploy("web"))),
    "a matrix of apps": workflow(
        "  all:\n    strategy:\n      matrix:\n        app: [api, web]\n    steps:\n"
        f"      - run: {build('${{ matrix.app }}')}\n      - run: {deploy('${{ matrix.app }}')}\n"
    ),
    "the action that builds": workflow(
        *(
            f"  {name}:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n"
            f"          context: '{{{{defaultContext}}}}:{name}'\n          tags: {REGISTRY}/shop-{name}:latest\n"
            f"      - run: {deploy(name)}\n"
            for name in ("api", "web")
        )
    ),
}


@pytest.mark.parametrize("text", WORKFLOWS.values(), ids=WORKFLOWS)
@pytest.mark.parametrize("app", [WEB, API], ids=lambda app: app.path)
def test_a_workflow_shows_each_app_its_own(text: str, app: AppFolder) -> None:
    found = workflows.facts_from_workflow("../.github/workflows/deploy.yml", text, app)

    repositories, services = names(found)
    assert services == {f"shop-{app.path}"}
    assert repositories <= {f"shop-{app.path}"}


def test_an_account_of_another_app_does_not_count() -> None:
    text = workflow(job("api", build("api").replace("210987654321", "555544443333")), job("web", build("web")))

    found = workflows.facts_from_workflow("../.github/workflows/deploy.yml", text, WEB)

    assert {each.value for each in found.accounts} == {"210987654321"}


def test_where_deployments_do_not_follow_their_builds_only_the_images_are_told_apart() -> None:
    text = workflow(job("all", build("web"), build("api"), deploy("web"), deploy("api")))

    found = workflows.facts_from_workflow("../.github/workflows/deploy.yml", text, WEB)

    assert names(found) == ({"shop-web"}, {"shop-web", "shop-api"})


def test_a_script_of_another_app_shows_nothing() -> None:
    text = f"cd web/.. && {build('api')}\n{deploy('api')}\n"

    assert shell_scripts.facts_from_script("../deploy.sh", text, WEB) == Facts()


def test_a_script_that_deploys_one_app_after_the_other_shows_each_its_own() -> None:
    text = "\n".join((build("api"), deploy("api"), build("web"), deploy("web")))

    found = shell_scripts.facts_from_script("../deploy.sh", text, WEB)

    assert names(found) == ({"shop-web"}, {"shop-web"})


def test_a_deployment_of_gitlab_is_of_the_app_whose_build_it_needs() -> None:
    other_account = build("api").replace("210987654321", "555544443333")
    builds = f"build-api:\n  script:\n    - {other_account}\nbuild-web:\n  script:\n    - {build('web')}\n"
    deployments = "".join(
        f"deploy-{name}:\n  needs: [{need}]\n  script:\n    - {deploy(name)}\n"
        for name, need in (("api", "{job: build-api}"), ("web", "build-web"))
    )

    found = other_pipelines.facts_from_pipeline("../.gitlab-ci.yml", builds + deployments, WEB)

    assert names(found) == ({"shop-web"}, {"shop-web"})
    assert {each.value for each in found.accounts} == {"210987654321"}


def test_a_pipeline_shows_each_app_the_jobs_of_its_own() -> None:
    jobs = (f"{name}:\n  script:\n    - {build(name)}\n    - {deploy(name)}\n" for name in ("api", "web"))
    text = f"before_script:\n  - date\n{''.join(jobs)}"

    found = other_pipelines.facts_from_pipeline("../.gitlab-ci.yml", text, WEB)

    assert names(found) == ({"shop-web"}, {"shop-web"})
    assert [WEB.with_short_paths(each) for each in found.builds] == [
        ImageBuild(context=".", dockerfile="Dockerfile", repository="shop-web", source="../.gitlab-ci.yml:9")
    ]
