"""The registry on `/v2/`, byte by byte."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.registry.manifests import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from tests.localcloud.samples import CONFIG, RawRegistry, basic, digest_of, image, index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.local_cloud import Cloud


def _begin(registry: RawRegistry, name: str) -> str:
    answer = registry.ask("POST", f"/v2/{name}/blobs/uploads/")
    assert answer.status == 202
    return answer.headers["Location"]


def test_asks_for_a_password(cloud: Cloud, registry: RawRegistry) -> None:
    answer = registry.ask("GET", "/v2/", Authorization="")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith(f'Basic realm="{cloud.endpoint_url}/"')
    assert answer.codes == ["UNAUTHORIZED"]


@pytest.mark.parametrize("authorization", ["Basic !!!", "Bearer x", basic("AWS", "guess"), basic("AWS", "1.2.3")])
def test_refuses_passwords_that_it_did_not_issue(registry: RawRegistry, authorization: str) -> None:
    assert registry.ask("GET", "/v2/", Authorization=authorization).status == 401


def test_says_which_protocol_it_speaks(registry: RawRegistry) -> None:
    answer = registry.ask("GET", "/v2/")
    assert (answer.status, answer.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")


def test_knows_no_repository_that_was_not_created(registry: RawRegistry) -> None:
    answer = registry.ask("POST", "/v2/nowhere/blobs/uploads/")
    assert (answer.status, answer.codes) == (404, ["NAME_UNKNOWN"])


def test_offers_no_catalog_as_ecr_does_not(registry: RawRegistry) -> None:
    assert registry.ask("GET", "/v2/_catalog").status == 404


def test_does_not_delete_blobs_by_themselves(registry: RawRegistry, repository: Callable[..., str]) -> None:
    answer = registry.ask("DELETE", f"/v2/{repository()}/blobs/{digest_of(b'x')}")
    assert (answer.status, answer.codes) == (405, ["UNSUPPORTED"])


def test_receives_a_blob_in_one_request(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.upload(name, b"whole")
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}").content == b"whole"


def test_receives_a_blob_in_parts(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    registry.ask("PATCH", location, b"first ", Content_Range="0-5")
    shown = registry.ask("GET", location)
    assert (shown.status, shown.headers["Range"]) == (204, "0-5")
    last = registry.ask("PUT", f"{location}?digest={digest_of(b'first last')}", b"last", Content_Range="6-9")
    assert (last.status, last.headers["Docker-Content-Digest"]) == (201, digest_of(b"first last"))


def test_receives_a_blob_whose_length_nobody_said(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    parts: Iterator[bytes] = iter([b"a" * 70_000, b"b" * 3])
    assert registry.ask("PATCH", location, parts).headers["Range"] == "0-70002"
    digest = digest_of(b"a" * 70_000 + b"b" * 3)
    assert registry.ask("PUT", f"{location}?digest={digest}").status == 201


def test_refuses_a_part_that_leaves_a_gap(registry: RawRegistry, repository: Callable[..., str]) -> None:
    location = _begin(registry, repository())
    registry.ask("PATCH", location, b"12345", Content_Range="0-4")
    answer = registry.ask("PATCH", location, b"xx", Content_Range="9-10")
    assert (answer.status, answer.headers["Range"], answer.headers["Location"]) == (416, "0-4", location)


def test_refuses_bytes_that_do_not_have_their_digest(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    location = _begin(registry, name)
    answer = registry.ask("PUT", f"{location}?digest={digest_of(b'other')}", b"these")
    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"])
    assert registry.ask("HEAD", f"/v2/{name}/blobs/{digest_of(b'other')}").status == 404


@pytest.mark.parametrize("digest", ["sha256:abc", "md5:0", "sha256:..%2F..%2Fsecret"])
def test_refuses_what_is_not_a_digest(registry: RawRegistry, repository: Callable[..., str], digest: str) -> None:
    name = repository()
    assert registry.ask("PUT", f"{_begin(registry, name)}?digest={digest}", b"x").status == 400
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}").status == 404


def test_forgets_an_upload_that_is_called_off(registry: RawRegistry, repository: Callable[..., str]) -> None:
    location = _begin(registry, repository())
    assert registry.ask("DELETE", location).status == 204
    answer = registry.ask("PATCH", location, b"x")
    assert (answer.status, answer.codes) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_keeps_uploads_to_their_repository(registry: RawRegistry, repository: Callable[..., str]) -> None:
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
def test_sends_a_range_of_a_blob(
    registry: RawRegistry, repository: Callable[..., str], wanted: str, content: bytes, said: str
) -> None:
    name = repository()
    digest = registry.upload(name, b"0123456789")
    answer = registry.ask("GET", f"/v2/{name}/blobs/{digest}", Range=wanted)
    assert (answer.status, answer.content, answer.headers["Content-Range"]) == (206, content, said)


def test_refuses_a_range_behind_the_end(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.upload(name, b"0123456789")
    assert registry.ask("GET", f"/v2/{name}/blobs/{digest}", Range="bytes=10-").status == 416


def test_says_how_long_a_blob_is_without_sending_it(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    answer = registry.ask("HEAD", f"/v2/{name}/blobs/{registry.upload(name, b'12345')}")
    assert (answer.status, answer.headers["Content-Length"], answer.content) == (200, "5", b"")


def test_sends_blobs_of_a_repository_only_from_there(registry: RawRegistry, repository: Callable[..., str]) -> None:
    digest = registry.upload(repository("one"), b"private")
    answer = registry.ask("GET", f"/v2/{repository('two')}/blobs/{digest}")
    assert (answer.status, answer.codes) == (404, ["BLOB_UNKNOWN"])


def test_keeps_the_exact_bytes_of_a_manifest(registry: RawRegistry, repository: Callable[..., str]) -> None:
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


def test_wants_the_layers_before_the_manifest(registry: RawRegistry, repository: Callable[..., str]) -> None:
    answer = registry.put(repository(), "v1", image(b"never uploaded"))
    assert (answer.status, answer.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])


def test_wants_the_children_before_the_index(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    child = image(b"layer")
    early = registry.put(name, "multi", index(child), OCI_INDEX)
    assert (early.status, early.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    registry.push(name, "child", b"layer")
    assert registry.put(name, "multi", index(child), OCI_INDEX).status == 201


def test_does_not_require_layers_that_are_kept_elsewhere(registry: RawRegistry, repository: Callable[..., str]) -> None:
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
def test_refuses_what_is_not_a_manifest(
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


def test_refuses_a_manifest_under_a_digest_not_its_own(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.upload(name, CONFIG)
    answer = registry.put(name, digest_of(b"else"), image())
    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"])


def test_refuses_what_cannot_be_a_tag(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    registry.upload(name, CONFIG)
    answer = registry.put(name, "-v1", image())
    assert (answer.status, answer.codes) == (400, ["TAG_INVALID"])


def test_never_moves_a_tag_that_is_protected(registry: RawRegistry, repository: Callable[..., str]) -> None:
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


def test_accepts_the_same_bytes_again_under_a_protected_tag(
    registry: RawRegistry, repository: Callable[..., str]
) -> None:
    name = repository(imageTagMutability="IMMUTABLE")
    assert registry.push(name, "v1", b"one") == registry.push(name, "v1", b"one")


def test_lists_tags_in_pages(registry: RawRegistry, repository: Callable[..., str]) -> None:
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


def test_removes_a_tag_and_then_the_image(registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.push(name, "v1", b"layer")
    assert registry.ask("DELETE", f"/v2/{name}/manifests/v1").status == 202
    assert registry.ask("HEAD", f"/v2/{name}/manifests/v1").status == 404
    assert registry.ask("HEAD", f"/v2/{name}/manifests/{digest}").status == 200
    assert registry.ask("DELETE", f"/v2/{name}/manifests/{digest}").status == 202
    assert registry.ask("HEAD", f"/v2/{name}/manifests/{digest}").status == 404


def test_lists_what_refers_to_an_image(registry: RawRegistry, repository: Callable[..., str]) -> None:
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

    def test_opens_an_upload_where_the_account_does_not_mount(
        self, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.push(source, "v1", b"layer")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 202

    def test_mounts_a_blob_that_an_image_refers_to(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.push(source, "v1", b"layer")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 201
        assert registry.ask("GET", f"/v2/{target}/blobs/{digest_of(b'layer')}").content == b"layer"

    def test_opens_an_upload_for_a_blob_without_an_image(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source, target = repository("source"), repository("target")
        registry.upload(source, b"loose")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"loose")) == 202

    def test_opens_an_upload_between_different_encryptions(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        source = repository("source")
        target = repository("target", encryptionConfiguration={"encryptionType": "KMS"})
        registry.push(source, "v1", b"layer")
        cloud.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self._mount(registry, target, source, digest_of(b"layer")) == 202


def test_receives_and_sends_large_blobs_in_little_memory(
    cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
) -> None:
    name, piece, pieces = repository(), bytes(range(256)) * 4096, 256
    location = _begin(registry, name)
    assert registry.ask("PATCH", location, (piece for _ in range(pieces))).status == 202
    digest = digest_of(piece * pieces)
    assert registry.ask("PUT", f"{location}?digest={digest}").status == 201
    assert len(registry.ask("GET", f"/v2/{name}/blobs/{digest}").content) == pieces * len(piece)
    assert _peak_mebibytes(cloud.pid) < 150


def _peak_mebibytes(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - not a file to be worked with
            line = next(line for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        pytest.skip("only Linux says how much memory a process has had")
    return int(line.split()[1]) / 1024
