"""The name of the branch that proposes a release, and the description of its pull request."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.proposal import digest, proposal_branch, render_body


@pytest.mark.parametrize(
    ("branch", "tag", "expected"),
    [
        ("main", "v{version}", "release/next"),
        ("stable/1.x", "v{version}", "release/next-stable-1.x"),
        ("main", "{version}", "release/next"),
        ("main", "web-v{version}", "release/next-web"),
        ("main", "web@{version}", "release/next-web"),
        ("main", "dev{version}", "release/next-dev"),
        ("main", "v{version}-web", "release/next-web"),
        ("main", "@acme/web@{version}", "release/next-acme-web"),
        ("stable/1.x", "apps/web/v{version}", "release/next-apps-web-stable-1.x"),
    ],
)
def test_each_branch_and_each_app_of_a_repository_has_a_proposal_of_its_own(
    branch: str, tag: str, expected: str
) -> None:
    assert proposal_branch(branch, main_branch="main", tag=tag) == expected


def test_a_digest_is_that_of_names_and_contents() -> None:
    contents = {"VERSION": b"1.2.3\n", "CHANGELOG.md": b"# Changelog\n"}

    assert digest(contents) == digest(dict(reversed(contents.items())))
    assert digest(contents) != digest({**contents, "VERSION": b"1.2.4\n"})
    assert digest({"a": b"b"}) != digest({"a": None})


def test_a_description_keeps_what_others_have_written() -> None:
    first = render_body("", notes="- Paces", instruction="Merge me.")
    edited = f"Please wait for Ada.\n\n{first}\nLGTM\n".replace("\n", "\r\n")

    updated = render_body(edited, notes="- Plans", instruction="Merge me.")

    assert updated.startswith("Please wait for Ada.\n")
    assert updated.endswith("\nLGTM\n")
    assert "- Plans" in updated
    assert "- Paces" not in updated


def test_the_notes_follow_the_description_of_a_pull_request_that_was_opened_by_hand() -> None:
    body = render_body("My words", notes="- Paces", instruction="Merge me.")

    assert body.startswith("My words\n\n<!-- kaizen")
    assert render_body(body, notes="- Paces", instruction="Merge me.") == body
