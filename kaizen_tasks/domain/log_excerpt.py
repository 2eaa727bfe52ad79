"""Lines that a platform or an app has logged, made fit to be shown: they can contain anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 12
"""Lines of one log that are shown."""

WIDEST = 160
"""Characters of one line that are shown."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Control sequences of terminals; ECMA-48, sections 5.3 and 5.4."""

_REASON = re.compile(r"Failure reason\s*:\s*(\S.*)")


def legible(lines: Iterable[str], *, most: int = MOST) -> tuple[str, ...]:
    """Return the last lines that say something, without what a terminal would obey, and none of them endless."""
    shown = (_shown(piece) for line in lines for piece in line.splitlines())
    kept = [line for line in shown if line]
    return tuple(kept[-most:])


def reason(lines: Iterable[str]) -> str:
    """Return why a deployment failed, as App Runner's log of it says last; empty when it does not say."""
    found = [match[1].rstrip(". ") for line in lines if (match := _REASON.search(line))]
    return found[-1] if found else ""


def _shown(line: str) -> str:
    plain = _ESCAPE.sub("", line.expandtabs(4)).rstrip()
    printable = "".join(each if each.isprintable() else "?" for each in plain)
    return printable if len(printable) <= WIDEST else f"{printable[: WIDEST - 2]} …"
