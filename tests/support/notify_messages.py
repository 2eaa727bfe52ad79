"""Messages for tests of their targets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kaizen_tasks.domain.notification.message import Change, Link, Message
from kaizen_tasks.domain.notification.topic import Topic

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)

HOSTILE = (
    "<!channel> <@U123> <#C123> @channel @everyone @here <https://evil.example|click> & &lt; *b* _i_ ~s~ `c` | > q"
    " </script> :bomb: \u202e"
)
"""What a reason, a version or an entry of a changelog may contain."""


def promoted(**changes: Any) -> Message:
    """Return the message of a promotion to prod."""
    values: dict[str, Any] = {
        "key": "k3y-2",
        "app": "coach",
        "topic": Topic.PROMOTED,
        "subject": "coach: v1.2.3 was promoted to prod",
        "details": ("by ada, in 2 minutes",),
        "whats_new": ("Runners see their pace.",),
        "next_step": "inv promote-beta",
        "links": (Link(label="the run", url="https://ci.example/runs/7?a=1&b=2"),),
        "thread": "v1.2.3",
        "summary": ("staging: released", "prod: promoted"),
        "changes": (
            Change(environment="prod", topic=Topic.PROMOTED, at=AT, actor="ada", version="v1.2.3", seconds=120.0),
        ),
    }
    return Message(**{**values, **changes})
