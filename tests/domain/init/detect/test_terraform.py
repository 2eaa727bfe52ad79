"""Detection in Terraform, with variables or a workspace for each environment."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect import terraform, terraform_expr
from tests.domain.init.samples import TERRAFORM

WORKSPACES = {
    "main.tf": """\
locals {
  prefix = "${terraform.workspace}-web"
}
resource "aws_ecr_repository" "app" {
  name = "${local.prefix}-app"
}
resource "aws_apprunner_service" "app" {
  service_name = local.prefix
}
"""
}


def test_names_are_evaluated_with_the_variables_of_each_environment() -> None:
    """Prod differs by its variables and by a condition."""
    found = {each.environment: each for each in terraform.facts_from_terraform(TERRAFORM, ()).environment_facts}

    assert set(found) == {"staging", "prod", "mark", "shane", "dom"}
    assert found["prod"].repository == "my-personal-coach-app"
    assert found["prod"].service == "my-personal-coach-service"
    assert found["prod"].url == "https://www.kaizencoach.training"
    assert found["mark"].repository == "mark-kaizencoach-app"
    assert found["mark"].url == "https://mark.kaizencoach.training"
    assert found["mark"].source == "infra/app.tf"


def test_workspaces_are_environments_that_other_sources_show() -> None:
    """Terraform files do not name them."""
    found = terraform.facts_from_terraform(WORKSPACES, ("staging", "prod")).environment_facts

    assert [(each.repository, each.service) for each in found] == [
        ("staging-web-app", "staging-web"),
        ("prod-web-app", "prod-web"),
    ]
    assert not terraform.facts_from_terraform(WORKSPACES, ()).environment_facts


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"plain"', "plain"),
        ("var.env", "prod"),
        ('"${var.env}-${var.name}"', "prod-web"),
        ('var.env == "prod" ? "live" : var.unknown', "live"),
        ('var.env != "prod" ? "x" : (var.env == "dev" ? "y" : "z")', "z"),
        ('"${var.env == "prod" ? "www" : var.env}.example.com" # the domain', "www.example.com"),
    ],
)
def test_text_references_and_conditionals_are_evaluated(written: str, value: str) -> None:
    assert terraform_expr.evaluate(written, {"var.env": "prod", "var.name": "web"}) == value


@pytest.mark.parametrize(
    "written", ["var.other", 'format("%s", var.env)', '"${lower(var.env)}"', "var.env ==", '"a" "b"']
)
def test_other_expressions_are_refused(written: str) -> None:
    """A wrong name would be worse than no name."""
    with pytest.raises(terraform_expr.UnsupportedExpressionError):
        terraform_expr.evaluate(written, {"var.env": "prod"})


SHARED = """\
variable "environments" { default = { dev = { domain = "dev.shop.example" }, prod = { domain = "shop.example" } } }
resource "aws_ecr_repository" "app" { name = "shop" }
resource "aws_apprunner_service" "app" {
  for_each     = EACH
  service_name = "shop-${each.key}"
  source_configuration {
    image_repository {
      image_identifier = "${aws_ecr_repository.app.repository_url}:TAG"
    }
  }
}
locals {
  stages = toset(["dev", "prod"])
}
# an old account: us-east-1
provider "aws" { region = "eu-central-1" }
"""
"""One repository for all environments."""


@pytest.mark.parametrize(
    "each",
    [
        "var.environments",
        "local.stages",
        'toset(["dev", "prod"])',
        '{ dev = "a", "prod" = "b" }',
        "{\n    dev  = { cpu = 1 }\n    prod = { cpu = 2 }\n  }",
    ],
)
def test_keys_of_for_each_are_environments_that_share_a_repository(each: str) -> None:
    text = SHARED.replace("EACH", each).replace("TAG", "${each.key}")

    found = terraform.facts_from_terraform({"main.tf": text}, ())

    assert [(fact.environment, fact.repository, fact.follow, fact.service) for fact in found.environment_facts] == [
        ("dev", "shop", "dev", "shop-dev"),
        ("prod", "shop", "prod", "shop-prod"),
    ]


def test_region_in_a_comment_is_none() -> None:
    assert terraform.facts_from_terraform({"main.tf": SHARED}, ()).region == "eu-central-1"


@pytest.mark.parametrize(
    ("tag", "follow"), [("latest", "latest"), ("${var.unknown}", ""), ("${each.value.domain}", "dev.shop.example")]
)
def test_tag_is_that_of_the_image(tag: str, follow: str) -> None:
    text = SHARED.replace("EACH", "var.environments").replace("TAG", tag)

    assert terraform.facts_from_terraform({"main.tf": text}, ()).environment_facts[0].follow == follow


@pytest.mark.parametrize("each", ["data.some.thing", "var.missing", "local.missing", "", '{ "a b" = 1 }'])
def test_for_each_that_cannot_be_read_names_no_environment(each: str) -> None:
    assert terraform.facts_from_terraform({"main.tf": SHARED.replace("EACH", each)}, ()).environment_facts == ()
