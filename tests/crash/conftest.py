"""What the tests of this folder share: rollouts that were prepared and rehearsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import Terrain, explore
from tests.crash.nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrain]:
    """Return every rollout, with a process that starts clouds for it."""
    with Nursery() as nursery:
        yield explore(tmp_path_factory.mktemp("terrain"), nursery)
