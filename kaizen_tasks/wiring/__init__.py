"""Constructs the toolbox; the only place that chooses adapters."""

from kaizen_tasks.wiring.toolbox import Toolbox, image_cache, toolbox, user_at_host

__all__ = ["Toolbox", "image_cache", "toolbox", "user_at_host"]
