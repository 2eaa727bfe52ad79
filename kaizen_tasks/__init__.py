"""Release one containerised web app to many services: the same bytes everywhere, proven by the running app.

An app's `tasks.py` is two lines:

    from kaizen_tasks import namespace

    __all__ = ["namespace"]

What an app's own flows are made of stands in `kaizen_tasks.flows.steps` and `kaizen_tasks.cli.flow`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke.collection import Collection

    namespace: Collection
    __version__: str

__all__ = ["__version__", "namespace"]


def __getattr__(name: str) -> object:
    """Make the namespace for the app that the user stands in, and only when it is asked for.

    Raises:
        AttributeError: there is no such name here.
    """
    if name == "namespace":
        from kaizen_tasks.cli import make_namespace

        return make_namespace()
    if name == "__version__":
        from importlib.metadata import version

        return version("kaizen-tasks")
    raise AttributeError(name)
