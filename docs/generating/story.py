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
from docs.generating.scenes import Part, Take

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.generating.recording import Recording

Shown = dict[tuple[str, Part], "Recording"]

ONE_BY_ONE = {"INVOKE_ROLLOUT_PARALLEL": "1"}
"""Environments that are rolled out side by side say their lines in another order each time."""


class WentWrong(Exception):
    """A command of a scene did not do what it is there to show."""


def play() -> Shown:
    """Play every scene and return what was said, by task and part, the same in every run.

    Raises:
        WentWrong: an example failed, or an error did not.
    """
    with tempfile.TemporaryDirectory(prefix="kaizen-docs-") as folder:
        home = Path(folder).resolve()
        normaliser = Normaliser(home=home)
        with ThreadPoolExecutor() as pool:
            told = [pool.submit(lambda scene: list(scene(home)), scene) for scene in (_demo, _library)]
        return {
            (take.task, take.part): normaliser.recording(recording)
            for takes in told
            for take, recording in takes.result()
            if take.part is not Part.STAGE
        }


def helps(tasks: Sequence[str]) -> dict[str, str]:
    """Return the `--help` of each task, as printed where there is no terminal."""
    shell = Shell(home=EXAMPLE)
    with ThreadPoolExecutor() as pool:
        printed = pool.map(lambda task: shell.run(EXAMPLE, f"inv --help {task}").people, tasks)
    return dict(zip(tasks, printed, strict=True))


def _scene(takes: Sequence[Take], shell: Shell, folder: Path) -> Iterator[tuple[Take, Recording]]:
    for take in takes:
        recording = shell.run(folder, take.line, document=take.part is Part.DOCUMENT)
        if take.part is not Part.DOCUMENT and bool(recording.code) != (take.part is Part.ERROR):
            raise WentWrong(f"$ {take.line}\n{recording.people}exit code {recording.code}, as {take.part.value}")
        yield take, recording


def _demo(home: Path) -> Iterator[tuple[Take, Recording]]:
    """Take the demo's pipeline, then go on by hand in what it keeps."""
    shell = Shell(home=home, environ=dict(ONE_BY_ONE))
    try:
        demo = shell.run(EXAMPLE, f"{scenes.DEMO} --keep {home / 'demo'}", document=True)
        yield from _typed_by(demo)
        shell.environ |= json.loads(demo.document)["work"]["environ"]
        yield from _scene(scenes.COACH, shell, home / "demo" / "coach")
    finally:
        shell.run(EXAMPLE, f"inv local.down --state {home / 'demo' / 'cloud'}")


def _typed_by(demo: Recording) -> Iterator[tuple[Take, Recording]]:
    """Split what the demo said into what it typed: each of these is an example too."""
    if demo.code:
        raise WentWrong(demo.people)
    shown = evolve(demo, line=f"{scenes.DEMO} --keep ~/demo")
    yield Take(shown.line, Part.DOCUMENT, "demo"), shown
    before, *typed = demo.people.split("\n$ ")
    outline = before + "".join(f"\n$ {each.partition(chr(10))[0]}\n[…]\n" for each in typed)
    ending = typed[-1][typed[-1].rindex("One build") :]
    yield Take(shown.line, Part.EXAMPLE, "demo"), evolve(shown, people=f"{outline}\n{ending}", document="")
    for each in typed:
        line, _, said = each.partition("\n")
        if (task := line.split()[1]) in scenes.DEMO_TYPES:
            said = said.partition("One build")[0]
            yield Take(line, Part.EXAMPLE, task), evolve(demo, line=line, people=said, document="")


def _library(home: Path) -> Iterator[tuple[Take, Recording]]:
    """Release a library with a remote of its own."""
    shell, folder = Shell(home=home), home / "pace"
    folder.mkdir()
    for name, content in scenes.FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    yield from _scene(scenes.FOUNDING, shell, folder)
    yield from _scene(scenes.LIBRARY, shell, folder)
