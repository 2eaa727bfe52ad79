"""A line of a log."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class LogLine:
    """What an instance of the app has printed.

    Attributes:
        at: when, by the clock of its machine, in UTC.
        stream: the log's name of the instance.
        text: without a line end at its end; may have several lines.
        id: identifies the line in its log.
    """

    at: datetime
    stream: str
    text: str
    id: str
