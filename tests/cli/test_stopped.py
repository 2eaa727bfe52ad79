"""The errors of runs that are stopped from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaizen_tasks.cli.stopped import fresh_start
from kaizen_tasks.errors import Interrupted


@pytest.mark.parametrize(
    ("kept", "lines"),
    [
        (None, ["everything that it has created is removed", "the same command starts the demo from the beginning"]),
        (
            Path("kept"),
            [
                "what it has created is in kept",
                "the same command starts the demo from the beginning in another --keep folder",
            ],
        ),
    ],
)
def test_interrupted_demo_says_that_it_starts_from_the_beginning(kept: Path | None, lines: list[str]) -> None:
    with pytest.raises(Interrupted) as caught, fresh_start("the demo", kept=kept):
        raise KeyboardInterrupt

    assert str(caught.value).splitlines() == ["interrupted", *lines]
