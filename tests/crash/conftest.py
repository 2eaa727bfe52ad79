"""Rollout cases, recorded once for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import RolloutCases, prepare_rollouts
from tests.crash.cloud_fork_server import CloudForkServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def rollout_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RolloutCases]:
    """Return all recorded rollout cases."""
    with CloudForkServer() as fork_server:
        yield prepare_rollouts(tmp_path_factory.mktemp("rollout_runs"), fork_server)
