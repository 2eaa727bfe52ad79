"""What the flows need from the outside world, and nothing about how it is done.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes. The module of
a port is imported when the port is first asked for: a command needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOMES = {
    "account": ("Account", "Identity", "Machine"),
    "images": ("Builder", "Registry"),
    "people": ("Clock", "Reporter"),
    "repository": ("Documents", "Scm"),
    "secrets": ("Secrets",),
    "services": ("Logs", "Platform", "Prober"),
    "shared": ("Holds", "Ledger", "Locks"),
    "tools": ("Tools",),
    "values": ("Engine", "Head", "Login", "Remote", "Secret", "Stored"),
}


def __getattr__(name: str) -> object:
    """Import a port.

    Raises:
        AttributeError: there is no such port.
    """
    for home, ports in _HOMES.items():
        if name in ports:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
