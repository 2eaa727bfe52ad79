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
from docs.generating.story import ONE_BY_ONE, WentWrong
from docs.generating.terminal import Terminal
from docs.generating.walkthrough import ASKS_FOR_THE_CODE, File, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

DOCS = ROOT / "docs"
INSTALLING = ("PIP_", "UV_", "SSL_CERT_FILE")
"""How the variables begin that say where packages come from on this machine."""
BUILDING = threading.Lock()
FOUNDING = (
    "git init -q --bare -b main ../coach.git && git init -q -b main && git remote add origin ../coach.git",
    "git config user.name Sam && git config user.email sam@coach.example",
    "git add --all && git commit -q -m 'A training plan' && git push -q -u origin main",
)
"""How an app came to be that a script releases."""


def pages() -> dict[str, str]:
    """Return every page that is typed along, by its path below docs, with what its commands say now.

    Raises:
        WentWrong: a command failed where the page does not say so.
    """
    texts = {str(path.relative_to(DOCS)): path.read_text(encoding="utf-8") for path in _candidates()}
    typed = {name: text for name, text in texts.items() if walkthrough.world(text)}
    with tempfile.TemporaryDirectory(prefix="kaizen-guides-") as folder, ThreadPoolExecutor(max_workers=2) as pool:
        homes = [Path(folder).resolve() / str(number) for number in range(len(typed))]
        return dict(zip(typed, pool.map(_played, typed.items(), homes), strict=True))


def _candidates() -> Iterable[Path]:
    return (DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))


def _played(page: tuple[str, str], home: Path) -> str:
    name, text = page
    home.mkdir()
    with WORLDS[walkthrough.world(text)](home) as terminal:
        heard = said(name, text, terminal)
    normaliser = Normaliser(home=home)
    return walkthrough.rewritten(text, {place: normaliser.text(each).strip("\n") for place, each in heard.items()})


def said(name: str, text: str, terminal: Terminal) -> dict[Place, str]:
    """Do everything that a page says, and return what its shown commands said, by place.

    Raises:
        WentWrong: a command failed, and the next one does not ask for the exit code.
    """
    shown: dict[Place, str] = {}
    todo = list(walkthrough.steps(text))
    for step, after in zip(todo, [*todo[1:], None], strict=True):
        if isinstance(step, File):
            terminal.write(step.path, step.content, appended=step.appended)
            continue
        heard = terminal.type(step.text)
        if heard.code and getattr(after, "text", "") != ASKS_FOR_THE_CODE:
            raise WentWrong(f"docs/{name}: $ {step.text}\n{heard.text}exit code {heard.code}")
        if step.place:
            shown[step.place] = heard.text
    return shown


@contextmanager
def _nowhere(home: Path) -> Iterator[Terminal]:
    """Begin in an empty home, with nothing but Python, git and this project's own wheel to install."""
    installing = {name: value for name, value in os.environ.items() if name.startswith(INSTALLING)}
    wheels = home.parent / "wheels"
    environ = {
        **ONE_BY_ONE,
        **installing,
        "PIP_FIND_LINKS": f"{wheels} {installing.get('PIP_FIND_LINKS', '')}".strip(),
        "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LOGNAME": "sam",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    _build_wheel(wheels)
    try:
        yield Terminal.opened(home / ".memory", folder=home, environ=environ)
    finally:
        _stop_clouds(home)


def _build_wheel(folder: Path) -> None:
    """Build this project's wheel, which the package index does not have yet at its own release."""
    words = (sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
    with BUILDING:
        if not folder.exists():
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _coach(home: Path) -> Iterator[Terminal]:
    """Begin in the example app, released to every environment of a local cloud by the demo."""
    shell = Shell(home=home, environ=dict(ONE_BY_ONE))
    try:
        demo = shell.run(EXAMPLE, f"inv demo --engine bundle --json --keep {home / 'demo'}", document=True)
        if demo.code:
            raise WentWrong(demo.people)
        environ = shell.variables | json.loads(demo.document)["work"]["environ"]
        yield Terminal.opened(home / ".memory", folder=home / "demo" / "coach", environ=environ)
    finally:
        _stop_clouds(home)


@contextmanager
def _script(home: Path) -> Iterator[Terminal]:
    """Begin in the example app as it would be without these tasks: released by a script."""
    shell, folder = Shell(home=home), home / "coach"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("tasks.py", "kaizen.toml", "__pycache__"))
    shutil.copytree(Path(__file__).parent / "by-hand", folder / "scripts")
    terminal = Terminal.opened(home / ".memory", folder=folder, environ=shell.variables | ONE_BY_ONE)
    for line in FOUNDING:
        terminal.type(line)
    try:
        yield terminal
    finally:
        _stop_clouds(home)


def _stop_clouds(home: Path) -> None:
    """Stop every local cloud below a home, whatever became of the page that started it."""
    for published in home.rglob("cloud.json"):
        os.kill(json.loads(published.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


WORLDS: dict[str, Callable[[Path], AbstractContextManager[Terminal]]] = {
    "nowhere": _nowhere,
    "coach": _coach,
    "script": _script,
}
"""Where a page can begin."""
