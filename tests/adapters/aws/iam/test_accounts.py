"""The policies of several accounts that `setup --print-iam` prints: both sides of each role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.adapters.aws.iam.accounts import account_policies, assumed_roles
from kaizen_tasks.adapters.aws.iam.policy import Document, policy_document
from kaizen_tasks.adapters.aws.iam.setup_policy import setup_policy_document
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.settings import Settings

HOME, TARGET = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{TARGET}:role/release"
PROD = {"account": TARGET, "role": ROLE, "region": "eu-central-1", "external_id": "coach-prod"}


def _settings(aws: Mapping[str, str] | None = None, **environments: Mapping[str, object]) -> Settings:
    raw_aws = {"region": "eu-west-1", "account": HOME, **(aws or {})}
    return settings(aws=raw_aws, environments={"staging": {}, **environments}, pipeline=["staging"], groups={})


def _policies(configuration: Settings) -> dict[str, Any]:
    def render(selected: Settings, account: str, table: str) -> Document:
        return policy_document(selected, account=account, table=table)

    environments = [*configuration.environments.values()]
    document = account_policies(configuration, environments, account=HOME, table="kaizen-web", render=render)
    return cast("dict[str, Any]", json.loads(json.dumps(document)))


def _by_name(policy: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_home_may_assume_exactly_the_roles_of_other_accounts() -> None:
    home = _policies(_settings(prod=PROD, mark=PROD))["home"]

    statements = _by_name(home["permissions"])
    assert home["account"] == HOME
    assert statements["KaizenRoles"]["Action"] == ["sts:AssumeRole"]
    assert statements["KaizenRoles"]["Resource"] == [ROLE]
    assert statements["KaizenRepositories"]["Resource"] == [f"arn:aws:ecr:eu-west-1:{HOME}:repository/staging-web-app"]
    assert "KaizenLedgerAppend" in statements


def test_role_is_trusted_with_its_external_id_and_may_reach_its_environments_alone() -> None:
    (target,) = _policies(_settings(prod=PROD, mark={**PROD, "region": "eu-west-3"}))["targets"]

    assert (target["account"], target["role"], target["environments"]) == (TARGET, ROLE, ["prod", "mark"])
    assert target["trust"]["Statement"] == [
        {
            "Sid": "KaizenRelease",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Condition": {"StringEquals": {"sts:ExternalId": "coach-prod"}},
        }
    ]
    statements = _by_name(target["permissions"])
    assert statements["KaizenRepositories"]["Resource"] == [
        f"arn:aws:ecr:eu-central-1:{TARGET}:repository/prod-web-app",
        f"arn:aws:ecr:eu-west-3:{TARGET}:repository/mark-web-app",
    ]
    resources = [resource for each in statements.values() for resource in each["Resource"] if resource != "*"]
    assert all(f":{TARGET}:" in resource for resource in resources)
    assert not [action for each in statements.values() for action in each["Action"] if action.startswith("dynamodb:")]


def test_some_environments_select_their_roles_and_the_home_stays_complete() -> None:
    configuration = _settings(prod=PROD, mark={**PROD, "role": f"{ROLE}-mark"})

    def render(selected: Settings, account: str, table: str) -> Document:
        return policy_document(selected, account=account, table=table)

    document = account_policies(
        configuration, [configuration.environments["mark"]], account=HOME, table="kaizen-web", render=render
    )

    home, targets = cast("Any", document["home"]), cast("Any", document["targets"])
    assert [target["environments"] for target in targets] == [["mark"]]
    assert _by_name(home["permissions"])["KaizenRoles"]["Resource"] == [ROLE, f"{ROLE}-mark"]
    assert "KaizenRepositories" in _by_name(home["permissions"])


def test_role_without_external_id_is_trusted_without_condition() -> None:
    (target,) = _policies(_settings(prod={"role": ROLE}))["targets"]

    assert "Condition" not in target["trust"]["Statement"][0]


def test_role_of_the_home_is_the_only_one_that_is_trusted() -> None:
    releaser = f"arn:aws:iam::{HOME}:role/releaser"

    (target,) = _policies(_settings({"role": releaser}, prod=PROD))["targets"]

    assert target["trust"]["Statement"][0]["Principal"] == {"AWS": releaser}


def test_profile_is_reached_without_a_role() -> None:
    document = _policies(_settings(prod={"account": TARGET, "profile": "company"}))

    (target,) = document["targets"]
    assert (target["profile"], "role" in target, "trust" in target) == ("company", False, False)
    assert "KaizenRoles" not in _by_name(document["home"]["permissions"])


def test_role_that_another_profile_assumes_is_not_allowed_to_the_home() -> None:
    configuration = _settings(prod={**PROD, "profile": "company"})

    (target,) = _policies(configuration)["targets"]

    assert assumed_roles(configuration) == ()
    assert "company" in target["trust"]["Statement"][0]["Principal"]["AWS"]


def test_setup_creates_the_table_at_home_alone() -> None:
    configuration = _settings(prod=PROD)

    def render(selected: Settings, account: str, table: str) -> Document:
        return setup_policy_document(selected, account=account, table=table)

    environments = [*configuration.environments.values()]
    document = account_policies(configuration, environments, account=HOME, table="kaizen-web", render=render)
    home, (target,) = cast("Any", document["home"]), cast("Any", document["targets"])

    assert "KaizenSetupLedger" in _by_name(home["permissions"])
    statements = _by_name(target["permissions"])
    assert "KaizenSetupLedger" not in statements
    assert (
        f"arn:aws:apprunner:eu-central-1:{TARGET}:service/prod-web-service/*"
        in (statements["KaizenSetupServices"]["Resource"])
    )
