"""A local cloud that is killed while it writes; `nox -s crash` kills it at every file operation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import HANG_SECONDS


@pytest.mark.e2e
def test_whatever_was_answered_survives_a_kill() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.cloud_kills", "5"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d\d kills, and each time what was answered was restored\n", done.stdout)
