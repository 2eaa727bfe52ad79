"""Release one containerised web app to many services: the same bytes everywhere, proven by the running app.

An app's `tasks.py` is two lines:

    from kaizen_tasks import namespace

    __all__ = ["namespace"]

For flows of its own it also imports `flow`, a decorator, and the steps in `kaizen_tasks.flows.steps`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke.collection import Collection

    from kaizen_tasks.cli.flow import flow

    namespace: Collection
    __version__: str

__all__ = ["__version__", "flow", "namespace"]


def __getattr__(name: str) -> object:
    """Return a public name; the namespace is built for the app in the working directory when it is imported.

    Raises:
        AttributeError: there is no such name here.
    """
    if name == "namespace":
        return import_module("kaizen_tasks.cli").make_namespace()
    if name == "flow":
        return import_module("kaizen_tasks.cli.flow").flow
    if name == "__version__":
        return import_module("importlib.metadata").version("kaizen-tasks")
    raise AttributeError(name)
