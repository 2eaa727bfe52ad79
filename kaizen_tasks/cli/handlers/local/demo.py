"""What `demo` does: the example app through the whole pipeline, on the local cloud."""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context

from kaizen_tasks.adapters.host.scratch import scratch_folder
from kaizen_tasks.cli import params, stopped
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.rehearsal.demo import run_demo
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds

CLOUD_FOLDER = "cloud"
"""Name of the local cloud's folder in that of a demo or a rehearsal."""


def demo(c: Context, *, keep: str, engine: str, platform: str, accounts: bool, json: bool) -> None:
    params.parse_engine(engine)
    params.parse_platform(platform)
    out = sys.stderr if json else sys.stdout
    if c.config.run.dry:
        plan = "would release the example app to staging, prod and beta of a local cloud"
        out.write(f"{plan}; nothing has been started\n")
        return
    if keep:
        folder = make_empty_folder(Path(keep))
        with stopped.fresh_start("the demo", kept=folder):
            run_demo(folder, engine=engine, platform=platform, accounts=accounts, keep=True, json=json, out=out)
        return
    with stopped.fresh_start("the demo", kept=None), scratch_folder("kaizen-demo-") as scratch:
        run_demo(scratch, engine=engine, platform=platform, accounts=accounts, keep=False, json=json, out=out)


def make_empty_folder(folder: Path) -> Path:
    """Return the folder that `--keep` names, created when it is missing.

    The folder of the local cloud in it is created as well, by which one of several runs gets the folder.

    Raises:
        Refused: a local cloud runs in it, another run has just begun in it, or it cannot be created.
        UsageError: it is not an empty folder.
    """
    if cloud := clouds.find_cloud(folder.resolve() / CLOUD_FOLDER):
        raise Refused(
            f"--keep {folder}: a local cloud is running in it, at {cloud.endpoint_url}",
            state="nothing has been started",
            hint=f"name another folder; to stop that cloud: {clouds.stop_command(cloud.state)}",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"--keep {folder}: expected a new or an empty folder",
            state="nothing has been started",
            hint="name a folder that does not exist yet",
        )
    cloud_folder = folder / CLOUD_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cloud_folder.mkdir(mode=0o700)
    except OSError as error:
        is_taken = cloud_folder.is_dir()
        reason = "another run has just begun in it" if is_taken else error.strerror
        hint = "name another folder" if is_taken else "name a folder that you can write to"
        raise Refused(f"--keep {folder}: {reason}", state="nothing has been started", hint=hint) from error
    return folder.resolve()
