"""Releases."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.release import Release, StepLabel, render_message


@pytest.mark.parametrize(
    ("label", "words"),
    [(StepLabel("deploy", "staging"), "deploy staging"), (StepLabel("tag"), "tag")],
)
def test_step_label_is_step_and_environment(label: StepLabel, words: str) -> None:
    assert str(label) == words


def test_release_name_is_the_image_tag() -> None:
    assert Release(version=Version.parse("1.3.0-rc.1")).name == "v1.3.0-rc.1"


def test_verified_steps_add_up_in_new_releases() -> None:
    before = Release(version=Version.parse("1.2.3"), commit="c", digest="d")

    after = before.with_verified_step(StepLabel("verify", "staging")).with_verified_step(StepLabel("smoke", "staging"))

    assert after.verified_steps == {StepLabel("verify", "staging"), StepLabel("smoke", "staging")}
    assert before.verified_steps == frozenset()
    assert (after.version, after.commit, after.digest) == (before.version, before.commit, before.digest)


def test_verified_step_counts_for_its_environment_only() -> None:
    proven = Release(version=Version.parse("1.2.3")).with_verified_step(StepLabel("verify", "staging"))

    assert StepLabel("verify", "prod") not in proven.verified_steps


VALUES = {"version": "1.2.3", "tag": "v1.2.3", "app": "web", "notes": "Fixed\n\n- a"}


@pytest.mark.parametrize(
    ("template", "trailers", "expected"),
    [
        ("Release {tag}", (), "Release v1.2.3\n"),
        ("chore(release): {version}\n\n{notes}\n", (), "chore(release): 1.2.3\n\nFixed\n\n- a\n"),
        ("Release {tag}\n{notes}", (), "Release v1.2.3\n\nFixed\n\n- a\n"),
        ("Release {{{version}}}", (), "Release {1.2.3}\n"),
        ("R {tag}", ("Signed-off-by: S <s@e>",), "R v1.2.3\n\nSigned-off-by: S <s@e>\n"),
        ("fix: {tag}", ("Kaizen-Environment: mark",), "fix: v1.2.3\n\nKaizen-Environment: mark\n"),
        ("R\n\n{notes}", ("K: e", "S: n"), "R\n\nFixed\n\n- a\n\nK: e\nS: n\n"),
        ("R\n\nText.\n\nRefs: A-1\n", ("K: e",), "R\n\nText.\n\nRefs: A-1\nK: e\n"),
        ("R\n\nK: e\n", ("K: e",), "R\n\nK: e\n"),
        ("R\n\nSee below:\nRefs: A-1", ("K: e",), "R\n\nSee below:\nRefs: A-1\n\nK: e\n"),
    ],
)
def test_message_is_the_template_with_trailers_in_its_last_paragraph(
    template: str, trailers: tuple[str, ...], expected: str
) -> None:
    assert render_message(template, VALUES, trailers=trailers) == expected
