"""The registry's HTTP API below `/v2/`."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.registry.distribution_api import DistributionApi
from kaizen_tasks.localcloud.registry.manifests import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from kaizen_tasks.localcloud.registry.store import ImageStore
from kaizen_tasks.localcloud.server.auth import Tokens
from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody
from tests.localcloud.samples import CONFIG, RawRegistry, basic, digest_of, image, index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.local_cloud import Cloud


def _begin(registry: RawRegistry, name: str) -> str:
    answer = registry.ask("POST", f"/v2/{name}/blobs/uploads/")
    assert answer.status == 202
    return answer.headers["Location"]


def test_request_without_a_password_is_challenged(cloud: Cloud, registry: RawRegistry) -> None:
    answer = registry.ask("GET", "/v2/", Authorization="")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith(f'Basic realm="{cloud.endpoint_url}/"')
    assert answer.codes == ["UNAUTHORIZED"]


@pytest.mark.parametrize("authorization", ["Basic !!!", basic("AWS", "guess"), basic("AWS", "1.2.3"), basic("me", "x")])
def test_invalid_passwords_are_refused(registry: RawRegistry, authorization: str) -> None:
    answer = registry.ask("GET", "/v2/", Authorization=authorization)
    assert (answer.status, answer.codes) == (400, ["DENIED"])
    assert "WWW-Authenticate" not in answer.headers


def test_other_scheme_is_challenged(registry: RawRegistry) -> None:
    answer = registry.ask("GET", "/v2/", Authorization="Bearer x")
    assert (answer.status, answer.headers["WWW-Authenticate"][:6]) == (401, "Basic ")


def test_expired_password_is_denied_without_a_challenge(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "secret")
    api = DistributionApi(store=ImageStore(tmp_path), tokens=tokens, endpoint="http://127.0.0.1:1")
    headers = {"Authorization": basic("AWS", tokens.issue(seconds=-1))}
    body = RequestBody(io.BytesIO(), 0)
    answer = api.handle(HttpRequest(method="GET", target="/v2/", headers=headers, body=body))
    assert isinstance(answer.body, bytes)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (403, False)
    message = "Your authorization token has expired. Reauthenticate and try again."
    assert json.loads(answer.body) == {"errors": [{"code": "DENIED", "message": message}]}


def test_root_names_the_api_version(registry: RawRegistry) -> None:
    answer = registry.ask("GET", "/v2/")
    assert (answer.status, answer.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")


def test_unknown_repository_is_name_unknown(registry: RawRegistry) -> None:
    answer = registry.ask("POST", "/v2/nowhere/blobs/uploads/")
    assert (answer.status, answer.codes) == (404, ["NAME_UNKNOWN"])


def test_catalog_lists_repositories_in_pages(registry: RawRegistry, repository: Callable[..., str]) -> None:
    names = [repository(suffix) for suffix in ("b", "a", "c")]
    prefix = names[0].partition("/")[0]
    first = registry.ask("GET", f"/v2/_catalog?n=2&last={prefix}")
    assert json.loads(first.content) == {"repositories": [f"{prefix}/a", f"{prefix}/b"]}
    link = re.fullmatch(r"<(/v2/_catalog\?[^>]+)>; rel=\"next\"", first.headers["Link"])
    assert link is not None
    assert json.loads(registry.ask("GET", link[1]).content)["repositories"][0] == f"{prefix}/c"
    assert registry.ask("GET", "/v2/_catalog?n=x").codes == ["PAGINATION_NUMBER_INVALID"]


def test_sha512_names_blobs_and_manifests(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    layer, config = f"sha512:{hashlib.sha512(b'layer').hexdigest()}", registry.upload(name, CONFIG)
    assert registry.ask("POST", f"/v2/{name}/blobs/uploads/?digest={layer}", b"layer").status == 201
    assert registry.ask("GET", f"/v2/{name}/blobs/{layer}").content == b"layer"
    descriptors = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5}]
    manifest = image(layers=descriptors)
    digest = f"sha512:{hashlib.sha512(manifest).hexdigest()}"
    put = registry.put(name, digest, manifest)
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, digest)
    assert registry.ask("GET", f"/v2/{name}/manifests/{digest}").content == manifest
    assert config.startswith("sha256:")


@pytest.mark.parametrize(
    "digest", ["md5:d41d8cd98f00b204e9800998ecf8427e", f"sha512:{'0' * 64}", f"sha256:{'0' * 128}"]
)
def test_digest_of_another_algorithm_is_invalid(
    registry: RawRegistry, repository: Callable[..., str], digest: str
) -> None:
    name = repository()
    pushed = registry.ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", b"x")
    assert (pushed.status, pushed.codes) == (400, ["DIGEST_INVALID"])
    put = registry.put(name, digest, image())
    assert (put.status, put.codes) == (400, ["DIGEST_INVALID"])
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}").status == 404
    assert registry.ask("GET", f"/v2/{name}/manifests/{digest}").status == 404


def test_child_of_an_index_cannot_be_deleted(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    child = registry.push(name, "child", b"layer")
    parent = registry.put(name, "both", index(image(b"layer")), OCI_INDEX).headers["Docker-Content-Digest"]
    refused = registry.ask("DELETE", f"/v2/{name}/manifests/{child}")
    assert (refused.status, json.loads(refused.content)["errors"][0]["message"]) == (
        400,
        f"Requested image referenced by manifest list: [{parent}]",
    )
    assert registry.ask("GET", f"/v2/{name}/manifests/{child}").status == 200
    assert registry.ask("DELETE", f"/v2/{name}/manifests/{parent}").status == 202
    assert registry.ask("DELETE", f"/v2/{name}/manifests/{child}").status == 202


def test_blobs_cannot_be_deleted(registry: RawRegistry, repository: Callable[..., str]) -> None:
    answer = registry.ask("DELETE", f"/v2/{repository()}/blobs/{digest_of(b'x')}")
    assert (answer.status, answer.codes) == (405, ["UNSUPPORTED"])


def test_blob_is_uploaded_in_one_request(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.upload(name, b"whole")
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}").content == b"whole"


def test_blob_is_uploaded_in_parts(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    registry.ask("PATCH", location, b"first ", Content_Range="0-5")
    shown = registry.ask("GET", location)
    assert (shown.status, shown.headers["Range"]) == (204, "0-5")
    last = registry.ask("PUT", f"{location}?digest={digest_of(b'first last')}", b"last", Content_Range="6-9")
    assert (last.status, last.headers["Docker-Content-Digest"]) == (201, digest_of(b"first last"))


def test_blob_is_uploaded_in_chunked_coding(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    parts: Iterator[bytes] = iter([b"a" * 70_000, b"b" * 3])
    assert registry.ask("PATCH", location, parts).headers["Range"] == "0-70002"
    digest = digest_of(b"a" * 70_000 + b"b" * 3)
    assert registry.ask("PUT", f"{location}?digest={digest}").status == 201


def test_part_after_a_gap_is_416(registry: RawRegistry, repository: Callable[..., str]) -> None:
    location = _begin(registry, repository())
    registry.ask("PATCH", location, b"12345", Content_Range="0-4")
    answer = registry.ask("PATCH", location, b"xx", Content_Range="9-10")
    assert (answer.status, answer.headers["Range"], answer.headers["Location"]) == (416, "0-4", location)


def test_wrong_digest_is_refused(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    answer = registry.ask("PUT", f"{location}?digest={digest_of(b'other')}", b"these")
    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"])
    assert registry.ask("HEAD", f"/v2/{name}/blobs/{digest_of(b'other')}").status == 404


@pytest.mark.parametrize("digest", ["sha256:abc", "md5:0", "sha256:..%2F..%2Fsecret"])
def test_malformed_digest_is_refused(registry: RawRegistry, repository: Callable[..., str], digest: str) -> None:
    name = repository()
    assert registry.ask("PUT", f"{_begin(registry, name)}?digest={digest}", b"x").status == 400
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}").status == 404


def test_cancelled_upload_is_unknown(registry: RawRegistry, repository: Callable[..., str]) -> None:
    location = _begin(registry, repository())
    assert registry.ask("DELETE", location).status == 204
    answer = registry.ask("PATCH", location, b"x")
    assert (answer.status, answer.codes) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_upload_is_unknown_in_other_repositories(registry: RawRegistry, repository: Callable[..., str]) -> None:
    location = _begin(registry, repository("one"))
    elsewhere = location.replace("/one/", "/two/")
    repository("two")
    assert registry.ask("PATCH", elsewhere, b"x").status == 404


@pytest.mark.parametrize(
    ("wanted", "content", "said"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_range_of_a_blob_is_sent(
    registry: RawRegistry, repository: Callable[..., str], wanted: str, content: bytes, said: str
) -> None:
    name = repository()
    digest = registry.upload(name, b"0123456789")
    answer = registry.ask("GET", f"/v2/{name}/blobs/{digest}", Range=wanted)
    assert (answer.status, answer.content, answer.headers["Content-Range"]) == (206, content, said)


def test_range_after_the_end_is_416(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.upload(name, b"0123456789")
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}", Range="bytes=10-").status == 416


def test_head_of_a_blob_has_its_length(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    answer = registry.ask("HEAD", f"/v2/{name}/blobs/{registry.upload(name, b'12345')}")
    assert (answer.status, answer.headers["Content-Length"], answer.content) == (200, "5", b"")


def test_blob_is_unknown_in_other_repositories(registry: RawRegistry, repository: Callable[..., str]) -> None:
    digest = registry.upload(repository("one"), b"private")
    answer = registry.ask("GET", f"/v2/{repository('two')}/blobs/{digest}")
    assert (answer.status, answer.codes) == (404, ["BLOB_UNKNOWN"])


def test_manifest_is_returned_unchanged(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.push(name, "v1", b"layer")
    for reference in ("v1", digest):
        answer = registry.ask("GET", f"/v2/{name}/manifests/{reference}")
        assert answer.content == image(b"layer")
        assert answer.headers["Content-Type"] == OCI_MANIFEST
        assert answer.headers["Docker-Content-Digest"] == digest_of(image(b"layer"))


def test_head_of_a_manifest_has_its_length(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.push(name, "v1", b"layer")
    answer = registry.ask("HEAD", f"/v2/{name}/manifests/v1")
    assert (answer.headers["Content-Length"], answer.content) == (str(len(image(b"layer"))), b"")


def test_manifest_without_its_layers_is_refused(registry: RawRegistry, repository: Callable[..., str]) -> None:
    answer = registry.put(repository(), "v1", image(b"never uploaded"))
    assert (answer.status, answer.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])


def test_index_without_its_children_is_refused(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    child = image(b"layer")
    early = registry.put(name, "multi", index(child), OCI_INDEX)
    assert (early.status, early.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    registry.push(name, "child", b"layer")
    assert registry.put(name, "multi", index(child), OCI_INDEX).status == 201


def test_foreign_layers_are_not_required(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.upload(name, CONFIG)
    document = json.loads(image(b"foreign"))
    document["layers"][0]["urls"] = ["https://example.com/layer"]
    assert registry.put(name, "v1", json.dumps(document).encode()).status == 201


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"not json", OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (b"[]", OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "config": {}}', OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (image(), DOCKER_MANIFEST, 400, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json", 405, "UNSUPPORTED"),
        (b" " * (4 << 20) + b"{}", OCI_MANIFEST, 413, "SIZE_INVALID"),
    ],
)
def test_invalid_manifests_are_refused(
    registry: RawRegistry,
    repository: Callable[..., str],
    content: bytes,
    media_type: str,
    status: int,
    code: str,
) -> None:
    name = repository()
    answer = registry.put(name, "v1", content, media_type)
    assert (answer.status, answer.codes) == (status, [code])


def test_manifest_under_another_digest_is_refused(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.upload(name, CONFIG)
    answer = registry.put(name, digest_of(b"else"), image())
    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"])


def test_invalid_tag_is_refused(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.upload(name, CONFIG)
    answer = registry.put(name, "-v1", image())
    assert (answer.status, answer.codes) == (400, ["TAG_INVALID"])


def test_immutable_tag_is_not_moved(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository(
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "late*"}],
    )
    first = registry.push(name, "v1", b"one")
    registry.push(name, "latest", b"one")
    registry.upload(name, b"two")
    refused = registry.put(name, "v1", image(b"two"))
    assert (refused.status, refused.codes) == (400, ["TAG_INVALID"])
    assert registry.ask("HEAD", f"/v2/{name}/manifests/v1").headers["Docker-Content-Digest"] == first
    assert registry.put(name, "latest", image(b"two")).status == 201


def test_repeated_push_to_an_immutable_tag_succeeds(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository(imageTagMutability="IMMUTABLE")
    assert registry.push(name, "v1", b"one") == registry.push(name, "v1", b"one")


def test_tags_are_listed_in_pages(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    for tag in ("c", "a", "b"):
        registry.push(name, tag, b"layer")
    first = registry.ask("GET", f"/v2/{name}/tags/list?n=2")
    assert json.loads(first.content) == {"name": name, "tags": ["a", "b"]}
    match = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert match is not None
    second = registry.ask("GET", match[1])
    assert json.loads(second.content)["tags"] == ["c"]
    assert "Link" not in second.headers


def test_tag_and_image_are_deleted(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.push(name, "v1", b"layer")
    assert registry.ask("DELETE", f"/v2/{name}/manifests/v1").status == 202
    assert registry.ask("HEAD", f"/v2/{name}/manifests/v1").status == 404
    assert registry.ask("HEAD", f"/v2/{name}/manifests/{digest}").status == 200
    assert registry.ask("DELETE", f"/v2/{name}/manifests/{digest}").status == 202
    assert registry.ask("HEAD", f"/v2/{name}/manifests/{digest}").status == 404


def test_referrers_are_listed(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    subject = registry.push(name, "v1", b"layer")
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": len(image(b"layer"))}
    signature = image(subject=about, artifactType="application/x-signature", annotations={"by": "me"})
    pushed = registry.put(name, digest_of(signature), signature)
    assert pushed.headers["OCI-Subject"] == subject
    found = json.loads(registry.ask("GET", f"/v2/{name}/referrers/{subject}").content)
    assert [(entry["digest"], entry["artifactType"], entry["annotations"]) for entry in found["manifests"]] == [
        (digest_of(signature), "application/x-signature", {"by": "me"})
    ]
    other = registry.ask("GET", f"/v2/{name}/referrers/{subject}?artifactType=none")
    assert json.loads(other.content)["manifests"] == []


class TestMounting:
    """Cross-repository mounts, under ECR's conditions."""

    @pytest.fixture(autouse=True)
    def _off_again(self, cloud: Cloud) -> Iterator[None]:
        yield
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="DISABLED")

    def _mount(self, registry: RawRegistry, target: str, source: str, digest: str) -> int:
        return registry.ask("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}").status

    def test_mount_starts_an_upload_if_the_setting_is_disabled(
        self, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.push(source, "v1", b"layer")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 202

    def test_mount_adds_a_blob_that_an_image_refers_to(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.push(source, "v1", b"layer")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 201
        assert registry.ask("GET", f"/v2/{target}/blobs/{digest_of(b'layer')}").content == b"layer"

    def test_mount_starts_an_upload_for_a_blob_without_an_image(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.upload(source, b"loose")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"loose")) == 202

    def test_mount_starts_an_upload_between_different_encryptions(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source = repository("source")
        target = repository("target", encryptionConfiguration={"encryptionType": "KMS"})
        registry.push(source, "v1", b"layer")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 202


def test_large_blobs_need_little_memory(cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name, piece, pieces = repository(), bytes(range(256)) * 4096, 256
    before = _mebibytes(cloud.pid, "VmRSS")
    Path(f"/proc/{cloud.pid}/clear_refs").write_text("5")  # the peak begins anew: other tests share the cloud
    location = _begin(registry, name)
    assert registry.ask("PATCH", location, (piece for _ in range(pieces))).status == 202
    digest = digest_of(piece * pieces)
    assert registry.ask("PUT", f"{location}?digest={digest}").status == 201
    assert len(registry.ask("GET", f"/v2/{name}/blobs/{digest}").content) == pieces * len(piece)
    assert _mebibytes(cloud.pid, "VmHWM") - before < 60  # of 256


def _mebibytes(pid: int, member: str) -> float:
    """Return a member of a process's status: VmRSS is what it has, VmHWM its peak."""
    try:
        with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - not a file to be worked with
            line = next(line for line in status if line.startswith(member))
    except FileNotFoundError:
        pytest.skip("only Linux says how much memory a process has had")
    return int(line.split()[1]) / 1024
