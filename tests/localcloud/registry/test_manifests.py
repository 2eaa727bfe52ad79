"""Parsing of manifests and their references."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.localcloud.registry.manifests import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
    parse_manifest,
    parse_references,
)
from kaizen_tasks.localcloud.registry.registry_errors import ManifestError, UnsupportedManifestError
from tests.localcloud.samples import CONFIG, descriptor, image, index


def test_references_of_an_image() -> None:
    manifest = parse_manifest(image(b"one", b"three"))
    needed = parse_references(manifest)
    assert manifest.media_type == OCI_MANIFEST
    assert needed.blobs == (digest_of(CONFIG), digest_of(b"one"), digest_of(b"three"))
    assert needed.size == len(CONFIG) + 8
    assert needed.artifact_type == "application/vnd.oci.image.config.v1+json"


def test_references_of_an_index() -> None:
    manifest = parse_manifest(index(image(b"one"), image(b"two")))
    assert manifest.media_type == OCI_INDEX
    assert parse_references(manifest).children == (digest_of(image(b"one")), digest_of(image(b"two")))


def test_repeated_layer_is_one_reference() -> None:
    assert parse_references(parse_manifest(image(b"same", b"same"))).blobs == (digest_of(CONFIG), digest_of(b"same"))


@pytest.mark.parametrize(("content", "expected"), [(image(b"one"), OCI_MANIFEST), (index(image()), OCI_INDEX)])
def test_media_type_of_oci_documents_is_inferred(content: bytes, expected: str) -> None:
    document = json.loads(content)
    del document["mediaType"]
    assert parse_manifest(json.dumps(document).encode()).media_type == expected


def test_media_type_must_match_the_announced_one() -> None:
    with pytest.raises(ManifestError):
        parse_manifest(image(), DOCKER_MANIFEST)


@pytest.mark.parametrize("version", [1, None, "2"])
def test_other_schema_versions_are_unsupported(version: object) -> None:
    with pytest.raises(UnsupportedManifestError):
        parse_manifest(json.dumps({"schemaVersion": version, "mediaType": DOCKER_MANIFEST}).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"config": None},
        {"config": {"digest": "sha256:x", "size": 1}},
        {"config": {"digest": digest_of(b"")}},
        {"config": {"digest": digest_of(b""), "size": -1}},
        {"layers": None},
        {"layers": [None]},
        {"layers": "text"},
        {"subject": {"digest": "?", "size": 1}},
    ],
)
def test_invalid_descriptors_are_refused(change: dict[str, object]) -> None:
    document = json.loads(image(b"layer")) | change
    with pytest.raises(ManifestError):
        parse_references(parse_manifest(json.dumps(document).encode()))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["config", "layers", "manifests", "subject", "artifactType", "mediaType"]), _JSON)
)
def test_any_document_is_parsed_or_a_manifest_error(document: dict[str, object]) -> None:
    content = json.dumps({"schemaVersion": 2, "config": descriptor(b"", "x"), "layers": []} | document).encode()
    try:
        needed = parse_references(parse_manifest(content))
    except ManifestError:
        return
    assert needed.size >= 0


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000])
def test_deeply_nested_json_is_invalid(content: bytes) -> None:
    with pytest.raises(ManifestError, match="Invalid JSON syntax"):
        parse_manifest(content)


def test_large_configuration_is_refused() -> None:
    document = json.loads(image(b"layer"))
    document["config"]["size"] = (4 << 20) + 1
    with pytest.raises(ManifestError, match="The configuration has more than 4194304 bytes"):
        parse_references(parse_manifest(json.dumps(document).encode()))
