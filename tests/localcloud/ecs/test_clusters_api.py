"""ECS's clusters by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster"


@pytest.fixture(scope="module")
def ecs(cloud: Cloud) -> Any:
    return cloud.client("ecs")


def test_default_cluster_exists(ecs: Any) -> None:
    (cluster,) = ecs.describe_clusters()["clusters"]

    assert (cluster["clusterName"], cluster["clusterArn"]) == ("default", f"{PREFIX}/default")
    assert (cluster["status"], cluster["capacityProviders"]) == ("ACTIVE", ["FARGATE", "FARGATE_SPOT"])
    assert f"{PREFIX}/default" in ecs.list_clusters()["clusterArns"]


def test_cluster_is_created_once(ecs: Any) -> None:
    created = ecs.create_cluster(clusterName="once", tags=[{"key": "team", "value": "web"}])["cluster"]

    assert ecs.create_cluster(clusterName="once")["cluster"] == created
    (described,) = ecs.describe_clusters(clusters=[f"{PREFIX}/once"], include=["TAGS", "SETTINGS"])["clusters"]
    assert described["tags"] == [{"key": "team", "value": "web"}]
    assert described["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert ecs.describe_clusters(clusters=["once"])["clusters"][0]["tags"] == []


def test_settings_are_changed(ecs: Any) -> None:
    ecs.create_cluster(clusterName="changed")
    enabled = [{"name": "containerInsights", "value": "enabled"}]

    ecs.update_cluster_settings(cluster="changed", settings=enabled)
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    ecs.put_cluster_capacity_providers(
        cluster="changed", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy
    )

    (cluster,) = ecs.describe_clusters(clusters=["changed"], include=["SETTINGS"])["clusters"]
    assert (cluster["settings"], cluster["capacityProviders"]) == (enabled, ["FARGATE"])
    assert cluster["defaultCapacityProviderStrategy"] == strategy


def test_unknown_clusters_are_failures(ecs: Any) -> None:
    answer = ecs.describe_clusters(clusters=["absent", "default"])

    assert answer["failures"] == [{"arn": f"{PREFIX}/absent", "reason": "MISSING"}]
    assert [cluster["clusterName"] for cluster in answer["clusters"]] == ["default"]


def test_deleted_cluster_is_inactive_until_it_is_created_again(ecs: Any) -> None:
    ecs.create_cluster(clusterName="brief")

    assert ecs.delete_cluster(cluster="brief")["cluster"]["status"] == "INACTIVE"

    assert f"{PREFIX}/brief" not in ecs.list_clusters()["clusterArns"]
    with pytest.raises(ClientError, match="The referenced cluster was inactive") as caught:
        ecs.delete_cluster(cluster="brief")
    assert caught.value.response["Error"]["Code"] == "ClusterNotFoundException"
    assert ecs.create_cluster(clusterName="brief")["cluster"]["status"] == "ACTIVE"


def test_pages_of_clusters(ecs: Any) -> None:
    for name in ("page-1", "page-2", "page-3"):
        ecs.create_cluster(clusterName=name)

    pages = list(ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))

    arns = [arn for page in pages for arn in page["clusterArns"]]
    assert {f"{PREFIX}/page-{number}" for number in (1, 2, 3)} <= {*arns}
    assert all(len(page["clusterArns"]) <= 2 for page in pages)


def test_names_with_other_characters_are_refused(ecs: Any) -> None:
    with pytest.raises(ClientError, match="invalid characters"):
        ecs.create_cluster(clusterName="a b")
