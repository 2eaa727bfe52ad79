"""ECR's API by boto3."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from kaizen_tasks.localcloud.registry.manifests import OCI_INDEX, OCI_MANIFEST
from tests.localcloud.samples import CONFIG, RawRegistry, digest_of, image, index
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.local_cloud import Cloud

    Create = Callable[..., str]

POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50},
                "action": {"type": "expire"},
            }
        ]
    }
)


@pytest.fixture(scope="module")
def ecr(cloud: Cloud) -> Any:
    return cloud.client("ecr")


def code_of(call: Callable[..., object], **request: object) -> str:
    with pytest.raises(ClientError) as failure:
        call(**request)
    return str(failure.value.response["Error"]["Code"])


class TestRepositories:
    def test_created_repository_is_described(self, ecr: Any, cloud: Cloud, repository: Create) -> None:
        name = repository(imageTagMutability="IMMUTABLE", tags=[{"Key": "team", "Value": "coach"}])
        (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        assert found["repositoryUri"] == f"{cloud.registry}/{name}"
        assert found["repositoryArn"] == f"arn:aws:ecr:eu-west-1:123456789012:repository/{name}"
        assert (found["registryId"], found["imageTagMutability"]) == ("123456789012", "IMMUTABLE")
        assert abs(found["createdAt"].timestamp() - time.time()) < 60

    def test_existing_name_is_refused(self, ecr: Any, repository: Create) -> None:
        name = repository()
        assert code_of(ecr.create_repository, repositoryName=name) == "RepositoryAlreadyExistsException"

    @pytest.mark.parametrize("name", ["Upper", "a", "a//b", "-a", "../up"])
    def test_invalid_names_are_refused(self, ecr: Any, name: str) -> None:
        assert code_of(ecr.create_repository, repositoryName=name) == "InvalidParameterException"

    def test_repositories_are_listed_in_pages(self, ecr: Any, repository: Create) -> None:
        created = {repository(suffix) for suffix in ("a", "b", "c")}
        pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2}))
        names = [found["repositoryName"] for page in pages for found in page["repositories"]]
        assert created <= set(names)
        assert len(names) == len(set(names))
        assert all(len(page["repositories"]) <= 2 for page in pages)

    def test_invalid_page_token_is_refused(self, ecr: Any) -> None:
        assert code_of(ecr.describe_repositories, nextToken="é") == "InvalidParameterException"

    def test_other_registry_id_is_not_found(self, ecr: Any, repository: Create) -> None:
        request = {"registryId": "999999999999", "repositoryName": repository()}
        assert code_of(ecr.describe_images, **request) == "RepositoryNotFoundException"

    def test_repository_with_images_is_deleted_only_by_force(
        self, ecr: Any, registry: RawRegistry, repository: Create
    ) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        assert code_of(ecr.delete_repository, repositoryName=name) == "RepositoryNotEmptyException"
        ecr.delete_repository(repositoryName=name, force=True)
        assert code_of(ecr.describe_images, repositoryName=name) == "RepositoryNotFoundException"

    def test_tag_mutability_can_be_changed(self, ecr: Any, repository: Create) -> None:
        name = repository()
        filters = [{"filterType": "WILDCARD", "filter": "latest"}]
        ecr.put_image_tag_mutability(
            repositoryName=name,
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=filters,
        )
        (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
        assert found["imageTagMutabilityExclusionFilters"] == filters

    def test_exclusions_need_one_to_five_filters(self, ecr: Any, repository: Create) -> None:
        request = {"repositoryName": repository(), "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}
        six = [{"filterType": "WILDCARD", "filter": f"tag{number}"} for number in range(6)]
        change = ecr.put_image_tag_mutability
        assert code_of(change, **request) == "InvalidParameterException"
        assert code_of(change, **request, imageTagMutabilityExclusionFilters=six) == "InvalidParameterException"

    def test_resource_tags_can_be_added_and_removed(self, ecr: Any, repository: Create) -> None:
        name = repository(tags=[{"Key": "a", "Value": "1"}])
        arn = f"arn:aws:ecr:eu-west-1:123456789012:repository/{name}"
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "b", "Value": "2"}])
        ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]

    def test_lifecycle_policy_can_be_put_and_deleted(self, ecr: Any, repository: Create) -> None:
        name = repository()
        assert code_of(ecr.get_lifecycle_policy, repositoryName=name) == "LifecyclePolicyNotFoundException"
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=POLICY)
        assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == POLICY
        ecr.delete_lifecycle_policy(repositoryName=name)
        assert code_of(ecr.get_lifecycle_policy, repositoryName=name) == "LifecyclePolicyNotFoundException"


class TestAccount:
    def test_blob_mounting_is_disabled_by_default(self, ecr: Any) -> None:
        assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"
        ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
        ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")

    def test_unknown_settings_are_refused(self, ecr: Any) -> None:
        assert code_of(ecr.get_account_setting, name="NONSENSE") == "InvalidParameterException"
        request = {"name": "BLOB_MOUNTING", "value": "MAYBE"}
        assert code_of(ecr.put_account_setting, **request) == "InvalidParameterException"

    def test_password_is_new_and_valid_for_twelve_hours(self, ecr: Any, cloud: Cloud) -> None:
        first, second = (ecr.get_authorization_token()["authorizationData"][0] for _ in range(2))
        assert first["authorizationToken"] != second["authorizationToken"]
        assert first["proxyEndpoint"] == cloud.endpoint_url
        assert abs(first["expiresAt"].timestamp() - time.time() - 12 * 3600) < 60

    def test_registry_is_described(self, ecr: Any) -> None:
        assert ecr.describe_registry()["registryId"] == "123456789012"


class TestImages:
    def test_image_is_described(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        digest = registry.push(name, "v1", b"layer")
        registry.push(name, "latest", b"layer")
        (found,) = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])["imageDetails"]
        assert (found["imageDigest"], found["imageTags"]) == (digest, ["v1", "latest"])
        assert found["imageSizeInBytes"] == len(CONFIG) + len(b"layer")
        assert found["imageManifestMediaType"] == OCI_MANIFEST
        assert found["artifactMediaType"] == "application/vnd.oci.image.config.v1+json"
        assert abs(found["imagePushedAt"].timestamp() - time.time()) < 60

    def test_new_tag_keeps_the_time_of_the_push(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        before = ecr.describe_images(repositoryName=name)["imageDetails"][0]["imagePushedAt"]
        time.sleep(0.01)  # as long as two stamps need to differ
        registry.push(name, "again", b"layer")
        assert ecr.describe_images(repositoryName=name)["imageDetails"][0]["imagePushedAt"] == before

    def test_unknown_image_is_an_image_not_found_exception(self, ecr: Any, repository: Create) -> None:
        request = {"repositoryName": repository(), "imageIds": [{"imageTag": "v9"}]}
        assert code_of(ecr.describe_images, **request) == "ImageNotFoundException"

    def test_named_images_cannot_be_paged(self, ecr: Any, repository: Create) -> None:
        request = {"repositoryName": repository(), "imageIds": [{"imageTag": "v1"}], "maxResults": 1}
        assert code_of(ecr.describe_images, **request) == "InvalidParameterException"

    def test_pages_contain_every_image_once(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        pushed = {registry.push(name, f"v{number}", bytes([number])) for number in range(5)}
        pages = list(
            ecr.get_paginator("describe_images").paginate(repositoryName=name, PaginationConfig={"PageSize": 2})
        )
        seen = [found["imageDigest"] for page in pages for found in page["imageDetails"]]
        assert (len(pages), len(seen), set(seen)) == (3, 5, pushed)

    def test_filter_tells_tagged_images_from_children_of_an_index(
        self, ecr: Any, registry: RawRegistry, repository: Create
    ) -> None:
        name = repository()
        for blob in (CONFIG, b"layer"):
            registry.upload(name, blob)
        child = image(b"layer")
        registry.put(name, digest_of(child), child)
        registry.put(name, "v1", index(child), OCI_INDEX)
        found = {
            status: [
                detail["imageDigest"]
                for detail in ecr.describe_images(repositoryName=name, filter={"tagStatus": status})["imageDetails"]
            ]
            for status in ("TAGGED", "UNTAGGED", "ANY")
        }
        assert found["TAGGED"] == [digest_of(index(child))]
        assert found["UNTAGGED"] == [digest_of(child)]
        assert sorted(found["ANY"]) == sorted([digest_of(child), digest_of(index(child))])

    def test_every_tag_has_an_identifier(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        digest = registry.push(name, "v1", b"layer")
        registry.push(name, "v2", b"layer")
        assert ecr.list_images(repositoryName=name)["imageIds"] == [
            {"imageDigest": digest, "imageTag": "v1"},
            {"imageDigest": digest, "imageTag": "v2"},
        ]

    @pytest.mark.parametrize("size", [1, 2, 4, 5])
    def test_pages_have_every_identifier_once(
        self, ecr: Any, registry: RawRegistry, repository: Create, size: int
    ) -> None:
        name = repository()
        digests = [registry.push(name, tag, layer) for tag, layer in (("v1", b"1"), ("latest", b"1"), ("v3", b"3"))]
        untagged = registry.push(name, "v2", b"2")
        ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "v3"}])
        pages = ecr.get_paginator("list_images").paginate(repositoryName=name, PaginationConfig={"PageSize": size})
        found = [tuple(image_id.values()) for page in pages for image_id in page["imageIds"]]
        assert sorted(found) == sorted([(digests[0], "latest"), (digests[0], "v1"), (untagged, "v2")])

    def test_manifest_is_returned_unchanged(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        answer = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "v1"}])
        assert answer["images"][0]["imageManifest"].encode() == image(b"layer")
        assert answer["failures"] == []

    def test_batch_get_reports_failures(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        digest = registry.push(name, "v1", b"layer")
        ids = [
            {"imageTag": "v9"},
            {"imageDigest": "sha256:short"},
            {},
            {"imageDigest": digest, "imageTag": "v9"},
        ]
        answer = ecr.batch_get_image(repositoryName=name, imageIds=ids)
        assert answer["images"] == []
        assert [(failure["imageId"], failure["failureCode"]) for failure in answer["failures"]] == [
            (ids[0], "ImageNotFound"),
            (ids[1], "InvalidImageDigest"),
            (ids[2], "MissingDigestAndTag"),
            (ids[3], "ImageTagDoesNotMatchDigest"),
        ]

    def test_batch_get_respects_accepted_media_types(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        request = {"repositoryName": name, "imageIds": [{"imageTag": "v1"}]}
        assert ecr.batch_get_image(**request, acceptedMediaTypes=[OCI_MANIFEST])["images"]
        answer = ecr.batch_get_image(**request, acceptedMediaTypes=[OCI_INDEX])
        assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]

    def test_image_is_deleted_with_its_last_tag(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        digest = registry.push(name, "v1", b"layer")
        registry.push(name, "v2", b"layer")
        for tag, left in (("v1", ["v2"]), ("v2", [])):
            gone = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": tag}])
            assert gone["imageIds"] == [{"imageDigest": digest, "imageTag": tag}]
            assert [entry["imageTag"] for entry in ecr.list_images(repositoryName=name)["imageIds"]] == left

    def test_child_of_an_index_is_not_deleted(self, ecr: Any, registry: RawRegistry, repository: Create) -> None:
        name = repository()
        child = registry.push(name, "child", b"layer")
        registry.put(name, "multi", index(image(b"layer")), OCI_INDEX)
        answer = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": child}])
        assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageReferencedByManifestList"]

    def test_blobs_are_deleted_with_the_last_image_that_refers_to_them(
        self, ecr: Any, cloud: Cloud, registry: RawRegistry, repository: Create
    ) -> None:
        one, two, layer = repository("one"), repository("two"), b"bytes of these two images alone"
        digest = registry.push(one, "v1", layer)
        registry.push(two, "v1", layer)
        kept = cloud.state / "registry" / "blobs" / "sha256" / digest_of(layer)[7:9] / digest_of(layer)[7:]
        ecr.batch_delete_image(repositoryName=one, imageIds=[{"imageDigest": digest}])
        assert kept.exists()
        ecr.batch_delete_image(repositoryName=two, imageIds=[{"imageDigest": digest}])
        assert not kept.exists()


class TestPutImage:
    @pytest.fixture
    def name(self, registry: RawRegistry, repository: Create) -> str:
        name = repository(imageTagMutability="IMMUTABLE")
        for blob in (CONFIG, b"layer"):
            registry.upload(name, blob)
        return name

    @pytest.fixture
    def put(self, ecr: Any, name: str) -> Callable[..., Any]:
        def put_image(manifest: bytes = image(b"layer"), **more: str) -> Any:
            return ecr.put_image(repositoryName=name, imageManifest=manifest.decode(), **more)

        return put_image

    def test_image_is_stored(self, put: Callable[..., Any]) -> None:
        kept = put(imageTag="v1")["image"]
        assert kept["imageId"] == {"imageDigest": digest_of(image(b"layer")), "imageTag": "v1"}
        assert kept["imageManifestMediaType"] == OCI_MANIFEST

    def test_tag_is_added_to_an_existing_image(self, ecr: Any, name: str, put: Callable[..., Any]) -> None:
        put(imageTag="v1")
        put(imageTag="also")
        assert ecr.describe_images(repositoryName=name)["imageDetails"][0]["imageTags"] == ["also", "v1"]

    def test_existing_image_is_refused(self, put: Callable[..., Any]) -> None:
        put(imageTag="v1")
        assert code_of(put, imageTag="v1") == "ImageAlreadyExistsException"
        assert code_of(put) == "ImageAlreadyExistsException"

    def test_immutable_tag_is_not_moved(self, put: Callable[..., Any]) -> None:
        put(imageTag="v1")
        assert code_of(put, manifest=image(), imageTag="v1") == "ImageTagAlreadyExistsException"

    @pytest.mark.parametrize(
        ("request_", "code"),
        [
            ({"manifest": image(b"missing")}, "LayersNotFoundException"),
            ({"manifest": index(image(b"missing"))}, "ReferencedImagesNotFoundException"),
            ({"imageDigest": digest_of(b"other")}, "ImageDigestDoesNotMatchException"),
            ({"manifest": b"no json"}, "InvalidParameterException"),
            ({"imageTag": "-"}, "InvalidParameterException"),
        ],
    )
    def test_invalid_images_are_refused(self, put: Callable[..., Any], request_: dict[str, Any], code: str) -> None:
        assert code_of(put, **request_) == code


class TestLayers:
    def test_layer_is_uploaded_checked_and_downloaded(self, ecr: Any, repository: Create) -> None:
        name, content = repository(), b"0123456789"
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        available = {"repositoryName": name, "layerDigests": [digest, "nonsense"]}
        before = ecr.batch_check_layer_availability(**available)
        assert [layer["layerAvailability"] for layer in before["layers"]] == ["UNAVAILABLE"]
        assert [failure["failureCode"] for failure in before["failures"]] == ["InvalidLayerDigest"]
        for part in self._upload(ecr, name, content):
            assert part["lastByteReceived"] in (3, 9)
        assert ecr.batch_check_layer_availability(**available)["layers"][0]["layerSize"] == len(content)

    def test_download_needs_no_password(
        self, ecr: Any, cloud: Cloud, registry: RawRegistry, repository: Create
    ) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        answer = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=digest_of(b"layer"))
        with urllib.request.urlopen(answer["downloadUrl"], timeout=HANG_SECONDS) as response:
            assert response.read() == b"layer"
        assert "token=" not in (cloud.state / "log").read_text() + (cloud.state / "requests.jsonl").read_text()
        forged = registry.ask("GET", f"/_kaizen/layers/{digest_of(b'layer')}?token=1.2", Authorization="")
        assert (forged.status, forged.codes) == (403, ["DENIED"])

    def test_misplaced_part_is_refused_with_the_last_valid_byte(self, ecr: Any, repository: Create) -> None:
        name = repository()
        upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        part = {"repositoryName": name, "uploadId": upload, "layerPartBlob": b"abc"}
        with pytest.raises(ClientError) as failure:
            ecr.upload_layer_part(**part, partFirstByte=5, partLastByte=7)
        assert failure.value.response["Error"]["Code"] == "InvalidLayerPartException"
        assert failure.value.response["lastValidByteReceived"] == -1  # type: ignore[typeddict-item]  # modelled by ECR

    def test_incomplete_uploads_are_refused(self, ecr: Any, repository: Create) -> None:
        name = repository()
        upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        request = {"repositoryName": name, "uploadId": upload, "layerDigests": [digest_of(b"x")]}
        assert code_of(ecr.complete_layer_upload, **request) == "EmptyUploadException"
        ecr.upload_layer_part(repositoryName=name, uploadId=upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"y")
        assert code_of(ecr.complete_layer_upload, **request) == "InvalidLayerException"
        assert code_of(ecr.complete_layer_upload, **request) == "UploadNotFoundException"

    def test_existing_layer_is_refused(self, ecr: Any, repository: Create) -> None:
        name = repository()
        list(self._upload(ecr, name, b"0123456789"))
        with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
            list(self._upload(ecr, name, b"0123456789"))

    def _upload(self, ecr: Any, name: str, content: bytes) -> Iterator[dict[str, Any]]:
        upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        for first, part in ((0, content[:4]), (4, content[4:])):
            yield ecr.upload_layer_part(
                repositoryName=name,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[digest])
