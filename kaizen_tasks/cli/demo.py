"""`inv demo`: the example app through the whole pipeline, on the local cloud."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import JSON_HELP, command

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context


@command(
    help={
        "keep": "leave everything running, in this folder",
        "engine": "auto, docker, podman, buildah or bundle; auto is docker when it can build without a download",
        "json": JSON_HELP,
    },
)
def demo(c: Context, keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Take an example app through release-staging, promote-prod and promote-beta on a local cloud."""
    import tempfile
    from pathlib import Path

    from kaizen_tasks.rehearsal import demo as train

    out = sys.stderr if json else sys.stdout
    if c.config.run.dry:
        out.write("would take the example app through staging, prod and beta on a local cloud; changes nothing here\n")
        return
    if keep:
        train.run_demo(make_empty_folder(Path(keep)), engine=engine, keep=True, json=json, out=out)
        return
    with tempfile.TemporaryDirectory(prefix="kaizen-demo-") as folder:
        train.run_demo(Path(folder), engine=engine, keep=False, json=json, out=out)


def make_empty_folder(folder: Path) -> Path:
    """Return the folder that `--keep` names, made when it is not there.

    Raises:
        UsageError: something else is in it.
    """
    from kaizen_tasks.errors import UsageError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"--keep {folder}: not an empty folder",
            state="nothing has been started",
            hint="name a folder that does not exist yet",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
