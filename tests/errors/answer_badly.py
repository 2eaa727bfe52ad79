"""Answers as an app that is broken until it is killed: `python -m tests.errors.answer_badly KIND FILE`, of its URL."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.support import bad_servers

if __name__ == "__main__":
    kind, file = sys.argv[1:]
    with bad_servers.serve(getattr(bad_servers, kind)) as url:
        Path(file).write_text(url)
        signal.pause()
