"""Common parts of docker, podman and buildah: build options, credentials, and the meaning of their output."""

from __future__ import annotations

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from kaizen_tasks.adapters.build import inputs
from kaizen_tasks.adapters.host.process import CompletedProcess, run
from kaizen_tasks.adapters.host.scratch import scratch_folder
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT, is_unavailable
from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.errors import BuildFailed, PushFailed, Refused, Unreachable
from kaizen_tasks.ports.host import BuildObstacle
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret

IMAGE_NOT_FOUND = re.compile(r"no such image|image not known", re.IGNORECASE)


def image_name(spec: BuildSpec) -> str:
    """Return the name that an image gets in an engine: `kaizencoach:v1.2.3`."""
    return f"{spec.app}:{spec.version}"


def build_options(spec: BuildSpec, rules: BuildRules, context: Path, input_options: Sequence[str] = ()) -> list[str]:
    """Return the arguments of a build that docker, podman and buildah share: options, then the context.

    `input_options` is from `inputs`. `SOURCE_DATE_EPOCH` is passed as a build argument: https://reproducible-builds.org/specs/source-date-epoch/.
    """
    epoch = str(int(spec.created_at.timestamp()))
    arguments = {"SOURCE_DATE_EPOCH": epoch, **rules.args, rules.version_arg: spec.version}
    return [
        *("--platform", rules.platform),
        *_pairs("--build-arg", arguments),
        *_pairs("--label", spec.labels),
        *("--tag", image_name(spec)),
        *input_options,
        *("--file", str(context / rules.dockerfile)),
        str(context),
    ]


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]


class EngineBuilder(ABC):
    """Builds and pushes images with the command line of a container engine.

    Args:
        rules: how to build.
        root: the app's folder.

    Attributes:
        name: the engine's name.
    """

    name: str

    def __init__(self, *, rules: BuildRules, root: Path = Path()) -> None:
        self._rules = rules
        self._root = root

    @abstractmethod
    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of the spec's revision, or None when the engine lacks it."""

    @abstractmethod
    def unsupported_keys(self) -> tuple[str, ...]:
        """Return the configured keys of `[build]` that the engine does not support."""

    @abstractmethod
    def _run_build(self, spec: BuildSpec, context: Path, unsupported: Sequence[str]) -> CompletedProcess:
        """Run the build command, without options for unsupported keys, and return its result."""

    def obstacles(self, unsupported: Sequence[str]) -> tuple[BuildObstacle, ...]:
        """Return why the engine cannot build as it is configured, from what `unsupported_keys` returned."""
        engine, upgrade = self._description()
        return tuple(inputs.build_obstacles(self._rules, self._root, unsupported, engine=engine, upgrade=upgrade))

    def _description(self) -> tuple[str, str]:
        """Return the engine in words, and how to make it support more."""
        return self.name, f"update {self.name}"

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Build an image from an exported tree and return it.

        Raises:
            Refused: the engine cannot build as it is configured.
            BuildFailed: the build failed, or its image has the wrong platform or labels.
        """
        unsupported = self.unsupported_keys()
        for obstacle in self.obstacles(unsupported):
            raise Refused(obstacle.message, state="nothing has been built", hint=obstacle.fix)
        result = self._run_build(spec, context, unsupported)
        if not result.ok:
            raise build_error(self.name, spec, result)
        image = self.find_image(spec)
        if image is None:
            raise unexpected_image_error(self.name, spec, self._rules)
        return image


@frozen(kw_only=True)
class EngineImage:
    """An image as an engine describes it."""

    id: str
    platform: str
    revision: str


def inspect_image(argv: Sequence[str], image: str) -> EngineImage | None:
    """Return an engine's image, or None when the engine has no image of that name.

    Args:
        argv: a command that prints the image's identifier, `os/architecture` and revision label.
        image: name or identifier.

    Raises:
        Unreachable: the engine does not answer.
    """
    result = run([*argv, image])
    if result.ok:
        identity, platform, revision = f"{result.out.strip()}  ".split(" ", 2)
        return EngineImage(id=identity, platform=platform, revision=revision.strip())
    if IMAGE_NOT_FOUND.search(result.err):
        return None
    raise Unreachable(f"{argv[0]} cannot inspect {image}: {result.last_line}", hint="see what is missing: inv doctor")


def matching_image(image: EngineImage | None, spec: BuildSpec, rules: BuildRules) -> LocalImage | None:
    """Return the image if it has the spec's revision and the configured platform, else None."""
    if image is None or image.revision != spec.revision:
        return None
    if image.platform != "/".join(rules.platform.split("/")[:2]):
        return None
    return LocalImage(name=image_name(spec), id=image.id)


@contextmanager
def registry_auth_file(
    login: Login, *, preferences: Mapping[str, object] | None = None
) -> Iterator[tuple[Path, tuple[Secret, ...]]]:
    """Return a context manager that writes a login into a temporary folder and removes the folder at the end.

    The file is `config.json` in the format that docker, podman and buildah share:
    https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md

    Args:
        login: the credentials.
        preferences: further members of `config.json`.

    Yields:
        The path of `config.json`, and the secrets to redact from all output.
    """
    auth = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
    with scratch_folder("kaizen-login-") as folder:
        file = folder / "config.json"
        file.touch(mode=0o600)
        content = {**(preferences or {}), "auths": {login.host: {"auth": auth}}}
        file.write_text(json.dumps(content), encoding="utf-8")
        yield file, (login.password, Secret(auth))


FIX_BUILD_HINT = "nothing outside this machine has changed: fix the build and run the same command again"


def build_error(engine: str, spec: BuildSpec, result: CompletedProcess) -> BuildFailed:
    """Return the error for a failed build, with its last lines of output."""
    lines = _last_lines(result) or (result.last_line,)
    return BuildFailed(
        f"{engine} could not build {image_name(spec)}: {lines[-1].strip()}",
        hint=UNAVAILABLE_HINT if is_unavailable(result.tail) else FIX_BUILD_HINT,
        output=lines,
    )


def unexpected_image_error(engine: str, spec: BuildSpec, rules: BuildRules) -> BuildFailed:
    """Return the error for a build that succeeded, but whose image has the wrong platform or labels."""
    return BuildFailed(
        f"{engine} built {image_name(spec)}, but not for {rules.platform} or without its labels",
        hint="check whether the Dockerfile sets another platform or resets the labels",
    )


NOISE_LINE = re.compile(
    r"-*|-+> .*|\d+ \|.*|[\w./-]+:\d+|Removing intermediate container .*"
    r"|DEPRECATED: The legacy builder .*|Install the buildx component .*|https://docs\.docker\.com/go/buildx/"
    r"|Sending build context to .*"
    r"|(#\d+ )?(sha256:.*|DONE.*|CACHED|CANCELED|\[internal\].*|transferring .*)"
)
"""Output lines that explain no failure: rulers, code excerpts, identifiers, progress and notices of the engine."""


MAX_ERROR_LINES = 5
"""Lines of stderr that are shown although stdout went on after them: the two arrive in any order."""


def _last_lines(result: CompletedProcess) -> tuple[str, ...]:
    """Return the last lines of output that explain a failure, those of stderr among them."""
    lines, errors = _without_noise(result.tail), _without_noise(result.err.splitlines())[-MAX_ERROR_LINES:]
    earlier_errors = [line for line in errors if line not in lines]
    return (*lines[:-1], *earlier_errors, *lines[-1:])


def _without_noise(lines: Sequence[str]) -> list[str]:
    return [line.rstrip() for line in lines if not NOISE_LINE.fullmatch(line.strip())]


@frozen
class _ErrorPattern:
    """A regular expression that matches a registry's error, with the message and hint for the user."""

    pattern: str
    message: str
    hint: str


PUSH_ERROR_PATTERNS = (
    # ECR's wording has changed over time, its code has not:
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    _ErrorPattern(
        r"TAG_INVALID|tag invalid|tag is immutable|ImageTagAlreadyExists",
        "{address} does not move tags, and its {tag} is a different image",
        "a released version never moves: release the next one",
    ),
    _ErrorPattern(
        r"NAME_UNKNOWN|name unknown|repository .*does not exist|RepositoryNotFound",
        "there is no repository {address}",
        "create it, or correct `repository` of the environment",
    ),
    _ErrorPattern(
        r"\bdenied\b|unauthorized|no basic auth|authentication required|not authorized|token has expired",
        "{address} does not let these credentials push",
        "see whose credentials these are: inv doctor",
    ),
    _ErrorPattern(
        r"connection refused|no such host|i/o timeout|network is unreachable",
        "{address} could not be reached",
        "check the network, then run the same command again",
    ),
)


def push_error(result: CompletedProcess, *, repository_uri: str, tag: str) -> PushFailed:
    """Return the error for a failed push, with an explanation if the push output matches a known error."""
    match = _match_push_error(f"{result.out}\n{result.err}")
    if match is None:
        error = PushFailed(
            f"{repository_uri}:{tag} could not be pushed: {_last_error(result)}",
            hint="run the same command again; layers that have arrived are not sent twice",
        )
    else:
        error_pattern, excerpt = match
        message = error_pattern.message.format(address=repository_uri, tag=tag)
        error = PushFailed(f"{message}: {excerpt}", hint=error_pattern.hint)
    error.add_note("\n".join(result.tail))
    return error


def _last_error(result: CompletedProcess) -> str:
    """Return the last line of stderr, since that of stdout may be progress."""
    lines = [line.strip() for line in result.err.splitlines() if line.strip()]
    return lines[-1] if lines else result.last_line


def _match_push_error(output: str) -> tuple[_ErrorPattern, str] | None:
    """Return the first pattern that matches the output, and the output's line from the match on."""
    for error_pattern in PUSH_ERROR_PATTERNS:
        if match := re.search(error_pattern.pattern, output, re.IGNORECASE):
            return error_pattern, output[match.start() :].splitlines()[0].strip(' "')
    return None
