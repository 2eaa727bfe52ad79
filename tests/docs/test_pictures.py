"""The pictures of the dashboard, in each window and scheme."""

from __future__ import annotations

import struct

import pytest

from docs.generating.dashboard_pictures import PICTURES, SCHEMES, WINDOWS

MAX_BYTES = 100_000


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WINDOWS)
def test_each_picture_is_of_its_window_and_small(width: int, scheme: str) -> None:
    """Their bytes differ from machine to machine, by its fonts."""
    content = (PICTURES / f"dashboard-{width}-{scheme}.png").read_bytes()

    assert content.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", content[16:24]) == (width, WINDOWS[width])
    assert len(content) < MAX_BYTES
