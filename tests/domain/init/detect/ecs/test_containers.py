"""The container of a task definition that runs the app."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.ecs.containers import Container, app_container

REGISTRY = "123412341234.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    "definitions",
    [
        [
            {"name": "proxy", "image": "envoyproxy/envoy", "portMappings": [{"containerPort": 80}]},
            {"name": "web", "image": f"{REGISTRY}/shop:latest", "portMappings": [{"containerPort": 8080}]},
        ],
        {
            "logs": {"image": "fluent/fluent-bit", "essential": False},
            "web": {"image": f"{REGISTRY}/shop@sha256:12", "port_mappings": [{"container_port": "8080"}]},
        },
        [{"Name": "web", "Image": f"{REGISTRY}/shop", "PortMappings": [{"ContainerPort": 8080}]}],
    ],
)
def test_the_container_with_an_image_of_ecr_runs_the_app(definitions: object) -> None:
    container = app_container(definitions)
    assert (container.name, container.repository, container.port) == ("web", "shop", "8080")


def test_without_an_image_of_ecr_it_is_the_one_that_listens() -> None:
    found = app_container(
        [{"name": "cron", "image": "$IMAGE"}, {"name": "web", "portMappings": [{"containerPort": 1}]}]
    )
    assert (found.name, found.repository) == ("web", "")


@pytest.mark.parametrize("definitions", [None, "text", [], [{"name": None}], [1]])
def test_what_is_no_definition_shows_nothing(definitions: object) -> None:
    assert app_container(definitions) == Container()
