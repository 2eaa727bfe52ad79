"""Detection in templates of CloudFormation."""

from __future__ import annotations

import json

from kaizen_tasks.domain.init.detect.cloudformation import facts_from_template
from kaizen_tasks.domain.init.evidence import Trust

TEMPLATE = """\
Parameters:
  Name: {Type: String, Default: shop}
Resources:
  Images:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: acme-shop
  Web:
    Type: AWS::AppRunner::Service
    Properties:
      ServiceName: !Sub "${Name}-web"
      SourceConfiguration:
        ImageRepository:
          ImageIdentifier: !Sub "${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/acme-shop:live"
          ImageConfiguration: {Port: "9000"}
"""


def test_literal_names_are_known_and_defaults_of_parameters_are_guesses() -> None:
    found = facts_from_template("template.yaml", TEMPLATE)

    repository, service = found.environment_facts
    assert (repository.repository, repository.trust) == ("acme-shop", Trust.TERRAFORM)
    assert (service.service, service.repository, service.follow) == ("shop-web", "acme-shop", "live")
    assert service.is_old("service")
    assert [each.value for each in (*found.ports, *found.regions)] == ["9000", "eu-west-1"]
    assert service.source == "template.yaml:9"


def test_a_template_in_json_has_an_environment_for_each_value_of_its_parameter() -> None:
    name = {"Fn::Sub": "shop-${Environment}"}
    template = {
        "Parameters": {"Environment": {"Type": "String", "AllowedValues": ["staging", "prod"]}},
        "Resources": {"Web": {"Type": "AWS::AppRunner::Service", "Properties": {"ServiceName": name}}},
    }
    found = facts_from_template("app.json", json.dumps(template))

    services = [(each.environment, each.service) for each in found.environment_facts]
    assert services == [("staging", "shop-staging"), ("prod", "shop-prod")]


def test_a_name_that_the_template_does_not_say_is_listed() -> None:
    template = "Resources:\n  Web:\n    Type: AWS::AppRunner::Service\n    Properties: {}\n"
    found = facts_from_template("t.yaml", template)

    assert found.environment_facts == ()
    assert "service Web (t.yaml:3): the template does not say its name" in str(found.ignored[0])


def test_another_file_shows_nothing() -> None:
    assert facts_from_template("compose.yaml", "services: {}\n").environment_facts == ()


ECS_TEMPLATE = """\
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties:
      ClusterName: shop
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RuntimePlatform: {CpuArchitecture: ARM64}
      ContainerDefinitions:
        - Name: proxy
          Image: envoyproxy/envoy
        - Name: web
          Image: 432143214321.dkr.ecr.eu-west-1.amazonaws.com/shop:latest
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: shop-web
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      LoadBalancers:
        - ContainerName: web
          ContainerPort: 3000
"""


def test_a_service_of_ecs_has_cluster_container_and_port() -> None:
    found = facts_from_template("template.yml", ECS_TEMPLATE)

    (fact,) = found.environment_facts
    assert (fact.platform, fact.service, fact.cluster, fact.container) == ("ecs", "shop-web", "shop", "web")
    assert (fact.repository, [each.value for each in found.ports]) == ("shop", ["3000"])
    assert [each.value for each in found.architectures] == ["arm64"]
    assert found.ignored == ()


def test_a_template_of_the_cdk_refers_by_functions() -> None:
    text = (
        '{"Resources": {"C1": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "shop"}},'
        ' "S1": {"Type": "AWS::ECS::Service",'
        '        "Properties": {"Cluster": {"Ref": "C1"}, "TaskDefinition": {"Ref": "T1"}}},'
        ' "T1": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "web"}]}}}}'
    )
    (fact,) = facts_from_template("cdk.out/Shop.template.json", text).environment_facts
    assert (fact.platform, fact.service, fact.cluster, fact.container) == ("ecs", "", "shop", "web")


def test_a_service_of_express_mode() -> None:
    text = (
        "Resources:\n  Api:\n    Type: AWS::ECS::ExpressGatewayService\n    Properties:\n      ServiceName: shop-api\n"
        "      PrimaryContainer:\n        Image: 432143214321.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:12\n"
        "        ContainerPort: 8000\n"
    )
    found = facts_from_template("template.yml", text)

    (fact,) = found.environment_facts
    assert (fact.platform, fact.service, fact.repository) == ("ecs-express", "shop-api", "shop")
    assert [each.value for each in found.ports] == ["8000"]
