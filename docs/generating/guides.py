"""Types what the tutorial and the how-to pages have their readers type, and keeps what they show true."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from docs.generating import walkthrough
from docs.generating.coach import EXAMPLE, ROOT
from docs.generating.normalising import Normaliser
from docs.generating.recording import Shell
from docs.generating.story import SEQUENTIAL, SceneFailed
from docs.generating.terminal import Terminal
from docs.generating.walkthrough import PRINT_EXIT_CODE, FileStep, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

DOCS = ROOT / "docs"
INSTALLER_PREFIXES = ("PIP_", "UV_", "SSL_CERT_FILE")
"""How the variables begin that say where packages come from on this machine."""
BUILD_LOCK = threading.Lock()
SETUP_COMMANDS = (
    "git init -q --bare -b main ../coach.git && git init -q -b main && git remote add origin ../coach.git",
    "git config user.name Sam && git config user.email sam@coach.example",
    "git add --all && git commit -q -m 'A training plan' && git push -q -u origin main",
)
"""How an app came to be that a script releases."""


def render_pages() -> dict[str, str]:
    """Return every page that is typed along, by its path below docs, with what its commands say now.

    Raises:
        WentWrong: a command failed where the page does not say so.
    """
    texts = {str(path.relative_to(DOCS)): path.read_text(encoding="utf-8") for path in _candidates()}
    walkthroughs = {name: text for name, text in texts.items() if walkthrough.starting_point(text)}
    with tempfile.TemporaryDirectory(prefix="kaizen-guides-") as folder, ThreadPoolExecutor(max_workers=2) as pool:
        homes = [Path(folder).resolve() / str(number) for number in range(len(walkthroughs))]
        return dict(zip(walkthroughs, pool.map(_replay_page, walkthroughs.items(), homes), strict=True))


def _candidates() -> Iterable[Path]:
    return (DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))


def _replay_page(page: tuple[str, str], home: Path) -> str:
    name, text = page
    home.mkdir()
    with STARTING_POINTS[walkthrough.starting_point(text)](home) as terminal:
        outputs = run_page(name, text, terminal)
    normaliser = Normaliser(home=home)
    return walkthrough.rewrite(text, {place: normaliser.text(output).strip("\n") for place, output in outputs.items()})


def run_page(name: str, text: str, terminal: Terminal) -> dict[Span, str]:
    """Do everything that a page says, and return what its shown commands said, by place.

    Raises:
        WentWrong: a command failed, and the next one does not ask for the exit code.
    """
    outputs: dict[Span, str] = {}
    all_steps = list(walkthrough.parse_steps(text))
    for step, next_step in zip(all_steps, [*all_steps[1:], None], strict=True):
        if isinstance(step, FileStep):
            terminal.write(step.path, step.content, appended=step.appended)
            continue
        result = terminal.type(step.text)
        if result.code and getattr(next_step, "text", "") != PRINT_EXIT_CODE:
            raise SceneFailed(f"docs/{name}: $ {step.text}\n{result.text}exit code {result.code}")
        if step.place:
            outputs[step.place] = result.text
    return outputs


@contextmanager
def _empty_home(home: Path) -> Iterator[Terminal]:
    """Begin in an empty home, with nothing but Python, git and this project's own wheel to install."""
    installer_variables = {name: value for name, value in os.environ.items() if name.startswith(INSTALLER_PREFIXES)}
    wheels = home.parent / "wheels"
    environ = {
        **SEQUENTIAL,
        **installer_variables,
        "PIP_FIND_LINKS": f"{wheels} {installer_variables.get('PIP_FIND_LINKS', '')}".strip(),
        "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LOGNAME": "sam",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    _build_wheel(wheels)
    try:
        yield Terminal.start(home / ".memory", folder=home, environ=environ)
    finally:
        _stop_clouds(home)


def _build_wheel(folder: Path) -> None:
    """Build this project's wheel, which the package index does not have yet at its own release."""
    words = (sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
    with BUILD_LOCK:
        if not folder.exists():
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _released_example(home: Path) -> Iterator[Terminal]:
    """Begin in the example app, released to every environment of a local cloud by the demo."""
    shell = Shell(home=home, environ=dict(SEQUENTIAL))
    try:
        demo = shell.run(EXAMPLE, f"inv demo --engine bundle --json --keep {home / 'demo'}", document=True)
        if demo.code:
            raise SceneFailed(demo.people)
        environ = shell.variables | json.loads(demo.document)["work"]["environ"]
        yield Terminal.start(home / ".memory", folder=home / "demo" / "coach", environ=environ)
    finally:
        _stop_clouds(home)


@contextmanager
def _scripted_example(home: Path) -> Iterator[Terminal]:
    """Begin in the example app as it would be without these tasks: released by a script."""
    shell, folder = Shell(home=home), home / "coach"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("tasks.py", "kaizen.toml", "__pycache__"))
    shutil.copytree(Path(__file__).parent / "by-hand", folder / "scripts")
    terminal = Terminal.start(home / ".memory", folder=folder, environ=shell.variables | SEQUENTIAL)
    for line in SETUP_COMMANDS:
        terminal.type(line)
    try:
        yield terminal
    finally:
        _stop_clouds(home)


def _stop_clouds(home: Path) -> None:
    """Stop every local cloud below a home, whatever became of the page that started it."""
    for cloud_file in home.rglob("cloud.json"):
        os.kill(json.loads(cloud_file.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


STARTING_POINTS: dict[str, Callable[[Path], AbstractContextManager[Terminal]]] = {
    "nowhere": _empty_home,
    "coach": _released_example,
    "script": _scripted_example,
}
"""Where a page can begin."""
