"""Runs the commands of the tutorial and the how-to pages, and keeps the outputs in them up to date."""

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
from types import MappingProxyType
from typing import TYPE_CHECKING

from docs.generating import doctest_parser
from docs.generating.doctest_parser import PRINT_EXIT_CODE, FileStep, Span
from docs.generating.example_tasks import EXAMPLE, ROOT
from docs.generating.normaliser import Normaliser
from docs.generating.recordings import SEQUENTIAL, UnexpectedExitCode
from docs.generating.session import BashSession, clean_environ
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from tests.support.forge_server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

DOCS = ROOT / "docs"
INSTALLER_PREFIXES = ("PIP_", "UV_", "SSL_CERT_FILE")
"""Prefixes of the variables that name this machine's package index."""
BUILD_LOCK, DEMO_LOCK = threading.Lock(), threading.Lock()
DEMO_ENVIRON = {"INVOKE_BUILD_ENGINE": "bundle"}
SETUP_COMMANDS = (
    "git init -q --bare -b main ../coach.git && git init -q -b main && git remote add origin ../coach.git",
    "git config user.name Sam && git config user.email sam@coach.example",
    "git add --all && git commit -q -m 'A training plan' && git push -q -u origin main",
)
"""Creates the repository of an app that is released by a script."""


def render_pages() -> dict[str, str]:
    """Return every page whose commands are run, by its path below docs, with their current outputs.

    Raises:
        UnexpectedExitCode: a command failed where the page does not say so.
    """
    paths = (DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))
    texts = {str(path.relative_to(DOCS)): path.read_text(encoding="utf-8") for path in paths}
    pages = {name: text for name, text in texts.items() if doctest_parser.starting_point(text)}
    with tempfile.TemporaryDirectory(prefix="kaizen-guides-") as folder, ThreadPoolExecutor(max_workers=2) as pool:
        homes = [Path(folder).resolve() / str(number) for number in range(len(pages))]
        return dict(zip(pages, pool.map(_render_page, pages.items(), homes), strict=True))


def _render_page(page: tuple[str, str], home: Path) -> str:
    name, text = page
    home.mkdir()
    try:
        with STARTING_POINTS[doctest_parser.starting_point(text)](home) as session:
            outputs = run_page(name, text, session)
    finally:
        _stop_clouds(home)
    normaliser = Normaliser(home=home)
    normalised = {span: normaliser.text(output).strip("\n") for span, output in outputs.items()}
    return doctest_parser.replace_outputs(text, normalised)


def run_page(name: str, text: str, session: BashSession) -> dict[Span, str]:
    """Write the files and run the commands of a page; return the outputs that it shows, by span.

    Raises:
        UnexpectedExitCode: a command failed, and the next one does not print the exit code.
    """
    outputs: dict[Span, str] = {}
    steps = list(doctest_parser.parse_steps(text))
    for step, next_step in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, FileStep):
            session.write(step.path, step.content, append=step.append)
            continue
        recording = session.run(step.text)
        if recording.code and getattr(next_step, "text", "") != PRINT_EXIT_CODE:
            raise UnexpectedExitCode(f"docs/{name}: $ {step.text}\n{recording.output}exit code {recording.code}")
        if step.span:
            outputs[step.span] = recording.output
    return outputs


@contextmanager
def _empty_home(home: Path) -> Iterator[BashSession]:
    """Start in an empty home with only Python, git and this project's own wheel to install."""
    installer_variables = {name: value for name, value in os.environ.items() if name.startswith(INSTALLER_PREFIXES)}
    wheels = home.parent / "wheels"
    _build_wheel(wheels)
    environ = {
        **clean_environ(home),
        **SEQUENTIAL,
        **installer_variables,
        "PIP_FIND_LINKS": f"{wheels} {installer_variables.get('PIP_FIND_LINKS', '')}".strip(),
        "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        del environ[name]  # the installed wheel is used, not the checkout
    yield BashSession.start(home / ".session", folder=home, environ=environ)


def _build_wheel(folder: Path) -> None:
    """Build this project's wheel: the package index lacks the version that is being documented."""
    words = (sys.executable, "-m", "build", "--installer", "uv", "--wheel", "--outdir", str(folder), str(ROOT))
    with BUILD_LOCK:
        if not folder.exists():
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _example_on_a_server(home: Path) -> Iterator[BashSession]:
    """Start as `_released_example`, with a token for a server that answers as GitHub does."""
    with GitHubServer(path="team/coach") as server:
        variables = {
            "GITHUB_API_URL": server.url,
            "GITHUB_REPOSITORY": server.path,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_TOKEN": server.token,
        }
        with _released_example(home, variables) as session:
            yield session


@contextmanager
def _released_example(home: Path, variables: Mapping[str, str] = MappingProxyType({})) -> Iterator[BashSession]:
    """Start in the example app, released by the demo to every environment of a local cloud, with these variables."""
    work, environ = home / "demo", clean_environ(home) | SEQUENTIAL
    shutil.copytree(_demo(home.parent), work, symlinks=True)
    session = BashSession.start(home / ".demo", folder=work / "coach", environ=environ | DEMO_ENVIRON)
    _run_all(session, f"git remote set-url origin {work / 'coach.git'}", f"inv local.up --state {work / 'cloud'}")
    cloud = clouds.find_cloud(work / "cloud")
    assert cloud is not None
    yield BashSession.start(
        home / ".session",
        folder=work / "coach",
        environ={**environ, **DEMO_ENVIRON, **cloud.environ, **variables},
    )


def _demo(folder: Path) -> Path:
    """Return the folder of one demo for all pages: each takes a copy, while the cloud is stopped."""
    home = folder / "demo"
    work = home / "demo"
    with DEMO_LOCK:
        if not home.exists():
            session = BashSession.start(home / ".demo", folder=EXAMPLE, environ=clean_environ(home) | SEQUENTIAL)
            _run_all(
                session,
                f"inv demo --engine bundle --keep {work}",
                f"inv local.down --state {work / 'cloud'}",
            )
    return work


def _run_all(session: BashSession, *lines: str) -> None:
    """Run lines that the page does not show.

    Raises:
        UnexpectedExitCode: one failed.
    """
    for line in lines:
        recording = session.run(line)
        if recording.code:
            raise UnexpectedExitCode(f"$ {line}\n{recording.output}exit code {recording.code}")


@contextmanager
def _scripted_example(home: Path) -> Iterator[BashSession]:
    """Start in the example app before it adopted these tasks: a script releases it."""
    folder = home / "coach"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("tasks.py", "kaizen.toml", "__pycache__"))
    shutil.copytree(Path(__file__).parent / "fixtures", folder / "scripts")
    session = BashSession.start(home / ".session", folder=folder, environ=clean_environ(home) | SEQUENTIAL)
    _run_all(session, *SETUP_COMMANDS)
    yield session


def _stop_clouds(home: Path) -> None:
    """Stop every local cloud whose state is below a home; the folders of instances may vanish meanwhile."""
    for folder, _, names in os.walk(home):
        if "cloud.json" in names:
            cloud = json.loads(Path(folder, "cloud.json").read_text(encoding="utf-8"))
            os.kill(cloud["pid"], signal.SIGTERM)


STARTING_POINTS: dict[str, Callable[[Path], AbstractContextManager[BashSession]]] = {
    "nowhere": _empty_home,
    "coach": _released_example,
    "script": _scripted_example,
    "server": _example_on_a_server,
}
"""Starting points by name."""
