"""Facts in task definitions, and in the configuration of ecspresso."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.ecs.task_definitions import environment_of_path, facts_from_definitions

DEFINITION = """\
{
  "family": "shop",
  "runtimePlatform": {"cpuArchitecture": "ARM64"},
  "containerDefinitions": [
    {"name": "logs", "image": "fluent/fluent-bit:3", "essential": false},
    {
      "name": "web",
      "image": "432143214321.dkr.ecr.eu-north-1.amazonaws.com/shop:{{ must_env `TAG` }}",
      "portMappings": [{"containerPort": 3000}]
    }
  ]
}
"""
SERVICE = '{"loadBalancers": [{"containerName": "web", "containerPort": 3000, "targetGroupArn": "a"}]}'


def test_ecspresso_names_service_and_cluster_and_the_definition_the_rest() -> None:
    texts = {
        "ecs/ecspresso.yml": (
            "region: eu-north-1\ncluster: shop-{{ must_env `ENV` }}\nservice: web\n"
            "service_definition: service.json\ntask_definition: task.json\n"
        ),
        "ecs/task.json": DEFINITION,
        "ecs/service.json": SERVICE,
    }
    found = facts_from_definitions(texts)

    (fact,) = found.environment_facts
    assert (fact.platform, fact.cluster, fact.service, fact.container) == ("ecs", "shop-{env}", "web", "web")
    assert (fact.repository, fact.region, fact.environment) == ("shop", "eu-north-1", "")
    assert fact.source_of("cluster") == "ecs/ecspresso.yml:2"
    assert [each.value for each in found.architectures] == ["arm64"]
    assert [(each.value, each.source) for each in found.ports] == [("3000", "ecs/task.json:4")]


def test_jsonnet_with_comments_is_read() -> None:
    text = (
        "{\n  // where\n  cluster: 'shop',\n  service: 'shop-{{ must_env `STAGE` }}',\n"
        "  task_definition: 'x.jsonnet',\n}\n"
    )
    (fact,) = facts_from_definitions({"ecspresso.jsonnet": text}).environment_facts
    assert (fact.cluster, fact.service) == ("shop", "shop-{env}")


def test_names_that_only_a_variable_says_are_not_used() -> None:
    text = "cluster: '{{ must_env `CLUSTER` }}'\nservice: web\ntask_definition: x.json\n"
    (fact,) = facts_from_definitions({"ecspresso.yml": text}).environment_facts
    assert (fact.cluster, fact.service) == ("", "web")


def test_a_definition_alone_shows_the_container_for_the_environment_of_its_path() -> None:
    (fact,) = facts_from_definitions({".aws/task-definition-prod.json": DEFINITION}).environment_facts
    assert (fact.environment, fact.container, fact.service) == ("prod", "web", "")


def test_beside_environments_that_are_deployed_to_a_file_names_none() -> None:
    found = facts_from_definitions({".aws/task-definition_dev.json": DEFINITION}, ["staging", "production"])
    assert [fact.environment for fact in found.environment_facts] == [""]


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        ("ecs/staging/task.json", "staging"),
        ("task-def.prod.json", "prod"),
        ("ecspresso_production.yml", "production"),
        ("tests/test-task.json", ""),
        ("task.json", ""),
    ],
)
def test_a_path_names_an_environment_by_a_conventional_name(path: str, environment: str) -> None:
    assert environment_of_path(path) == environment


def test_other_documents_show_nothing() -> None:
    texts = {"a.yml": "task_definition: [", "b.json": '{"task_definition": "x"}', "c.txt": "containerDefinitions"}
    assert facts_from_definitions(texts).environment_facts == ()
