"""Reads the commands that build, push and deploy out of shell code: that of scripts, workflows and Makefiles."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    ECS,
    ECS_EXPRESS,
    EnvironmentFact,
    Facts,
    Ignored,
    ImageBuild,
    Mention,
    Trust,
)

ENGINES = frozenset({"docker", "podman", "buildah", "nerdctl"})
REGISTRY_ADDRESS = re.compile(
    r"[^\s\"'=]*\.dkr\.ecr\.[^\s\"'/]*\.amazonaws\.com(?:\.cn)?/([^\s\"':@,]+)(?::([^\s\"'@,]+))?"
)
SERVICE_ARN = re.compile(r"arn:[^\s:]*:apprunner:[^\s:]*:[^\s:]*:service/([\w${}-]+)")
ECS_SERVICE_ARN = re.compile(r"arn:[^\s:]*:ecs:[^\s:]*:[^\s:]*:service/(?:([\w${}-]+)/)?([\w${}-]+)")
CLUSTER_ARN = re.compile(r"arn:[^\s:]*:ecs:[^\s:]*:[^\s:]*:cluster/([\w${}-]+)")
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-=]([^}]*)|:?[?+][^}]*)?\}|\$(\w+)|\$\((\w+)\)")
SEPARATOR = re.compile(r"\s*(?:&&|\|\||;|\||\bthen\b|\bdo\b)\s*")
ASSIGNMENT = re.compile(r"^(?:export\s+|readonly\s+|local\s+|declare\s+(?:-\w+\s+)?)?(\w+)\s*[:?]?=(?!=)\s*(.*)$")
MAKE_ASSIGNMENT = re.compile(r"^(\w+)\s*(?:[:?]?:?=\s+|\s[:?]?=\s*|[:?]=\s*)(.*)$")
OUTPUT = re.compile(r"""echo\s+["']?(\w+)=([^"']*)["']?\s*>>\s*["']?\$\{?GITHUB_(OUTPUT|ENV)""")

DEPLOY_COMMANDS: Mapping[str, re.Pattern[str]] = {
    ECS_EXPRESS: re.compile(r"\baws\s+ecs\s+(?:create|update)-express-gateway-service\b"),
    ECS: re.compile(
        r"\baws\s+ecs\s+(?:update-service|create-service|register-task-definition|deploy)\b|\becs-deploy\b|"
        r"^ecs\s+deploy\b|\becspresso\s+(?:[^\n]*\s)?deploy\b"
    ),
    APP_RUNNER: re.compile(r"\baws\s+apprunner\s+(?:start-deployment|update-service|create-service)"),
    "AWS Lambda": re.compile(r"\baws\s+lambda\s+update-function-code|\bsam\s+deploy\b|\b(?:serverless|sls)\s+deploy\b"),
    "AWS Elastic Beanstalk": re.compile(r"\beb\s+deploy\b|\baws\s+elasticbeanstalk\s+update-environment"),
    "Kubernetes": re.compile(r"\bkubectl\s+(?:apply|set|rollout)|\bhelm\s+(?:upgrade|install)\b"),
    "Fly.io": re.compile(r"\bfly(?:ctl)?\s+deploy\b"),
    "Heroku": re.compile(r"\bheroku\s+container:(?:push|release)|\bgit\s+push\s+heroku\b"),
    "Google Cloud Run": re.compile(r"\bgcloud\s+run\s+deploy\b"),
    "Azure": re.compile(r"\baz\s+(?:webapp|containerapp)\b"),
    "Kamal": re.compile(r"\bkamal\s+(?:deploy|redeploy)\b"),
    "AWS Copilot": re.compile(r"\bcopilot\s+(?:svc\s+)?deploy\b"),
    "a server over SSH": re.compile(r"\bssh\b[^\n]*\bdocker\b|\bdocker[- ]compose\s+-H\b"),
}
"""The command that deploys to each platform."""


@frozen(kw_only=True)
class ShellText:
    """Shell code in a file.

    Attributes:
        path: the file.
        text: the code, without comments.
        line: the line of the file at which it begins.
        variables: values of variables that are set elsewhere.
        folder: the folder that it runs in, relative to the app's folder.
        environment: the environment that it is for, or empty.
        trust: how far it is believed.
    """

    path: str
    text: str
    line: int = 1
    variables: Mapping[str, str] = {}
    folder: str = "."
    environment: str = ""
    trust: Trust = Trust.SCRIPT


GITHUB_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def facts_from_commands(shell: ShellText) -> Iterator[Facts]:
    """Yield what each command of some shell code builds, pushes and deploys."""
    text = GITHUB_EXPRESSION.sub(lambda match: f"$<{re.split(r'[ |&]', match[1])[0]}>", shell.text)
    shell = evolve(shell, text=text)
    variables, folder = dict(shell.variables), shell.folder
    for line, content in logical_lines(shell.text, shell.line):
        source = f"{shell.path}:{line}"
        for command in SEPARATOR.split(content):
            if assignment := MAKE_ASSIGNMENT.match(command):
                variables[assignment[1]] = substitute(assignment[2], variables)
                continue
            words = _split(command)
            while words and (assignment := ASSIGNMENT.match(words[0])):
                variables[assignment[1]] = substitute(assignment[2], variables)
                words = words[1:]
            words = [substitute(word, variables) for word in words]
            if words[:1] == ["cd"] and len(words) > 1 and "$" not in words[1]:
                folder = posixpath.normpath(posixpath.join(folder, words[1]))
            elif words:
                yield _facts_of_command(shell, words, source, folder)


def logical_lines(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """Yield each line with its number; lines that end in a backslash are joined with the next one."""
    start = first
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), start=first):
        if not parts:
            start = number
        parts.append(
            line.rstrip().removesuffix("\\").strip().lstrip("@-")
            if not parts
            else line.rstrip().removesuffix("\\").strip()
        )
        if not line.rstrip().endswith("\\"):
            yield start, " ".join(parts)
            parts = []


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a quotation that ends on another line
        return command.replace('"', "").replace("'", "").split()


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with known variables replaced by their values, and others by their defaults, if they have one."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3] or match[4]
        return variables[name] if variables.get(name) else (match[2] or match[0])

    for _ in range(3):  # values may refer to other variables
        new = VARIABLE.sub(value, text)
        if new == text:
            break
        text = new
    return text


def github_outputs(text: str, variables: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and file (OUTPUT or ENV) of each value that a step hands on."""
    for match in OUTPUT.finditer(text):
        yield match[1], substitute(match[2], variables), match[3]


def _facts_of_command(shell: ShellText, words: Sequence[str], source: str, folder: str) -> Facts:
    words = _aws_command(words) if posixpath.basename(words[0]) == "aws" else words
    command = " ".join(words)
    platform = next((name for name, pattern in DEPLOY_COMMANDS.items() if pattern.search(command)), "")
    builds: tuple[ImageBuild, ...] = ()
    values: dict[str, str] = {}
    if words[0] in ENGINES or words[:1] == ["sudo"]:
        operands = words[1:] if words[0] in ENGINES else words[2:]
        if "build" in operands[:2] or "bud" in operands[:1]:
            builds = (
                _image_build(
                    operands[operands.index("build" if "build" in operands[:2] else "bud") + 1 :], source, folder
                ),
            )
        values = _image_names(command)
    elif words[0] == "aws" and len(words) > 1:
        values = _aws_names(words)
    if platform == ECS and words[0] != "aws":
        values = _ecs_tool_names(words)
    unknown = {key: value for key, value in values.items() if is_unknown(value)}
    known = {key: value for key, value in values.items() if value and not is_unknown(value)}
    is_fact = known.keys() - {"platform"} or (known and shell.environment)
    fact = EnvironmentFact.of(known, environment=shell.environment, source=source, trust=shell.trust)
    return Facts(
        environment_facts=(fact,) if is_fact else (),
        platforms=(Mention(value=platform, source=source, trust=shell.trust),) if platform else (),
        builds=builds,
        ignored=tuple(
            Ignored(what=f"{key} {value}", source=source, reason="its value is set elsewhere")
            for key, value in unknown.items()
        ),
    )


def is_unknown(value: str) -> bool:
    """Return whether a value has a part that is only known when it runs."""
    return bool(re.search(r"[$`(){}<>*%#]", value.replace("{env}", "")))


def _image_build(words: Sequence[str], source: str, folder: str) -> ImageBuild:
    options, operand = _split_options(words)
    context = posixpath.normpath(posixpath.join(folder, "." if is_unknown(operand) else operand))
    file = options.get("--file", "")
    is_said = file and not is_unknown(file)
    dockerfile = posixpath.join(folder, file) if is_said else posixpath.join(context, "Dockerfile")
    address = REGISTRY_ADDRESS.search(options.get("--tag", ""))
    values = {"repository": address[1] if address else "", "target": options.get("--target", "")}
    known = {key: "" if is_unknown(value) else value for key, value in values.items()}
    return ImageBuild(dockerfile=posixpath.normpath(dockerfile), context=context, source=source, **known)


def _split_options(words: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return the options of a build that have a value, those of one name joined by spaces, and the context."""
    options: dict[str, str] = {}
    context, rest = ".", iter(words)
    for word in rest:
        name, equals, inline = word.partition("=")
        name = _LONG_NAMES.get(name, name)
        if name in _OPTIONS_WITH_VALUE:
            value = inline if equals else next(rest, "")
            options[name] = f"{options.get(name, '')} {value}".strip()
        elif not word.startswith("-"):
            context = word
    return options, context


_LONG_NAMES = {"-f": "--file", "-t": "--tag", "-o": "--output"}
_OPTIONS_WITH_VALUE = frozenset(
    {"--file", "--tag", "--build-arg", "--label", "--platform", "--target", "--cache-from", "--cache-to", "--secret"}
    | {"--ssh", "--network", "--output", "--progress", "--builder", "--build-context", "--metadata-file", "--iidfile"}
)


def _image_names(command: str) -> dict[str, str]:
    match = REGISTRY_ADDRESS.search(command)
    return {"repository": match[1]} if match else {}


def _aws_command(words: Sequence[str]) -> list[str]:
    """Return a command of the AWS CLI with service and operation in front of the options, which may precede them."""
    positional: list[str] = []
    options: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("--"):
            options += [word] if "=" in word or word in _AWS_FLAGS else [word, next(rest, "")]
        elif len(positional) < 2:
            positional.append(word)
        else:
            options.append(word)
        if len(positional) == 2:
            break
    return ["aws", *positional, *options, *rest]


_AWS_FLAGS = frozenset({"--debug", "--no-verify-ssl", "--no-paginate", "--no-sign-request", "--no-cli-pager"})


def _aws_names(words: Sequence[str]) -> dict[str, str]:
    """Return the names that a command of the AWS CLI has as options."""
    options = _options(words)
    match tuple(words[1:3]):
        case ("apprunner", operation) if operation in {"start-deployment", "update-service", "create-service"}:
            arn = options.get("--service-arn", "")
            arn_match = SERVICE_ARN.search(arn)
            image = REGISTRY_ADDRESS.search(" ".join(words))
            return {
                "platform": APP_RUNNER,
                "service": arn_match[1] if arn_match else options.get("--service-name", "") or arn,
                **({"repository": image[1], "follow": image[2] or ""} if image else {}),
            }
        case ("ecs", "update-service" | "create-service" | "deploy"):
            service = options.get("--service", "") or options.get("--service-name", "")
            return {"platform": ECS, **ecs_names(service, options.get("--cluster", ""))}
        case ("ecs", "update-express-gateway-service" | "create-express-gateway-service"):
            image = REGISTRY_ADDRESS.search(options.get("--primary-container", ""))
            service = options.get("--service-arn", "") or options.get("--service-name", "")
            names = ecs_names(service, options.get("--cluster", ""))
            return {"platform": ECS_EXPRESS, **names, **({"repository": image[1]} if image else {})}
        case (
            "ecr",
            "batch-get-image" | "put-image" | "describe-images" | "describe-repositories" | "create-repository",
        ):
            names_text = options.get("--repository-name", "") or options.get("--repository-names", "")
            return {"repository": names_text}
        case _:
            return {}


def ecs_names(service: str, cluster: str) -> dict[str, str]:
    """Return service and cluster by their names, which may be given as ARNs."""
    arn = ECS_SERVICE_ARN.search(service)
    cluster_arn = CLUSTER_ARN.search(cluster)
    name = cluster_arn[1] if cluster_arn else cluster
    return {"service": arn[2], "cluster": arn[1] or name} if arn else {"service": service, "cluster": name}


def _ecs_tool_names(words: Sequence[str]) -> dict[str, str]:
    """Return the names that `ecs deploy CLUSTER SERVICE`, or `ecs-deploy -c CLUSTER -n SERVICE -i IMAGE`, is given."""
    if words[:2] == ["ecs", "deploy"]:
        operands = [word for word in words[2:] if not word.startswith("-")]
        return {"platform": ECS, **ecs_names(*(*operands[1:2], *operands[:1]))} if len(operands) > 1 else {}
    options = dict(itertools.pairwise(words))
    service = options.get("-n") or options.get("--service-name") or ""
    image = REGISTRY_ADDRESS.search(options.get("-i") or options.get("--image") or "")
    names = ecs_names(service, options.get("-c") or options.get("--cluster") or "")
    return {"platform": ECS, **names, **({"repository": image[1]} if image else {})}


def _options(words: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            pairs[name] = value if equals else following
    return pairs
