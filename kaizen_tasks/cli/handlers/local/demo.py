"""`inv demo`: releases the example app through the whole pipeline, on a local cloud."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import JSON_HELP, command

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context


@command(
    help={
        "keep": "keep everything running, in this new or empty folder",
        "engine": "auto, docker, podman, buildah or bundle; auto is docker if the base image is there, else bundle",
        "json": JSON_HELP,
    },
)
def demo(c: Context, keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Release and promote an example app on a local cloud: release-staging, promote-prod, promote-beta."""
    import tempfile
    from pathlib import Path

    from kaizen_tasks.rehearsal.demo import run_demo

    out = sys.stderr if json else sys.stdout
    if c.config.run.dry:
        out.write(
            "would release the example app to staging, prod and beta of a local cloud; nothing has been started\n"
        )
        return
    if keep:
        run_demo(make_empty_folder(Path(keep)), engine=engine, keep=True, json=json, out=out)
        return
    with tempfile.TemporaryDirectory(prefix="kaizen-demo-") as folder:
        run_demo(Path(folder), engine=engine, keep=False, json=json, out=out)


def make_empty_folder(folder: Path) -> Path:
    """Return the folder that `--keep` names, created when it is missing.

    Raises:
        UsageError: it is not an empty folder.
    """
    from kaizen_tasks.errors import UsageError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"--keep {folder}: expected a new or an empty folder",
            state="nothing has been started",
            hint="name a folder that does not exist yet",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
