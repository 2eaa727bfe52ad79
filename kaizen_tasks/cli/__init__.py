"""The command line: Invoke tasks that parse flags, run a flow, print its result and turn errors into exit codes.

`commands` declares the tasks and their flags; `handlers` has what they do, and is imported when a task runs.
"""

from __future__ import annotations

import atexit
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke.collection import Collection

GC_ALLOCATION_THRESHOLD = 250_000
"""More than a short command allocates and keeps: `status` 110,000 with the models of AWS services, `doctor` 180,000.

With fewer, the only collection goes through all of them, which takes 28 ms and finds nothing."""


def make_namespace() -> Collection:
    """Return the collection of all tasks for the app in the working directory, built again for each call."""
    reduce_garbage_collection()
    from kaizen_tasks.cli import stopped  # noqa: PLC0415
    from kaizen_tasks.cli.entry_point.program import equip_invoke  # noqa: PLC0415
    from kaizen_tasks.cli.namespace import build_namespace  # noqa: PLC0415 - after the collector is told to rest
    from kaizen_tasks.cli.trust import require_own_files  # noqa: PLC0415
    from kaizen_tasks.config.load import find_config_file  # noqa: PLC0415

    stopped.replace_unencodable_output()
    stopped.report_failed_output()
    equip_invoke()
    config_file = find_config_file()
    require_own_files(config_file.root)
    return build_namespace(config_file)


def reduce_garbage_collection() -> None:
    """Save a short process most of the garbage collector's work, which is an eighth of `inv cut`.

    Otherwise modules and classes, which live until the end, are scanned again and again while they are imported, and
    twice more at exit. A long rollout still collects its garbage.
    """
    if gc.get_threshold()[0] < GC_ALLOCATION_THRESHOLD:
        gc.freeze()
        gc.set_threshold(GC_ALLOCATION_THRESHOLD)
        atexit.register(gc.freeze)
