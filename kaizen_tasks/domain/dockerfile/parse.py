"""Evaluates a Dockerfile stage by stage, as a build would, without running anything."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from attrs import evolve

from kaizen_tasks.domain.dockerfile.instructions import (
    Instruction,
    parse_instruction,
    read_lines,
    split_instructions,
)
from kaizen_tasks.domain.dockerfile.model import CopiedFiles, Dockerfile, Stage
from kaizen_tasks.domain.dockerfile.words import expand, expand_words, split_words

PORT = re.compile(r"(?:.*:)?(\d+)(?:-(\d+))?(?:/(\w+))?")
MAX_PORT = 65535
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The search path of an image that sets none, with which that of an unknown base image begins or ends."""

LEGACY_FORM = re.compile(r"(\S+)\s+(.*)", re.DOTALL)


def parse_dockerfile(text: str, build_args: Mapping[str, str] | None = None, *, platform: str = "") -> Dockerfile:
    """Return what a Dockerfile says. Nothing is refused: instructions that BuildKit does not know have no effect.

    Args:
        text: the Dockerfile.
        build_args: values of build arguments, which replace their defaults.
        platform: the platform to build for, `linux/amd64`; empty leaves `TARGETPLATFORM` and the like without a value.
    """
    source = read_lines(text)
    evaluation = _Evaluation(source.escape, build_args or {}, _platform_args(platform))
    for instruction in split_instructions(source):
        evaluation.execute(instruction)
    return Dockerfile(
        stages=tuple(evaluation.stages),
        syntax=source.directives.get("syntax", ""),
        global_args=evaluation.global_args,
    )


def _platform_args(platform: str) -> dict[str, str]:
    """Return the arguments that BuildKit sets: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope."""
    if not platform:
        return {}
    system, architecture, variant = (*platform.split("/"), "", "")[:3]
    parts = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{prefix}{part}": value for prefix in ("TARGET", "BUILD") for part, value in parts.items()}


class _Evaluation:
    """Executes instructions, and collects the stages.

    Args:
        escape: the escape character.
        build_args: values of build arguments.
        platform_args: values of the arguments that are set for every build.
    """

    def __init__(self, escape: str, build_args: Mapping[str, str], platform_args: Mapping[str, str]) -> None:
        self.stages: list[Stage] = []
        self.global_args: dict[str, str | None] = {}
        self._escape = escape
        self._build_args = build_args
        self._platform_args = platform_args
        self._global_values: dict[str, str] = dict(platform_args)
        self._arg_values: dict[str, str] = {}
        self._has_own_command = False

    def execute(self, instruction: Instruction) -> None:
        """Execute one instruction."""
        if instruction.keyword == "FROM":
            self._begin_stage(instruction)
        elif not self.stages:
            self._declare_global_args(instruction)
        else:
            self._stage = evolve(self._stage, instructions=(*self._stage.instructions, instruction))
            self._apply(instruction)

    def _apply(self, instruction: Instruction) -> None:
        handler = self._handlers.get(instruction.keyword)
        if handler is not None:
            handler(instruction)

    @property
    def _handlers(self) -> Mapping[str, Callable[[Instruction], None]]:
        return {
            "ADD": self._copy,
            "ARG": self._declare_args,
            "CMD": self._set_command,
            "COPY": self._copy,
            "ENTRYPOINT": self._set_entrypoint,
            "ENV": self._set_variables,
            "EXPOSE": self._expose,
            "HEALTHCHECK": self._set_healthcheck,
            "ONBUILD": self._add_trigger,
            "SHELL": self._set_shell,
            "USER": self._set_user,
            "WORKDIR": self._change_folder,
        }

    @property
    def _stage(self) -> Stage:
        return self.stages[-1]

    @_stage.setter
    def _stage(self, stage: Stage) -> None:
        self.stages[-1] = stage

    @property
    def _variables(self) -> Mapping[str, str]:
        """What `$name` stands for: environment variables come before build arguments."""
        return {"PATH": DEFAULT_PATH, **self._arg_values, **self._stage.env}

    def _expand(self, text: str) -> str:
        return expand(text, self._variables, self._escape)

    def _begin_stage(self, instruction: Instruction) -> None:
        image, *name = split_words(instruction.text, self._escape) or ("",)
        base = expand(image, self._global_values, self._escape)
        parent = self._find_parent(base)
        inherited = self.stages[parent] if parent is not None else Stage()
        self.stages.append(
            evolve(
                inherited,
                index=len(self.stages),
                name=name[1].lower() if len(name) == 2 and name[0].lower() == "as" else "",
                base=base,
                platform=expand("".join(instruction.flag_values("platform")), self._global_values, self._escape),
                parent=parent,
                instructions=(instruction,),
                build_args={},
                copied=(),
                triggers=(),
            )
        )
        self._arg_values, self._has_own_command = {}, False
        for trigger in inherited.triggers:
            self._apply(trigger)

    def _find_parent(self, base: str) -> int | None:
        """Return the index of the last stage with a name, which an index cannot replace in `FROM`."""
        matches = (stage.index for stage in reversed(self.stages) if stage.name and stage.name == base.lower())
        return next(matches, None)

    def _declare_global_args(self, instruction: Instruction) -> None:
        if instruction.keyword != "ARG":
            return
        for name, default in self._read_args(instruction, self._global_values):
            self.global_args[name] = default
            value = self._build_args.get(name, default)
            if value is not None:
                self._global_values[name] = value

    def _declare_args(self, instruction: Instruction) -> None:
        for name, default in self._read_args(instruction, self._variables):
            self._stage = evolve(self._stage, build_args={**self._stage.build_args, name: default})
            fallback = self._global_values.get(name) if default is None else default
            value = self._build_args.get(name, fallback)
            if value is not None:
                self._arg_values[name] = value

    def _read_args(self, instruction: Instruction, variables: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
        for word in split_words(instruction.text, self._escape):
            name, equals, default = word.partition("=")
            yield name, expand(default, variables, self._escape) if equals else None

    def _set_variables(self, instruction: Instruction) -> None:
        """Set variables; those of one instruction do not see each other's new values."""
        assigned = {self._expand(name): self._expand(value) for name, value in self._read_pairs(instruction)}
        self._stage = evolve(self._stage, env={**self._stage.env, **assigned})

    def _read_pairs(self, instruction: Instruction) -> Iterator[tuple[str, str]]:
        words = split_words(instruction.text, self._escape)
        if words and "=" not in words[0]:
            if match := LEGACY_FORM.fullmatch(instruction.text):
                yield match[1], match[2]
            return
        for word in words:
            name, _, value = word.partition("=")
            yield name, value

    def _change_folder(self, instruction: Instruction) -> None:
        self._stage = evolve(
            self._stage, workdir=posixpath.normpath(posixpath.join(self._stage.workdir, self._expand(instruction.text)))
        )

    def _expose(self, instruction: Instruction) -> None:
        words = expand_words(instruction.text, self._variables, self._escape)
        ports = (port for word in words for port in _tcp_ports(word))
        self._stage = evolve(self._stage, exposed_ports=tuple(dict.fromkeys((*self._stage.exposed_ports, *ports))))

    def _set_entrypoint(self, instruction: Instruction) -> None:
        """Set the entry point; it clears a command that is inherited, which was meant for another one."""
        command = self._stage.command if self._has_own_command else ()
        self._stage = evolve(self._stage, entrypoint=self._read_command(instruction), command=command)

    def _set_command(self, instruction: Instruction) -> None:
        self._has_own_command = True
        self._stage = evolve(self._stage, command=self._read_command(instruction))

    def _read_command(self, instruction: Instruction) -> tuple[str, ...]:
        words = instruction.json_words
        if words is not None:
            return words
        return (*self._stage.shell, instruction.text) if instruction.text else ()

    def _set_shell(self, instruction: Instruction) -> None:
        self._stage = evolve(self._stage, shell=instruction.json_words or self._stage.shell)

    def _set_user(self, instruction: Instruction) -> None:
        self._stage = evolve(self._stage, user=self._expand(instruction.text))

    def _set_healthcheck(self, instruction: Instruction) -> None:
        check = parse_instruction(instruction.text or "NONE", instruction.line, self._escape)
        if check.keyword == "NONE":
            self._stage = evolve(self._stage, healthcheck=("NONE",))
        else:
            words = check.json_words
            self._stage = evolve(
                self._stage, healthcheck=("CMD-SHELL", check.text) if words is None else ("CMD", *words)
            )

    def _copy(self, instruction: Instruction) -> None:
        words = instruction.json_words or split_words(instruction.text, self._escape)
        expanded = tuple(self._expand(word) for word in words)
        if len(expanded) < 2:
            return
        *sources, destination = expanded
        path = posixpath.normpath(posixpath.join(self._stage.workdir, destination))
        is_folder = destination.endswith(("/", "/.")) or destination in {".", "./"}
        copied = CopiedFiles(
            line=instruction.line,
            sources=tuple(sources),
            destination=f"{path.rstrip('/')}/" if is_folder else path,
            origin=self._expand("".join(instruction.flag_values("from"))),
        )
        self._stage = evolve(self._stage, copied=(*self._stage.copied, copied))

    def _add_trigger(self, instruction: Instruction) -> None:
        if instruction.text:
            trigger = parse_instruction(instruction.text, instruction.line, self._escape)
            self._stage = evolve(self._stage, triggers=(*self._stage.triggers, trigger))


def _tcp_ports(text: str) -> range:
    """Return the ports that a word of `EXPOSE` names: `80`, `8000-8010/tcp`; none for another protocol."""
    match = PORT.fullmatch(text)
    if match is None or (match[3] or "tcp").lower() != "tcp":
        return range(0)
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, min(last, MAX_PORT) + 1) if 0 < first <= MAX_PORT else range(0)
