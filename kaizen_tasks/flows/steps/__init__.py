"""The steps that flows are made of. They are public: an app's own `tasks.py` composes its flows from them.

The module of a step is imported when the step is first asked for: a command needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.flows.steps.build import Build, Push
    from kaizen_tasks.flows.steps.copy import Copy, Locate
    from kaizen_tasks.flows.steps.deploy import Deploy
    from kaizen_tasks.flows.steps.evidence import Evidence
    from kaizen_tasks.flows.steps.hold import Hold
    from kaizen_tasks.flows.steps.preflight import Preflight
    from kaizen_tasks.flows.steps.record import Record, Return
    from kaizen_tasks.flows.steps.runtime import Configure, Redeploy, Restore
    from kaizen_tasks.flows.steps.smoke import Smoke
    from kaizen_tasks.flows.steps.tag import Seal, Send, Tag
    from kaizen_tasks.flows.steps.verify import Verify
    from kaizen_tasks.flows.steps.version import Bump, Changelog, Commit, Land

__all__ = [
    "Build",
    "Bump",
    "Changelog",
    "Commit",
    "Configure",
    "Copy",
    "Deploy",
    "Evidence",
    "Hold",
    "Land",
    "Locate",
    "Preflight",
    "Push",
    "Record",
    "Redeploy",
    "Restore",
    "Return",
    "Seal",
    "Send",
    "Smoke",
    "Tag",
    "Verify",
]

_HOMES = {
    "build": ("Build", "Push"),
    "runtime": ("Configure", "Redeploy", "Restore"),
    "copy": ("Copy", "Locate"),
    "deploy": ("Deploy",),
    "evidence": ("Evidence",),
    "record": ("Record", "Return"),
    "hold": ("Hold",),
    "preflight": ("Preflight",),
    "smoke": ("Smoke",),
    "verify": ("Verify",),
    "tag": ("Seal", "Send", "Tag"),
    "version": ("Bump", "Changelog", "Commit", "Land"),
}


def __getattr__(name: str) -> object:
    """Import a step.

    Raises:
        AttributeError: there is no such step.
    """
    for home, steps in _HOMES.items():
        if name in steps:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
