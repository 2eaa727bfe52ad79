"""`kaizen`: the same tasks as `inv`, without a `tasks.py`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.program import Program

if TYPE_CHECKING:
    from invoke.collection import Collection


class Kaizen(Program):
    """Invoke's program over our namespace, with the project's `invoke.yaml` read as `inv` would."""

    def parse_collection(self) -> None:
        """Load the namespace, then the configuration beside it.

        Invoke reads the project's own configuration only when it has found a `tasks.py` there.
        """
        from kaizen_tasks.config import source

        super().parse_collection()
        self.config.set_project_location(str(source.find().root))
        self.config.load_project()


def namespace() -> Collection:
    """Return the tasks of the app that the user stands in."""
    from kaizen_tasks.tasks import namespace as make

    return make()


def main() -> None:
    """Run `kaizen`."""
    from kaizen_tasks import __version__

    try:
        tasks = namespace()
    except Exit as error:  # `inv` catches this one itself
        sys.stderr.write(f"{error.message}\n")
        sys.exit(error.code)
    Kaizen(name="kaizen", binary="kaizen", namespace=tasks, version=__version__).run()


if __name__ == "__main__":
    main()
