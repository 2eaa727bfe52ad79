"""Images."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from attrs import evolve

from kaizen_tasks.domain.image import BuildSpec, CopyStats

VIENNA = timezone(timedelta(hours=1))
RECIPE = BuildSpec(
    app="web",
    version="v1.2.3",
    revision="4f2a9c81" * 5,
    created_at=datetime(2026, 11, 20, 12, 30, tzinfo=VIENNA),
    source="https://git.example.com/team/web",
)


def test_build_labels_follow_the_oci_specification() -> None:
    assert RECIPE.labels == {
        "org.opencontainers.image.version": "v1.2.3",
        "org.opencontainers.image.revision": "4f2a9c81" * 5,
        "org.opencontainers.image.created": "2026-11-20T12:30:00+01:00",
        "org.opencontainers.image.source": "https://git.example.com/team/web",
    }


def test_empty_build_labels_are_left_out() -> None:
    assert "org.opencontainers.image.source" not in evolve(RECIPE, source="").labels


@pytest.mark.parametrize(
    ("copied", "said"),
    [
        (
            CopyStats(digest="sha256:1", blobs_mounted=3, blobs_uploaded=1, bytes_sent=12345),
            "3 blobs mounted, 1 uploaded (12,345 bytes)",
        ),
        (CopyStats(digest="sha256:1", blobs_mounted=1, blobs_present=8), "1 blob mounted, 8 already there"),
        (CopyStats(digest="sha256:1", blobs_present=9), "9 blobs already there"),
        (CopyStats(digest="sha256:1"), "0 blobs missing"),
    ],
)
def test_copy_stats_in_words(copied: CopyStats, said: str) -> None:
    assert str(copied) == said
