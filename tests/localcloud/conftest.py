"""Fixtures for the local cloud: a registry client, and repositories named by test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.localcloud.samples import RawRegistry, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.local_cloud import Cloud


@pytest.fixture(scope="module")
def registry(cloud: Cloud) -> Iterator[RawRegistry]:
    """Return a client of the cloud's registry."""
    client = RawRegistry(cloud)
    yield client
    client.connection.close()


@pytest.fixture
def repository(cloud: Cloud, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Return a function that creates repositories with names of this test."""

    def create(suffix: str = "app", **settings: object) -> str:
        name = f"{digest_of(request.node.nodeid.encode())[7:19]}/{suffix}"
        cloud.client("ecr").create_repository(repositoryName=name, **settings)
        return name

    return create
