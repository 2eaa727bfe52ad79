"""Detection in the workflows of GitHub Actions."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.github import workflows
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, merge_by_environment

PATH = ".github/workflows/deploy.yml"


def found_in(workflow: str) -> Facts:
    """Return the facts in a workflow."""
    return workflows.facts_from_workflow(PATH, workflow)


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


ECS_WORKFLOW = """\
on:
  push:
    branches: [staging]
env:
  ECS_CLUSTER: shop
  ECR_REPOSITORY: shop
jobs:
  deploy:
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: arn:aws:iam::432143214321:role/deploy
          aws-region: eu-north-1
      - uses: aws-actions/amazon-ecr-login@v2
        id: ecr
      - uses: aws-actions/amazon-ecs-render-task-definition@v1
        with:
          task-definition: proxied.json
          container-name: proxy
          image: envoyproxy/envoy:1
      - uses: aws-actions/amazon-ecs-render-task-definition@v1
        with:
          task-definition: task.json
          container-name: web
          image: ${{ steps.build.outputs.image }}
      - uses: aws-actions/amazon-ecs-deploy-task-definition@v2
        with:
          task-definition: task.json
          service: shop-web
          cluster: ${{ env.ECS_CLUSTER }}
"""


def merged(text: str) -> EnvironmentFact:
    """Return what a workflow shows of its only environment."""
    [fact] = merge_by_environment(found_in(text).environment_facts).values()
    return fact


def test_ecs_with_cluster_container_account_and_the_branch_as_environment() -> None:
    fact = merged(ECS_WORKFLOW)

    assert (fact.environment, fact.platform, fact.service, fact.cluster) == ("staging", "ecs", "shop-web", "shop")
    assert (fact.container, fact.repository) == ("web", "shop")
    assert (fact.account, fact.region, fact.role) == (
        "432143214321",
        "eu-north-1",
        "arn:aws:iam::432143214321:role/deploy",
    )


def test_express_mode_by_its_action() -> None:
    text = """\
jobs:
  deploy-prod:
    steps:
      - uses: aws-actions/amazon-ecr-login@v2
        id: ecr
      - uses: aws-actions/amazon-ecs-deploy-express-service@v1
        with:
          service-name: shop-api
          image: ${{ steps.ecr.outputs.registry }}/shop:${{ github.sha }}
          container-port: 8000
          cpu-architecture: ARM64
"""
    found = found_in(text)
    fact = merged(text)

    assert (fact.environment, fact.platform, fact.service, fact.cluster, fact.repository) == (
        "prod",
        "ecs-express",
        "shop-api",
        "default",
        "shop",
    )
    assert [each.value for each in found.ports] == ["8000"]
    assert [each.value for each in found.architectures] == ["arm64"]


def test_inputs_of_a_called_workflow_name_the_service_and_its_environment() -> None:
    text = """\
jobs:
  call:
    uses: ./.github/workflows/deploy.yml
    with:
      environment: staging
      ecs_service: shop-web
      ecs_cluster: arn:aws:ecs:eu-west-1:432143214321:cluster/shop
      container_name: web
"""
    fact = merged(text)
    assert (fact.environment, fact.service, fact.cluster, fact.container) == ("staging", "shop-web", "shop", "web")


def test_the_arn_of_a_service_in_a_command_names_its_cluster() -> None:
    arn = "arn:aws:ecs:eu-west-1:432143214321:service/shop/web"
    text = f"jobs:\n  prod:\n    steps:\n      - run: aws ecs update-express-gateway-service --service-arn {arn}\n"
    fact = merged(text)
    assert (fact.platform, fact.cluster, fact.service) == ("ecs-express", "shop", "web")


def test_the_images_of_metadata_name_the_repository() -> None:
    text = """\
jobs:
  prod:
    steps:
      - uses: docker/metadata-action@v5
        with:
          images: |
            ghcr.io/acme/shop
            432143214321.dkr.ecr.eu-west-1.amazonaws.com/shop
      - run: ecspresso deploy --config ecspresso.yml
"""
    fact = merged(text)
    assert (fact.environment, fact.repository) == ("prod", "shop")
