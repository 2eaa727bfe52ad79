"""An AWS session on the worker's local cloud, for tests of the adapters that talk to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.local_cloud import ACCOUNT, REGION, Cloud

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.session import Aws

__all__ = ["ACCOUNT", "REGION"]


@pytest.fixture
def credentials(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every AWS client at the cloud."""
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def aws(cloud: Cloud, credentials: None) -> Aws:  # noqa: ARG001 - sets the variables that the session reads
    """Return the session that all tests on this cloud share: creating clients takes longer than their calls."""
    return cloud.aws
