"""Deprecated: `from kaizen_tasks import flow`."""

from __future__ import annotations

import warnings

from kaizen_tasks.cli.flow import flow

__all__ = ["flow"]

warnings.warn("kaizen_tasks.tasks.flow is now: from kaizen_tasks import flow", DeprecationWarning, stacklevel=2)
