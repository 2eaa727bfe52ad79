"""Picks the executor: the real one, or the one that only shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.flows.runner import Executor, display, perform

if TYPE_CHECKING:
    from kaizen_tasks.wiring import Toolbox


def executor(tools: Toolbox) -> Executor:
    """Return what happens when a step has decided to act: under `inv --dry`, nothing."""
    return display if tools.dry else perform
