"""Completes command lines: tasks, flags, and the values of flags, such as the names of environments."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kaizen_tasks.config import checks, load
from kaizen_tasks.domain.platform import PLATFORMS

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

SHELLS = ("bash", "fish", "zsh")
MAX_RELEASES = 50
SERVICE_ENGINES = ("auto", "docker", "process", "none")


def completion_script(shell: str) -> str:
    """Return the script that a shell reads, which calls the program with `--complete` for `inv` and `kaizen`."""
    return (files("kaizen_tasks") / "completion" / f"kaizen.{shell}").read_text(encoding="utf-8")


def complete(line: str, collection: Collection, options: Iterable[str]) -> tuple[str, ...]:
    """Return what the last word of a command line may become.

    Args:
        line: the program and the words behind it; a space at its end begins a new word.
        collection: the tasks.
        options: the options of the program, which may stand before the first task.
    """
    words, word = _split(line)
    context, flag = _parse(words, collection)
    if flag:
        return _matching(_values(context, flag), word)
    name, equals, value = word.partition("=")
    if equals and word.startswith("-"):
        return tuple(f"{name}={choice}" for choice in _matching(_values(context, name), value))
    if word.startswith("-") or (context is not None and not word):
        flags = context.flag_names() if context is not None else tuple(options)
        return _matching((each for each in flags if each.startswith("--")), word)
    return _matching(_task_names(collection), word)


def _split(line: str) -> tuple[list[str], str]:
    """Return the complete words behind the program, and the last one. Bash splits `--env=prod` into three words."""
    try:
        words = shlex.split(line)
    except ValueError:  # an open quote
        words = line.split()
    complete_words, word = (words[1:-1], words[-1]) if words and not line[-1].isspace() else (words[1:], "")
    if word == "=":
        word = ""
    return [each for each in complete_words if each != "="], word


def _parse(words: Iterable[str], collection: Collection) -> tuple[ParserContext | None, str]:
    """Return the last task, and its flag whose value comes next; empty when none does."""
    contexts = {name: context for context in collection.to_contexts() for name in (context.name, *context.aliases)}
    context, flag = None, ""
    for word in words:
        if flag:
            flag = ""
        elif word.startswith("-"):
            argument = _argument(context, word)
            flag = word if argument is not None and argument.takes_value else ""
        else:
            context = contexts.get(word, context)
    return context, flag


def _argument(context: ParserContext | None, flag: str) -> Argument | None:
    """Return a flag of a task, by its name or its letter, which Invoke's mapping does not `get`."""
    return context.flags[flag] if context is not None and flag in context.flags else None


def _matching(choices: Iterable[str], word: str) -> tuple[str, ...]:
    return tuple(choice for choice in choices if choice.startswith(word))


def _task_names(collection: Collection) -> Iterator[str]:
    for name, aliases in collection.task_names.items():
        yield name
        yield from aliases


def _values(context: ParserContext | None, flag: str) -> Iterable[str]:
    """Return the values of a flag; none where files are completed, or nothing is known."""
    argument = _argument(context, flag)
    if context is None or argument is None:
        return ()
    name = argument.name or ""
    find = TASK_VALUES.get((context.name or "", name)) or VALUES.get(name)
    return find() if find else ()


def _config() -> load.TomlTable:
    return load.find_config_file().table


def _names(key: str) -> tuple[str, ...]:
    table: Any = _config().get(key, {})
    return tuple(table) if isinstance(table, dict) else ()


def _environments() -> Iterable[str]:
    return _names("environments")


def _environments_and_groups() -> Iterable[str]:
    return (*_names("environments"), *_names("groups"))


def _releases() -> Iterable[str]:
    """Return the releases that are tagged in this clone, the newest ones first."""
    from kaizen_tasks.adapters.git.command import Git  # noqa: PLC0415 - only for this flag
    from kaizen_tasks.domain.tag_pattern import TagPattern  # noqa: PLC0415

    config_file = load.find_config_file()
    pattern = TagPattern(template=load.with_defaults(config_file.table)["release"]["tag"])
    tags = Git(config_file.root).run("tag", "--list", "--sort=-version:refname").text.split()
    versions = (pattern.parse(tag) for tag in tags)
    return [f"v{version}" for version in versions if version is not None][:MAX_RELEASES]


def _flows() -> Iterable[str]:
    pipeline: Any = _config().get("pipeline", [])
    stages = [stage for stage in pipeline if isinstance(stage, str)] if isinstance(pipeline, list) else []
    names = [f"{'promote' if position else 'release'}-{stage}" for position, stage in enumerate(stages)]
    return (*names, "hotfix", "rollback", "runtime.set", "status")


def _change_types() -> Iterable[str]:
    from kaizen_tasks.domain.changelog import CHANGE_TYPES  # noqa: PLC0415 - only for this flag

    own: Any = _config().get("changelog", {})
    types = own.get("types", {}) if isinstance(own, dict) else {}
    return (*map(str.lower, CHANGE_TYPES), *(types if isinstance(types, dict) else ()))


def _commands() -> Iterable[str]:
    rules: Any = _config().get("before_deploy", [])
    named = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return [str(rule["name"]) for rule in named if "name" in rule]


def _literally(*values: str) -> Callable[[], Iterable[str]]:
    return lambda: values


VALUES: Mapping[str, Callable[[], Iterable[str]]] = {
    "env": _environments_and_groups,
    "like": _environments,
    "against": _environments,
    "release": _releases,
    "since": _releases,
    "part": _literally("auto", "patch", "feature", "major", "rc"),
    "flow": _flows,
    "engine": _literally(*checks.ENGINES),
    "platform": _literally(*PLATFORMS),
    "type": _change_types,
    "ci": _literally("github", "gitlab"),
}
"""Functions that return the values of a flag, by its name."""

TASK_VALUES: Mapping[tuple[str, str], Callable[[], Iterable[str]]] = {
    ("changelog.show", "format"): _literally("md", "json", "html", "page"),
    ("command.resolve", "name"): _commands,
    ("command.resolve", "outcome"): _literally("succeeded", "failed"),
    ("local.up", "engine"): _literally(*SERVICE_ENGINES),
    ("logs", "since"): _literally("10m", "1h", "1d"),
}
"""The same for one task."""
