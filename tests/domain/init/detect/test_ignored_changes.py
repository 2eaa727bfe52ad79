"""Services of ECS whose image Terraform would set back."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.terraform.ignored_changes import find_contested_services


@pytest.mark.parametrize(
    "lifecycle",
    [
        "lifecycle { ignore_changes = [task_definition, desired_count] }",
        'lifecycle { ignore_changes = ["task_definition"] }',
        "lifecycle { ignore_changes = all }",
    ],
)
def test_a_service_that_ignores_its_definition_is_left_alone(lifecycle: str) -> None:
    text = f'resource "aws_ecs_service" "web" {{\n  {lifecycle}\n}}\n'
    assert not [*find_contested_services({"main.tf": text})]


def test_services_that_set_the_image_back_are_named_with_what_to_ignore() -> None:
    text = (
        'resource "aws_ecs_service" "web" {\n  lifecycle { ignore_changes = [desired_count] }\n}\n'
        'resource "aws_ecs_express_gateway_service" "api" {\n  lifecycle { ignore_changes = [cpu] }\n}\n'
    )
    found = [*find_contested_services({"main.tf": text, "broken.tf": "resource {"})]
    assert [(each.place, each.address, each.attribute) for each in found] == [
        ("main.tf:1", "aws_ecs_service.web", "task_definition"),
        ("main.tf:4", "aws_ecs_express_gateway_service.api", "primary_container"),
    ]


def test_the_image_of_the_container_alone_may_be_ignored() -> None:
    lifecycle = "lifecycle { ignore_changes = [primary_container[0].image] }"
    text = f'resource "aws_ecs_express_gateway_service" "api" {{\n  {lifecycle}\n}}\n'
    assert not [*find_contested_services({"main.tf": text})]
