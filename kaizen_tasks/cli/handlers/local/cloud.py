"""What `local.*` does."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.host.scratch import remove_abandoned_folders
from kaizen_tasks.adapters.host.user_folders import state_folder
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.errors import BuildFailed, KaizenError, UsageError
from kaizen_tasks.rehearsal.commands import print_line
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud import profiles
from kaizen_tasks.rehearsal.local_cloud import registry as cloud_registry
from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from kaizen_tasks.rehearsal.services import provision, stand_ins
from kaizen_tasks.wiring import Toolbox

if TYPE_CHECKING:
    from semver import Version


Say = Callable[[str], None]
"""Writes a line for people; what needs no app must work in any folder, so it has no reporter."""

BUNDLE_CHOICE = f"{stand_ins.ENGINE_VARIABLE}=bundle, which leaves out the base image and RUN"
"""What is offered where the image cannot be built, and a bundle can."""

REAL_ENGINES = ("docker", "process")
"""Values of `--engine` that ask for the app itself, for which no stand-in will do."""


def up(c: Context, *, state: str, port: str, engine: str, first: str, json: bool) -> None:
    service_engine = params.parse_service_engine(engine)
    port_number = params.parse_number("--port", port, minimum=0, maximum=65535)
    stream = sys.stderr if json else sys.stdout
    tools = wiring.toolbox(c.config, stream=stream)
    settings = tools.settings
    if tools.dry:
        tools.reporter.note("would start a local cloud on loopback; nothing has been started")
        return
    folder = _state_folder(state, settings)
    was_running = clouds.find_cloud(folder) is not None
    cloud = cloud_registry.start_registered_cloud(
        folder,
        region=settings.aws.region or clouds.DEFAULT_REGION,
        account=settings.aws.account or clouds.DEFAULT_ACCOUNT,
        engine="process" if service_engine == "auto" and settings.build.engine == "bundle" else service_engine,
        port=port_number,
    )
    earlier_build_engine = clouds.own_variables(cloud).get(stand_ins.ENGINE_VARIABLE)
    insists = service_engine in REAL_ENGINES or stand_ins.insists_on_engine(os.environ)
    profiles.write_profiles(cloud, settings)
    clouds.point_at(cloud)
    with nullcontext() if was_running else _stopping_on_failure(cloud):
        first_version = params.parse_release(first, flag="--first") or provision.choose_first_version(tools)
        build_engine = _provision(tools, first_version, cloud, insists=insists, stream=stream)
    env_path = clouds.write_env_file(cloud, **({stand_ins.ENGINE_VARIABLE: build_engine} if build_engine else {}))
    if json:
        _print_cloud(cloud)
        return
    place = f"the local cloud is running at {cloud.endpoint_url}, as account {cloud.account} in {cloud.region}"
    tools.reporter.note(f"already done: {place}" if was_running else place)
    if build_engine == STAND_IN:
        note = "its images are stand-ins, which prove nothing about the app; to build the next ones"
        tools.reporter.note(f"{note}: {_build_command(tools, first_version, env_path)}")
    elif was_running and build_engine != earlier_build_engine:
        tools.reporter.note(f"its next images are built with {build_engine}, in a shell that has typed this again:")
    tools.reporter.note(f". {shlex.quote(str(env_path))}  # points any AWS client and these tasks at it")


def _build_command(tools: Toolbox, first: Version, env_path: Path) -> str:
    """Return what is typed to have images built in a cloud that was begun with stand-ins."""
    up = f"{stand_ins.ENGINE_VARIABLE}=auto inv local.up --state {shlex.quote(str(env_path.parent))}"
    other = f"  # or {BUNDLE_CHOICE}" if stand_ins.can_bundle(tools, first) else ""
    return f"{up} && . {shlex.quote(str(env_path))}{other}"


def _provision(tools: Toolbox, first: Version, cloud: Cloud, *, insists: bool, stream: TextIO) -> str:
    """Create what a cloud lacks; return the engine that its environment file names, or an empty text for none.

    Args:
        tools: the app's toolbox, pointed at the cloud.
        first: version label of the first image.
        cloud: the cloud; one that was begun with stand-in images goes on with them.
        insists: whether the configured engine must build.
        stream: where it is said that stand-in images are used.
    """
    if not tools.settings.environments:
        return ""
    if insists:
        try:
            provision.provision(tools, first)
        except BuildFailed as error:
            if error.hint == UNAVAILABLE_HINT and stand_ins.can_bundle(tools, first):
                error.hint += f"; or choose {BUNDLE_CHOICE}"
            raise
        return tools.settings.build.engine
    has_stand_ins = clouds.own_variables(cloud).get(stand_ins.ENGINE_VARIABLE) == STAND_IN
    reason = "as before" if has_stand_ins else stand_ins.find_obstacle(tools.settings)
    reason = stand_ins.provision_with_stand_ins(tools, first, reason=reason, stream=stream)
    return STAND_IN if reason else ""


@contextmanager
def _stopping_on_failure(cloud: Cloud) -> Iterator[None]:
    """Stop a cloud that could not be set up, since nobody would know that it runs."""
    try:
        yield
    except BaseException:
        clouds.stop_cloud(cloud)
        raise


def down(c: Context, *, state: str, all: bool) -> None:
    say, dry = partial(print_line, sys.stdout), bool(c.config.run.dry)
    if all:
        _check_alone(state)
        _stop_all(say, dry=dry)
        return
    folder = _wanted_folder(state, c)
    cloud = clouds.find_cloud(folder)
    if cloud is None:
        clouds.check_no_cloud(folder)
        say("already done: no local cloud is running")
    elif dry:
        say(f"would stop the local cloud at {cloud.endpoint_url}")
        return
    else:
        clouds.stop_cloud(cloud)
        say(f"stopped the local cloud at {cloud.endpoint_url}")
    _show_unset_command(folder, say)


def _show_unset_command(folder: Path, say: Say) -> None:
    """Tell how a shell that points at a stopped cloud points at AWS again."""
    if command := clouds.unset_command(folder, os.environ):
        say(f"{command}  # this shell still points at it")


def status(c: Context, *, state: str, all: bool, json: bool) -> None:
    say = partial(print_line, sys.stderr if json else sys.stdout)
    if all:
        _check_alone(state)
        _show_all(say, json=json)
        return
    cloud = clouds.find_cloud(_wanted_folder(state, c))
    if json:
        _print_cloud(cloud)
    elif cloud is None:
        say("no local cloud is running; start one: inv local.up")
    else:
        say(_describe(cloud))


def _check_alone(state: str) -> None:
    if state:
        raise UsageError("--all and --state exclude each other", hint="leave one of them out")


def _stop_all(say: Say, *, dry: bool) -> None:
    """Stop all clouds of this user, and the instances of those that were killed; go on if one does not stop."""
    running_clouds = cloud_registry.running_clouds()
    if dry:
        for cloud in running_clouds:
            say(f"would stop the local cloud at {cloud.endpoint_url}, state in {cloud.state}")
        return
    failures = []
    for cloud in running_clouds:
        try:
            clouds.stop_cloud(cloud)
            say(f"stopped the local cloud at {cloud.endpoint_url}, state in {cloud.state}")
            _show_unset_command(cloud.state, say)
        except KaizenError as error:
            failures.append(error)
    orphan_folders = cloud_registry.remove_orphaned_instances()
    for folder in orphan_folders:
        say(f"removed what a killed local cloud left running, state in {folder}")
    remove_abandoned_folders()
    if failures:
        raise failures[0]
    if not running_clouds and not orphan_folders:
        say("already done: no local cloud is running")


def _show_all(say: Say, *, json: bool) -> None:
    running_clouds = cloud_registry.running_clouds()
    if json:
        json_output.print_json({"clouds": [_document(cloud) for cloud in running_clouds]})
        return
    for cloud in running_clouds:
        say(_describe(cloud))
    if not running_clouds:
        say("no local cloud is running; start one: inv local.up")


def _describe(cloud: Cloud) -> str:
    line = f"the local cloud is running at {cloud.endpoint_url} (pid {cloud.pid}), state in {cloud.state}"
    _, *others = cloud.registries.items()  # the home's is at the endpoint
    return "\n".join((line, *(f"  registry of {place}: {host}" for place, host in others)))


def _print_cloud(cloud: Cloud | None) -> None:
    json_output.print_json(_document(cloud))


def _document(cloud: Cloud | None) -> dict[str, Any]:
    document: dict[str, Any] = {"running": cloud is not None}
    if cloud is not None:
        document |= {
            "endpoint_url": cloud.endpoint_url,
            "state": str(cloud.state),
            "pid": cloud.pid,
            "registries": cloud.registries,
            "environ": cloud.environ | clouds.own_variables(cloud),
        }
    return document


def _wanted_folder(state: str, c: Context) -> Path:
    """Return the requested folder, or that of the cloud that this shell points at; else the app's default one."""
    if state:
        return Path(state).resolve()
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    pointed_at = cloud_registry.find_folder_of(endpoint_url) if endpoint_url else None
    return pointed_at or _state_folder(state, wiring.toolbox(c.config).settings)


def _state_folder(state: str, settings: Settings) -> Path:
    """Return the requested folder, or the default one of this checkout of the app."""
    if state:
        return Path(state).resolve()
    checkout_hash = hashlib.sha256(str(settings.root).encode()).hexdigest()[:8]
    return state_folder() / f"{settings.app}-{checkout_hash}"
