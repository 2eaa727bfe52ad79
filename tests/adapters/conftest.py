"""A door to a local cloud, for the tests of whatever talks to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.session import Aws
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run a local cloud of the module's own."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def credentials(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every AWS client at the cloud, and nowhere else."""
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def aws(credentials: None) -> Aws:  # noqa: ARG001 - it sets them
    """A door whose account is the cloud's."""
    return Aws(region=REGION, profile="", account=ACCOUNT)
