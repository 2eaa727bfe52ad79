"""Detection in the workflows of GitHub Actions."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect import github_workflows
from kaizen_tasks.domain.init.evidence import Facts, merge_by_environment

PATH = ".github/workflows/deploy.yml"


def found_in(workflow: str) -> Facts:
    """Return the facts in a workflow."""
    return github_workflows.facts_from_workflow(PATH, workflow)


def values(found: Facts) -> dict[str, tuple[str, str]]:
    """Return repository and service, by environment."""
    facts = merge_by_environment(found.environment_facts)
    return {name: (fact.repository, fact.service) for name, fact in facts.items()}


ACTION = """\
on: push
env:
  AWS_REGION: us-west-2
  SERVICE: shop-web
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {context: backend, file: backend/Dockerfile.prod, tags: "1.dkr.ecr.us-west-2.amazonaws.com/shop:1"}
      - uses: awslabs/amazon-app-runner-deploy@v1
        with:
          service: ${{ env.SERVICE }}
          image: 210987654321.dkr.ecr.us-west-2.amazonaws.com/shop:latest
          port: 3000
          access-role-arn: ${{ secrets.ROLE }}
          # region: eu-west-1
"""


def test_inputs_of_the_action_for_app_runner_are_read() -> None:
    found = found_in(ACTION)
    (fact,) = merge_by_environment(found.environment_facts).values()

    assert (fact.service, fact.repository, fact.follow) == ("shop-web", "shop", "latest")
    assert (fact.source_of("service"), fact.source_of("repository")) == (f"{PATH}:13", f"{PATH}:14")
    assert found.region
    assert found.account
    assert found.port
    assert (found.region.value, found.account.value, found.port.value) == ("us-west-2", "210987654321", "3000")
    assert found.region.source == f"{PATH}:3"
    (build,) = found.builds
    assert (build.dockerfile, build.context, build.repository) == ("backend/Dockerfile.prod", "backend", "shop")
    assert [str(each) for each in found.ignored] == [f"region eu-west-1 ({PATH}:17): commented out"]


def test_what_only_github_knows_is_listed() -> None:
    found = found_in(ACTION.replace("${{ env.SERVICE }}", "${{ vars.SERVICE }}"))
    assert f"service ${{{{ vars.SERVICE }}}} ({PATH}:13): only GitHub knows its value" in map(str, found.ignored)


@pytest.mark.parametrize(
    ("job", "name"),
    [
        ("environment: staging", "staging"),
        ("environment: {name: prod, url: 'https://x'}", "prod"),
        ("env: {ENVIRONMENT: qa}", "qa"),
        ("if: true", ""),
    ],
)
def test_the_environment_is_that_of_the_job(job: str, name: str) -> None:
    step = "run: aws ecs update-service --cluster c --service api"
    workflow = f"jobs:\n  release:\n    {job}\n    steps:\n      - {step}\n"
    assert values(found_in(workflow)) == {name: ("", "api")}


def test_a_matrix_is_expanded() -> None:
    workflow = """\
jobs:
  deploy:
    strategy:
      matrix:
        environment: [staging, prod]
    environment: ${{ matrix.environment }}
    steps:
      - run: |
          docker push 1.dkr.ecr.eu-west-1.amazonaws.com/shop-${{ matrix.environment }}:latest
          aws apprunner start-deployment --service-arn ${{ vars.ARN || secrets.ARN }}
"""
    assert values(found_in(workflow)) == {"staging": ("shop-staging", ""), "prod": ("shop-prod", "")}


def test_outputs_of_steps_are_followed() -> None:
    workflow = """\
jobs:
  deploy-prod:
    steps:
      - id: names
        run: echo "service=shop-web" >> "$GITHUB_OUTPUT"
      - env:
          SERVICE: ${{ steps.names.outputs.service }}
        run: |
          # aws ecs update-service --service another
          aws ecs update-service --cluster c --service "$SERVICE"
"""
    found = found_in(workflow)

    assert values(found) == {"prod": ("", "shop-web")}
    assert found.environment_facts[0].source == f"{PATH}:10"


def test_a_workflow_that_deploys_nothing_shows_nothing() -> None:
    workflow = "env: {AWS_REGION: eu-west-1}\njobs:\n  test:\n    steps:\n      - run: docker build -t test .\n"
    assert found_in(workflow) == Facts()


def test_a_file_that_is_no_yaml_is_listed() -> None:
    assert [str(each) for each in found_in("a: [\n").ignored] == [f"{PATH} ({PATH}:2): is no YAML that can be read"]


def test_the_registry_of_the_login_is_that_of_the_account() -> None:
    workflow = """\
jobs:
  deploy:
    steps:
      - uses: aws-actions/amazon-ecr-login@v2
        id: login
      - env:
          REGISTRY: ${{ steps.login.outputs.registry }}
          REPO: shop
        run: |
          docker build --target web -t $REGISTRY/$REPO:${{ github.sha }} ./api
          docker push $REGISTRY/$REPO:${{ github.sha }}
"""
    found = found_in(workflow)

    assert values(found) == {"": ("shop", "")}
    (build,) = found.builds
    assert (build.dockerfile, build.context, build.target, build.repository) == ("api/Dockerfile", "api", "web", "shop")
    assert found.accounts == ()
