"""The steps that flows are made of. They are public: an app's own `tasks.py` composes its flows from them."""

from kaizen_tasks.flows.steps.building import Build, Push
from kaizen_tasks.flows.steps.deploying import Copy, Deploy, Locate
from kaizen_tasks.flows.steps.evidence import Evidence, Record, Return
from kaizen_tasks.flows.steps.holding import Hold
from kaizen_tasks.flows.steps.preflight import Preflight
from kaizen_tasks.flows.steps.proving import Smoke, Verify
from kaizen_tasks.flows.steps.tagging import Seal, Send, Tag
from kaizen_tasks.flows.steps.versioning import Bump, Changelog, Commit, Land

__all__ = [
    "Build",
    "Bump",
    "Changelog",
    "Commit",
    "Copy",
    "Deploy",
    "Evidence",
    "Hold",
    "Land",
    "Locate",
    "Preflight",
    "Push",
    "Record",
    "Return",
    "Seal",
    "Send",
    "Smoke",
    "Tag",
    "Verify",
]
