"""Plays the scenes, and hands back what every task said."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from docs.generating import scenes
from docs.generating.coach import EXAMPLE
from docs.generating.normalising import Normaliser
from docs.generating.recording import Shell
from docs.generating.scenes import Purpose, SceneCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.generating.recording import Recording

Recordings = dict[tuple[str, Purpose], "Recording"]

SEQUENTIAL = {"INVOKE_ROLLOUT_PARALLEL": "1"}
"""Environments that are rolled out side by side say their lines in another order each time."""


class SceneFailed(Exception):
    """A command of a scene did not do what it is there to show."""


def record_scenes() -> Recordings:
    """Play every scene and return what was said, by task and part, the same in every run.

    Raises:
        WentWrong: an example failed, or an error did not.
    """
    with tempfile.TemporaryDirectory(prefix="kaizen-docs-") as folder:
        home = Path(folder).resolve()
        normaliser = Normaliser(home=home)
        with ThreadPoolExecutor() as pool:
            futures = [pool.submit(lambda scene: list(scene(home)), scene) for scene in (_demo_scene, _library_scene)]
        return {
            (command.task, command.purpose): normaliser.recording(recording)
            for future in futures
            for command, recording in future.result()
            if command.purpose is not Purpose.STAGE
        }


def help_texts(tasks: Sequence[str]) -> dict[str, str]:
    """Return the `--help` of each task, as printed where there is no terminal."""
    shell = Shell(home=EXAMPLE)
    with ThreadPoolExecutor() as pool:
        texts = pool.map(lambda task: shell.run(EXAMPLE, f"inv --help {task}").people, tasks)
    return dict(zip(tasks, texts, strict=True))


def _run_scene(
    commands: Sequence[SceneCommand], shell: Shell, folder: Path
) -> Iterator[tuple[SceneCommand, Recording]]:
    for command in commands:
        recording = shell.run(folder, command.line, document=command.purpose is Purpose.DOCUMENT)
        if command.purpose is not Purpose.DOCUMENT and bool(recording.code) != (command.purpose is Purpose.ERROR):
            raise SceneFailed(
                f"$ {command.line}\n{recording.people}exit code {recording.code}, as {command.purpose.value}"
            )
        yield command, recording


def _demo_scene(home: Path) -> Iterator[tuple[SceneCommand, Recording]]:
    """Take the demo's pipeline, then go on by hand in what it keeps."""
    shell = Shell(home=home, environ=dict(SEQUENTIAL))
    try:
        demo = shell.run(EXAMPLE, f"{scenes.DEMO_COMMAND} --keep {home / 'demo'}", document=True)
        yield from _split_demo(demo)
        shell.environ |= json.loads(demo.document)["work"]["environ"]
        yield from _run_scene(scenes.EXAMPLE_SCENE, shell, home / "demo" / "coach")
    finally:
        shell.run(EXAMPLE, f"inv local.down --state {home / 'demo' / 'cloud'}")


def _split_demo(demo: Recording) -> Iterator[tuple[SceneCommand, Recording]]:
    """Split what the demo said into what it typed: each of these is an example too."""
    if demo.code:
        raise SceneFailed(demo.people)
    demo_recording = evolve(demo, line=f"{scenes.DEMO_COMMAND} --keep ~/demo")
    yield SceneCommand(demo_recording.line, Purpose.DOCUMENT, "demo"), demo_recording
    preamble, *parts = demo.people.split("\n$ ")
    outline = preamble + "".join(f"\n$ {part.partition(chr(10))[0]}\n[…]\n" for part in parts)
    ending = parts[-1][parts[-1].rindex("One build") :]
    yield (
        SceneCommand(demo_recording.line, Purpose.EXAMPLE, "demo"),
        evolve(demo_recording, people=f"{outline}\n{ending}", document=""),
    )
    for part in parts:
        line, _, output = part.partition("\n")
        if (task := line.split()[1]) in scenes.DEMO_TASKS:
            output = output.partition("One build")[0]
            yield SceneCommand(line, Purpose.EXAMPLE, task), evolve(demo, line=line, people=output, document="")


def _library_scene(home: Path) -> Iterator[tuple[SceneCommand, Recording]]:
    """Release a library with a remote of its own."""
    shell, folder = Shell(home=home), home / "pace"
    folder.mkdir()
    for name, content in scenes.LIBRARY_FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    yield from _run_scene(scenes.LIBRARY_SETUP, shell, folder)
    yield from _run_scene(scenes.LIBRARY_SCENE, shell, folder)
