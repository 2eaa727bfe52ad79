"""Detection in deployment scripts of different styles."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.shell import scripts as shell_scripts
from kaizen_tasks.domain.init.evidence import Trust, merge_by_environment
from tests.domain.init.samples import SCRIPT

TENANTS = ("mark", "shane", "dom")
REPOSITORIES = {
    "staging": "staging-kaizencoach-app",
    "prod": "my-personal-coach-app",
    **{name: f"{name}-kaizencoach-app" for name in TENANTS},
}
BRANCHES = """\
REGION=eu-west-1
BETA="mark shane dom"
push() { docker push "123456789012.dkr.ecr.$REGION.amazonaws.com/$1:latest"; }
case "$1" in
  staging) push staging-kaizencoach-app ;;
  prod) push my-personal-coach-app ;;
  mark|shane|dom) push "$1-kaizencoach-app" ;;
  beta) for name in $BETA; do push "$name-kaizencoach-app"; done ;;
  *) exit 1 ;;
esac
"""
TEMPLATE = """\
ENVIRONMENT=${1:-staging}
REPO="${ENVIRONMENT}-kaizencoach-app"
if [[ "$ENVIRONMENT" == "prod" ]]; then
  REPO="my-personal-coach-app"
fi
aws ecr get-login-password --region eu-west-1
case $ENVIRONMENT in
  staging|prod|mark|shane|dom) push_one "$ENVIRONMENT" ;;
  beta)
    for each in mark shane dom; do
      $0 $each
    done
    ;;
  all) for each in staging prod mark shane dom; do $0 $each; done ;;
esac
"""
WRITTEN_OUT = """\
case "$1" in
  staging)
    docker push registry/staging-kaizencoach-app ;;
  prod) push_to "my-personal-coach-app" ;;
  beta)
    push_to "mark-kaizencoach-app"
    push_to "shane-kaizencoach-app"
    push_to "dom-kaizencoach-app" ;;
  mark) push_to "mark-kaizencoach-app" ;;
  shane) push_to "shane-kaizencoach-app" ;;
  dom) push_to "dom-kaizencoach-app" ;;
  staging) push_to "staging-kaizencoach-app" ;;
esac
"""


@pytest.mark.parametrize("script", [SCRIPT, BRANCHES, TEMPLATE, WRITTEN_OUT])
def test_environments_and_tenant_group_are_found(script: str) -> None:
    """In an array, in branches, by a template with an exception, or written out."""
    found = shell_scripts.facts_from_script("deploy.sh", script)

    facts = merge_by_environment(found.environment_facts)
    assert {name: fact.repository for name, fact in facts.items()} == REPOSITORIES
    assert found.groups["beta"] == TENANTS


def test_region_and_account_are_found_in_the_registry_address() -> None:
    found = shell_scripts.facts_from_script("deploy.sh", SCRIPT)

    assert found.region
    assert found.account
    assert (found.region.value, found.region.source) == ("eu-west-1", "deploy.sh:4")
    assert (found.account.value, found.account.source) == ("123456789012", "deploy.sh:4")


def test_service_name_is_taken_from_its_arn() -> None:
    script = """\
case $1 in
  prod)
    SERVICE_ARN=arn:aws:apprunner:eu-west-1:123456789012:service/web-live/8fe1
    REPO_NAME=web ;;
esac
docker push
"""
    (found,) = merge_by_environment(shell_scripts.facts_from_script("deploy.sh", script).environment_facts).values()

    assert (found.environment, found.repository, found.service) == ("prod", "web", "web-live")
    assert (found.source_of("service"), found.source_of("repository")) == ("deploy.sh:3", "deploy.sh:4")


@pytest.mark.parametrize(
    "script",
    [
        'case "$1" in start) systemctl start my-app ;; stop) systemctl stop my-app ;; esac\n',
        'docker compose up\ncase "$1" in up) true ;; down) false ;; esac\n',
        "",
    ],
)
def test_a_script_that_deploys_nothing_shows_nothing(script: str) -> None:
    found = shell_scripts.facts_from_script("run.sh", script)

    assert not found.environment_facts
    assert not found.regions


def found_in(script: str, path: str = "deploy.sh") -> list[tuple[str, str, str]]:
    """Return key, value and source of everything that a script for one service shows."""
    facts = merge_by_environment(shell_scripts.facts_from_script(path, script).environment_facts)
    return [
        (key, getattr(fact, key), fact.source_of(key))
        for fact in facts.values()
        for key in ("repository", "service")
        if getattr(fact, key)
    ]


SINGLE = """\
#!/usr/bin/env bash
REGION=eu-west-1 REPO=shop
# SERVICE=old-shop
docker build -f docker/web.Dockerfile -t "$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/$REPO:latest" --build-arg A=1 app
docker push "$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/$REPO:latest"
aws apprunner start-deployment \\
  --service-arn "arn:aws:apprunner:$REGION:$ACCOUNT:service/shop-web/0123456789abcdef0123456789abcdef"
"""


def test_a_script_for_one_service_shows_no_environment() -> None:
    found = shell_scripts.facts_from_script("deploy.sh", SINGLE)

    assert found.environments == ()
    assert found_in(SINGLE) == [("repository", "shop", "deploy.sh:4"), ("service", "shop-web", "deploy.sh:6")]
    (build,) = found.builds
    assert (build.dockerfile, build.context, build.repository) == ("docker/web.Dockerfile", "app", "shop")
    assert [(each.value, each.source) for each in found.platforms] == [("apprunner", "deploy.sh:6")]


def test_defaults_of_variables_are_values_and_unknown_ones_are_none() -> None:
    script = 'aws ecr get-login\nREPO="${REPO:-shop}"\naws apprunner start-deployment --service-arn "$SERVICE_ARN"\n'
    found = shell_scripts.facts_from_script("deploy.sh", script)

    assert found_in(script) == [("repository", "shop", "deploy.sh:2")]
    assert [str(each) for each in found.ignored] == ["service $SERVICE_ARN (deploy.sh:3): its value is set elsewhere"]


def test_the_first_argument_is_the_environment_of_a_script_without_branches() -> None:
    script = 'ENVIRONMENT="$1"\ndocker push "1.dkr.ecr.eu-west-1.amazonaws.com/$ENVIRONMENT-shop:latest"\n'
    assert found_in(script) == [("repository", "{env}-shop", "deploy.sh:2")]


@pytest.mark.parametrize("path", ["scripts/old/deploy.sh", "deploy_old.sh", "deploy.sh.bak", "archive/deploy.sh"])
def test_an_old_script_is_believed_last(path: str) -> None:
    (fact, *_) = shell_scripts.facts_from_script(path, SINGLE).environment_facts
    assert fact.trust is Trust.OLD


@pytest.mark.parametrize(
    ("command", "platform"),
    [
        ("aws ecs update-service --cluster c --service api", "ecs"),
        ("aws --profile acme ecs --no-cli-pager update-service --cluster c --service api", "ecs"),
        ("aws ecs update-express-gateway-service --service-arn $ARN", "ecs-express"),
        ("flyctl deploy --remote-only", "Fly.io"),
        ("kubectl rollout restart deployment/api", "Kubernetes"),
        ("heroku container:push web", "Heroku"),
        ("gcloud run deploy api --image x", "Google Cloud Run"),
        ("eb deploy", "AWS Elastic Beanstalk"),
        ("sam deploy", "AWS Lambda"),
    ],
)
def test_the_platform_is_told_by_the_command(command: str, platform: str) -> None:
    found = shell_scripts.facts_from_script("deploy.sh", f"docker build .\n{command}\n")
    assert [each.value for each in found.platforms] == [platform]


def test_a_makefile_is_read_as_a_script() -> None:
    makefile = """\
REGION := eu-west-3
REPO ?= shop
IMAGE_TAG = latest
push:
\t@docker push 1.dkr.ecr.$(REGION).amazonaws.com/$(REPO):$(IMAGE_TAG)
"""
    assert found_in(makefile, "Makefile") == [("repository", "shop", "Makefile:5")]


FUNCTIONS = {
    "case": """\
deploy() {
  case "$1" in
    prod) repo=legacy-app ;;
    *) repo="$1-shop-app" ;;
  esac
  docker push "1.dkr.ecr.eu-west-1.amazonaws.com/$repo:latest"
}
""",
    "if": """\
deploy() {
  if [ "$1" = "prod" ]; then
    repo=legacy-app
  else
    repo="$1-shop-app"
  fi
  docker push "1.dkr.ecr.eu-west-1.amazonaws.com/$repo:latest"
}
""",
}
TARGETS = """\
TARGET="${1:?usage}"
case "$TARGET" in
  staging|prod|mark|dom) deploy "$TARGET" ;;
  beta) for t in mark dom; do deploy "$t"; done ;;
  all) for t in staging prod mark dom; do deploy "$t"; done ;;
  *) exit 1 ;;
esac
"""


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_a_function_does_otherwise_is_for_the_other_targets(function: str) -> None:
    found = shell_scripts.facts_from_script("deploy.sh", function + TARGETS)

    merged = merge_by_environment(found.environment_facts)
    assert {name: fact.repository for name, fact in merged.items()} == {
        "staging": "staging-shop-app",
        "prod": "legacy-app",
        "mark": "mark-shop-app",
        "dom": "dom-shop-app",
    }
    assert found.groups == {"beta": ("mark", "dom")}


ARN = "arn:aws:apprunner:eu-west-1:210987654321:service"
DEPLOY = """\
docker push 210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop:$2
aws apprunner start-deployment --service-arn "$ARN"
"""
TWO_SERVICES = {
    "if with else": f'if [ "$1" = prod ]; then\n  ARN={ARN}/shop/1\nelse\n  ARN={ARN}/shop-staging/1\nfi\n',
    "if on one line": f'if [[ $1 == "prod" ]]; then ARN={ARN}/shop/1; else ARN={ARN}/shop-staging/1; fi\n',
    "not equal": f'if [ "$1" != prod ]\nthen\n  ARN={ARN}/shop-staging/1\nelse\n  ARN={ARN}/shop/1\nfi\n',
    "elif": f"if [ $1 = prod ]; then\n ARN={ARN}/shop/1\nelif [ $1 = staging ]; then\n ARN={ARN}/shop-staging/1\nfi\n",
    "short": f'[ "$1" = prod ] && ARN={ARN}/shop/1 || ARN={ARN}/shop-staging/1\n',
    "pattern": f'case "$1" in\n  prod*) ARN={ARN}/shop/1 ;;\n  *) ARN={ARN}/shop-staging/1\nesac\n',
    "case on one line": f"case $1 in prod) ARN={ARN}/shop/1 ;; staging) ARN={ARN}/shop-staging/1 ;; esac\n",
    "array": f'declare -A ARNS=(\n  [prod]="{ARN}/shop/1"\n  ["staging"]="{ARN}/shop-staging/1"\n)\n',
    "nested": f'if [ $1 = prod ]; then\n if [ -z "$2" ]; then exit; fi\n ARN={ARN}/shop/1\n'
    f"else ARN={ARN}/shop-staging/1\nfi\n",
}


@pytest.mark.parametrize("script", TWO_SERVICES.values(), ids=TWO_SERVICES)
def test_no_environment_of_a_condition_is_lost(script: str) -> None:
    """The repository is that of the commands, which push to one for both."""
    found = shell_scripts.facts_from_script("deploy.sh", script + DEPLOY)

    facts = merge_by_environment(found.environment_facts)
    assert {name: facts[name].service for name in ("prod", "staging")} == {"prod": "shop", "staging": "shop-staging"}
    assert facts[""].repository == "shop"


@pytest.mark.parametrize(
    "head",
    ['ENV="${1:-next}"\n', "ENV=$1 # staging or prod\n"],
)
def test_the_other_environment_is_named_by_a_default_or_by_the_usage(head: str) -> None:
    script = f'{head}if [ "$ENV" = prod ]; then\n  ARN={ARN}/shop/1\nelse\n  ARN={ARN}/shop-zwei/1\nfi\n{DEPLOY}'
    facts = merge_by_environment(shell_scripts.facts_from_script("deploy.sh", script).environment_facts)

    assert [name for name, fact in facts.items() if fact.service == "shop-zwei"] == [
        "next" if "next" in head else "staging"
    ]


def test_a_service_whose_environment_no_place_names_is_listed() -> None:
    script = f'if [ "$1" = prod ]; then\n  ARN={ARN}/shop/1\nelse\n  ARN={ARN}/shop-zwei/1\nfi\n{DEPLOY}'
    (ignored,) = shell_scripts.facts_from_script("deploy.sh", script).ignored

    assert str(ignored).startswith("service shop-zwei (deploy.sh:4): the environment of this branch is not named")


def test_a_service_whose_name_is_completed_when_it_runs_is_listed() -> None:
    script = f'for env in a b; do\n  aws apprunner start-deployment --service-arn "{ARN}/shop-$env/1"\ndone\n'
    found = shell_scripts.facts_from_script("deploy.sh", script)

    assert found.environment_facts == ()
    assert [str(each) for each in found.ignored] == ["service shop-$env (deploy.sh:2): its value is set elsewhere"]
