"""The policies of several accounts: what the caller needs at home, and both sides of the role in each other account.

The credentials of each environment reach its own registry only, so no repository has to admit another account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve

from kaizen_tasks.adapters.aws.iam.policy import Document, partition
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.aws_target import AwsTarget
from kaizen_tasks.domain.environment import Environment

NO_REPOSITORY_POLICY = (
    "no repository needs a policy for another account: the credentials of each environment read and write its own"
    " registry, and layers pass through this machine"
)

RenderPolicy = Callable[[Settings, str, str], Document]
"""Renders the policy of the environments in settings; account and table follow, the table empty in other accounts."""


def is_elsewhere(environment: Environment, settings: Settings) -> bool:
    """Return whether an environment is reached with other credentials than those of the home."""
    return not environment.target.has_credentials_of(settings.aws.target)


def account_policies(
    settings: Settings, environments: Sequence[Environment], *, account: str, table: str, render: RenderPolicy
) -> Document:
    """Return the policies of the home and of each role and profile that reaches some environments, as JSON.

    The home's are complete: a promotion to one of the environments reads images of others.

    Args:
        settings: the configuration.
        environments: those whose roles and profiles are in question.
        account: the home's number.
        table: name of the ledger's table.
        render: renders the permissions of one account.
    """
    groups = _groups_elsewhere(settings)
    selected = [group for group in groups.values() if not {*environments}.isdisjoint(group)]
    return {
        "home": {"account": account, "permissions": _home_permissions(settings, account, table, render)},
        "targets": [_target_document(group, settings, account, render) for group in selected],
    }


def assumed_roles(settings: Settings) -> tuple[str, ...]:
    """Return the roles that the credentials of the home assume."""
    targets = (each.target for each in settings.environments.values() if is_elsewhere(each, settings))
    roles = (target.role for target in targets if target.profile == settings.aws.profile)
    return tuple(dict.fromkeys(filter(None, roles)))


def role_trust_policy(target: AwsTarget, settings: Settings, *, account: str) -> Document:
    """Return the trust policy of a role, which admits the caller at home, with the external id if there is one.

    Args:
        target: the role, its external id, and the profile that assumes it.
        settings: the configuration.
        account: the home's number.
    """
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": target.external_id}}} if target.external_id else {}
    statement = {
        "Sid": "KaizenRelease",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": _trusted_principal(target, settings, account)},
        **condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trusted_principal(target: AwsTarget, settings: Settings, account: str) -> str:
    """Return whom a role admits: the role of the home, else whoever the home's own policies allow to assume the role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if target.profile != settings.aws.profile:
        return f"ARN of the caller of the profile {target.profile}"
    return settings.aws.role or f"arn:{partition(settings.aws.region)}:iam::{account}:root"


def _groups_elsewhere(settings: Settings) -> Mapping[object, Sequence[Environment]]:
    groups: dict[object, list[Environment]] = {}
    for environment in settings.environments.values():
        if is_elsewhere(environment, settings):
            groups.setdefault(evolve(environment.target, region=""), []).append(environment)
    return groups


def _home_permissions(settings: Settings, account: str, table: str, render: RenderPolicy) -> Document:
    at_home = {name: each for name, each in settings.environments.items() if not is_elsewhere(each, settings)}
    document = render(evolve(settings, environments=at_home), account, table)
    statements, roles = document["Statement"], assumed_roles(settings)
    if roles and isinstance(statements, list):
        assume = {"Sid": "KaizenRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": list(roles)}
        return {**document, "Statement": [*statements, assume]}
    return document


def _target_document(
    environments: Sequence[Environment], settings: Settings, home_account: str, render: RenderPolicy
) -> Document:
    target = environments[0].target
    document: Document = {"account": target.account, "environments": [each.name for each in environments]}
    if target.role:
        document |= {"role": target.role, "trust": role_trust_policy(target, settings, account=home_account)}
    else:
        document |= {"profile": target.profile}
    selected = evolve(settings, environments={each.name: each for each in environments})
    return {**document, "permissions": render(selected, target.account, "")}
