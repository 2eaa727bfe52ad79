"""Finds out what credentials allow without changing anything: IAM's simulator, else what can be tried by reading."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.iam_policy import TASKS
from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.domain.aws_account import Permission
from kaizen_tasks.errors import Denied, NotFound, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kaizen_tasks.adapters.aws.iam_policy import Statement
    from kaizen_tasks.adapters.aws.session import Aws, Simulator

ASSUMED = re.compile(r"arn:[\w-]+:sts::\d+:assumed-role/([^/]+)/.+")
POLICED = re.compile(r"arn:[\w-]+:iam::\d+:(user|role)/.+")
ROOT = re.compile(r"arn:[\w-]+:iam::\d+:root")
AT_ONCE = 8


def simulated(principal: str, statements: Sequence[Statement], aws: Aws) -> tuple[Permission, ...]:
    """Ask IAM's simulator about everything.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

    Args:
        principal: whose policies, as STS says it.
        statements: what is needed.
        aws: where to ask.

    Raises:
        Denied: the credentials may not ask.
        Refused: the principal is of a kind that has no policies of its own.
    """
    if ROOT.fullmatch(principal):
        return tuple(Permission(task=task) for task in TASKS)
    with translated("ask IAM what these credentials allow"):
        iam = aws.iam()
        source = _source(principal, iam)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            answers = pool.map(lambda statement: _denied(source, statement, iam), statements)
            denied = frozenset[str]().union(*answers)
    return tuple(Permission(task=task, denied=_of(task, denied)) for task in TASKS)


def _source(principal: str, iam: Simulator) -> str:
    """Return the ARN that the simulator takes; a session's ARN leaves out the path of its role."""
    assumed = ASSUMED.fullmatch(principal)
    if assumed:
        return str(iam.get_role(RoleName=assumed[1])["Role"]["Arn"])
    if not POLICED.fullmatch(principal):
        raise NotFound(f"IAM has no policies of {principal}: neither a user nor a role")
    return principal


def _denied(source: str, statement: Statement, iam: Simulator) -> frozenset[str]:
    request = {
        "PolicySourceArn": source,
        "ActionNames": list(statement.actions),
        "ResourceArns": list(statement.resources),
    }
    return frozenset(action for result in _results(request, iam) for action in _refused(result))


def _results(request: Mapping[str, object], iam: Simulator) -> Iterator[Mapping[str, Any]]:
    answer = iam.simulate_principal_policy(**request)
    yield from answer["EvaluationResults"]
    while answer.get("IsTruncated"):
        answer = iam.simulate_principal_policy(**request, Marker=answer["Marker"])
        yield from answer["EvaluationResults"]


def _refused(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the action when it is refused, for any of the resources that were asked about."""
    each = [one["EvalResourceDecision"] for one in result.get("ResourceSpecificResults", ())]
    if {"allowed"} != set(each or [result["EvalDecision"]]):
        yield str(result["EvalActionName"])


def tried(looks: Mapping[str, Callable[[], object]], why: str) -> tuple[Permission, ...]:
    """Try what can be tried by reading; a change cannot.

    Args:
        looks: for every action that can be tried, a call that needs it.
        why: why nobody could simply ask.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        outcomes = dict(zip(looks, pool.map(_outcome, looks.values()), strict=True))
    denied = frozenset(action for action, outcome in outcomes.items() if outcome is False)
    settled = frozenset(action for action, outcome in outcomes.items() if outcome is not None)
    return tuple(_permission(task, denied, settled, why) for task in TASKS)


def _outcome(look: Callable[[], object]) -> bool | None:
    """Return whether a call is allowed; None when it was not answered."""
    try:
        with translated("read"):
            look()
    except Denied:
        return False
    except Unreachable:
        return None
    except Refused:
        return True  # there is nothing to read, and these credentials may know it
    return True


def _permission(task: str, denied: frozenset[str], settled: frozenset[str], why: str) -> Permission:
    untried = tuple(action for action in _actions(task) if action not in settled)
    return Permission(task=task, denied=_of(task, denied), untried=untried, why=why if untried else "")


def _of(task: str, actions: frozenset[str]) -> tuple[str, ...]:
    return tuple(action for action in _actions(task) if action in actions)


def _actions(task: str) -> tuple[str, ...]:
    return tuple(sorted({action for actions in TASKS[task].values() for action in actions}))
