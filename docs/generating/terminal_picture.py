"""Draws README's picture: a release, a promotion under way and `status` with drift, typed in a real terminal.

`python -m docs.generating.terminal_picture` writes `docs/pictures/terminal-light.svg` and `-dark.svg`.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from docs.generating.example_tasks import EXAMPLE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COLUMNS, ROWS = 80, 60
READ_BYTES = 65536
EARLIER_RELEASE = "v0.2.0"
"""What the demo releases, and what somebody deploys again by hand."""
REPOSITORY, SERVICE = "dom-coach-app", "dom-coach-service"
STEPS_SHOWN = re.compile(r"coach:|. (bump|build|push|deploy|verify|tag) ")
"""The lines of the release that the picture shows: twenty lines are read, forty are not."""
TABLE_HEAD = "   environment "

Line = list[tuple[str, str]]
"""The cells of a line: a character and its style."""

FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SVG_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", f"font-family: {FONTS}"
)
"""Rich's format without fonts from elsewhere: a picture may load nothing."""
LIGHT_COLOURS = ((36, 41, 46), (207, 34, 46), (17, 99, 41), (125, 78, 0), (9, 105, 218), (130, 80, 223), (5, 80, 174))
DARK_COLOURS = (
    (72, 79, 88),
    (255, 123, 114),
    (63, 185, 80),
    (210, 153, 34),
    (88, 166, 255),
    (188, 140, 255),
    (57, 197, 207),
)
THEMES = {
    "light": TerminalTheme((255, 255, 255), (31, 35, 40), [*LIGHT_COLOURS, (110, 119, 129)]),
    "dark": TerminalTheme((13, 17, 23), (230, 237, 243), [*DARK_COLOURS, (177, 186, 196)]),
}


def main() -> None:
    """Release, promote and break an app on a local cloud; draw what the terminal showed, light and dark."""
    with tempfile.TemporaryDirectory(prefix="kaizen-picture-") as folder:
        workspace = Path(folder, "demo")
        words = (*kaizen_words(), "demo", "--engine", "bundle", "--json", "--keep", str(workspace))
        demo = subprocess.run(words, cwd=EXAMPLE, stdout=subprocess.PIPE, check=True)
        try:
            lines = list(_session(json.loads(demo.stdout)["work"]))
        finally:
            subprocess.run(
                (*kaizen_words(), "local.down", "--state", str(workspace / "cloud")), cwd=EXAMPLE, check=True
            )
    for name, theme in THEMES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
        for line in lines:
            console.print(Text.assemble(*line), no_wrap=True, overflow="crop")
        target = ROOT / "docs" / "pictures" / f"terminal-{name}.svg"
        svg = console.export_svg(title="coach", theme=theme, code_format=SVG_FORMAT, unique_id="terminal")
        target.write_text(svg, encoding="utf-8")


def kaizen_words() -> tuple[str, ...]:
    """Return the words that start `kaizen` with this Python."""
    return sys.executable, "-m", "kaizen_tasks"


def _session(work: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the lines of the picture."""
    clone = Path(work["repository"])
    environ = {**os.environ, **work["environ"], "TERM": "xterm-256color", "LOGNAME": "sam"}
    environ.pop("NO_COLOR", None)
    note = (*kaizen_words(), "changelog.add", "--type", "fixed", "--text", "Rest days count.")
    subprocess.run(note, cwd=clone, env=environ, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(("git", "commit", "--quiet", "--all", "--message", "Count rest days"), cwd=clone, check=True)

    yield _prompt("inv release-staging")
    *_, release = _run("release-staging", clone, environ)
    yield from (line for line in release if STEPS_SHOWN.match(_text(line)))
    [*_run("promote-prod", clone, environ, "--yes")]
    yield from ([], _prompt("inv promote-beta"))
    yield from max(map(_table, _run("promote-beta", clone, environ)), key=_variety)
    deploy_by_hand(work["environ"])
    yield from ([], _prompt("inv status"))
    *_, status = _run("status", clone, environ)
    yield from (*status, [])


def _prompt(command: str) -> Line:
    return [("$ ", "bold green"), (command, "bold")]


def _run(task: str, folder: Path, environ: Mapping[str, str], *flags: str) -> Iterator[list[Line]]:
    """Run a task in a terminal; yield the screen's lines whenever they have changed.

    Raises:
        CalledProcessError: it failed.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    words = (*kaizen_words(), task, *flags)
    with subprocess.Popen(words, cwd=folder, env=environ, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        while output := _read(master):
            stream.feed(output)
            yield _lines(screen)
    os.close(master)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)


def _read(terminal: int) -> bytes:
    """Return what was printed; nothing once the program has ended, which Linux reports as an error."""
    try:
        return os.read(terminal, READ_BYTES)
    except OSError:
        return b""


def _lines(screen: Any) -> list[Line]:
    """Return the lines of a screen without the empty ones around them."""
    lines = [[_cell(screen.buffer[row][column]) for column in range(COLUMNS)] for row in range(ROWS)]
    used = [number for number, line in enumerate(lines) if _text(line)]
    return lines[used[0] : used[-1] + 1] if used else []


def _cell(character: Any) -> tuple[str, str]:
    colour = {"brown": "yellow", "default": ""}.get(character.fg, character.fg)
    is_named = colour.removeprefix("bright").isalpha()
    weight = "bold" if character.bold else ""
    return character.data, f"{weight} {colour.replace('bright', 'bright_') if is_named else ''}".strip()


def _text(line: Line) -> str:
    return "".join(character for character, _ in line).rstrip()


def _table(screen: Sequence[Line]) -> list[Line]:
    """Return the table of a rollout, which stands at the end of the screen; empty while there is none."""
    heads = [number for number, line in enumerate(screen) if _text(line).startswith(TABLE_HEAD)]
    return list(screen[heads[-1] :]) if heads else []


def _variety(table: Sequence[Line]) -> int:
    """Return how many kinds of work a table shows, to prefer one in the midst of things."""
    text = "\n".join(map(_text, table))
    return sum(step in text for step in ("done", "deploy", "verify", "smoke"))


def deploy_by_hand(environ: Mapping[str, str]) -> None:
    """Move `:latest` of one tenant to the earlier release and deploy it, as in the console of AWS."""
    session = boto3.Session(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], region_name="eu-west-1")
    registry = session.client("ecr", endpoint_url=environ["AWS_ENDPOINT_URL"])
    platform = session.client("apprunner", endpoint_url=environ["AWS_ENDPOINT_URL"])
    images = registry.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": EARLIER_RELEASE}])
    (earlier,) = images["images"]
    registry.put_image(repositoryName=REPOSITORY, imageManifest=earlier["imageManifest"], imageTag="latest")
    services = platform.list_services()["ServiceSummaryList"]
    (arn,) = (service["ServiceArn"] for service in services if service["ServiceName"] == SERVICE)
    if platform.describe_service(ServiceArn=arn)["Service"]["Status"] == "RUNNING":
        platform.start_deployment(ServiceArn=arn)
    while platform.describe_service(ServiceArn=arn)["Service"]["Status"] != "RUNNING":
        pass


if __name__ == "__main__":
    main()
