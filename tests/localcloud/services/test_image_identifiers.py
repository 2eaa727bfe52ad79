"""Identifiers of images, and which of them are in an account's own registry."""

from __future__ import annotations

import pytest

from kaizen_tasks.localcloud.services.image_identifiers import ImageIdentifier, OwnRegistry

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "host", "repository", "reference"),
    [
        ("127.0.0.1:4000/team/web:v1", "127.0.0.1:4000", "team/web", "v1"),
        (f"127.0.0.1:4000/web@{DIGEST}", "127.0.0.1:4000", "web", DIGEST),
        (f"127.0.0.1:4000/web:v1@{DIGEST}", "127.0.0.1:4000", "web", DIGEST),
        ("team/web", "", "team/web", "latest"),
        ("web:v1", "", "web", "v1"),
    ],
)
def test_parts_of_an_identifier(text: str, host: str, repository: str, reference: str) -> None:
    assert ImageIdentifier.parse(text) == ImageIdentifier(host, repository, reference)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", True),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", False),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com", False),
        ("127.0.0.1:4000", True),
        ("127.0.0.1:4001", False),
        ("127.0.0.2:4000", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_host_of_the_own_registry(host: str, *, is_own: bool) -> None:
    registry = OwnRegistry(account="123456789012", region="eu-west-1", is_foreign=lambda text: text.endswith(":4001"))
    assert registry.has_host(host) is is_own
