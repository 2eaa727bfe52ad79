"""Run the local cloud: `python -m kaizen_tasks.localcloud --state DIR`."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import math
import os
import resource
import select
import signal
import sys
import time
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.iam.query_protocol import AwsQueryEndpoint
from kaizen_tasks.localcloud.iam.sso_portal import SsoPortal
from kaizen_tasks.localcloud.iam.sts_api import Sts
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.launcher import InstanceLauncher
from kaizen_tasks.localcloud.location import Location
from kaizen_tasks.localcloud.location_services import CloudOptions
from kaizen_tasks.localcloud.locations import Locations, location_folders
from kaizen_tasks.localcloud.router import Router
from kaizen_tasks.localcloud.server.access_log import AccessLog
from kaizen_tasks.localcloud.server.faults import FaultInjector
from kaizen_tasks.localcloud.server.listening import listen
from kaizen_tasks.localcloud.server.server import LOOPBACK, HttpServer
from kaizen_tasks.localcloud.signing.credentials import Credentials
from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions
from kaizen_tasks.localcloud.signing.signatures import SignatureVerifier
from kaizen_tasks.localcloud.state.folder import Owner, lock_state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.localcloud.state.folder import StateFolder

_MAX_OPEN_FILES = 65_536
_PRIVATE_UMASK = 0o077
_CLOUD_FILE = "cloud.json"
_USER_ID = "AIDALOCALCLOUDLOCALCL"  # as long as those of IAM
_OWNER_CHECK_SECONDS = 0.5
_GC_ALLOCATION_THRESHOLD = 20_000
"""Objects after whose allocation the collector looks for garbage. A cloud makes little, and keeps modules, services and
items, which the usual 700 make the collector scan so often that loading moto takes a tenth longer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT, and return the exit code."""
    options = _parser().parse_args(arguments)
    os.umask(_PRIVATE_UMASK)
    _raise_file_limit()
    gc.set_threshold(_GC_ALLOCATION_THRESHOLD)
    try:
        _require_moto()
        with lock_state_folder(options.state.resolve()) as folder:
            return _remove_orphans(folder) if options.remove_orphans else _run(options, folder)
    except KaizenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _raise_file_limit() -> None:
    """Allow as many open files as the system does, up to what a thousand services need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(_MAX_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS has a lower limit than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kaizen_tasks.localcloud", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the cloud's state")
    parser.add_argument("--port", type=int, default=0, help="0 for the previous port, or any free one")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--account", default="123456789012", help="twelve digits")
    parser.add_argument("--engine", choices=("auto", "docker", "process", "none"), default="auto")
    parser.add_argument("--deploy-seconds", type=float, default=0.2, help="minimum duration of a deployment")
    parser.add_argument(
        "--notice-seconds", type=float, default=0, help="delay of automatic deployments after a tag has moved"
    )
    parser.add_argument(
        "--clock-speed",
        type=_positive_float,
        default=1.0,
        help="factor by which deployments and the expiry of passwords are faster",
    )
    parser.add_argument("--remove-orphans", action="store_true", help="end what a killed cloud has left, and stop")
    return parser


def _positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value


def _scaled_clock(speed: float) -> Callable[[], float]:
    """Return a clock that starts at the current time and runs faster by a factor."""
    start = time.time()
    return lambda: start + (time.time() - start) * speed


def _require_moto() -> None:
    if find_spec("moto") is None:
        raise Refused(
            "the local cloud needs moto, which is not installed",
            state="nothing was started",
            hint="pip install 'kaizen-tasks[local]'",
        )


def _remove_orphans(folder: StateFolder) -> int:
    """End the instances that a killed cloud has left."""
    docker = DockerEngine(registry="", issue_password=str)  # removes containers, and pulls nothing
    for _, place in location_folders(folder.path):
        for platform in ("apprunner", "ecs"):
            InstanceLauncher(folder=place / platform / "instances", engine="auto", docker=docker).remove_orphans()
    return 0


def _run(options: argparse.Namespace, folder: StateFolder) -> int:
    state = folder.path
    logging.basicConfig(filename=state / "log", level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.raiseExceptions = False  # on a full disk, it would report each line that it cannot log
    # A pipe, since a handler that sets an event waits for ever if it interrupts the thread that has locked the event.
    stop_requests, request_stop = os.pipe()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: os.write(request_stop, b"."))
    (state / _CLOUD_FILE).unlink(missing_ok=True)  # of a cloud that was killed
    server = listen(state / "port", options.port)
    router, locations = _assemble(options, state, server)
    with closing(Owner(state)) as owner, closing(locations):
        locations.restore()
        with closing(_start(server, router)), _publish(folder, options, server.port):
            while not select.select([stop_requests], [], [], _OWNER_CHECK_SECONDS)[0]:
                if folder.is_lost:
                    raise _lost(folder)
                if owner.has_ended:
                    break
    return 0


def _lost(folder: StateFolder) -> KaizenError:
    return KaizenError(
        f"{folder.path} was deleted or replaced while the local cloud was running on it",
        state="the local cloud has stopped, with the apps that it ran",
        hint="start another one: inv local.up",
    )


def _assemble(options: argparse.Namespace, state: Path, server: HttpServer) -> tuple[Router, Locations]:
    """Return what answers all requests, and the accounts and regions, which have to be closed."""
    home = Location(account=options.account, region=options.region)
    credentials = Credentials.load_or_create(state / "credentials.json")
    now, sessions = _scaled_clock(options.clock_speed), Sessions(credentials.control_token)
    locations = Locations(
        state=state,
        home=home,
        home_port=server.port,
        home_variables={
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{server.port}",
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        },
        sessions=sessions,
        open_registry=lambda port_file: _start(listen(port_file), router),
        options=CloudOptions(
            engine=options.engine,
            deploy_seconds=options.deploy_seconds / options.clock_speed,
            notice_seconds=options.notice_seconds / options.clock_speed,
            now=now,
        ),
    )
    user = Principal(account=home.account, arn=f"arn:aws:iam::{home.account}:user/local", user_id=_USER_ID)
    key = credentials.control_token
    router = Router(
        locations=locations,
        sts=AwsQueryEndpoint(service=Sts(sessions=sessions, find_role=locations.find_role, identity_key=key, now=now)),
        portal=SsoPortal(sessions=sessions, access_token=key, now=now),
        faults=FaultInjector(),
        access_log=AccessLog(state / "requests.jsonl"),
        verifier=SignatureVerifier(credentials=credentials, user=user, sessions=sessions, session_clock=now),
    )
    return router, locations


def _start(server: HttpServer, router: Router) -> HttpServer:
    server.start(router)
    return server


@contextmanager
def _publish(folder: StateFolder, options: argparse.Namespace, port: int) -> Iterator[None]:
    path = folder.path / _CLOUD_FILE
    url = f"http://{LOOPBACK}:{port}"
    location = {"endpoint_url": url, "region": options.region, "account": options.account}
    credentials = Credentials.load_or_create(folder.path / "credentials.json")
    document = {"pid": os.getpid(), "port": port, **location, **attrs.asdict(credentials)}
    write_atomically(path, json.dumps(document).encode())
    sys.stdout.write(f"local cloud of {options.account} at {url}\n")
    sys.stdout.flush()
    try:
        yield
    finally:
        if not folder.is_lost:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
