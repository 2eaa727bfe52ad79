"""The tasks of this project: its own, on itself."""

from kaizen_tasks import namespace

__all__ = ["namespace"]
