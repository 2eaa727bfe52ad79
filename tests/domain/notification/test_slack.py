"""Messages as Slack shows them, and as Slack's limits allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.notification.message import Link
from kaizen_tasks.domain.notification.slack import MAX_TEXT_LENGTH, Payload, message_payload, thread_payload
from kaizen_tasks.domain.notification.topic import Topic
from tests.support.notify_messages import HOSTILE, promoted
from tests.support.slack_server import MAX_SECTION, require_no_mentions

LINES = st.lists(st.text(max_size=5_000) | st.just(HOSTILE), max_size=3).map(tuple)


def sections(payload: Payload) -> list[str]:
    return [block["text"]["text"] for block in payload["blocks"]]


def test_message_has_a_section_for_each_part() -> None:
    assert sections(message_payload(promoted())) == [
        "✅ *coach: v1.2.3 was promoted to prod*",
        "by ada, in 2 minutes",
        "*What's new*\n• Runners see their pace.",
        "next: `inv promote-beta`",
        "<https://ci.example/runs/7?a=1&amp;b=2|the run>",
    ]


def test_text_tells_all_to_those_who_know_no_blocks() -> None:
    """Mattermost and Discord show the text alone."""
    assert message_payload(promoted())["text"].splitlines() == [
        "✅ coach: v1.2.3 was promoted to prod",
        "by ada, in 2 minutes",
        "What's new:",
        "- Runners see their pace.",
        "next: inv promote-beta",
        "the run: https://ci.example/runs/7?a=1&amp;b=2",
    ]


def test_parts_that_are_missing_leave_no_empty_section() -> None:
    bare = promoted(details=(), whats_new=(), next_step="", links=(), summary=(), topic=Topic.STARTED)

    assert sections(message_payload(bare)) == ["*coach: v1.2.3 was promoted to prod*"]
    assert sections(thread_payload(bare)) == ["*coach: v1.2.3 was promoted to prod*"]


def test_first_message_of_a_release_shows_how_its_stages_stand() -> None:
    assert sections(thread_payload(promoted()))[:3] == [
        "✅ *coach v1.2.3*",
        "staging: released\nprod: promoted",
        "by ada, in 2 minutes",
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "", "ci.example"])
def test_only_web_addresses_become_links(url: str) -> None:
    payload = message_payload(promoted(links=(Link(label="the run", url=url),)))

    assert not any("the run" in section for section in sections(payload))


def test_link_cannot_be_left_from_inside() -> None:
    link = Link(label="a|b> <!channel>", url="https://ci.example/?a=<b>|c")

    assert sections(message_payload(promoted(links=(link,))))[-1] == (
        "<https://ci.example/?a=&lt;b&gt;%7Cc|a|b&gt; &lt;!channel&gt;>"
    )


def test_nothing_in_a_message_notifies_anybody_or_is_a_link() -> None:
    message = promoted(
        subject=HOSTILE, details=(HOSTILE,), whats_new=(HOSTILE,), next_step=HOSTILE, summary=(HOSTILE, HOSTILE)
    )

    for payload in (message_payload(message), thread_payload(message)):
        for text in (payload["text"], *sections(payload)):
            require_no_mentions(text.replace("<https://ci.example/runs/7?a=1&amp;b=2|the run>", ""))


@given(subject=st.text(min_size=1, max_size=5_000), details=LINES, whats_new=LINES, summary=LINES)
def test_no_text_is_longer_than_slack_and_discord_accept(
    subject: str, details: tuple[str, ...], whats_new: tuple[str, ...], summary: tuple[str, ...]
) -> None:
    message = promoted(subject=subject, details=details, whats_new=whats_new, summary=summary)

    for payload in (message_payload(message), thread_payload(message)):
        assert len(payload["text"].encode("utf-16-le", "surrogatepass")) // 2 <= MAX_TEXT_LENGTH
        assert all(0 < len(text.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_SECTION for text in sections(payload))


def test_long_text_is_cut_between_characters() -> None:
    text = message_payload(promoted(details=("&" * 5_000,)))["text"]

    assert text.endswith("&amp;…")
