"""Thin Invoke tasks: parse flags, call a flow, render, translate errors to exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke.collection import Collection


def namespace() -> Collection:
    """Make the collection of all tasks for the app that the user stands in.

    It is made anew at each call: its stages and its configuration depend on where the user stands.
    """
    from kaizen_tasks.tasks.collection import build

    return build()
