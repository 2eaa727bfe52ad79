"""The demo: the commands that a developer would type, typed one after the other in a scratch clone."""

from __future__ import annotations

import json as json_format
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal import example

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.cloud import Cloud

DEMO_COMMANDS = ("release-staging", "promote-prod --yes", "promote-beta")


@frozen(kw_only=True)
class DemoWorkspace:
    """Everything the demo has made.

    Attributes:
        work: the folder that holds all of it.
        clone: the scratch clone.
        remote: its bare remote.
        engine: what builds the image.
        out: where everything for people goes.
    """

    work: Path
    clone: Path
    remote: Path
    engine: str
    out: TextIO

    @property
    def state(self) -> Path:
        """The local cloud's folder."""
        return self.work / "cloud"

    @property
    def cloud(self) -> Cloud | None:
        """The local cloud, while it runs."""
        return clouds.find_cloud(self.state)

    @property
    def environ(self) -> dict[str, str]:
        """What points any AWS client, and these tasks, at the local cloud."""
        cloud_environ = self.cloud.environ if self.cloud else {}
        return {**cloud_environ, "INVOKE_BUILD_ENGINE": self.engine}


def run_demo(work: Path, *, engine: str, keep: bool, json: bool, out: TextIO) -> None:
    """Make the world, take the train through it, show where everything has arrived, and clean up.

    Args:
        work: an empty folder for everything.
        engine: what builds the image; `auto` is docker when that needs no download, else bundle.
        keep: whether the local cloud goes on afterwards.
        json: whether stdout gets the document of the command-line contract.
        out: where everything for people goes.

    Raises:
        KaizenError: a command failed; what it said stands above.
    """
    started_at = time.monotonic()
    clone, remote = example.create_example_repo(work, example.find_example_app())
    workspace = DemoWorkspace(work=work, clone=clone, remote=remote, engine=_choose_engine(engine, clone), out=out)
    try:
        _run_command(f"local.up --state {shlex.quote(str(workspace.state))}", workspace)
        for command in DEMO_COMMANDS:
            _run_command(command, workspace)
        _show_status(workspace, json=json)
        _print_line(
            workspace,
            f"One build, five environments, the same bytes, in {duration.format_duration(time.monotonic() - started_at)}.",
        )
    finally:
        if keep and workspace.cloud is not None:
            _print_next_steps(workspace)
        elif workspace.cloud is not None:
            clouds.stop_cloud(workspace.cloud)


def _choose_engine(requested: str, clone: Path) -> str:
    if requested != "auto":
        return requested
    from kaizen_tasks.adapters.host import process
    from kaizen_tasks.config import load

    config_file = load.read_config_file(clone)
    base_image = os.environ.get("INVOKE_BUILD_ARGS_BASE") or (
        config_file.table["build"]["args"]["BASE"] if config_file else ""
    )
    try:
        result = process.run(("docker", "image", "inspect", base_image), timeout=5)
    except KaizenError:
        return "bundle"
    return "bundle" if result.code else "docker"


def _print_line(workspace: DemoWorkspace, text: str) -> None:
    workspace.out.write(f"{text}\n")
    workspace.out.flush()


def _run_command(command: str, workspace: DemoWorkspace) -> None:
    """Type a command in the scratch clone; what it says goes straight to the people."""
    _print_line(workspace, f"\n$ inv {command}")
    result = _run_kaizen(command, workspace, stdout=workspace.out)
    if result.returncode:
        error = KaizenError(
            f"the demo's `inv {command}` failed with exit code {result.returncode}",
            state="what it said stands above",
            hint="demo --keep DIR leaves everything there to look at",
        )
        raise error


def _run_kaizen(command: str, workspace: DemoWorkspace, stdout: TextIO | int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "kaizen_tasks", *shlex.split(command)]
    environ = {**clouds.clean_environ(), **workspace.environ}
    return subprocess.run(
        argv, cwd=workspace.clone, env=environ, stdout=stdout, stdin=subprocess.DEVNULL, text=True, check=False
    )


def _show_status(workspace: DemoWorkspace, *, json: bool) -> None:
    if not json:
        _run_command("status", workspace)
        return
    document: dict[str, Any] = json_format.loads(_run_kaizen("status --json", workspace, stdout=subprocess.PIPE).stdout)
    document["work"] = {
        "repository": str(workspace.clone),
        "remote": str(workspace.remote),
        "endpoint_url": workspace.environ["AWS_ENDPOINT_URL"],
        "environ": workspace.environ,
    }
    sys.stdout.write(json_format.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def _print_next_steps(workspace: DemoWorkspace) -> None:
    assert workspace.cloud is not None
    env_file = clouds.write_env_file(workspace.cloud, INVOKE_BUILD_ENGINE=workspace.engine)
    _print_line(
        workspace,
        f"""
Everything keeps running. To go on by hand:
  cd {shlex.quote(str(workspace.clone))} && . {shlex.quote(str(env_file))}
  inv status
  inv changelog.add --type fixed --text "A typo" && git commit -am "Fix a typo" && inv release-staging
  aws ecr describe-images --repository-name staging-coach-app --region {workspace.cloud.region}
To stop it:
  inv local.down --state {shlex.quote(str(workspace.state))}""",
    )
