"""Reads that tools make of repositories and images: policies, scans and referrers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.samples import CONFIG, RawRegistry, descriptor, image

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.local_cloud import Cloud

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})


@pytest.fixture(scope="module")
def ecr(cloud: Cloud) -> Any:
    return cloud.client("ecr")


def error_code(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_repository_policy_can_be_set_and_deleted(ecr: Any, repository: Callable[..., str]) -> None:
    named = {"repositoryName": repository()}
    assert error_code(ecr.get_repository_policy, **named) == "RepositoryPolicyNotFoundException"
    assert error_code(ecr.delete_repository_policy, **named) == "RepositoryPolicyNotFoundException"
    ecr.set_repository_policy(policyText=POLICY, **named)
    assert ecr.get_repository_policy(**named)["policyText"] == POLICY
    assert ecr.delete_repository_policy(**named)["policyText"] == POLICY
    assert error_code(ecr.get_repository_policy, **named) == "RepositoryPolicyNotFoundException"


@pytest.mark.parametrize("text", ["", "no policy", "[]", '{"Statement": "x"}', "[" * 9999])
def test_text_that_is_no_policy_is_refused(ecr: Any, repository: Callable[..., str], text: str) -> None:
    code = error_code(ecr.set_repository_policy, repositoryName=repository(), policyText=text)
    assert code == "InvalidParameterException"


def test_image_is_scanned_on_request(ecr: Any, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.push(name, "v1", b"layer")
    image_id = {"repositoryName": name, "imageId": {"imageTag": "v1"}}
    assert error_code(ecr.describe_image_scan_findings, **image_id) == "ScanNotFoundException"
    assert ecr.start_image_scan(**image_id)["imageScanStatus"]["status"] == "IN_PROGRESS"
    found = ecr.describe_image_scan_findings(**image_id)
    assert found["imageId"] == {"imageTag": "v1", "imageDigest": digest}
    assert (found["imageScanStatus"]["status"], found["imageScanFindings"]["findings"]) == ("COMPLETE", [])
    (detail,) = ecr.describe_images(repositoryName=name)["imageDetails"]
    assert detail["imageScanFindingsSummary"]["findingSeverityCounts"] == {}
    unknown = {"repositoryName": name, "imageId": {"imageTag": "v2"}}
    for call in (ecr.start_image_scan, ecr.describe_image_scan_findings, ecr.describe_image_replication_status):
        assert error_code(call, **unknown) == "ImageNotFoundException"


def test_image_is_scanned_when_it_is_pushed(ecr: Any, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    registry.push(name, "v1", b"layer")
    found = ecr.describe_image_scan_findings(repositoryName=name, imageId={"imageTag": "v1"})
    assert found["imageScanStatus"]["status"] == "COMPLETE"
    answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=[name, "nowhere"])
    assert [known["scanFrequency"] for known in answer["scanningConfigurations"]] == ["SCAN_ON_PUSH"]
    assert [failure["failureCode"] for failure in answer["failures"]] == ["REPOSITORY_NOT_FOUND"]


def test_referrers_of_an_image_are_listed(ecr: Any, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    subject = registry.push(name, "v1", b"layer")
    manifest = image(
        artifactType="application/vnd.example.sbom",
        annotations={"about": "v1"},
        subject={**descriptor(image(b"layer"), "application/vnd.oci.image.manifest.v1+json"), "digest": subject},
    )
    registry.upload(name, CONFIG)
    digest = registry.put(name, "sbom", manifest).headers["Docker-Content-Digest"]
    named = {"repositoryName": name, "subjectId": {"imageDigest": subject}}
    (referrer,) = ecr.list_image_referrers(**named)["referrers"]
    assert (referrer["digest"], referrer["size"]) == (digest, len(manifest))
    assert (referrer["artifactType"], referrer["annotations"]) == ("application/vnd.example.sbom", {"about": "v1"})
    assert ecr.list_image_referrers(**named, filter={"artifactTypes": ["other"]})["referrers"] == []


def test_what_the_registry_does_not_have_is_answered_as_empty(ecr: Any, repository: Callable[..., str]) -> None:
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
    assert ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
    assert error_code(ecr.get_registry_policy) == "RegistryPolicyNotFoundException"
    code = error_code(ecr.get_lifecycle_policy_preview, repositoryName=repository())
    assert code == "LifecyclePolicyPreviewNotFoundException"
