"""What ECR refuses as a lifecycle policy.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

from kaizen_tasks.localcloud.ecr.ecr_errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kaizen_tasks.localcloud.server.http_message import JsonObject

_RULE = ({"rulePriority", "selection", "action"}, {"description"})
_SELECTION = (
    {"tagStatus", "countType", "countNumber"},
    {"tagPrefixList", "tagPatternList", "storageClass", "countUnit"},
)
_ACTION = ({"type"}, {"targetStorageClass"})
_AGE_TYPES = ("sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_COUNT_TYPES = ("imageCountMoreThan", *_AGE_TYPES)
_MAX_RULES = 50
_MAX_WILDCARDS = 4
_NO_MATCH = "instance failed to match exactly one schema (matched 0 out of 2)"


def check_lifecycle_policy(text: str) -> None:
    """Refuse a text that is no lifecycle policy.

    Raises:
        ServiceError: it is not JSON, its structure is wrong, or its rules contradict each other.
    """
    try:
        document = json.loads(text, parse_constant=_reject)
    except (ValueError, RecursionError):
        _reject("Could not map policyString into LifecyclePolicy.")
    rules = _check_object(document, ({"rules"}, set()))["rules"]
    if not isinstance(rules, list) or not 0 < len(rules) <= _MAX_RULES:
        _reject(f"a policy has a list of 1 to {_MAX_RULES} rules")
    for rule in rules:
        _check_rule(rule)
    _check_priorities(rules)


def _check_rule(rule: object) -> None:
    checked_rule = _check_object(rule, _RULE)
    _check_number(checked_rule, "rulePriority")
    if not isinstance(checked_rule.get("description", ""), str):
        _reject("the description is not a string")
    selection = _check_object(checked_rule["selection"], _SELECTION)
    _check_tags(selection)
    _check_count(selection)
    _check_action(_check_object(checked_rule["action"], _ACTION), selection)


def _check_tags(selection: JsonObject) -> None:
    _check_choice(selection, "tagStatus", ("any", "tagged", "untagged"))
    names = [name for name in ("tagPrefixList", "tagPatternList") if name in selection]
    if len(names) != (selection["tagStatus"] == "tagged"):
        _reject("tagStatus=tagged needs either a tagPrefixList or a tagPatternList, and no other tagStatus has one")
    for name in names:
        values = selection[name]
        if not isinstance(values, list) or not values or not all(value and isinstance(value, str) for value in values):
            _reject(f"{name} is not a list of strings")
        if any(value.count("*") > _MAX_WILDCARDS for value in values):
            _reject(f"a pattern has more than {_MAX_WILDCARDS} wildcards")


def _check_count(selection: JsonObject) -> None:
    _check_choice(selection, "countType", _COUNT_TYPES)
    _check_number(selection, "countNumber")
    is_age = selection["countType"] in _AGE_TYPES
    if is_age != ("countUnit" in selection):
        _reject(_NO_MATCH)
    if is_age:
        _check_choice(selection, "countUnit", ("days",))
    is_archive = selection["countType"] == "sinceImageTransitioned"
    if is_archive or "storageClass" in selection:
        _check_choice(selection, "storageClass", ("archive",) if is_archive else ("standard",))


def _check_action(action: JsonObject, selection: JsonObject) -> None:
    _check_choice(action, "type", ("expire", "transition"))
    is_transition = action["type"] == "transition"
    if is_transition != ("targetStorageClass" in action):
        _reject(_NO_MATCH)
    if is_transition:
        _check_choice(action, "targetStorageClass", ("archive",))
        if selection["countType"] == "sinceImageTransitioned":
            _reject("an archived image cannot be transitioned")


def _check_priorities(rules: Sequence[JsonObject]) -> None:
    priorities = Counter(rule["rulePriority"] for rule in rules)
    if repeated := sorted(priority for priority, count in priorities.items() if count > 1):
        _reject(f"rulePriority is not unique: {', '.join(map(str, repeated))}")
    statuses = Counter(
        (rule["selection"]["tagStatus"], rule["selection"].get("storageClass", "standard")) for rule in rules
    )
    for (status, _), count in statuses.items():
        if status != "tagged" and count > 1:
            _reject(f"only one rule may have tagStatus={status}")
    any_priorities = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    if any_priorities and min(any_priorities) < max(set(priorities) - set(any_priorities), default=0):
        _reject("a rule with tagStatus=any has the highest rulePriority")


def _check_object(value: object, members: tuple[set[str], set[str]]) -> JsonObject:
    """Return a JSON object that has all required members, and no others than these and the optional ones."""
    required, optional = members
    if not isinstance(value, dict):
        _reject('instance type does not match any allowed primitive type (allowed: ["object"])')
    if missing := sorted(required - value.keys()):
        _reject(f"object has missing required properties ({json.dumps(missing)})")
    if unknown := sorted(value.keys() - required - optional):
        _reject(f"object instance has properties which are not allowed by the schema: ({json.dumps(unknown)})")
    return value


def _check_choice(document: JsonObject, name: str, choices: Collection[str]) -> None:
    if document.get(name) not in choices:
        _reject(f"instance value ({document.get(name)!r}) not found in enum (possible values: {sorted(choices)})")


def _check_number(document: JsonObject, name: str) -> None:
    value = document[name]
    if type(value) is not int or value < 1:
        _reject(f"{name} is not a number from 1 on")


def _reject(reason: str) -> NoReturn:
    raise validation_error("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
