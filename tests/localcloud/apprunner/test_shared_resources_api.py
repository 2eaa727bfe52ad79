"""Auto-scaling configurations, VPC connectors and observability configurations by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

ROLE = {"AccessRoleArn": "arn:aws:iam::123456789012:role/pulls"}


@pytest.fixture
def apprunner(cloud: Cloud) -> Any:
    return cloud.client("apprunner")


def error_code(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_auto_scaling_configurations_have_revisions(apprunner: Any) -> None:
    create, tags = apprunner.create_auto_scaling_configuration, [{"Key": "team", "Value": "web"}]
    first = create(AutoScalingConfigurationName="revisions", MaxSize=3, Tags=tags)["AutoScalingConfiguration"]
    second = create(AutoScalingConfigurationName="revisions", MinSize=2, MaxSize=5)["AutoScalingConfiguration"]
    arn = first["AutoScalingConfigurationArn"]
    named = {"AutoScalingConfigurationArn": arn.rsplit("/", 2)[0]}
    described = apprunner.describe_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
    expected = {"AutoScalingConfigurationRevision": 1, "MaxConcurrency": 100, "MinSize": 1, "MaxSize": 3}
    assert described["AutoScalingConfiguration"].items() >= {**expected, "Latest": False, "IsDefault": False}.items()
    assert apprunner.describe_auto_scaling_configuration(**named)["AutoScalingConfiguration"] == second
    assert apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    apprunner.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    for latest_only, revisions in ((True, [2]), (False, [1, 2])):
        listed = apprunner.list_auto_scaling_configurations(
            LatestOnly=latest_only, AutoScalingConfigurationName="revisions"
        )
        summaries = listed["AutoScalingConfigurationSummaryList"]
        assert [summary["AutoScalingConfigurationRevision"] for summary in summaries] == revisions
    apprunner.delete_auto_scaling_configuration(DeleteAllRevisions=True, **named)
    assert error_code(apprunner.describe_auto_scaling_configuration, **named) == "ResourceNotFoundException"


def test_every_account_has_a_default_auto_scaling_configuration(apprunner: Any) -> None:
    listed = apprunner.list_auto_scaling_configurations(AutoScalingConfigurationName="DefaultConfiguration")
    (summary,) = listed["AutoScalingConfigurationSummaryList"]
    arn = summary["AutoScalingConfigurationArn"]
    assert arn.endswith("/DefaultConfiguration/1/00000000000000000000000000000001")
    other = apprunner.create_auto_scaling_configuration(AutoScalingConfigurationName="other-default")
    other_arn = other["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
    changed = apprunner.update_default_auto_scaling_configuration(AutoScalingConfigurationArn=other_arn)
    assert changed["AutoScalingConfiguration"]["IsDefault"] is True
    delete = apprunner.delete_auto_scaling_configuration
    assert error_code(delete, AutoScalingConfigurationArn=other_arn) == "InvalidRequestException"
    apprunner.update_default_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
    assert delete(AutoScalingConfigurationArn=other_arn)["AutoScalingConfiguration"]["Status"] == "INACTIVE"


def test_minimum_above_the_maximum_is_refused(apprunner: Any) -> None:
    create = apprunner.create_auto_scaling_configuration
    assert error_code(create, AutoScalingConfigurationName="upside", MinSize=9, MaxSize=3) == "InvalidRequestException"


def test_service_describes_the_shared_resources_that_it_names(cloud: Cloud, apprunner: Any) -> None:
    scaling = apprunner.create_auto_scaling_configuration(AutoScalingConfigurationName="shared-scaling")
    scaling_arn = scaling["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
    connector = apprunner.create_vpc_connector(VpcConnectorName="shared-vpc", Subnets=["subnet-1"])["VpcConnector"]
    egress = {"EgressType": "VPC", "VpcConnectorArn": connector["VpcConnectorArn"]}
    service = apprunner.create_service(
        ServiceName="shared-user",
        SourceConfiguration={
            "AuthenticationConfiguration": ROLE,
            "ImageRepository": {"ImageIdentifier": f"{cloud.registry}/nowhere:1", "ImageRepositoryType": "ECR"},
        },
        AutoScalingConfigurationArn=scaling_arn,
        NetworkConfiguration={"EgressConfiguration": egress},
    )["Service"]
    assert service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"] == scaling_arn
    assert service["NetworkConfiguration"]["EgressConfiguration"] == egress
    users = apprunner.list_services_for_auto_scaling_configuration(AutoScalingConfigurationArn=scaling_arn)
    assert users["ServiceArnList"] == [service["ServiceArn"]]
    described = apprunner.describe_auto_scaling_configuration(AutoScalingConfigurationArn=scaling_arn)
    assert described["AutoScalingConfiguration"]["HasAssociatedService"] is True
    delete = apprunner.delete_auto_scaling_configuration
    assert error_code(delete, AutoScalingConfigurationArn=scaling_arn) == "InvalidRequestException"
    delete_connector = apprunner.delete_vpc_connector
    assert error_code(delete_connector, VpcConnectorArn=connector["VpcConnectorArn"]) == "InvalidRequestException"
    assert apprunner.describe_custom_domains(ServiceArn=service["ServiceArn"])["CustomDomains"] == []


def test_vpc_connectors_are_described_listed_and_deleted(apprunner: Any) -> None:
    create = apprunner.create_vpc_connector
    connector = create(VpcConnectorName="listed", Subnets=["subnet-1", "subnet-2"], SecurityGroups=["sg-1"])
    arn = connector["VpcConnector"]["VpcConnectorArn"]
    assert apprunner.describe_vpc_connector(VpcConnectorArn=arn)["VpcConnector"] == connector["VpcConnector"]
    assert connector["VpcConnector"] in apprunner.list_vpc_connectors()["VpcConnectors"]
    assert error_code(create, VpcConnectorName="listed", Subnets=["subnet-1"]) == "InvalidRequestException"
    assert error_code(create, VpcConnectorName="empty", Subnets=[]) == "InvalidRequestException"
    assert apprunner.delete_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]["Status"] == "INACTIVE"
    assert connector["VpcConnector"] not in apprunner.list_vpc_connectors()["VpcConnectors"]
    assert error_code(apprunner.describe_vpc_connector, VpcConnectorArn=arn[:-3]) == "ResourceNotFoundException"


def test_observability_configurations_are_described_listed_and_deleted(apprunner: Any) -> None:
    trace, create = {"Vendor": "AWSXRAY"}, apprunner.create_observability_configuration
    created = create(ObservabilityConfigurationName="traces", TraceConfiguration=trace)["ObservabilityConfiguration"]
    arn = created["ObservabilityConfigurationArn"]
    described = apprunner.describe_observability_configuration(ObservabilityConfigurationArn=arn)
    assert described["ObservabilityConfiguration"] == created
    assert (created["TraceConfiguration"], created["Latest"], created["Status"]) == (trace, True, "ACTIVE")
    named = {"ObservabilityConfigurationName": "traces"}
    (summary,) = apprunner.list_observability_configurations(**named)["ObservabilityConfigurationSummaryList"]
    assert summary["ObservabilityConfigurationArn"] == arn
    apprunner.delete_observability_configuration(ObservabilityConfigurationArn=arn)
    assert apprunner.list_observability_configurations(**named)["ObservabilityConfigurationSummaryList"] == []


def test_lists_that_tools_read_are_empty(apprunner: Any) -> None:
    assert apprunner.list_connections()["ConnectionSummaryList"] == []
    assert apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"] == []
