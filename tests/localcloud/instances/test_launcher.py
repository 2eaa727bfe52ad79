from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from kaizen_tasks.errors import DeployFailed, Interrupted
from kaizen_tasks.localcloud.clock import MonotonicClock
from kaizen_tasks.localcloud.instances import process
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.health import HealthCheck, wait_until_healthy
from kaizen_tasks.localcloud.instances.launcher import InstanceLauncher
from kaizen_tasks.localcloud.instances.rootfs import read_image
from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec
from kaizen_tasks.localcloud.instances.stand_in import StandInInstance
from kaizen_tasks.localcloud.registry.store import ImageStore
from tests.localcloud.layers import BUNDLE, Shelf, archive, file, folder
from tests.localcloud.manual_clock import ManualClock
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.integration

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="what is asserted is read from /proc")
CHECK = HealthCheck(protocol="TCP", path="/", interval=1, timeout=1, healthy_threshold=1, unhealthy_threshold=5)
NEVER = threading.Event()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(ImageStore(tmp_path / "store"))
    shelf.repository("app")
    return shelf


@pytest.fixture
def launcher(tmp_path: Path) -> InstanceLauncher:
    docker = DockerEngine(registry="127.0.0.1:1", issue_password=lambda: "unused")
    return InstanceLauncher(folder=tmp_path / "instances", engine="process", docker=docker)


def spec_of(shelf: Shelf, digest: str, **variables: str) -> InstanceSpec:
    identity = uuid.uuid4().hex
    return InstanceSpec(
        instance_id=identity,
        repository="app",
        image=read_image(shelf.store, "app", digest),
        variables=variables,
        arguments=(),
        port=8080,
        output=shelf.store.blobs.path(digest).parents[3] / "output" / identity,
    )


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def start(shelf: Shelf, launcher: InstanceLauncher) -> Iterator[Callable[..., tuple[InstanceSpec, Instance]]]:
    with contextlib.ExitStack() as stack:

        def start(image: str | InstanceSpec, **variables: str) -> tuple[InstanceSpec, Instance]:
            spec = spec_of(shelf, image, **variables) if isinstance(image, str) else image
            instance = launcher.start(spec)
            stack.callback(instance.stop)
            return spec, instance

        yield start


def script(shelf: Shelf, text: str, config: Mapping[str, object] | None = None) -> str:
    """Push a bundle that runs a few lines of Python."""
    entries = archive(folder("app"), file("app/main.py", textwrap.dedent(text).encode()))
    defaults = {"Cmd": ["python", "main.py"], "WorkingDir": "/app", "Labels": BUNDLE}
    return shelf.image("app", [entries], config={**defaults, **(config or {})})


def outcome(spec: InstanceSpec, instance: Instance) -> tuple[int, tuple[str, ...]]:
    """Wait for an instance to end; return its exit code and output."""
    wait_for(lambda: instance.exit_code() is not None)
    code = instance.exit_code()
    assert code is not None
    return code, spec.tail()


def ask(port: int) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/version", timeout=HANG_SECONDS) as answer:
        document: dict[str, object] = json.loads(answer.read())
        return document


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    wait_for(lambda: not is_alive(pid))


def test_process_serves_until_it_is_stopped(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], tmp_path: Path
) -> None:
    spec, instance = start(shelf.app("app", "v1.0.0"), ENVIRONMENT="staging")
    wait_until_healthy(instance, CHECK, NEVER, ManualClock())
    answer = ask(instance.port)
    assert (answer["APP_VERSION"], answer["ENVIRONMENT"]) == ("v1.0.0", "staging")
    assert spec.tail()[0].startswith("listening as v1.0.0 in ")
    instance.stop()
    instance.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", instance.port), timeout=HANG_SECONDS)
    assert list((tmp_path / "instances").iterdir()) == []


COMMAND: Mapping[str, Any] = {"runs_once": True, "stop_seconds": HANG_SECONDS}


def test_command_runs_in_place_of_the_default_one_and_its_exit_code_stays(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    digest = script(shelf, "import os, sys; print(sys.argv[1:], os.environ.get('PORT')); sys.exit(3)")
    spec = attrs.evolve(spec_of(shelf, digest), arguments=("python", "/app/main.py", "0.0.0.0:8080"), **COMMAND)
    _, instance = start(spec)

    assert outcome(spec, instance) == (3, ("['127.0.0.1:8080'] None",))
    instance.stop()
    assert instance.exit_code() == 3


def test_entry_point_replaces_that_of_the_image_and_its_command(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    digest = script(shelf, "print('not this')", {"Entrypoint": ["python"], "Cmd": ["main.py"]})
    entrypoint = ("python", "-c", "import os, sys; print(os.path.basename(os.getcwd()), sys.argv)")
    spec = attrs.evolve(spec_of(shelf, digest), entrypoint=entrypoint, working_directory="/", **COMMAND)
    _, instance = start(spec)

    assert outcome(spec, instance) == (0, ("root ['-c']",))


@pytest.mark.parametrize(
    ("handler", "stop_seconds", "code"),
    [("lambda *_: sys.exit(9)", HANG_SECONDS, 9), ("signal.SIG_DFL", HANG_SECONDS, 143), ("signal.SIG_IGN", 0.05, 137)],
)
def test_stopped_command_ends_by_its_own_code_or_by_the_signal(
    shelf: Shelf,
    start: Callable[..., tuple[InstanceSpec, Instance]],
    handler: str,
    stop_seconds: float,
    code: int,
) -> None:
    program = f"""
        import signal, sys, time
        signal.signal(signal.SIGTERM, {handler})
        print("ready")
        while True:
            time.sleep(1)
    """
    spec = attrs.evolve(spec_of(shelf, script(shelf, program)), runs_once=True, stop_seconds=stop_seconds)
    _, instance = start(spec)
    wait_for(lambda: spec.tail() == ("ready",))

    instance.stop()

    assert instance.exit_code() == code


def test_command_that_finds_its_port_taken_is_not_run_again(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    digest = script(shelf, "import sys; print('OSError: [Errno 98] Address already in use'); sys.exit(1)")
    spec = attrs.evolve(spec_of(shelf, digest), **COMMAND)
    _, instance = start(spec)

    assert outcome(spec, instance) == (1, ("OSError: [Errno 98] Address already in use",))


def test_stand_in_prints_what_it_would_run(shelf: Shelf, tmp_path: Path) -> None:
    docker = DockerEngine(registry="127.0.0.1:1", issue_password=lambda: "unused")
    launcher = InstanceLauncher(folder=tmp_path / "instances", engine="none", docker=docker)
    spec = attrs.evolve(spec_of(shelf, script(shelf, "")), arguments=("manage.py", "migrate now"), **COMMAND)

    instance = launcher.start(spec)

    assert instance.exit_code() == 0
    assert spec.tail() == ("[local cloud] stand-in image, not run: manage.py 'migrate now'",)


def test_process_has_a_clean_environment_and_runs_in_the_image(
    shelf: Shelf,
    start: Callable[..., tuple[InstanceSpec, Instance]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of this machine")
    monkeypatch.setenv("PYTHONPATH", "/of/this/machine")
    text = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"
    spec, instance = start(script(shelf, text, {"Env": ["PATH=/image", "LEVEL=image"]}), LEVEL="service")
    code, output = outcome(spec, instance)
    working_directory, environment = json.loads(output[-1])
    assert code == 0
    assert working_directory.endswith(f"{spec.instance_id}/root/app")
    assert environment["LEVEL"] == "service"
    assert environment["PORT"] == str(instance.port)
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert not {name for name in environment if name.startswith(("AWS_", "PYTHONPATH"))}


def test_process_has_empty_standard_input_and_default_signals(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    text = "import signal, sys; print(repr(sys.stdin.read()), signal.getsignal(signal.SIGTERM).name)"
    spec, instance = start(script(shelf, text))
    assert outcome(spec, instance) == (0, ("'' SIG_DFL",))


def test_arguments_replace_the_command_after_the_entrypoint(
    shelf: Shelf, launcher: InstanceLauncher, tmp_path: Path
) -> None:
    config = {"Entrypoint": ["python", "main.py"], "Cmd": ["default"]}
    spec = attrs.evolve(
        spec_of(shelf, script(shelf, "import sys; print(sys.argv[1:])", config)),
        arguments=("chosen", "/app/main.py"),
        output=tmp_path / "printed",
    )
    instance = launcher.start(spec)
    code, output = outcome(spec, instance)
    root = tmp_path / "instances" / spec.instance_id / "root"
    instance.stop()
    assert (code, output) == (0, (f"['chosen', '{root}/app/main.py']",))


def test_failed_process_has_an_exit_code_and_output(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    spec, instance = start(script(shelf, "print('first'); raise SystemExit('gave up')"))
    with pytest.raises(DeployFailed, match="Health check failed") as caught:
        wait_until_healthy(instance, CHECK, NEVER, ManualClock())
    assert caught.value.state == "Container exit code: 1"
    assert spec.tail() == ("first", "gave up")


def test_killed_process_has_an_exit_code_of_128_plus_signal(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    spec, instance = start(script(shelf, "import os; os.kill(os.getpid(), 9)"))
    assert outcome(spec, instance) == (137, ())


def test_missing_program_is_reported(shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]) -> None:
    spec, instance = start(script(shelf, "", {"Cmd": ["./missing"]}))
    assert outcome(spec, instance) == (127, ("./missing cannot be run: No such file or directory",))


def test_image_without_a_command_is_refused(shelf: Shelf, launcher: InstanceLauncher, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="has no command"):
        launcher.start(spec_of(shelf, script(shelf, "", {"Cmd": []})))
    assert list((tmp_path / "instances").iterdir()) == []


def test_bundle_runs_as_a_process_with_any_engine(shelf: Shelf, tmp_path: Path) -> None:
    unreachable = DockerEngine(registry="127.0.0.1:1", issue_password=lambda: "unused")
    launcher = InstanceLauncher(folder=tmp_path / "instances", engine="docker", docker=unreachable)
    instance = launcher.start(spec_of(shelf, shelf.app("app", "v1")))
    try:
        wait_until_healthy(instance, CHECK, NEVER, ManualClock())
    finally:
        instance.stop()


def test_a_stand_in_image_is_answered_for_with_any_engine(shelf: Shelf, tmp_path: Path) -> None:
    unreachable = DockerEngine(registry="127.0.0.1:1", issue_password=lambda: "unused")
    launcher = InstanceLauncher(folder=tmp_path / "instances", engine="docker", docker=unreachable)
    spec = spec_of(shelf, shelf.app("app", "v1"))
    labels = {**spec.image.labels, "dev.kaizen.image": "stand-in"}
    instance = launcher.start(attrs.evolve(spec, image=attrs.evolve(spec.image, labels=labels)))
    try:
        assert isinstance(instance, StandInInstance)
        wait_until_healthy(instance, CHECK, NEVER, ManualClock())
    finally:
        instance.stop()


def test_health_check_fails_at_its_deadline(shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]) -> None:
    _, instance = start(script(shelf, "import time; time.sleep(60)"))
    check = HealthCheck(protocol="TCP", path="/", interval=0.2, timeout=1, healthy_threshold=1, unhealthy_threshold=2)
    clock = ManualClock(tick=0.1)
    with pytest.raises(DeployFailed) as caught:
        wait_until_healthy(instance, check, NEVER, clock)
    assert caught.value.state == "Not healthy within 0.4 seconds"
    assert clock.reading == pytest.approx(0.1 + 0.4 + 0.1)


def test_http_health_check_needs_consecutive_200s(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    text = """
        import os
        from http.server import BaseHTTPRequestHandler, HTTPServer
        answers = iter([200, 500, 200, 200, 200])
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status = next(answers) if self.path == "/ready" else 404
                print(status)
                self.send_response(status)
                self.end_headers()
            def log_message(self, *arguments): pass
        HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
    """
    spec, instance = start(script(shelf, text))
    check = HealthCheck(
        protocol="HTTP", path="/ready", interval=1, timeout=HANG_SECONDS, healthy_threshold=3, unhealthy_threshold=10
    )
    wait_until_healthy(instance, check, NEVER, ManualClock())
    assert spec.tail() == ("200", "500", "200", "200", "200")


def test_health_check_can_be_interrupted(shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]) -> None:
    _, instance = start(script(shelf, "import time; time.sleep(60)"))
    interrupted = threading.Event()
    interrupted.set()
    with pytest.raises(Interrupted):
        wait_until_healthy(instance, CHECK, interrupted, ManualClock())


STUBBORN = """
    import os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(os.getpid(), child.pid)
    time.sleep(60)
"""


def pids_of(spec: InstanceSpec) -> list[int]:
    wait_for(lambda: bool(spec.tail()))
    return [int(word) for word in spec.tail()[0].split()]


@linux_only
def test_stop_kills_a_process_that_ignores_sigterm_and_its_children(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    spec, instance = start(script(shelf, STUBBORN))
    pids = pids_of(spec)
    assert all(is_alive(pid) for pid in pids)
    instance.stop()
    for pid in pids:
        wait_until_gone(pid)


@linux_only
def test_children_do_not_outlive_their_process(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    text = STUBBORN.rsplit("time.sleep(60)", 1)[0]
    spec, instance = start(script(shelf, text))
    code, _ = outcome(spec, instance)
    assert code == 0
    wait_until_gone(pids_of(spec)[1])


@linux_only
def test_process_dies_with_a_killed_supervisor(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    spec, _ = start(script(shelf, STUBBORN))
    program = pids_of(spec)[0]
    supervisor = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    wait_until_gone(program)


@linux_only
def test_orphans_of_a_killed_supervisor_are_killed(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], launcher: InstanceLauncher, tmp_path: Path
) -> None:
    spec, _ = start(script(shelf, STUBBORN))
    program, orphan = pids_of(spec)
    supervisor = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    wait_until_gone(program)
    assert is_alive(orphan)
    launcher.remove_orphans()
    wait_until_gone(orphan)
    assert list((tmp_path / "instances").iterdir()) == []


@linux_only
def test_processes_of_other_instances_are_not_killed(launcher: InstanceLauncher, tmp_path: Path) -> None:
    (tmp_path / "instances" / uuid.uuid4().hex).mkdir(parents=True)
    environment = {"KAIZEN_LOCALCLOUD_INSTANCE": uuid.uuid4().hex}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as other:
        launcher.remove_orphans()
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


HTTP_SERVER = """
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"name": os.environ.get("NAME"), "PORT": os.environ["PORT"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def server_on(port: str) -> str:
    return HTTP_SERVER.replace("PORT)", f"{port})")


def healthy(instance: Instance) -> int:
    wait_until_healthy(instance, attrs.evolve(CHECK, unhealthy_threshold=60), NEVER, MonotonicClock())
    return instance.port


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("sys.argv[1].rpartition(':')[2]", {"Cmd": ["python", "main.py", "0.0.0.0:8080"]}),
        ("os.environ['LISTEN'].rpartition(':')[2]", {"Env": ["LISTEN=http://127.0.0.1:8080"]}),
        ("os.environ['PORT']", {}),
    ],
)
def test_program_gets_a_port_of_its_own_where_the_image_names_the_exposed_one(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], text: str, config: Mapping[str, object]
) -> None:
    digest = script(shelf, server_on(f"int({text})"), config)
    (_, first), (_, second) = start(digest, NAME="first"), start(digest, NAME="second")

    assert healthy(first) != healthy(second)
    assert (ask(first.port)["name"], ask(second.port)["name"]) == ("first", "second")


def test_a_program_that_listens_on_its_own_port_is_searched_for_on_no_other(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search reads all of /proc, and the program is asked every twentieth of a second until it listens."""
    searches: list[int] = []
    monkeypatch.setattr(process, "_FIRST_SEARCH_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(process, "listening_ports", searches.append)
    _, instance = start(script(shelf, server_on("int(os.environ['PORT'])")))
    assert healthy(instance)
    assert searches == []


@linux_only
def test_programs_with_the_same_fixed_port_run_side_by_side(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], free_port: int
) -> None:
    """The first one is found at its port; the second one, which says that the port is in use, gets its own network."""
    digest = script(shelf, server_on(str(free_port)))
    _, first = start(digest, NAME="first")
    assert healthy(first) == free_port
    spec, second = start(digest, NAME="second")
    try:
        healthy(second)
    except DeployFailed:
        assert any("allows no network of its own" in line for line in spec.tail())
        pytest.skip("this user may not create a network")

    assert (ask(first.port)["name"], ask(second.port)["name"]) == ("first", "second")
    assert any("in a network of its own" in line for line in spec.tail(40))
    second.stop()
    assert ask(first.port)["name"] == "first"


def test_bundle_inherits_the_variables_that_it_names(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho hello from $VIRTUAL_ENV, $OTHER\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", "/venv")
    monkeypatch.setenv("OTHER", "secret")
    labels = {**BUNDLE, "dev.kaizen.inherit": "PATH,VIRTUAL_ENV,MISSING"}
    spec, instance = start(script(shelf, "", {"Cmd": ["greet"], "Labels": labels}))

    assert outcome(spec, instance) == (0, ("hello from /venv,",))


def test_paths_of_the_image_are_those_of_its_unpacked_files(
    shelf: Shelf, start: Callable[..., tuple[InstanceSpec, Instance]]
) -> None:
    text = "import os; print(os.environ['DATA'], os.environ['PATHS'], os.environ['PATH'].split(':')[0])"
    config = {
        "Cmd": ["/bin/sh", "-c", "cd / && python /app/main.py"],
        "Env": ["DATA=/app", "PATHS=/app/main.py:/usr/nowhere", "PATH=/app:/usr/bin"],
    }
    spec, instance = start(script(shelf, text, config))
    code, (line,) = outcome(spec, instance)
    root = line.split()[0].removesuffix("/app")

    assert code == 0
    assert line == f"{root}/app {root}/app/main.py:/usr/nowhere {root}/app"
