"""Secrets, further contexts and caches of a build: what an engine takes of them, and its options for it.

The value of a secret is never an argument: an engine reads it from the variable or the file that the option names.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.adapters.host.user_folders import home_folder
from kaizen_tasks.config.tables import BuildRules, is_folder
from kaizen_tasks.domain.build.secret import BuildSecret
from kaizen_tasks.ports.host import BuildObstacle
from kaizen_tasks.ports.secrets import Secret

OPTIONS = {
    "secrets": "--secret",
    "ssh": "--ssh",
    "target": "--target",
    "contexts": "--build-context",
    "cache_from": "--cache-from",
    "cache_to": "--cache-to",
}
"""The option of an engine's build command for each key of `[build]` that not every engine supports."""

IGNORED_BY_BUNDLES = (*(key for key in OPTIONS if key != "target"), "options")
"""Keys that only an engine can use."""

CACHE_KEYS = ("cache_from", "cache_to")
"""Keys without which a build only takes longer."""

REGISTRY_CACHE = "type=registry,ref="
"""Beginning of a cache in a registry, as buildx writes it; other engines take the name after it alone."""

MIN_REDACTED_LENGTH = 8
"""Characters of the shortest part of a secret file that is redacted in output."""


def configured_keys(rules: BuildRules) -> tuple[str, ...]:
    """Return the keys of `OPTIONS` that have a value."""
    return tuple(key for key in OPTIONS if getattr(rules, key))


def unsupported_keys(rules: BuildRules, command: Sequence[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys for which an engine has no option, as the help of its build command says.

    Args:
        rules: how to build.
        command: the build command without options: `("docker", "buildx", "build")`.
        env: environment variables of the command.
    """
    keys = configured_keys(rules)
    if not keys:
        return ()
    words = run((*command, "--help"), env=env).out.split()
    return tuple(key for key in keys if OPTIONS[key] not in words)


def build_obstacles(
    rules: BuildRules, root: Path, unsupported: Sequence[str], *, engine: str, upgrade: str
) -> Iterator[BuildObstacle]:
    """Yield why an engine cannot build an image as it is configured.

    Args:
        rules: how to build.
        root: the app's folder.
        unsupported: what `unsupported_keys` returned.
        engine: the engine, in words.
        upgrade: how to make the engine support more.
    """
    if essential := [f"build.{key}" for key in unsupported if key not in CACHE_KEYS]:
        message = f"{engine} does not support {', '.join(essential)}"
        yield BuildObstacle(message=message, fix=f"{upgrade}, or choose another build.engine")
    needs_agent = any("=" not in agent for agent in rules.ssh)
    if needs_agent and "ssh" not in unsupported and not os.environ.get("SSH_AUTH_SOCK"):
        message = "build.ssh needs an agent, and the variable SSH_AUTH_SOCK is not set"
        yield BuildObstacle(message=message, fix='start one: eval "$(ssh-agent)" && ssh-add')
    for name, secret in rules.secrets.items():
        if problem := _source_problem(secret, root):
            message = f"the build secret {name} has no value: {problem}"
            yield BuildObstacle(message=message, fix=f"provide it, or correct build.secrets.{name}")


def _source_problem(secret: BuildSecret, root: Path) -> str:
    if secret.env:
        return "" if os.environ.get(secret.env) else f"the variable {secret.env} is not set"
    path = _secret_file(secret, root)
    if not path.is_file():
        return f"there is no file {path}"
    return "" if os.access(path, os.R_OK) else f"{path} cannot be read"


def _secret_file(secret: BuildSecret, root: Path) -> Path:
    folder, _, rest = secret.file.partition("/")
    return (home_folder() or root) / rest if folder == "~" else root / secret.file


def secret_values(rules: BuildRules, root: Path) -> tuple[Secret, ...]:
    """Return the values of the build's secrets, longest first, to redact them in its output: also parts of files."""
    values = set[str]()
    for secret in rules.secrets.values():
        if secret.env:
            values.add(os.environ.get(secret.env, ""))
        else:
            text = _secret_file(secret, root).read_text(encoding="utf-8", errors="replace").strip()
            parts = (part for line in text.splitlines() for part in (line, line.rpartition("=")[2], *line.split()))
            values |= {text, *(part.strip() for part in parts if len(part.strip()) >= MIN_REDACTED_LENGTH)}
    return tuple(map(Secret, sorted(filter(None, values), key=len, reverse=True)))


def input_options(
    rules: BuildRules, root: Path, context: Path, *, unsupported: Sequence[str], has_buildx: bool
) -> list[str]:
    """Return the options for the configured keys that an engine supports.

    Args:
        rules: how to build.
        root: the app's folder.
        context: the exported build context.
        unsupported: keys that the engine does not support.
        has_buildx: whether the engine accepts every kind of cache, and not only repositories.
    """
    values: dict[str, Sequence[str]] = {
        "secrets": [_secret_option(name, secret, root) for name, secret in rules.secrets.items()],
        "ssh": rules.ssh,
        "target": [rules.target] if rules.target else (),
        "contexts": [f"{name}={_context_source(rules, source, context)}" for name, source in rules.contexts.items()],
        "cache_from": rules.cache_from if has_buildx else _repositories(rules.cache_from),
        "cache_to": rules.cache_to if has_buildx else _repositories(rules.cache_to),
    }
    supported = (key for key in OPTIONS if key not in unsupported)
    return [word for key in supported for value in values[key] for word in (OPTIONS[key], value)] + [*rules.options]


def _secret_option(name: str, secret: BuildSecret, root: Path) -> str:
    source = f"env={secret.env}" if secret.env else f"src={_secret_file(secret, root)}"
    return f"id={name},{source}"


def _context_source(rules: BuildRules, source: str, context: Path) -> str:
    """Return a URL as it is, and a folder where it is in the export of the release commit."""
    if not is_folder(source):
        return source
    return os.path.normpath(context / posixpath.relpath(source, rules.context))


def _repositories(caches: Sequence[str]) -> list[str]:
    """Return the caches that are repositories, by their names."""
    names = (cache.removeprefix(REGISTRY_CACHE).partition(",")[0] for cache in caches)
    return [name for name in names if "=" not in name]
