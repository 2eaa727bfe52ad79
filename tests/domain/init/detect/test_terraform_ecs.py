"""Services of ECS that Terraform creates: resources, Express Mode, published modules, accounts of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.init.detect.terraform.facts import facts_from_terraform

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.evidence import EnvironmentFact

SERVICE = """\
variable "environment" {}
variable "account_id" {}
locals { name = "shop-${var.environment}" }
provider "aws" {
  region = var.environment == "prod" ? "eu-central-1" : "eu-west-1"
  assume_role { role_arn = "arn:aws:iam::${var.account_id}:role/deploy" }
}
resource "aws_ecr_repository" "app" { name = "shop" }
resource "aws_ecs_cluster" "main" { name = local.name }
resource "aws_ecs_task_definition" "web" {
  family = local.name
  runtime_platform { cpu_architecture = "ARM64" }
  container_definitions = jsonencode([
    {
      name = "web", image = "${aws_ecr_repository.app.repository_url}:${var.tag}"
      portMappings = [{ containerPort = 3000 }]
    },
  ])
}
resource "aws_ecs_service" "worker" {
  name    = "worker"
  cluster = aws_ecs_cluster.main.id
}
resource "aws_ecs_service" "web" {
  name            = "web"
  cluster         = aws_ecs_cluster.main.arn
  task_definition = aws_ecs_task_definition.web.arn
  dynamic "load_balancer" {
    for_each = [1]
    content {
      container_name = "web"
      container_port = 3000
    }
  }
}
resource "aws_route53_record" "web" {
  name = "${var.environment}.shop.example"
  type = "A"
}
"""
VARIABLES = {
    f"infra/{name}.tfvars": f'environment = "{name}"\naccount_id = "{account}"\n'
    for name, account in (("staging", "432143214321"), ("prod", "567856785678"))
}


def values(fact: EnvironmentFact, *keys: str) -> tuple[str, ...]:
    return tuple(getattr(fact, key) for key in keys)


def test_a_service_with_its_cluster_container_image_address_and_account() -> None:
    """A service that no request reaches is another one; services share a name in clusters of their own."""
    found = facts_from_terraform({"infra/main.tf": SERVICE, **VARIABLES}, ())

    by_name = {each.environment: each for each in found.environment_facts}
    assert values(by_name["prod"], "platform", "service", "cluster", "container") == ("ecs", "web", "shop-prod", "web")
    assert values(by_name["prod"], "url", "repository", "region") == (
        "https://prod.shop.example",
        "shop",
        "eu-central-1",
    )
    assert values(by_name["staging"], "account", "role", "cluster") == (
        "432143214321",
        "arn:aws:iam::432143214321:role/deploy",
        "shop-staging",
    )
    assert by_name["prod"].source_of("cluster") == "infra/main.tf:26"
    assert {each.value for each in found.ports} == {"3000"}
    assert {each.value for each in found.architectures} == {"arm64"}
    assert {each.value for each in found.platforms} == {"ecs"}


def test_a_service_of_express_mode_is_in_the_default_cluster() -> None:
    text = (
        'resource "aws_ecr_repository" "a" { name = "shop" }\n'
        'resource "aws_ecs_express_gateway_service" "a" {\n  service_name = "shop-api"\n'
        '  primary_container {\n    image = "${aws_ecr_repository.a.repository_url}:latest"\n'
        "    container_port = 8000\n  }\n}\n"
    )
    found = facts_from_terraform({"main.tf": text}, ())

    (fact,) = found.environment_facts
    assert values(fact, "platform", "service", "cluster", "repository", "follow") == (
        "ecs-express",
        "shop-api",
        "default",
        "shop",
        "",
    )
    assert [each.value for each in found.platforms] == ["ecs-express"]
    assert [each.value for each in found.ports] == ["8000"]


def test_a_definition_in_a_text_of_several_lines_is_read() -> None:
    text = (
        'resource "aws_ecs_task_definition" "a" {\n  container_definitions = <<-EOF\n'
        '    [{"name": "${local.name}", "image": "${var.image}", "portMappings": [{"containerPort": ${var.port}}]}]\n'
        '  EOF\n}\nlocals { name = "web" }\n'
        'resource "aws_ecs_service" "a" { name = "shop" }\n'
    )
    (fact,) = facts_from_terraform({"main.tf": text}, ()).environment_facts
    assert values(fact, "service", "container") == ("shop", "web")


def test_published_modules_for_services() -> None:
    text = (
        'module "ecs" {\n  source = "terraform-aws-modules/ecs/aws//modules/cluster"\n  name = "shop"\n}\n'
        'module "web" {\n  source = "terraform-aws-modules/ecs/aws//modules/service"\n  name = "shop-web"\n'
        "  cluster_arn = module.ecs.cluster_arn\n  container_definitions = {\n"
        '    web = {\n      image = "432143214321.dkr.ecr.eu-west-1.amazonaws.com/shop:1"\n'
        "      port_mappings = [{ containerPort = 80 }]\n    }\n"
        "  }\n}\n"
    )
    found = facts_from_terraform({"main.tf": text}, ())

    (fact,) = found.environment_facts
    assert values(fact, "platform", "service", "cluster", "container", "repository") == (
        "ecs",
        "shop-web",
        "shop",
        "web",
        "shop",
    )


def test_a_published_module_of_several_services() -> None:
    text = (
        'module "ecs" {\n  source = "terraform-aws-modules/ecs/aws"\n  cluster_name = "shop"\n'
        "  services = {\n    web = { container_definitions = { app = { image = var.image } } }\n"
        "    worker = {}\n  }\n}\n"
    )
    found = facts_from_terraform({"main.tf": text}, ()).environment_facts
    assert [values(each, "service", "cluster", "container") for each in found] == [
        ("web", "shop", "app"),
        ("worker", "shop", ""),
    ]


def test_the_cluster_of_an_arn_is_its_name() -> None:
    arn = "arn:aws:ecs:eu-west-1:432143214321:cluster/shop"
    text = f'resource "aws_ecs_service" "a" {{\n  name = "web"\n  cluster = "{arn}"\n}}\n'
    (fact,) = facts_from_terraform({"main.tf": text}, ()).environment_facts
    assert fact.cluster == "shop"


def test_the_same_word_in_front_of_every_stage_is_no_part_of_its_name() -> None:
    files = {f"shop-{name}.tfvars": f'service_name = "{name}-shop"\n' for name in ("dev", "prod")}
    text = 'variable "service_name" {}\nresource "aws_ecs_service" "a" { name = var.service_name }\n'
    found = facts_from_terraform({"main.tf": text, **files}, ())
    assert found.environments == ("dev", "prod")


def test_the_account_that_a_provider_is_allowed() -> None:
    text = (
        'variable "env" { default = "prod" }\nprovider "aws" { allowed_account_ids = ["432143214321"] }\n'
        'resource "aws_ecs_service" "a" { name = "web" }\n'
    )
    (fact,) = facts_from_terraform({"main.tf": text}, ()).environment_facts
    assert values(fact, "account", "role") == ("432143214321", "")
