"""What the flows need from the outside world, and nothing about how it is done.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes.
"""

from kaizen_tasks.ports.account import Account, Identity, Machine
from kaizen_tasks.ports.images import Builder, Registry
from kaizen_tasks.ports.people import Clock, Reporter
from kaizen_tasks.ports.repository import Documents, Scm
from kaizen_tasks.ports.secrets import Secrets
from kaizen_tasks.ports.services import Logs, Platform, Prober
from kaizen_tasks.ports.shared import Holds, Ledger, Locks
from kaizen_tasks.ports.tools import Tools
from kaizen_tasks.ports.values import Engine, Head, Login, Remote, Secret, Stored

__all__ = [
    "Account",
    "Builder",
    "Clock",
    "Documents",
    "Engine",
    "Head",
    "Holds",
    "Identity",
    "Ledger",
    "Locks",
    "Login",
    "Logs",
    "Machine",
    "Platform",
    "Prober",
    "Registry",
    "Remote",
    "Reporter",
    "Scm",
    "Secret",
    "Secrets",
    "Stored",
    "Tools",
]
