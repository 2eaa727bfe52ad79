"""Detection in deployment scripts of different styles."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect import shell_scripts
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

    assert {each.environment: each.repository for each in found.environment_facts} == REPOSITORIES
    assert found.groups["beta"] == TENANTS


def test_region_and_account_are_found_in_the_registry_address() -> None:
    found = shell_scripts.facts_from_script("deploy.sh", SCRIPT)

    assert (found.region, found.account) == ("eu-west-1", "123456789012")


def test_service_name_is_taken_from_its_arn() -> None:
    script = """\
case $1 in
  prod)
    SERVICE_ARN=arn:aws:apprunner:eu-west-1:123456789012:service/web-live/8fe1
    REPO_NAME=web ;;
esac
docker push
"""
    (found,) = shell_scripts.facts_from_script("deploy.sh", script).environment_facts

    assert (found.environment, found.repository, found.service) == ("prod", "web", "web-live")


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
