"""What to do when a file or a folder cannot be written, by the words of the operating system."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_NO_ROOM = r"(?i)no space left|quota"
_NO_ACCESS = r"(?i)permission|permitted|read-only"


def remedy(reason: str, folder: str | Path) -> str:
    """Return what to type if nothing can be written in a folder; empty for another reason than room or permission."""
    place = shlex.quote(str(folder))
    if re.search(_NO_ROOM, reason):
        return f"make room: df -h {place}, then run the same command again"
    if re.search(_NO_ACCESS, reason):
        return f"see who may write there: ls -la {place}, then run the same command again"
    return ""
