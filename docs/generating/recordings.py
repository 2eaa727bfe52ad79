"""Runs the examples, and returns what every task printed."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from docs.generating import examples
from docs.generating.example_tasks import EXAMPLE
from docs.generating.examples import ExampleCommand, Purpose
from docs.generating.normaliser import Normaliser
from docs.generating.session import BashSession, Recording, clean_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Recordings = dict[tuple[str, Purpose], Recording]

SEQUENTIAL = {"INVOKE_ROLLOUT_PARALLEL": "1"}
"""Makes the order of lines the same in every run."""


class UnexpectedExitCode(Exception):
    """A command failed, or one that is to show an error did not."""


def record_examples() -> Recordings:
    """Run every example and return what it printed, by task and purpose; the same in every run.

    Raises:
        UnexpectedExitCode: an example failed, or an error did not.
    """
    with tempfile.TemporaryDirectory(prefix="kaizen-docs-") as folder:
        home = Path(folder).resolve()
        normaliser = Normaliser(home=home)
        with ThreadPoolExecutor() as pool:
            futures = [
                pool.submit(lambda run: list(run(home)), run) for run in (_run_app_examples, _run_library_examples)
            ]
        return {
            (command.task, command.purpose): normaliser.recording(recording)
            for future in futures
            for command, recording in future.result()
            if command.purpose is not Purpose.SETUP
        }


def help_texts(tasks: Sequence[str]) -> dict[str, str]:
    """Return the `--help` of each task, as printed without a terminal."""
    with tempfile.TemporaryDirectory(prefix="kaizen-docs-") as folder, ThreadPoolExecutor() as pool:
        texts = pool.map(lambda task: _help_text(task, Path(folder)), tasks)
        return dict(zip(tasks, texts, strict=True))


def _help_text(task: str, home: Path) -> str:
    session = BashSession.start(home / task, folder=EXAMPLE, environ=clean_environ(home))
    return session.run(f"inv --help {task}").output


def _run_commands(
    commands: Sequence[ExampleCommand], session: BashSession
) -> Iterator[tuple[ExampleCommand, Recording]]:
    for command in commands:
        recording = session.run(command.line, has_document=command.purpose is Purpose.DOCUMENT)
        if command.purpose is not Purpose.DOCUMENT and bool(recording.code) != (command.purpose is Purpose.ERROR):
            raise UnexpectedExitCode(
                f"$ {command.line}\n{recording.output}exit code {recording.code}, as {command.purpose.value}"
            )
        yield command, recording


def _run_app_examples(home: Path) -> Iterator[tuple[ExampleCommand, Recording]]:
    """Run the demo, then the examples in the workspace that it keeps."""
    environ = clean_environ(home) | SEQUENTIAL
    session = BashSession.start(home / ".demo", folder=EXAMPLE, environ=environ)
    try:
        demo = session.run(f"{examples.DEMO_COMMAND} --keep {home / 'demo'}", has_document=True)
        yield from _split_demo(demo)
        cloud_environ = json.loads(demo.document)["work"]["environ"]
        clone = home / "demo" / "coach"
        app_session = BashSession.start(home / ".app", folder=clone, environ=environ | cloud_environ)
        yield from _run_commands(examples.APP_EXAMPLES, app_session)
    finally:
        session.run(f"inv local.down --state {home / 'demo' / 'cloud'}")


def _split_demo(demo: Recording) -> Iterator[tuple[ExampleCommand, Recording]]:
    """Split the demo's output into that of its commands: each of them is an example too."""
    if demo.code:
        raise UnexpectedExitCode(demo.output)
    demo = evolve(demo, line=f"{examples.DEMO_COMMAND} --keep ~/demo")
    yield ExampleCommand(demo.line, Purpose.DOCUMENT, "demo"), demo
    preamble, *parts = demo.output.split("\n$ ")
    outline = preamble + "".join(f"\n$ {part.partition(chr(10))[0]}\n[…]\n" for part in parts)
    ending = parts[-1][parts[-1].rindex("One build") :]
    yield ExampleCommand(demo.line, Purpose.EXAMPLE, "demo"), evolve(demo, output=f"{outline}\n{ending}", document="")
    for part in parts:
        line, _, output = part.partition("\n")
        if (task := line.split()[1]) in examples.DEMO_TASKS:
            recording = evolve(demo, line=line, output=output.partition("One build")[0], document="")
            yield ExampleCommand(line, Purpose.EXAMPLE, task), recording


def _run_library_examples(home: Path) -> Iterator[tuple[ExampleCommand, Recording]]:
    """Run the examples of a library with a remote of its own."""
    folder = home / "pace"
    folder.mkdir()
    for name, content in examples.LIBRARY_FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    session = BashSession.start(home / ".library", folder=folder, environ=clean_environ(home))
    yield from _run_commands((*examples.LIBRARY_SETUP, *examples.LIBRARY_EXAMPLES), session)
