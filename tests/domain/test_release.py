"""Releases, and the images that carry them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.release import BuildSpec, CopyStats, Release, StepLabel

VIENNA = timezone(timedelta(hours=1))
RECIPE = BuildSpec(
    app="web",
    version="v1.2.3",
    revision="4f2a9c81" * 5,
    created_at=datetime(2026, 11, 20, 12, 30, tzinfo=VIENNA),
    source="https://git.example.com/team/web",
)


@pytest.mark.parametrize(
    ("label", "words"),
    [(StepLabel("deploy", "staging"), "deploy staging"), (StepLabel("tag"), "tag")],
)
def test_a_label_names_the_step_and_its_environment(label: StepLabel, words: str) -> None:
    """A step for no environment is named alone."""
    assert str(label) == words


def test_a_release_is_named_like_its_image() -> None:
    """The same name everywhere is what makes witnesses comparable."""
    assert Release(version=Version.parse("1.3.0-rc.1")).name == "v1.3.0-rc.1"


def test_proofs_add_up_and_leave_the_release_before_as_it_was() -> None:
    """A step hands on more than it was given."""
    before = Release(version=Version.parse("1.2.3"), commit="c", digest="d")

    after = before.with_verified_step(StepLabel("verify", "staging")).with_verified_step(StepLabel("smoke", "staging"))

    assert after.verified_steps == {StepLabel("verify", "staging"), StepLabel("smoke", "staging")}
    assert before.verified_steps == frozenset()
    assert (after.version, after.commit, after.digest) == (before.version, before.commit, before.digest)


def test_proof_in_one_environment_is_none_in_another() -> None:
    """The label says where."""
    proven = Release(version=Version.parse("1.2.3")).with_verified_step(StepLabel("verify", "staging"))

    assert StepLabel("verify", "prod") not in proven.verified_steps


def test_an_image_is_labelled_with_where_it_comes_from() -> None:
    """The names are those of the OCI image specification; the time keeps its zone, as RFC 3339 asks."""
    assert RECIPE.labels == {
        "org.opencontainers.image.version": "v1.2.3",
        "org.opencontainers.image.revision": "4f2a9c81" * 5,
        "org.opencontainers.image.created": "2026-11-20T12:30:00+01:00",
        "org.opencontainers.image.source": "https://git.example.com/team/web",
    }


def test_leaves_out_labels_that_would_be_empty() -> None:
    """A repository without a remote has no public address."""
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
def test_a_copy_says_what_it_cost(copied: CopyStats, said: str) -> None:
    assert str(copied) == said
