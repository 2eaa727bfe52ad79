"""What a Dockerfile says: its stages, and what each stage's image would be configured to do."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from kaizen_tasks.domain.dockerfile.instructions import Instruction

DEFAULT_SHELL = ("/bin/sh", "-c")
DEFAULT_FOLDER = "/"

BUILDKIT_FLAGS = {
    "ADD": ("checksum", "chmod", "exclude", "keep-git-dir", "link", "unpack"),
    "COPY": ("chmod", "exclude", "link", "parents"),
    "RUN": ("device", "mount", "network", "security"),
}
"""Flags of instructions that docker's builder without BuildKit refuses."""


@frozen(kw_only=True)
class CopiedFiles:
    """One `COPY` or `ADD`.

    Attributes:
        line: number of its line.
        sources: paths in the build context, in the stage or image `origin`, or for `ADD` also URLs.
        destination: absolute path in the image; ends in `/` if the instruction's does, or if it names the folder `.`.
        origin: a stage, an image or an extra context, from `--from`; empty for the build context.
    """

    line: int
    sources: tuple[str, ...]
    destination: str
    origin: str = ""


@frozen(kw_only=True)
class Stage:
    """One stage. Values of an earlier stage that it is built `FROM` are included; those of a base image are unknown.

    Attributes:
        index: number of the stage, from 0.
        name: its name in small letters, or empty.
        base: the image or stage that it is built from, with build arguments replaced.
        platform: the platform of `FROM --platform`, with build arguments replaced; empty without one.
        parent: index of the stage that it is built from; None for an image.
        instructions: its instructions, `FROM` included, as they are written.
        build_args: defaults of the build arguments that it declares, by name; None for one without default.
        env: environment variables.
        workdir: absolute path of the working directory.
        exposed_ports: TCP ports of `EXPOSE`, in order.
        entrypoint: words of `ENTRYPOINT`; the shell form begins with the shell.
        command: words of `CMD`, the default arguments of `entrypoint`.
        shell: the shell of the shell form.
        user: the user that runs the command; empty for that of the base image.
        healthcheck: the check as Docker stores it: `CMD` or `CMD-SHELL` and its words, or `NONE`; empty without one.
        copied: what is copied into the image, in order.
        triggers: instructions of `ONBUILD`, which are executed in a stage that is built from this one.
    """

    index: int = 0
    name: str = ""
    base: str = ""
    platform: str = ""
    parent: int | None = None
    instructions: tuple[Instruction, ...] = ()
    build_args: Mapping[str, str | None] = field(factory=dict)
    env: Mapping[str, str] = field(factory=dict)
    workdir: str = DEFAULT_FOLDER
    exposed_ports: tuple[int, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    shell: tuple[str, ...] = DEFAULT_SHELL
    user: str = ""
    healthcheck: tuple[str, ...] = ()
    copied: tuple[CopiedFiles, ...] = ()
    triggers: tuple[Instruction, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words that a container runs: entry point and command."""
        return (*self.entrypoint, *self.command)


@frozen(kw_only=True)
class Dockerfile:
    """A Dockerfile.

    Attributes:
        stages: its stages, in order; empty if there is no `FROM`.
        syntax: the frontend of `# syntax=`, or empty.
        global_args: defaults of the build arguments above the first `FROM`, by name; None for one without default.
    """

    stages: tuple[Stage, ...] = ()
    syntax: str = ""
    global_args: Mapping[str, str | None] = field(factory=dict)

    @property
    def final(self) -> Stage:
        """The last stage, which is built without a target; an empty one if there is none."""
        return self.stages[-1] if self.stages else Stage()

    @property
    def build_args(self) -> Mapping[str, str | None]:
        """The build arguments that it takes anywhere, by name, with the first default."""
        declared = dict(self.global_args)
        for stage in self.stages:
            declared |= {name: default for name, default in stage.build_args.items() if declared.get(name) is None}
        return declared

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images that a build has to pull: bases, and origins of copied files; without `scratch`."""
        names = {stage.name for stage in self.stages if stage.name} | {str(stage.index) for stage in self.stages}
        bases = (stage.base for stage in self.stages if stage.parent is None)
        origins = (copied.origin for stage in self.stages for copied in stage.copied)
        external_origins = (origin for origin in origins if origin.lower() not in names)
        return tuple(dict.fromkeys(image for image in (*bases, *external_origins) if image not in {"", "scratch"}))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Ids of the secrets that `RUN --mount=type=secret` mounts in any stage, in order."""
        runs = (each for stage in self.stages for each in stage.instructions if each.keyword == "RUN")
        mounts = [dict(_options(value)) for run in runs for value in run.flag_values("mount")]
        secrets = [mount for mount in mounts if mount.get("type") == "secret"]
        ids = (mount.get("id") or posixpath.basename(mount.get("target") or mount.get("dst", "")) for mount in secrets)
        return tuple(dict.fromkeys(filter(None, ids)))

    @property
    def buildkit_features(self) -> tuple[str, ...]:
        """What only BuildKit understands, with the first line of each: `RUN --mount in line 7`."""
        lines: dict[str, int] = {}
        for instruction in (each for stage in self.stages for each in stage.instructions):
            keyword, flags = instruction.keyword, [name for name, _ in instruction.flags]
            used = [f"--{name}" for name in flags if name in BUILDKIT_FLAGS.get(keyword, ())]
            for feature in (*used, *(["<<"] if instruction.here_documents else ())):
                lines.setdefault(f"{keyword} {feature}", instruction.line)
        return tuple(f"{feature} in line {line}" for feature, line in lines.items())

    def find_stage(self, target: str) -> Stage | None:
        """Return the stage with a name or index, or the final stage for an empty target; None if there is none."""
        if not target:
            return self.stages[-1] if self.stages else None
        matches = (stage for stage in reversed(self.stages) if target.lower() in {stage.name, str(stage.index)})
        return next(matches, None)

    def lineage(self, stage: Stage) -> tuple[Stage, ...]:
        """Return a stage and those that it is built from, the earliest first."""
        chain: tuple[Stage, ...] = (stage,)
        while chain[0].parent is not None:
            chain = (self.stages[chain[0].parent], *chain)
        return chain


def _options(mount: str) -> Iterator[tuple[str, str]]:
    """Yield the options of `--mount`, such as `type=secret,id=npm`."""
    for option in mount.split(","):
        name, _, value = option.partition("=")
        yield name.strip().lower(), value.strip("\"' ")
