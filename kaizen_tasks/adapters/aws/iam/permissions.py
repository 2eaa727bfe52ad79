"""Checks what credentials allow, and changes nothing: with IAM's simulator, or by trying read-only requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kaizen_tasks.adapters.aws.clients import IamClient
from kaizen_tasks.adapters.aws.iam.actions import Sid, TaskActions, actions_of_task
from kaizen_tasks.adapters.aws.iam.policy import LEADING_KEYS, PASSED_TO, Statement
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.aws_account import DeniedAction, Permission
from kaizen_tasks.errors import Denied, NotFound, Refused, Unreachable, Unsupported

ASSUMED_ROLE_ARN = re.compile(r"arn:[\w-]+:sts::\d+:assumed-role/([^/]+)/.+")
PRINCIPAL_ARN = re.compile(r"arn:[\w-]+:iam::\d+:(user|role)/.+")
ROOT_ARN = re.compile(r"arn:[\w-]+:iam::\d+:root")
MAX_CONCURRENT_REQUESTS = 8
RESOURCE_POLICY_SERVICES = ("dynamodb:", "ecr:", "secretsmanager:")
"""Services whose resources have policies of their own, which may allow what the caller's policies do not."""


def simulate_permissions(
    principal: str, statements: Sequence[Statement], tasks: TaskActions, aws: Aws
) -> tuple[Permission, ...]:
    """Return the permissions for every task according to IAM's policy simulator.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

    Args:
        principal: ARN as STS returns it.
        statements: the required actions and resources.
        tasks: the actions that each task needs.
        aws: clients of the account.

    Raises:
        Denied: the credentials may not use the simulator.
        NotFound: the principal is neither a user nor a role.
    """
    if ROOT_ARN.fullmatch(principal):
        return tuple(Permission(task=task) for task in tasks)
    results = _simulate(principal, statements, aws)
    denied_actions = frozenset(action for result in results for action in _denied_action(result))
    return tuple(Permission(task=task, denied_actions=_actions_within(tasks, task, denied_actions)) for task in tasks)


def simulate_changes(principal: str, statements: Sequence[Statement], aws: Aws) -> tuple[DeniedAction, ...]:
    """Return the actions that IAM's policy simulator denies.

    Args:
        principal: ARN as STS returns it.
        statements: the required actions and resources.
        aws: clients of the account.

    Raises:
        Denied: the credentials may not use the simulator.
        NotFound: the principal is neither a user nor a role.
    """
    if ROOT_ARN.fullmatch(principal):
        return ()
    results = _simulate(principal, statements, aws)
    denied = (
        DeniedAction(action=action, is_certain=_is_certain(each)) for each in results for action in _denied_action(each)
    )
    return tuple(dict.fromkeys(denied))


def _simulate(principal: str, statements: Sequence[Statement], aws: Aws) -> list[Mapping[str, Any]]:
    """Return the simulator's results for statements.

    The first statement is asked about alone: where the simulator may not be used, that is the only request.
    """
    with aws_errors("ask IAM what these credentials allow"):
        iam = aws.iam()
        source_arn = _policy_source_arn(principal, iam)
        first, *others = statements
        results = [*_statement_results(source_arn, first, iam)]
        with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_REQUESTS) as pool:
            for more in pool.map(lambda statement: [*_statement_results(source_arn, statement, iam)], others):
                results += more
    return results


def _is_certain(result: Mapping[str, Any]) -> bool:
    """Return whether a denial is AWS's own answer too.

    The simulator sees neither the policies of resources, which ECR and DynamoDB have, nor the values of conditions.
    """
    decisions = {
        result["EvalDecision"],
        *(each["EvalResourceDecision"] for each in result.get("ResourceSpecificResults", ())),
    }
    has_resource_policy = str(result["EvalActionName"]).startswith(RESOURCE_POLICY_SERVICES)
    return not result.get("MissingContextValues") and ("explicitDeny" in decisions or not has_resource_policy)


def _policy_source_arn(principal: str, iam: IamClient) -> str:
    """Return the ARN of the user or role; the simulator does not accept the ARN of a role's session."""
    match = ASSUMED_ROLE_ARN.fullmatch(principal)
    if match:
        return str(iam.get_role(RoleName=match[1])["Role"]["Arn"])
    if not PRINCIPAL_ARN.fullmatch(principal):
        raise NotFound(f"IAM has no policies for {principal}: it is neither a user nor a role")
    return principal


def _statement_results(source_arn: str, statement: Statement, iam: IamClient) -> Iterator[Mapping[str, Any]]:
    actions, resources = list(statement.actions), list(statement.resources)
    request: Mapping[str, object] = {
        "PolicySourceArn": source_arn,
        "ActionNames": actions,
        "ResourceArns": resources,
    }
    if pattern := LEADING_KEYS.get(statement.sid):
        request = {**request, "ContextEntries": [_context("dynamodb:LeadingKeys", "stringList", pattern)]}
    elif statement.sid is Sid.PASSED_ROLES:
        request = {**request, "ContextEntries": [_context("iam:PassedToService", "string", PASSED_TO)]}
    response = iam.simulate_principal_policy(**request)
    yield from response["EvaluationResults"]
    while response.get("IsTruncated"):
        response = iam.simulate_principal_policy(**request, Marker=response["Marker"])
        yield from response["EvaluationResults"]


def _context(name: str, kind: str, value: str) -> Mapping[str, object]:
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}


def _denied_action(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the action of a simulation result if the action is denied on any of the resources."""
    decisions = [each["EvalResourceDecision"] for each in result.get("ResourceSpecificResults", ())]
    if {"allowed"} != set(decisions or [result["EvalDecision"]]):
        yield str(result["EvalActionName"])


def probe_permissions(
    calls: Mapping[str, Callable[[], object]], tasks: TaskActions, why: str
) -> tuple[Permission, ...]:
    """Return the permissions for every task, found by trying read-only requests.

    Args:
        calls: functions that each try an action, by the action's name.
        tasks: the actions that each task needs.
        why: the reason why the simulator was not available.
    """
    with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_REQUESTS) as pool:
        outcomes = dict(zip(calls, pool.map(_is_allowed, calls.values()), strict=True))
    denied = frozenset(action for action, outcome in outcomes.items() if outcome is False)
    checked = frozenset(action for action, outcome in outcomes.items() if outcome is not None)
    return tuple(_task_permission(tasks, task, denied, checked, why) for task in tasks)


def _is_allowed(call: Callable[[], object]) -> bool | None:
    """Return whether a request is allowed, or None when AWS did not respond."""
    try:
        with aws_errors("read"):
            call()
    except Denied:
        return False
    except (Unreachable, Unsupported):
        return None
    except Refused:
        return True  # the resource is missing, but the request was allowed
    return True


def _task_permission(
    tasks: TaskActions, task: str, denied: frozenset[str], checked: frozenset[str], why: str
) -> Permission:
    untried = tuple(action for action in actions_of_task(tasks, task) if action not in checked)
    return Permission(
        task=task,
        denied_actions=_actions_within(tasks, task, denied),
        unchecked_actions=untried,
        unchecked_reason=why if untried else "",
    )


def _actions_within(tasks: TaskActions, task: str, actions: frozenset[str]) -> tuple[str, ...]:
    return tuple(action for action in actions_of_task(tasks, task) if action in actions)
