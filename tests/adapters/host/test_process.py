"""Running other programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.adapters.host import process
from kaizen_tasks.adapters.host.process import run, shell_join
from kaizen_tasks.errors import Locked, NotFound, Unreachable
from kaizen_tasks.ports.attempts import limit_attempts
from kaizen_tasks.ports.secrets import Secret
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_returns_exit_code_and_both_outputs() -> None:
    finished = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))

    assert (finished.code, finished.out, finished.err, finished.ok) == (3, "out\n", "err\n", False)


def test_program_is_stopped_when_the_lock_is_lost() -> None:
    started = list[str]()

    def limit() -> float:
        if started:
            raise Locked("lost")
        return 60.0

    with limit_attempts(limit), pytest.raises(Locked):
        run(python("import os, time; print(os.getpid(), flush=True); time.sleep(600)"), stream=started.append)

    assert not alive(int(started[0]))


def test_passes_arguments_as_they_are() -> None:
    argument = "$HOME; echo 'x' `id` *"

    assert run(python("import sys; print(sys.argv[1], end='')", argument)).out == argument


def test_quotes_a_command_as_a_person_would() -> None:
    assert shell_join(["git", "commit", "-m", "it's"]) == """git commit -m 'it'"'"'s'"""


def test_adds_variables_to_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")

    finished = run(python("import os; print(os.environ['KEPT'], os.environ['ADDED'])"), env={"ADDED": "2"})

    assert finished.out == "1 2\n"


def test_large_outputs_do_not_block_each_other() -> None:
    code = "import sys\nfor _ in range(2000): sys.stdout.write('o' * 500); sys.stderr.write('e' * 500)"

    finished = run(python(code), timeout=HANG_SECONDS)

    assert (len(finished.out), len(finished.err)) == (1_000_000, 1_000_000)


def test_passes_lines_on_while_the_program_still_runs(tmp_path: Path) -> None:
    heard: list[str] = []
    sign = tmp_path / "sign"

    def listen(line: str) -> None:
        heard.append(line)
        sign.touch()

    code = (
        "import pathlib, sys, time\nprint('begun', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\nprint('ended', end='')"
    )
    run(python(code, str(sign)), stream=listen, timeout=HANG_SECONDS)

    assert heard == ["begun", "ended"]


def test_keeps_the_last_twenty_lines() -> None:
    finished = run(python("for n in range(100): print(n)"))

    assert tuple(map(str, range(80, 100))) == finished.tail


def test_last_line_is_the_last_that_is_not_blank() -> None:
    assert run(python("print('reason'); print(); print(' ')")).last_line == "reason"
    assert "exit code 4" in run(python("raise SystemExit(4)")).last_line


def test_stdin_reaches_the_program() -> None:
    content = os.urandom(300_000)

    finished = run(python("import sys; print(len(sys.stdin.buffer.read()))"), stdin=content)

    assert finished.out == "300000\n"


def test_does_not_wait_for_a_program_that_reads_nothing() -> None:
    assert run(python("print('done')"), stdin=b"x" * 1_000_000, timeout=HANG_SECONDS).out == "done\n"


def test_stdin_is_empty_by_default() -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))")).out == "''\n"


def test_redacts_secrets_everywhere() -> None:
    heard: list[str] = []
    code = "import sys; print('pw=hunter2 x'); print('hunter2', file=sys.stderr)"

    finished = run(python(code), secrets=[Secret("hunter2")], stream=heard.append)

    assert finished.out == "pw=[redacted] x\n"
    assert "hunter2" not in repr(finished) + repr(heard)


def test_names_a_program_that_is_missing() -> None:
    with pytest.raises(NotFound, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_names_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        run(python("pass"), cwd=tmp_path / "nowhere")


def test_gives_up_on_a_program_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **named: Any) -> None:
            super().__init__(*words, **named)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s"):
        run(python("import time; time.sleep(3600)"), timeout=0.2)

    assert not alive(started[0].pid)


def test_gives_up_on_a_program_that_has_closed_its_outputs_and_lives_on() -> None:
    with pytest.raises(Unreachable):
        run(python("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(60)"), timeout=1)


def test_stops_the_program_when_its_listener_fails() -> None:
    pids: list[int] = []

    def fail(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(python("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)"), stream=fail)

    assert not alive(pids[0])


def test_program_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    pids: list[int] = []

    def fail(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    code = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True)\ntime.sleep(60)"
    )
    with pytest.raises(KeyboardInterrupt):
        run(python(code), stream=fail)

    assert not alive(pids[0])


def test_does_not_wait_for_what_a_program_leaves_in_the_background() -> None:
    left = (
        "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)']).pid)"
    )
    pid = int(run(python(left)).out)

    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_leaves_no_orphan_when_it_is_terminated(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    code = f"import sys\nfrom kaizen_tasks.adapters.host.process import run\nrun([sys.executable, '-c', {child!r}])"
    root = Path(process.__file__).parents[3]
    with subprocess.Popen(python(code), cwd=root, stderr=subprocess.PIPE) as parent:
        assert eventually(lambda: note.exists() and note.read_text() != "")
        parent.terminate()
        _, said = parent.communicate(timeout=HANG_SECONDS)

    assert b"Interrupted: stopped by SIGTERM" in said
    assert not alive(int(note.read_text()))


def test_kill_process_tree_kills_grandchildren() -> None:
    shell = "sleep 60 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", f"sh -c '{shell}'; true"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())

        process.kill_process_tree(child.pid)

        assert eventually(lambda: not alive(grandchild))
    assert child.returncode == -signal.SIGKILL


def test_existing_sigterm_handler_is_kept() -> None:
    def theirs(_number: int, _frame: object) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGTERM, theirs)
    try:
        run(python("pass"))
        assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, before)


def test_default_sigterm_handler_is_restored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        run(python("pass"))
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
