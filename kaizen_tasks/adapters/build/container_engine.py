"""What container engines have in common: build arguments, credentials, and what their output means."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.domain.release import LocalImage
from kaizen_tasks.errors import BuildFailed, PushFailed, Unreachable
from kaizen_tasks.ports.types import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kaizen_tasks.adapters.host.process import CompletedProcess
    from kaizen_tasks.config.tables import BuildRules
    from kaizen_tasks.domain.release import BuildSpec
    from kaizen_tasks.ports.types import Login

IMAGE_NOT_FOUND = re.compile(r"no such image|image not known", re.IGNORECASE)


def image_name(spec: BuildSpec) -> str:
    """Return what an engine calls the image of a recipe: `kaizencoach:v1.2.3`."""
    return f"{spec.app}:{spec.version}"


def build_options(spec: BuildSpec, rules: BuildRules, context: Path) -> list[str]:
    """Return the options of a build and its context, as docker, podman and buildah all spell them.

    `SOURCE_DATE_EPOCH` is a plain build argument here: https://reproducible-builds.org/specs/source-date-epoch/.
    """
    arguments = {
        "SOURCE_DATE_EPOCH": str(int(spec.created_at.timestamp())),
        **rules.args,
        rules.version_arg: spec.version,
    }
    return [
        *("--platform", rules.platform),
        *_pairs("--build-arg", arguments),
        *_pairs("--label", spec.labels),
        *("--tag", image_name(spec)),
        *("--file", str(context / rules.dockerfile)),
        str(context),
    ]


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]


@frozen(kw_only=True)
class EngineImage:
    """What an engine says of an image."""

    id: str
    platform: str
    revision: str


def inspect_image(argv: Sequence[str], image: str) -> EngineImage | None:
    """Ask an engine for an image; None when it has none of that name.

    Args:
        argv: a command that prints the image's identifier, `os/architecture` and revision label.
        image: its name or identifier.

    Raises:
        Unreachable: the engine does not answer.
    """
    result = run([*argv, image])
    if result.ok:
        identity, platform, revision = f"{result.out.strip()}  ".split(" ", 2)
        return EngineImage(id=identity, platform=platform, revision=revision.strip())
    if IMAGE_NOT_FOUND.search(result.err):
        return None
    raise Unreachable(f"{argv[0]} cannot look for {image}: {result.last_line}", hint="inv doctor shows what is missing")


def matching_image(image: EngineImage | None, spec: BuildSpec, rules: BuildRules) -> LocalImage | None:
    """Return the image when it is of the recipe's revision and the wanted platform."""
    if image is None or image.revision != spec.revision:
        return None
    if image.platform != "/".join(rules.platform.split("/")[:2]):
        return None
    return LocalImage(name=image_name(spec), id=image.id)


@contextmanager
def registry_auth_file(
    login: Login, *, preferences: Mapping[str, object] | None = None
) -> Iterator[tuple[Path, tuple[Secret, ...]]]:
    """Keep a login in a folder of our own for as long as it is needed.

    The file is `config.json` in the format that docker, podman and buildah share:
    https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md

    Args:
        login: what it holds.
        preferences: what else stands in it.

    Yields:
        That file, and what must not be seen in any output.
    """
    auth = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="kaizen-login-") as folder:
        file = Path(folder) / "config.json"
        file.touch(mode=0o600)
        content = {**(preferences or {}), "auths": {login.host: {"auth": auth}}}
        file.write_text(json.dumps(content), encoding="utf-8")
        yield file, (login.password, Secret(auth))


def build_error(engine: str, spec: BuildSpec, result: CompletedProcess) -> BuildFailed:
    """Return the error for a build that did not work; the whole tail is a note, for `--debug`."""
    lines = _excerpt(result.tail) or (result.last_line,)
    error = BuildFailed(
        f"{engine} could not build {image_name(spec)}: {lines[-1]}",
        state="before that: " + " | ".join(lines[:-1]) if lines[:-1] else "",
        hint="nothing outside this machine has changed: mend the build and run the same command again",
    )
    error.add_note("\n".join(result.tail))
    return error


def unexpected_image_error(engine: str, spec: BuildSpec, rules: BuildRules) -> BuildFailed:
    """Return the error for a build that worked and made something else than was asked for."""
    return BuildFailed(
        f"{engine} built {image_name(spec)}, but not for {rules.platform} or without its labels",
        hint="see whether the Dockerfile names another platform or resets the labels",
    )


NOISE_LINE = re.compile(
    r"-*|-+> .*|\d+ \|.*|[\w./-]+:\d+|Removing intermediate container .*"
    r"|(#\d+ )?(sha256:.*|DONE.*|CACHED|CANCELED|\[internal\].*|transferring .*)"
)
"""Lines around what a build says: rules, code excerpts, identifiers, the engine's own bookkeeping."""

EXCERPT_LINES = 6


def _excerpt(tail: Sequence[str]) -> tuple[str, ...]:
    lines = (line.strip() for line in tail)
    return tuple(line for line in lines if not NOISE_LINE.fullmatch(line))[-EXCERPT_LINES:]


@frozen(kw_only=True)
class _ErrorPattern:
    """What a registry's refusal means to a person."""

    pattern: re.Pattern[str]
    message: str
    hint: str


def _error_pattern(pattern: str, message: str, hint: str) -> _ErrorPattern:
    return _ErrorPattern(pattern=re.compile(pattern, re.IGNORECASE), message=message, hint=hint)


PUSH_ERROR_PATTERNS = (
    # ECR's wording has changed over time, its code has not:
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    _error_pattern(
        r"TAG_INVALID|tag invalid|tag is immutable|ImageTagAlreadyExists",
        "{address} keeps its tags, and {tag} is taken there by other bytes",
        "a released version never moves: bump, and release that",
    ),
    _error_pattern(
        r"NAME_UNKNOWN|name unknown|repository .*does not exist|RepositoryNotFound",
        "there is no repository {address}",
        "create it, or correct `repository` of the environment",
    ),
    _error_pattern(
        r"\bdenied\b|unauthorized|no basic auth|authentication required|not authorized|token has expired",
        "{address} does not let these credentials push",
        "inv doctor shows whose credentials these are",
    ),
    _error_pattern(
        r"connection refused|no such host|i/o timeout|network is unreachable",
        "{address} could not be reached",
        "check the network, then run the same command again",
    ),
)


def push_error(result: CompletedProcess, *, repository_uri: str, tag: str) -> PushFailed:
    """Return the error for a push that was not taken, explained where its reason is known."""
    match = _match_push_error(f"{result.out}\n{result.err}")
    if match is None:
        error = PushFailed(
            f"{repository_uri}:{tag} could not be pushed: {result.last_line}",
            hint="the same command tries again; what has arrived is not sent twice",
        )
    else:
        error_pattern, excerpt = match
        message = error_pattern.message.format(address=repository_uri, tag=tag)
        error = PushFailed(f"{message}: {excerpt}", hint=error_pattern.hint)
    error.add_note("\n".join(result.tail))
    return error


def _match_push_error(output: str) -> tuple[_ErrorPattern, str] | None:
    """Return the meaning of an output, and the rest of the line from where it shows."""
    for error_pattern in PUSH_ERROR_PATTERNS:
        if match := error_pattern.pattern.search(output):
            return error_pattern, output[match.start() :].splitlines()[0].strip(' "')
    return None
