"""Deployment scripts, in the forms that people write."""

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
def test_finds_every_environment_and_the_group_of_tenants(script: str) -> None:
    """A table, branches, a template with an exception, or names written out: all say the same."""
    found = shell_scripts.facts_from_script("deploy.sh", script)

    assert {each.environment: each.repository for each in found.environment_facts} == REPOSITORIES
    assert found.groups["beta"] == TENANTS


def test_finds_region_and_account() -> None:
    """Both stand in the registry's address."""
    found = shell_scripts.facts_from_script("deploy.sh", SCRIPT)

    assert (found.region, found.account) == ("eu-west-1", "123456789012")


def test_takes_names_of_services_out_of_their_identifiers() -> None:
    """An ARN has the name in its middle."""
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
def test_other_scripts_say_nothing(script: str) -> None:
    """What starts and stops things is no deployment."""
    found = shell_scripts.facts_from_script("run.sh", script)

    assert not found.environment_facts
    assert not found.regions
