"""A region with ECS whose tasks are stand-ins."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.localcloud.ecs.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def open_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Region]]:
    """Return a function that starts ECS, which replaces failed tasks at once."""
    monkeypatch.setattr("kaizen_tasks.localcloud.ecs.deploy.task_set._FIRST_RETRY_SECONDS", 0.001)
    before = threading.active_count()
    regions: list[Region] = []

    def start(**options: object) -> Region:
        region = Region(tmp_path, **options)  # type: ignore[arg-type]
        regions.append(region)
        return region

    yield start
    for region in regions:
        region.ecs.close()
    assert threading.active_count() <= before


@pytest.fixture
def region(open_region: Callable[..., Region]) -> Region:
    """Return a region whose deployments last no time."""
    return open_region()
