"""What ECR refuses as a lifecycle policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.localcloud.ecr.lifecycle_policy import check_lifecycle_policy
from kaizen_tasks.localcloud.server.aws_json import ServiceError

ANY: dict[str, Any] = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50}
UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
TAGGED = {**UNTAGGED, "tagStatus": "tagged", "tagPrefixList": ["v"]}
ARCHIVED = {**UNTAGGED, "tagStatus": "any", "countType": "sinceImageTransitioned", "storageClass": "archive"}
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def rule(priority: object, selection: object, action: object = EXPIRE, **members: object) -> dict[str, object]:
    return {"rulePriority": priority, "selection": selection, "action": action, **members}


def policy(*rules: object) -> str:
    return json.dumps({"rules": rules})


@pytest.mark.parametrize(
    "rules",
    [
        [rule(1, ANY, description="keep fifty")],
        [rule(1, TAGGED), rule(5, UNTAGGED), rule(9, ANY)],
        [rule(1, {**UNTAGGED, "tagStatus": "tagged", "tagPatternList": ["*a*b*c*"]})],
        [rule(1, UNTAGGED, ARCHIVE), rule(3, ARCHIVED)],
        [rule(2, TAGGED), rule(1, TAGGED)],
    ],
)
def test_policy_is_accepted(rules: list[object]) -> None:
    check_lifecycle_policy(policy(*rules))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no policy",
        "[]",
        '{"rules": NaN}',
        "[" * 100_000,
        policy(),
        policy("rule"),
        policy(*(rule(number, TAGGED) for number in range(1, 52))),
        json.dumps({"rules": [rule(1, ANY)], "version": 1}),
        policy({"selection": ANY, "action": EXPIRE}),
        policy(rule(1, ANY, number=2)),
        policy(rule(0, ANY)),
        policy(rule(True, ANY)),
        policy(rule("1", ANY)),
        policy(rule(1, ANY, description=["x"])),
        policy(rule(1, "any")),
        policy(rule(1, {**ANY, "tagStatus": "all"})),
        policy(rule(1, {**ANY, "tagStatus": ["any"]})),
        policy(rule(1, {**ANY, "countUnit": "days"})),
        policy(rule(1, {**ANY, "countNumber": 0})),
        policy(rule(1, {**ANY, "countNumber": 1.5})),
        policy(rule(1, {**ANY, "countType": "imageAge"})),
        policy(rule(1, {**ANY, "tagPrefixList": ["v"]})),
        policy(rule(1, {**UNTAGGED, "countUnit": "hours"})),
        policy(rule(1, {name: value for name, value in UNTAGGED.items() if name != "countUnit"})),
        policy(rule(1, {**UNTAGGED, "storageClass": "archive"})),
        policy(rule(1, {name: value for name, value in ARCHIVED.items() if name != "storageClass"})),
        policy(rule(1, {**UNTAGGED, "tagStatus": "tagged"})),
        policy(rule(1, {**TAGGED, "tagPatternList": ["v*"]})),
        policy(rule(1, {**TAGGED, "tagPrefixList": []})),
        policy(rule(1, {**TAGGED, "tagPrefixList": [1]})),
        policy(rule(1, {**UNTAGGED, "tagStatus": "tagged", "tagPatternList": ["*1*2*3*4*5"]})),
        policy(rule(1, ANY, {"type": "delete"})),
        policy(rule(1, ANY, {"type": "expire", "targetStorageClass": None})),
        policy(rule(1, ANY, {"type": "transition"})),
        policy(rule(1, ARCHIVED, ARCHIVE)),
        policy(rule(1, TAGGED), rule(1, UNTAGGED)),
        policy(rule(1, UNTAGGED), rule(2, UNTAGGED)),
        policy(rule(1, ANY), rule(2, TAGGED)),
    ],
)
def test_policy_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="Lifecycle policy validation failure") as caught:
        check_lifecycle_policy(text)
    assert caught.value.code == "InvalidParameterException"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["any", "tagged", "expire", "days"]),
    lambda children: (
        st.lists(children, max_size=2)
        | st.dictionaries(
            st.sampled_from(["rules", "rulePriority", "selection", "action", "type", *TAGGED]), children, max_size=4
        )
    ),
    max_leaves=12,
)


def outcome(text: str) -> str:
    try:
        check_lifecycle_policy(text)
    except ServiceError as error:
        return error.code
    return "accepted"


@given(VALUES)
def test_any_document_is_accepted_or_refused_with_a_reason(document: object) -> None:
    texts = (json.dumps(document), policy(rule(1, document)), policy(rule(1, ANY, document)))
    assert {outcome(text) for text in texts} <= {"accepted", "InvalidParameterException"}
