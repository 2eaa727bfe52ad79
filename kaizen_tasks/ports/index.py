"""The ports by attribute of the toolbox. Import this late: a command that acquires no lock needs few ports."""

from __future__ import annotations

from collections.abc import Mapping

from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.cloud import AccountAdmin, Identity
from kaizen_tasks.ports.commands import Commands
from kaizen_tasks.ports.forge import Forge
from kaizen_tasks.ports.host import Host, Network
from kaizen_tasks.ports.images import Builder, Registry
from kaizen_tasks.ports.messenger import Messenger
from kaizen_tasks.ports.migration import MigrationSource, MigrationTarget
from kaizen_tasks.ports.outbox import Outbox
from kaizen_tasks.ports.platform import Logs, Platform, Prober
from kaizen_tasks.ports.reporter import Reporter
from kaizen_tasks.ports.run_report import RunReport
from kaizen_tasks.ports.scm import ReleaseFiles, Scm
from kaizen_tasks.ports.secrets import Secrets
from kaizen_tasks.ports.state import Holds, Ledger, Locks

PORTS: Mapping[str, type] = {
    "release_files": ReleaseFiles,
    "scm": Scm,
    "builder": Builder,
    "registry": Registry,
    "platform": Platform,
    "logs": Logs,
    "commands": Commands,
    "identity": Identity,
    "ledger": Ledger,
    "locks": Locks,
    "holds": Holds,
    "outbox": Outbox,
    "secrets": Secrets,
    "migration_source": MigrationSource,
    "migration_target": MigrationTarget,
    "account": AccountAdmin,
    "host": Host,
    "prober": Prober,
    "network": Network,
    "forge": Forge,
    "messenger": Messenger,
    "clock": Clock,
    "reporter": Reporter,
    "run_report": RunReport,
}
"""The port of each attribute of the toolbox, by the attribute's name."""
