"""Thin Invoke tasks: parse flags, call a flow, render, translate errors to exit codes."""

from __future__ import annotations

import atexit
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke.collection import Collection

GC_ALLOCATION_THRESHOLD = 100_000


def make_namespace() -> Collection:
    """Make the collection of all tasks for the app that the user stands in.

    It is made anew at each call: its stages and its configuration depend on where the user stands.
    """
    _reduce_garbage_collection()
    from kaizen_tasks.cli.namespace import build_namespace

    return build_namespace()


def _reduce_garbage_collection() -> None:
    """Spare a process that lives for a moment most of the garbage collector's work, which is an eighth of `inv cut`.

    Modules and classes stay until the end, and are searched for garbage again and again while they are made, and
    twice more at exit. A long rollout still collects what it leaves behind.
    """
    if gc.get_threshold()[0] < GC_ALLOCATION_THRESHOLD:
        gc.freeze()
        gc.set_threshold(GC_ALLOCATION_THRESHOLD)
        atexit.register(gc.freeze)
