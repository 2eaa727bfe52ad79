"""The commands that deploy to ECS, to services of both kinds in two accounts, and the state before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.rollout_cases import RolloutCase
from tests.crash.sandbox import KAIZEN_TOML

if TYPE_CHECKING:
    from tests.crash.sandbox import TeamSandbox

ELSEWHERE = """
account = "210987654321"
region = "eu-central-1"
role = "arn:aws:iam::210987654321:role/release"
"""
PROMOTE = ("promote-prod", "--yes")
PLAIN = 'platform = "ecs"\nurl = "https://web.example"\n'
PLACES = {
    "staging": 'platform = "ecs-express"\n',
    "prod": f"{PLAIN}{ELSEWHERE}",
    "mark": PLAIN,
    "shane": 'platform = "ecs-express"\n',
    "dom": f'platform = "ecs-express"\n{ELSEWHERE}',
}
"""Promotions to prod and dom bring the image to another account, where nothing can be mounted from staging."""

RUNTIME = """
[runtime.keys]
TOKEN = { type = "string" }
"""
"""Gives each service a secret, which a deployment has to keep."""


def configuration() -> bytes:
    """Return the configuration of an app with services of both kinds in two accounts."""
    text = KAIZEN_TOML.decode()
    for name, lines in PLACES.items():
        text = text.replace(f"[environments.{name}]\n", f"[environments.{name}]\n{lines}")
    return (text + RUNTIME).encode()


def sample_configuration() -> bytes:
    """Return the same for staging and prod alone."""
    before, _, rest = configuration().decode().partition("[environments.mark]")
    return (before.replace(', "beta"', "") + rest[rest.index("[verify]") :]).encode()


def _release_everywhere(sandbox: TeamSandbox) -> None:
    _create_services(sandbox)
    for words in (("release-staging",), PROMOTE, ("promote-beta",)):
        sandbox.library.inv(*words).expect_success()
    sandbox.add_changelog_entry("A typo")


def _create_services(sandbox: TeamSandbox) -> None:
    """Create the services, with all that a deployment has to keep: a variable, a secret and a tag."""
    sandbox.library.inv("local.up", "--state", str(sandbox.state)).expect_success()
    for place in sandbox.places:
        for arn in place.call_aws("ecs", "ListServices", cluster="default")["serviceArns"]:
            place.call_aws("ecs", "TagResource", resourceArn=arn, tags=[{"key": "team", "value": "coach"}])


def _release_first_to_staging(sandbox: TeamSandbox) -> None:
    _create_services(sandbox)
    _release_to_staging(sandbox)


def _release_to_staging(sandbox: TeamSandbox) -> None:
    sandbox.library.inv("release-staging").expect_success()


def _promote_to_prod(sandbox: TeamSandbox) -> None:
    sandbox.library.inv(*PROMOTE).expect_success()


def _promote_to_beta(sandbox: TeamSandbox) -> None:
    sandbox.library.inv("promote-beta").expect_success()


CLUSTER_ROLLOUTS = {
    case.name: case
    for case in (
        RolloutCase(name="ecs-release-staging", words=("release-staging",), prepare=_release_everywhere),
        RolloutCase(name="ecs-promote-prod", words=PROMOTE, prepare=_release_to_staging),
        RolloutCase(name="ecs-promote-beta", words=("promote-beta",), prepare=_promote_to_prod),
        RolloutCase(name="ecs-rollback", words=("rollback", "--env", "prod", "--yes"), prepare=_promote_to_beta),
        RolloutCase(
            name="ecs-rollback-express", words=("rollback", "--env", "dom", "--yes"), prepare=lambda _sandbox: None
        ),
    )
}

CLUSTER_SAMPLE = {"ecs-promote": RolloutCase(name="ecs-promote", words=PROMOTE, prepare=_release_first_to_staging)}
"""A promotion from Express Mode to a plain service of another account, which takes no long preparation."""
