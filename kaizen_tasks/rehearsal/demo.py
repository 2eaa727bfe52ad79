"""The demo: the commands of a release, run one after the other in a scratch clone of the example app."""

from __future__ import annotations

import json as json_format
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attrs import frozen

from kaizen_tasks.adapters.build.select import detect_engine
from kaizen_tasks.adapters.host import process
from kaizen_tasks.config import load
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import example
from kaizen_tasks.rehearsal.commands import print_line, run_task
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud

DEMO_COMMANDS = ("release-staging", "promote-prod --yes", "promote-beta")


@frozen(kw_only=True)
class DemoWorkspace:
    """Everything the demo has created.

    Attributes:
        work: the folder that holds all of it.
        clone: the scratch clone.
        remote: the clone's bare remote.
        engine: what builds the image.
        out: the stream that people read.
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
        """Variables that point any AWS client, and these tasks, at the local cloud."""
        cloud_environ = self.cloud.environ if self.cloud else {}
        return {**cloud_environ, "INVOKE_BUILD_ENGINE": self.engine}


def run_demo(work: Path, *, engine: str, platform: str, accounts: bool, keep: bool, json: bool, out: TextIO) -> None:
    """Create the workspace, release and promote the example app, print its status, and clean up.

    Args:
        work: an empty folder for everything.
        engine: what builds the image; `auto` is docker when that needs no download, else bundle.
        platform: what runs the app: `apprunner`, `ecs-express`, `ecs`.
        accounts: whether prod and beta are in another account and region than staging.
        keep: whether the local cloud keeps running.
        json: whether to write the status to stdout as JSON.
        out: the stream that people read.

    Raises:
        Refused: the local cloud is not installed, or the engine does not work.
        KaizenError: a command failed; the error has its exit code.
    """
    started_at = time.monotonic()
    clouds.require_installed()
    _require_engine(engine)
    app = example.find_example_app()
    clone, remote = example.create_example_repo(work, app, platform=platform, accounts=accounts)
    workspace = DemoWorkspace(work=work, clone=clone, remote=remote, engine=_choose_engine(engine, clone), out=out)
    try:
        for command in (f"local.up --state {shlex.quote(str(workspace.state))}", *DEMO_COMMANDS):
            _run_command(command, workspace)
        _show_status(workspace, json=json)
        elapsed = duration.format_duration(time.monotonic() - started_at)
        places = " in two accounts and regions" if accounts else ""
        print_line(out, f"One build, five environments{places}, the same bytes, in {elapsed}.")
    finally:
        cloud = workspace.cloud
        if cloud is not None and keep:
            print_line(out, _next_steps(workspace, cloud))
        elif cloud is not None:
            clouds.stop_cloud(cloud)


def _require_engine(engine: str) -> None:
    """Make sure that a requested engine works, before anything is started.

    Raises:
        Refused: it does not.
    """
    try:
        if engine != "auto":
            detect_engine(BuildRules(engine=engine))
    except Refused as error:
        reason = error.message.partition(", but ")[2] or error.message
        hint = "leave out --engine: the demo then takes docker, or builds without an engine"
        raise Refused(f"--engine {engine}: {reason}", state="nothing has been started", hint=hint) from error


def _choose_engine(requested: str, clone: Path) -> str:
    if requested != "auto":
        return requested
    config_file = load.read_config_file(clone)
    default_image = config_file.table["build"]["args"]["BASE"] if config_file else ""
    base_image = os.environ.get("INVOKE_BUILD_ARGS_BASE") or default_image
    try:
        result = process.run(("docker", "image", "inspect", base_image), timeout=5)
    except KaizenError:
        return "bundle"
    return "docker" if result.ok else "bundle"


def _run_command(command: str, workspace: DemoWorkspace) -> None:
    print_line(workspace.out, f"\n$ inv {command}")
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as error_file:
        result = run_task(command, workspace.clone, workspace.environ, stdout=workspace.out, stderr=error_file)
        error_file.seek(0)
        text = error_file.read()
    if result.returncode:
        raise _command_error(text, result.returncode)
    sys.stderr.write(text)  # warnings


def _command_error(text: str, exit_code: int) -> KaizenError:
    """Return the error of a command that failed, from what it wrote to stderr."""
    message, *others = text.strip().removeprefix("error: ").splitlines() or [f"exit code {exit_code}"]
    error = KaizenError(message, state="\n".join(others[:-1]), hint="".join(others[-1:]))
    error.exit_code = exit_code  # type: ignore[misc]  # which every other class has for all its errors
    return error


def _show_status(workspace: DemoWorkspace, *, json: bool) -> None:
    if not json:
        _run_command("status", workspace)
        return
    status = run_task("status --json", workspace.clone, workspace.environ, stdout=subprocess.PIPE)
    document: dict[str, Any] = json_format.loads(status.stdout)
    document["work"] = {
        "repository": str(workspace.clone),
        "remote": str(workspace.remote),
        "endpoint_url": workspace.environ["AWS_ENDPOINT_URL"],
        "environ": workspace.environ,
    }
    sys.stdout.write(json_format.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def _next_steps(workspace: DemoWorkspace, cloud: Cloud) -> str:
    env_file = clouds.write_env_file(cloud, INVOKE_BUILD_ENGINE=workspace.engine)
    other_place = f"my-personal-coach-app --profile prod --region {example.OTHER_REGION}"
    repository = other_place if cloud.has_profiles else f"staging-coach-app --region {cloud.region}"
    commands = (
        "inv status",
        'inv changelog.add --type fixed --text "A typo" && git commit -am "Fix a typo" && inv release-staging',
        f"aws ecr describe-images --repository-name {repository}",
    )
    return "\n" + clouds.next_steps(workspace.clone, env_file, *commands)
