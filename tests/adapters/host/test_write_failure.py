"""What to do about a file that cannot be written depends on the reason."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.host.write_failure import remedy


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        ("No space left on device", "make room: df -h '/a b', then run the same command again"),
        ("Disk quota exceeded", "make room: df -h '/a b', then run the same command again"),
        ("Permission denied", "see who may write there: ls -la '/a b', then run the same command again"),
        ("Read-only file system", "see who may write there: ls -la '/a b', then run the same command again"),
        ("Is a directory", ""),
    ],
)
def test_remedy_fits_the_reason(reason: str, command: str) -> None:
    assert remedy(reason, "/a b") == command
