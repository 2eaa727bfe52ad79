"""Task definitions: the container of the app, and the next revision."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.aws.ecs.task_definition import find_container, pinned_digest, registration
from kaizen_tasks.errors import Refused
from tests.adapters.aws.ecs.answers import NEW_IMAGE, OLD_IMAGE, container, definition


def test_next_revision_differs_in_the_image_of_one_container_alone() -> None:
    answer = definition(container(), container("proxy", "proxy:1"))
    document = answer["taskDefinition"]

    request = registration(document, container="web", image=NEW_IMAGE, tags=answer["tags"])

    assert request["containerDefinitions"] == [container(image=NEW_IMAGE), container("proxy", "proxy:1")]
    for member in ("family", "cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn"):
        assert request[member] == document[member]


@pytest.mark.parametrize(
    "member",
    [
        *("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities"),
        *("registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt"),
    ],
)
def test_members_that_only_ecs_sets_are_left_out(member: str) -> None:
    document = definition(deregisteredAt=1, deleteRequestedAt=1)["taskDefinition"]

    assert member not in registration(document, container="web", image=NEW_IMAGE, tags=())


def test_tags_are_kept_but_those_of_aws() -> None:
    answer = definition()

    request = registration(answer["taskDefinition"], container="web", image=NEW_IMAGE, tags=answer["tags"])

    assert request["tags"] == [{"key": "team", "value": "coach"}]


def test_app_is_the_essential_container() -> None:
    document = definition(container("log", essential=False), container("web"))["taskDefinition"]

    assert find_container(document, "")["name"] == "web"


def test_container_is_essential_unless_it_says_otherwise() -> None:
    document = definition({"name": "web", "image": OLD_IMAGE})["taskDefinition"]

    assert find_container(document, "")["name"] == "web"


def test_app_is_the_configured_container() -> None:
    document = definition(container("proxy"), container("web"))["taskDefinition"]

    assert find_container(document, "web")["name"] == "web"


def test_several_essential_containers_are_named() -> None:
    document = definition(container("proxy"), container("web"))["taskDefinition"]

    with pytest.raises(Refused, match="2 essential containers: proxy, web") as caught:
        find_container(document, "")

    assert 'container = "proxy"' in caught.value.hint


def test_containers_are_named_when_the_configured_one_is_missing() -> None:
    with pytest.raises(Refused, match="no container app; it has web"):
        find_container(definition()["taskDefinition"], "app")


@pytest.mark.parametrize(
    ("image", "digest"), [("host/web@sha256:1a2b", "sha256:1a2b"), ("host:5000/web:latest", ""), ("", "")]
)
def test_digest_of_a_reference(image: str, digest: str) -> None:
    assert pinned_digest(image) == digest
