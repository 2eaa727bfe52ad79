"""The steps of flows, public for the flows of an app's `tasks.py`; each module is imported when it is first used."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.flows.steps.build import Build, Push
    from kaizen_tasks.flows.steps.bump import Bump
    from kaizen_tasks.flows.steps.changelog import CutChangelog
    from kaizen_tasks.flows.steps.commit import Commit, FastForward
    from kaizen_tasks.flows.steps.copy import CopyImage, FindImage
    from kaizen_tasks.flows.steps.deploy import Deploy
    from kaizen_tasks.flows.steps.evidence import Evidence
    from kaizen_tasks.flows.steps.hold import AddHold
    from kaizen_tasks.flows.steps.preflight import Preflight
    from kaizen_tasks.flows.steps.record import MarkRollback, Record
    from kaizen_tasks.flows.steps.runtime import Redeploy, RestoreConfig, SetConfig
    from kaizen_tasks.flows.steps.smoke import Smoke
    from kaizen_tasks.flows.steps.tag import FastForwardAndTag, PushRelease, Tag
    from kaizen_tasks.flows.steps.verify import Verify

__all__ = [
    "AddHold",
    "Build",
    "Bump",
    "Commit",
    "CopyImage",
    "CutChangelog",
    "Deploy",
    "Evidence",
    "FastForward",
    "FastForwardAndTag",
    "FindImage",
    "MarkRollback",
    "Preflight",
    "Push",
    "PushRelease",
    "Record",
    "Redeploy",
    "RestoreConfig",
    "SetConfig",
    "Smoke",
    "Tag",
    "Verify",
]

_MODULES = {
    "build": ("Build", "Push"),
    "bump": ("Bump",),
    "changelog": ("CutChangelog",),
    "commit": ("Commit", "FastForward"),
    "copy": ("CopyImage", "FindImage"),
    "deploy": ("Deploy",),
    "evidence": ("Evidence",),
    "hold": ("AddHold",),
    "preflight": ("Preflight",),
    "record": ("MarkRollback", "Record"),
    "runtime": ("Redeploy", "RestoreConfig", "SetConfig"),
    "smoke": ("Smoke",),
    "tag": ("FastForwardAndTag", "PushRelease", "Tag"),
    "verify": ("Verify",),
}

_DEPRECATED = {
    "Changelog": "CutChangelog",
    "Configure": "SetConfig",
    "Copy": "CopyImage",
    "Hold": "AddHold",
    "Land": "FastForward",
    "Locate": "FindImage",
    "Restore": "RestoreConfig",
    "Return": "MarkRollback",
    "Seal": "FastForwardAndTag",
    "Send": "PushRelease",
}
"""Names of steps before 0.2; they work until 1.0."""


def __getattr__(name: str) -> object:
    """Return a step class, importing its module.

    Raises:
        AttributeError: there is no such step.
    """
    if name in _DEPRECATED:
        current_name = _DEPRECATED[name]
        warnings.warn(f"steps.{name} is now steps.{current_name}", DeprecationWarning, stacklevel=2)
        return __getattr__(current_name)
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
