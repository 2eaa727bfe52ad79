"""The steps of flows, public for the flows of an app's `tasks.py`; each module is imported when it is first used."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.flows.steps.before_deploy import BeforeDeploy as BeforeDeploy
    from kaizen_tasks.flows.steps.build import Build as Build
    from kaizen_tasks.flows.steps.build import Push as Push
    from kaizen_tasks.flows.steps.bump import Bump as Bump
    from kaizen_tasks.flows.steps.changelog import CutChangelog as CutChangelog
    from kaizen_tasks.flows.steps.claim import Abandon as Abandon
    from kaizen_tasks.flows.steps.claim import Claim as Claim
    from kaizen_tasks.flows.steps.commit import Commit as Commit
    from kaizen_tasks.flows.steps.commit import FastForward as FastForward
    from kaizen_tasks.flows.steps.copy import CopyImage as CopyImage
    from kaizen_tasks.flows.steps.copy import FindImage as FindImage
    from kaizen_tasks.flows.steps.deploy import Deploy as Deploy
    from kaizen_tasks.flows.steps.evidence import Evidence as Evidence
    from kaizen_tasks.flows.steps.fast_forward_and_tag import FastForwardAndTag as FastForwardAndTag
    from kaizen_tasks.flows.steps.forge import Announce as Announce
    from kaizen_tasks.flows.steps.forge import OpenPullRequest as OpenPullRequest
    from kaizen_tasks.flows.steps.forge import Propose as Propose
    from kaizen_tasks.flows.steps.preflight import Preflight as Preflight
    from kaizen_tasks.flows.steps.record import AddHold as AddHold
    from kaizen_tasks.flows.steps.record import MarkRollback as MarkRollback
    from kaizen_tasks.flows.steps.record import Record as Record
    from kaizen_tasks.flows.steps.runtime import Redeploy as Redeploy
    from kaizen_tasks.flows.steps.runtime import RestoreConfig as RestoreConfig
    from kaizen_tasks.flows.steps.runtime import SetConfig as SetConfig
    from kaizen_tasks.flows.steps.smoke import Smoke as Smoke
    from kaizen_tasks.flows.steps.tag import PushRelease as PushRelease
    from kaizen_tasks.flows.steps.tag import Tag as Tag
    from kaizen_tasks.flows.steps.verify import Verify as Verify

_MODULES = {
    "before_deploy": ("BeforeDeploy",),
    "build": ("Build", "Push"),
    "bump": ("Bump",),
    "changelog": ("CutChangelog",),
    "claim": ("Abandon", "Claim"),
    "commit": ("Commit", "FastForward"),
    "copy": ("CopyImage", "FindImage"),
    "deploy": ("Deploy",),
    "evidence": ("Evidence",),
    "fast_forward_and_tag": ("FastForwardAndTag",),
    "forge": ("Announce", "OpenPullRequest", "Propose"),
    "preflight": ("Preflight",),
    "record": ("AddHold", "MarkRollback", "Record"),
    "runtime": ("Redeploy", "RestoreConfig", "SetConfig"),
    "smoke": ("Smoke",),
    "tag": ("PushRelease", "Tag"),
    "verify": ("Verify",),
}

__all__ = [name for names in _MODULES.values() for name in names]

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
