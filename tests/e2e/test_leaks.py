"""Secrets stay where they belong: not in an argument, an output, a log, the ledger, an image or a file left behind."""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.e2e.conftest import aws_environ
from tests.support import git_http_server, workspaces
from tests.support.base_image import base_image
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from tests.support.workspaces import CommandResult, Workspace

pytestmark = pytest.mark.e2e

TOKEN = "ghs-canary-of-the-forge-0123456789"
SESSION = "canary-of-the-session-0123456789"
PROBE_TOKEN = "canary-of-the-probe-0123456789"
COMMANDS = (("release-staging",), ("--debug", "promote-prod", "--yes"), ("status",), ("history",))
LONGEST = 1 << 20
"""Bytes of a file that are looked at while it may be there for a moment only."""

GITS_OWN = ("git-core/", "git-remote-http")
"""The parts of git to which git itself gives the address of a remote, with whatever the user has written into it."""

CLOUDS_OWN = ("cloud.json", "credentials.json", "environ")
"""The files in which a local cloud hands out its credentials; only their owner can read them."""

OWN_LOGIN = "kaizen-login-"
"""The folder that engines read the password from: nobody else may, and it is gone afterwards."""


def forms(secret: str) -> tuple[bytes, ...]:
    """Return a secret as it is, and as it looks inside base64, wherever in there it begins."""
    raw = secret.encode()
    encoded = (base64.b64encode(b"\0" * shift + raw) for shift in range(3))
    ends = ((8 * (shift + len(raw))) // 6 for shift in range(3))
    starts = (0, 2, 3)
    return (raw, *(text[start:end] for text, start, end in zip(encoded, starts, ends, strict=True)))


class Sentry:
    """Looks for secrets in short-lived files, for as long as a `with` lasts.

    Without strace, which writes down every argument, it looks at the arguments of all processes too.

    Attributes:
        found: where they were.
    """

    def __init__(self, secrets: Iterable[str], folders: Iterable[Path]) -> None:
        self._forms = [form for secret in secrets for form in forms(secret)]
        self._folders = tuple(folders)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.found: set[str] = set()
        self.rounds = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def holds(self, content: bytes) -> bool:
        """Tell whether a secret is in there."""
        return any(form in content for form in self._forms)

    def leaks(self, folder: Path) -> Iterator[str]:
        """Name the files below a folder that hold a secret."""
        for path in folder.rglob("*"):
            if path.is_file() and self.holds(path.read_bytes()):
                yield str(path)

    def _watch(self) -> None:
        watches_processes = shutil.which("strace") is None
        while not self._stop.wait(0.005):
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*") if watches_processes else ():
                self._look(process / "cmdline")
            for folder in self._folders:
                for where, _, names in os.walk(folder):  # ignores folders that disappear meanwhile
                    for name in names:
                        self._look(Path(where, name))

    def _look(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                content = file.read(LONGEST)
        except OSError:
            return  # it has been removed, or is a folder
        if self.holds(content):
            self.found.add(self._named(path, content))

    def _named(self, path: Path, content: bytes) -> str:
        if path.name == "cmdline":
            return f"argv of {content.replace(bytes(1), b' ').decode(errors='replace')}"
        return str(path)


@pytest.fixture(params=["bundle", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cloud(engine: str, tmp_path: Path) -> Iterator[Cloud]:
    """Run a cloud of the test's own, which can run what the engine builds."""
    with Cloud(tmp_path / "cloud", "--engine", "docker" if engine == "docker" else "process") as cloud:
        yield cloud


@pytest.fixture
def workspace(cloud: Cloud, tmp_path: Path) -> Workspace:
    work = tmp_path / "work"
    work.mkdir()
    environ = {**workspaces.clean_environ(tmp_path), **aws_environ(cloud)}
    further = '[environments.prod]\n[build.args]\nBASE = ""\n[verify.headers.X-Probe]\nenv = "PROBE_TOKEN"\n'
    return workspaces.create_workspace(
        work, app="secretive", state=cloud.state, environ=environ, more_environments=further
    )


def test_release_leaks_no_secret(workspace: Workspace, cloud: Cloud, tmp_path: Path, engine: str) -> None:
    password = login(cloud)
    key, secret_key = cloud.environ["AWS_ACCESS_KEY_ID"], cloud.environ["AWS_SECRET_ACCESS_KEY"]
    secrets = (TOKEN, key, secret_key, SESSION, PROBE_TOKEN, password)
    traced = tmp_path / "execve"
    variables = {
        "AWS_SESSION_TOKEN": SESSION,
        "PROBE_TOKEN": PROBE_TOKEN,
        "INVOKE_BUILD_ENGINE": engine,
        **({"INVOKE_BUILD_ARGS_BASE": base_image()} if engine == "docker" else {}),
    }
    hand_out(cloud, password)
    sentry = Sentry(secrets, (Path(workspace.environ["TMPDIR"]), Path(workspace.environ["HOME"])))
    with git_http_server.serve_git(workspace.remote, TOKEN) as address:
        workspace.git("remote", "set-url", "origin", address.replace("//", f"//{git_http_server.USER}:{TOKEN}@"))
        with sentry:
            result = [typed(workspace, traced, variables, *words) for words in COMMANDS]
    cloud.reset()
    assert sentry.rounds > 10
    assert [each.code for each in result] == [0, 0, 0, 0], result
    assert [
        line for each in result for line in f"{each.out}{each.err}".splitlines() if sentry.holds(line.encode())
    ] == []
    assert arguments(traced, sentry) == []
    assert [each for each in sentry.found if not any(own in each for own in (OWN_LOGIN, *GITS_OWN))] == []
    assert_nothing_is_left(workspace, cloud, sentry)


def login(cloud: Cloud) -> str:
    """Return a password of the registry."""
    data = cloud.client("ecr").get_authorization_token()["authorizationData"][0]
    return base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]


def hand_out(cloud: Cloud, password: str) -> None:
    """Let everybody who asks for a password get this one."""
    data = {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": 4102444800,
        "proxyEndpoint": cloud.endpoint_url,
    }
    reply = {"authorizationData": [data]}
    cloud.inject_fault({"operation": "GetAuthorizationToken"}, {"reply": reply}, times=99)


def typed(workspace: Workspace, traced: Path, variables: Mapping[str, str], *words: str) -> CommandResult:
    """Type `inv …`, with every program that it starts written down where that is possible."""
    strace = shutil.which("strace")
    tracer = (
        (strace, "-f", "-qq", "-s", "65536", "-e", "trace=execve", "-e", "signal=none", "-A", "-o", str(traced))
        if strace
        else ()
    )
    return workspace.run(*tracer, workspaces.program("inv"), *words, cwd=workspace.clone, **variables)


def arguments(traced: Path, sentry: Sentry) -> list[str]:
    """Return the programs that were given a secret, as far as they were written down."""
    lines = traced.read_text(errors="replace").splitlines() if traced.exists() else []
    given = [line.partition("], ")[0] for line in lines]
    return [each for each in given if sentry.holds(each.encode()) and not any(own in each for own in GITS_OWN)]


def assert_nothing_is_left(workspace: Workspace, cloud: Cloud, sentry: Sentry) -> None:
    """Look through everything that outlives the commands, but for where the user has put a secret."""
    for folder in (Path(workspace.environ["TMPDIR"]), Path(workspace.environ["HOME"]), workspace.remote):
        assert list(sentry.leaks(folder)) == []
    assert set(sentry.leaks(cloud.state)) == {str(cloud.state / name) for name in CLOUDS_OWN}
    own = str(workspace.clone / ".git" / "config")
    assert [path for path in sentry.leaks(workspace.clone) if path != own] == []
    items = cloud.client("dynamodb").scan(TableName=f"kaizen-{workspace.app}")["Items"]
    assert items
    assert not sentry.holds(json.dumps(items, default=lambda content: zlib.decompress(content).decode()).encode())
    assert not sentry.holds(json.dumps(dict(os.environ)).encode())
