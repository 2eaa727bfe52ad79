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

JOURNEY = ("release-staging", "promote-prod --yes", "promote-beta")


@frozen(kw_only=True)
class World:
    """Everything the demo has made.

    Attributes:
        work: the folder that holds all of it.
        clone: the scratch clone.
        remote: its bare remote.
        engine: what builds the image.
        people: where everything for people goes.
    """

    work: Path
    clone: Path
    remote: Path
    engine: str
    people: TextIO

    @property
    def state(self) -> Path:
        """The local cloud's folder."""
        return self.work / "cloud"

    @property
    def cloud(self) -> Cloud | None:
        """The local cloud, while it runs."""
        return clouds.find(self.state)

    @property
    def environ(self) -> dict[str, str]:
        """What points any AWS client, and these tasks, at the local cloud."""
        pointing = self.cloud.environ if self.cloud else {}
        return {**pointing, "INVOKE_BUILD_ENGINE": self.engine}


def run(work: Path, *, engine: str, keep: bool, json: bool, people: TextIO) -> None:
    """Make the world, take the train through it, show where everything has arrived, and clean up.

    Args:
        work: an empty folder for everything.
        engine: what builds the image; `auto` is docker when that needs no download, else bundle.
        keep: whether the local cloud goes on afterwards.
        json: whether stdout gets the document of the command-line contract.
        people: where everything for people goes.

    Raises:
        KaizenError: a command failed; what it said stands above.
    """
    began = time.monotonic()
    clone, remote = example.make(work, example.example())
    world = World(work=work, clone=clone, remote=remote, engine=_engine(engine, clone), people=people)
    try:
        _type(f"local.up --state {shlex.quote(str(world.state))}", world)
        for command in JOURNEY:
            _type(command, world)
        _show(world, json=json)
        _say(
            world,
            f"One build, five environments, the same bytes, in {duration.show(time.monotonic() - began)}.",
        )
    finally:
        if keep and world.cloud is not None:
            _what_next(world)
        elif world.cloud is not None:
            clouds.stop(world.cloud)


def _engine(wanted: str, clone: Path) -> str:
    if wanted != "auto":
        return wanted
    from kaizen_tasks.adapters.host import process
    from kaizen_tasks.config import load

    found = load.read(clone)
    base = os.environ.get("INVOKE_BUILD_ARGS_BASE") or (found.raw["build"]["args"]["BASE"] if found else "")
    try:
        inspected = process.run(("docker", "image", "inspect", base), timeout=5)
    except KaizenError:
        return "bundle"
    return "bundle" if inspected.code else "docker"


def _say(world: World, text: str) -> None:
    world.people.write(f"{text}\n")
    world.people.flush()


def _type(command: str, world: World) -> None:
    """Type a command in the scratch clone; what it says goes straight to the people."""
    _say(world, f"\n$ inv {command}")
    code = _kaizen(command, world, stdout=world.people)
    if code.returncode:
        failed = KaizenError(
            f"the demo's `inv {command}` failed with exit code {code.returncode}",
            state="what it said stands above",
            hint="demo --keep DIR leaves everything there to look at",
        )
        raise failed


def _kaizen(command: str, world: World, stdout: TextIO | int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "kaizen_tasks", *shlex.split(command)]
    environ = {**clouds.surroundings(), **world.environ}
    return subprocess.run(
        argv, cwd=world.clone, env=environ, stdout=stdout, stdin=subprocess.DEVNULL, text=True, check=False
    )


def _show(world: World, *, json: bool) -> None:
    if not json:
        _type("status", world)
        return
    document: dict[str, Any] = json_format.loads(_kaizen("status --json", world, stdout=subprocess.PIPE).stdout)
    document["work"] = {
        "repository": str(world.clone),
        "remote": str(world.remote),
        "endpoint_url": world.environ["AWS_ENDPOINT_URL"],
        "environ": world.environ,
    }
    sys.stdout.write(json_format.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def _what_next(world: World) -> None:
    assert world.cloud is not None
    exports = clouds.write_environ(world.cloud, INVOKE_BUILD_ENGINE=world.engine)
    _say(
        world,
        f"""
Everything keeps running. To go on by hand:
  cd {shlex.quote(str(world.clone))} && . {shlex.quote(str(exports))}
  inv status
  inv changelog.add --type fixed --text "A typo" && git commit -am "Fix a typo" && inv release-staging
  aws ecr describe-images --repository-name staging-coach-app --region {world.cloud.region}
To stop it:
  inv local.down --state {shlex.quote(str(world.state))}""",
    )
