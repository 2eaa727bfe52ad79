"""What a bundle, an image without an engine, takes from a Dockerfile, and what it cannot run."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from attrs import evolve, field, frozen

from kaizen_tasks.domain.dockerfile.model import CopiedFiles, Dockerfile, Stage
from kaizen_tasks.errors import BuildFailed

APP_FOLDER = "/app"
"""Where the files are if the Dockerfile does not say."""

INIT_PROGRAMS = ("catatonit", "docker-init", "dumb-init", "tini", "tini-static")
"""Programs that only pass signals on and reap processes, which a local cloud does itself."""

SHELLS = ("ash", "bash", "dash", "sh")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
NOTHING_BUILT = "no image has been built, and nothing else has changed"
ENGINE_HINT = 'or build with an engine: build.engine = "auto"'


@frozen(kw_only=True)
class BundleConfig:
    """How a bundle runs.

    Attributes:
        entrypoint: the image's entry point; empty if `command` is everything.
        command: the image's command, or the arguments of the entry point.
        env: environment variables.
        workdir: absolute path of the working directory, which has the files of the commit.
        exposed_ports: TCP ports, in the order of the Dockerfile.
        copied: files of the commit that are in other places too.
        made_by: by path, the files and folders that another stage or image makes, and the line that copies them.
        base: the image that the last stage is built from, or empty.
    """

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(factory=dict)
    workdir: str = APP_FOLDER
    exposed_ports: tuple[int, ...] = ()
    copied: tuple[CopiedFiles, ...] = ()
    made_by: Mapping[str, tuple[str, int]] = field(factory=dict)
    base: str = ""

    @property
    def program(self) -> str:
        """The program that starts, in shell form the first one of the shell's text; empty if that is not clear."""
        words = (*self.entrypoint, *self.command)
        if len(words) > 2 and posixpath.basename(words[0]) in SHELLS and re.fullmatch(r"-[a-z]*c", words[1]):
            return _first_program(words[2])
        return words[0] if words else ""

    @property
    def program_path(self) -> str:
        """The absolute path of the program in the image; empty if it is named without one."""
        return self._in_image(self.program) if "/" in self.program else ""

    @property
    def unbuilt_files(self) -> tuple[str, ...]:
        """Absolute paths of the arguments that another stage or image makes: `/app/dist/index.js`."""
        words = [word for word in (*self.entrypoint, *self.command) if re.fullmatch(r"[\w./@+-]+", word)]
        paths = {self._in_image(word): word for word in words}
        return tuple(
            path for path, word in paths.items() if path in self.made_by or ("/" in word and self._maker(path))
        )

    def with_command(self, command: tuple[str, ...]) -> BundleConfig:
        """Return the configuration with a configured command in place of the Dockerfile's, if there is one."""
        return evolve(self, entrypoint=(), command=command) if command else self

    def require_command(self) -> None:
        """Require a command.

        Raises:
            BuildFailed: neither the configuration nor the Dockerfile has one.
        """
        if not self.entrypoint and not self.command:
            of_base = f", and that of {self.base} is unknown without an engine" if self.base else ""
            raise BuildFailed(
                f"a bundle has nothing to run: the Dockerfile's last stage has no ENTRYPOINT or CMD{of_base}",
                state=NOTHING_BUILT,
                hint=f'set build.command in kaizen.toml, such as command = ["python", "app.py"], {ENGINE_HINT}',
            )

    def missing_file_error(self, name: str) -> BuildFailed:
        """Return the error for a program or file of the command that is neither in the bundle nor on this machine."""
        if maker := self._maker(self._in_image(name)):
            origin, line = maker
            return BuildFailed(
                f"a bundle cannot run {name}: {origin} makes it (Dockerfile:{line}), and no stage is built",
                state=NOTHING_BUILT,
                hint=f'set build.command to what runs here, such as command = ["go", "run", "."], {ENGINE_HINT}',
            )
        return BuildFailed(
            f"a bundle cannot run {name}: it is neither in the commit nor among this machine's programs",
            state=NOTHING_BUILT,
            hint=f'activate the app\'s environment and set build.inherit = ["PATH", "VIRTUAL_ENV"], {ENGINE_HINT}',
        )

    def _in_image(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.workdir, name))

    def _maker(self, path: str) -> tuple[str, int] | None:
        """Return what makes an absolute path of the image, and the line that copies it; None for the commit."""
        makers = (self.made_by.get(str(folder)) for folder in (path, *PurePosixPath(path).parents))
        return next(filter(None, makers), None)


def configure_bundle(dockerfile: Dockerfile, target: str = "") -> BundleConfig:
    """Return what a bundle takes from the target stage of a Dockerfile, or from the last one."""
    stage = dockerfile.find_stage(target) or Stage()
    lineage = dockerfile.lineage(stage)
    copied = tuple(copied for ancestor in lineage for copied in ancestor.copied)
    from_commit = tuple(each for each in copied if not each.origin)
    workdir = stage.workdir if stage.workdir != "/" or from_commit else APP_FOLDER
    return BundleConfig(
        entrypoint=_without_init(stage.entrypoint),
        command=stage.command,
        env=stage.env,
        workdir=workdir,
        exposed_ports=stage.exposed_ports,
        copied=from_commit,
        made_by={each.destination.rstrip("/"): (_origin_name(each), each.line) for each in copied if each.origin},
        base=lineage[0].base,
    )


def _origin_name(copied: CopiedFiles) -> str:
    return f"{'image' if re.search('[/:]', copied.origin) else 'stage'} {copied.origin}"


def _without_init(entrypoint: tuple[str, ...]) -> tuple[str, ...]:
    """Return an entry point without a program that only starts another one: `tini -g --`."""
    if not entrypoint or posixpath.basename(entrypoint[0]) not in INIT_PROGRAMS:
        return entrypoint
    rest = entrypoint[1:]
    while rest and rest[0].startswith("-"):
        is_end, rest = rest[0] == "--", rest[1:]
        if is_end:
            break
    return rest


def _first_program(text: str) -> str:
    """Return the program that a line of shell starts, or an empty text if variables or operators hide it."""
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    while words and (words[0] == "exec" or ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    return words[0] if words and re.fullmatch(r"[\w./+-]+", words[0]) and words[0] not in SHELL_WORDS else ""


SHELL_WORDS: Collection[str] = frozenset(
    {
        *(
            ".",
            ":",
            "[",
            "cd",
            "echo",
            "eval",
            "export",
            "for",
            "if",
            "set",
            "source",
            "test",
            "trap",
            "umask",
            "unset",
        ),
        "while",
    }
)
"""Builtin commands and keywords of a shell, which are no programs."""
