"""Detection in Terraform, with variables or a workspace for each environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.init.detect.terraform import facts as terraform
from kaizen_tasks.domain.init.detect.terraform.expressions import UnsupportedExpressionError, Value, evaluate
from kaizen_tasks.domain.init.detect.terraform.hcl import HclError, parse_hcl
from tests.domain.init.samples import TERRAFORM

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.evidence import Facts

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
    assert (found["mark"].source_of("repository"), found["mark"].source_of("url")) == (
        "infra/app.tf:2",
        "infra/app.tf:15",
    )


def test_workspaces_are_environments_that_other_sources_show() -> None:
    """Terraform files do not name them."""
    found = terraform.facts_from_terraform(WORKSPACES, ("staging", "prod")).environment_facts

    assert [(each.repository, each.service) for each in found] == [
        ("staging-web-app", "staging-web"),
        ("prod-web-app", "prod-web"),
    ]
    assert not terraform.facts_from_terraform(WORKSPACES, ()).environment_facts


class Names:
    """A scope with some values."""

    def __init__(self, **values: Value) -> None:
        self.values = values

    def resolve(self, names: tuple[str, ...]) -> tuple[Value, int]:
        if names[0] != "var" or names[1] not in self.values:
            raise UnsupportedExpressionError(".".join(names))
        return self.values[names[1]], 2


def evaluated(written: str) -> Value:
    """Return the value of an expression in an environment called prod."""
    node = parse_hcl("x.tf", f"x = {written}\n").attributes["x"].node
    return evaluate(node, Names(env="prod", name="web", names={"prod": "live", "dev": "d"}, list=("a", "b")))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"plain"', "plain"),
        ("var.env", "prod"),
        ('"${var.env}-${var.name}"', "prod-web"),
        ('var.env == "prod" ? "live" : var.unknown', "live"),
        ('var.env != "prod" ? "x" : (var.env == "dev" ? "y" : "z")', "z"),
        ('"${var.env == "prod" ? "www" : var.env}.example.com" # the domain', "www.example.com"),
        ("var.names[var.env]", "live"),
        ("var.names.dev", "d"),
        ('lookup(var.names, "qa", "none")', "none"),
        ('format("%s-%s", var.env, upper(var.name))', "prod-WEB"),
        ('join("-", concat(var.list, ["c"]))', "a-b-c"),
        ('{ for name, value in var.names : value => upper(name) if name != "dev" }', {"live": "PROD"}),
        ('[for each in var.list : "${each}!"]', ("a!", "b!")),
        ('coalesce(var.missing, "", var.name)', "web"),
        ('merge(var.names, { dev = "x" })["dev"]', "x"),
        ('contains(["dev"], var.env) || !false', True),
        ("{ a = var.missing, b = 1 }", {"a": None, "b": "1"}),
    ],
)
def test_expressions_are_evaluated(written: str, value: Value) -> None:
    assert evaluated(written) == value


@pytest.mark.parametrize("written", ["var.other", 'file("name")', "var.env + 1", "var.names[var.other]", "-var.env"])
def test_other_expressions_are_refused(written: str) -> None:
    """A wrong name would be worse than no name."""
    with pytest.raises(UnsupportedExpressionError):
        evaluated(written)


@pytest.mark.parametrize(("text", "line"), [('a = "x"\nb = = 2\n', 2), ("resource {", 1)])
def test_text_that_is_no_hcl_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(HclError) as raised:
        parse_hcl("x.tf", text)
    assert raised.value.line == line


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
    found = terraform.facts_from_terraform({"main.tf": SHARED}, ())

    assert found.region
    assert (found.region.value, found.region.source) == ("eu-central-1", "main.tf:16")
    assert [str(each) for each in found.ignored] == ["region us-east-1 (main.tf:15): commented out"]


@pytest.mark.parametrize(
    ("tag", "follow"), [("latest", "latest"), ("${var.unknown}", ""), ("${each.value.domain}", "dev.shop.example")]
)
def test_tag_is_that_of_the_image(tag: str, follow: str) -> None:
    text = SHARED.replace("EACH", "var.environments").replace("TAG", tag)

    assert terraform.facts_from_terraform({"main.tf": text}, ()).environment_facts[0].follow == follow


@pytest.mark.parametrize("each", ["data.some.thing", "var.missing", "local.missing", "", '{ "a b" = 1 }'])
def test_for_each_that_cannot_be_read_names_no_environment(each: str) -> None:
    assert terraform.facts_from_terraform({"main.tf": SHARED.replace("EACH", each)}, ()).environments == ()


APP_MODULE = """\
variable "env" {}
variable "size" { default = "small" }
resource "aws_ecr_repository" "this" { name = "shop-${var.env}" }
resource "aws_apprunner_service" "this" {
  count        = var.size == "none" ? 0 : 1
  service_name = "shop-${var.env}"
  source_configuration {
    image_repository {
      image_identifier = "${aws_ecr_repository.this.repository_url}:stable"
      image_configuration { port = 3000 }
    }
  }
}
"""


def services(files: dict[str, str], environments: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """Return environment, service and repository of each fact."""
    found: Facts = terraform.facts_from_terraform(files, environments)
    return [(each.environment, each.service, each.repository) for each in found.environment_facts]


def test_folders_of_environments_call_one_module() -> None:
    files = {
        "modules/app/main.tf": APP_MODULE,
        **{
            f"live/{name}/main.tf": f'module "app" {{\n  source = "../../modules/app"\n  env = "{name}"\n}}\n'
            for name in ("qa", "prod")
        },
    }

    assert services(files) == [("prod", "shop-prod", "shop-prod"), ("qa", "shop-qa", "shop-qa")]
    assert {each.value for each in terraform.facts_from_terraform(files, ()).ports} == {"3000"}


def test_a_resource_that_is_not_created_is_left_out() -> None:
    call = 'module "app" {\n  source = "./app"\n  env = "prod"\n  size = "none"\n}\n'
    assert services({"app/main.tf": APP_MODULE, "main.tf": call}) == []


def test_modules_may_take_outputs_of_each_other() -> None:
    files = {
        "main.tf": 'module "app" {\n  source = "./app"\n  env = "prod"\n  host = module.data.host\n}\n'
        'module "data" {\n  source = "./data"\n  group = module.app.group\n}\n',
        "app/main.tf": APP_MODULE + 'variable "host" {}\noutput "group" {\n  value = "${var.env}-${var.host}"\n}\n',
        "data/main.tf": 'variable "group" {}\noutput "host" {\n  value = var.group\n}\n',
    }

    assert services(files) == [("prod", "shop-prod", "shop-prod")]


def test_a_module_that_calls_itself_ends() -> None:
    assert (
        services({"main.tf": 'module "a" {\n  source = "./b"\n}\n', "b/main.tf": 'module "b" { source = "../b" }\n'})
        == []
    )


def test_environments_of_workspaces_are_those_that_names_depend_on() -> None:
    names = '{ staging = "shop-test", prod = "legacy-shop" }'
    files = {
        "main.tf": f"locals {{ names = {names} }}\n"
        'resource "aws_apprunner_service" "app" { service_name = local.names[terraform.workspace] }\n'
    }
    assert services(files) == [("staging", "shop-test", ""), ("prod", "legacy-shop", "")]


def test_a_literal_name_belongs_to_no_environment() -> None:
    """Three workspaces cannot have one service."""
    files = {"main.tf": 'resource "aws_apprunner_service" "app" { service_name = "shop" }\n'}
    assert services(files) == services(files, ("staging", "prod")) == [("", "shop", "")]


@pytest.mark.parametrize(
    ("resource", "platform"),
    [
        ('resource "aws_elastic_beanstalk_environment" "app" { name = "api" }', "AWS Elastic Beanstalk"),
        ('resource "aws_lambda_function" "app" { function_name = "api" }', "AWS Lambda"),
    ],
)
def test_services_of_other_platforms_are_told(resource: str, platform: str) -> None:
    found = terraform.facts_from_terraform({"main.tf": resource}, ())

    assert found.foreign_platform is not None
    assert (found.foreign_platform.value, found.foreign_platform.source) == (platform, "main.tf:1")


def test_services_that_are_built_from_source_are_listed() -> None:
    text = """\
resource "aws_apprunner_service" "app" {
  service_name = "shop"
  source_configuration {
    code_repository { repository_url = "https://github.com/team/shop" }
  }
}
"""
    (ignored,) = terraform.facts_from_terraform({"main.tf": text}, ()).ignored
    assert str(ignored).startswith("service shop (main.tf:1): App Runner builds it from source")


def test_a_file_that_cannot_be_read_is_listed_and_the_others_count() -> None:
    files = {"a.tf": "resource {", "b.tf": 'resource "aws_apprunner_service" "app" { service_name = "shop" }'}
    found = terraform.facts_from_terraform(files, ())

    assert [each.source for each in found.ignored] == ["a.tf:1"]
    assert [each.service for each in found.environment_facts] == ["shop"]
