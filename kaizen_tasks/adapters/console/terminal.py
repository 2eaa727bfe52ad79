"""Whether people watch a stream; loads nothing else of the console."""

from __future__ import annotations

import os
from typing import TextIO


def is_interactive(stream: TextIO) -> bool:
    """Return whether the stream is a terminal that can move its cursor, and not that of a CI runner.

    Some CI runners give a pseudo-terminal to their jobs, and keep every frame in the log.
    """
    has_cursor = os.environ.get("TERM", "") not in {"dumb", "unknown"}
    return stream.isatty() and has_cursor and os.environ.get("CI", "").lower() in {"", "0", "false"}
