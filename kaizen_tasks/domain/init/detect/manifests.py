"""Reads the files by which other tools deploy: AWS Copilot, App Runner's own builds, and platforms that are not AWS."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import yaml

from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    ECS,
    EnvironmentFact,
    Facts,
    Ignored,
    ImageBuild,
    Mention,
    Trust,
    combine_facts,
)

if TYPE_CHECKING:
    from yaml.nodes import Node

COPILOT_MANIFEST = re.compile(r"((?:.*/)?)copilot/([\w-]+)/manifest\.ya?ml")
COPILOT_ENVIRONMENT = re.compile(r"(?:.*/)?copilot/environments/([\w-]+)/manifest\.ya?ml")
COPILOT_PIPELINE = re.compile(r"(?:.*/)?copilot/(?:pipeline\.ya?ml|pipelines/[\w-]+/manifest\.ya?ml)")
COPILOT_TYPES = {"Request-Driven Web Service": APP_RUNNER, "Load Balanced Web Service": ECS, "Backend Service": ECS}
COPILOT_ORDER = tuple(COPILOT_TYPES)
COPILOT_NAMES = "Copilot ends the names of service and cluster at random; kaizen init --from-aws reads them"
APPRUNNER_FILE = re.compile(r"(?!(?:\.\./)*\.github/)(?:.*/)?apprunner\.ya?ml")

PLATFORM_FILES = {
    "Fly.io": r"fly(?:\.\w+)?\.toml",
    "Heroku": r"heroku\.yml|Procfile",
    "Render": r"render\.ya?ml",
    "Railway": r"railway\.(?:json|toml)",
    "AWS Elastic Beanstalk": r"\.elasticbeanstalk/config\.yml|Dockerrun\.aws\.json|\.ebextensions/.*",
    "AWS Lambda": r"serverless\.ya?ml|samconfig\.toml",
    "Kubernetes": r"(?:k8s|kubernetes|kustomize|helm|charts?)/.*\.ya?ml|Chart\.yaml|skaffold\.ya?ml",
    "Google App Engine": r"app\.yaml",
    "Google Cloud Run": r"cloudbuild\.ya?ml",
    "Kamal": r"config/deploy\.yml",
    "Vercel": r"vercel\.json",
    "DigitalOcean": r"\.do/app\.ya?ml",
}
"""The files of a repository by which a platform is told, at its top."""


def facts_from_manifests(texts: Mapping[str, str], paths: tuple[str, ...]) -> Facts:
    """Return the facts in the manifests of other tools.

    Args:
        texts: texts of files, by path.
        paths: the paths of all files.
    """
    return combine_facts((*_copilot(texts), *_apprunner_files(texts), Facts(platforms=tuple(_platforms(paths)))))


def _parse(content: str) -> Node | None:
    try:
        return yaml_nodes.parse_yaml(content)
    except yaml.YAMLError:
        return None


def _copilot(texts: Mapping[str, str]) -> Iterator[Facts]:
    environments = [match[1] for path in texts if (match := COPILOT_ENVIRONMENT.fullmatch(path))]
    environments = environments or [*_copilot_stages(texts)]
    services: list[tuple[str, str, Node]] = []
    for path, content in texts.items():
        match = COPILOT_MANIFEST.fullmatch(path)
        root = _parse(content) if match and match[2] not in {"environments", "pipelines"} else None
        if match and root and text_at(root, "type") in COPILOT_TYPES:
            services.append((path, match[1], root))
    services.sort(
        key=lambda each: (COPILOT_ORDER.index(text_at(each[2], "type")), text_at(each[2], "http", "path") != "/")
    )
    for path, top, root in services:
        workspace = _parse(texts.get(f"{top}copilot/.workspace", ""))
        yield _copilot_service(path, top, root, text_at(workspace, "application"), environments)


def _copilot_stages(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the environments that Copilot's pipelines deploy to."""
    for path, content in texts.items():
        if COPILOT_PIPELINE.fullmatch(path):
            yield from filter(None, (text_at(stage, "name") for stage in items(child(_parse(content), "stages"))))


def _copilot_service(path: str, top: str, root: Node, application: str, environments: list[str]) -> Facts:
    """Return the facts of a service of Copilot, which names its resources after application and environment."""
    kind = COPILOT_TYPES[text_at(root, "type")]
    name_node = child(root, "name")
    name, names = text(name_node), environments or [key for key, _ in pairs(child(root, "environments"))]
    source = f"{path}:{line_of(name_node) if name_node else 1}"
    repository = f"{application}/{name}" if application else name
    facts = tuple(
        EnvironmentFact(
            environment=environment,
            platform=kind,
            repository=repository,
            service=f"{application}-{environment}-{name}" if application and kind == APP_RUNNER else "",
            container=name if kind == ECS else "",
            url=_copilot_url(root, environment, alone=len(names) < 2),
            source=source,
            trust=Trust.MANIFEST,
        )
        for environment in names or [""]
    )
    architecture = child(root, "platform", "architecture") or child(root, "platform")
    return Facts(
        environment_facts=facts,
        ports=tuple(_mentions(path, child(root, "image", "port"))),
        platforms=tuple(_mentions(path, child(root, "type"), kind)),
        architectures=tuple(
            _mentions(path, architecture, text(architecture).rpartition("/")[2]) if text(architecture) else ()
        ),
        builds=tuple(_copilot_build(path, top, root, repository)),
        ignored=(Ignored(what=f"service {name}", source=source, reason=COPILOT_NAMES, is_serious=True),)
        if kind == ECS
        else (),
    )


def _mentions(path: str, node: Node | None, value: str = "") -> Iterator[Mention]:
    if node is not None:
        yield Mention(value=value or text(node), source=f"{path}:{line_of(node)}", trust=Trust.MANIFEST)


def _copilot_url(root: Node, environment: str, *, alone: bool) -> str:
    """Return the address of an environment by its first alias; the one of the service is that of its only environment.

    https://aws.github.io/copilot-cli/docs/developing/domain/
    """
    for places in (("environments", environment, "http", "alias"), *([("http", "alias")] if alone else [])):
        alias = child(root, *places)
        first = next(items(alias), alias)
        if name := text(first) or text_at(first, "name"):
            return f"https://{name}"
    return ""


def _copilot_build(path: str, top: str, root: Node, repository: str) -> Iterator[ImageBuild]:
    build = child(root, "image", "build")
    if build is None:
        return
    dockerfile = text(build) or text_at(build, "dockerfile") or "Dockerfile"
    context = text_at(build, "context") or posixpath.dirname(dockerfile)
    yield ImageBuild(
        dockerfile=posixpath.normpath(posixpath.join(top, dockerfile)),
        context=posixpath.normpath(posixpath.join(top, context or ".")),
        repository=repository,
        source=f"{path}:{line_of(build)}",
    )


def _apprunner_files(texts: Mapping[str, str]) -> Iterator[Facts]:
    for path, content in texts.items():
        if not APPRUNNER_FILE.fullmatch(path):
            continue
        node = child(_parse(content), "run", "network", "port")
        port = text(node)
        reason = "App Runner builds from source with it; a release needs an image, so it is not used"
        yield Facts(
            platforms=(Mention(value=APP_RUNNER, source=f"{path}:1", trust=Trust.MANIFEST),),
            ports=(Mention(value=port, source=f"{path}:{line_of(node)}", trust=Trust.MANIFEST),)
            if node and port.isdigit()
            else (),
            ignored=(Ignored(what=posixpath.basename(path), source=f"{path}:1", reason=reason),),
        )


def _platforms(paths: tuple[str, ...]) -> Iterator[Mention]:
    for name, pattern in PLATFORM_FILES.items():
        expression = re.compile(rf"(?:\.\./)*(?:{pattern})")
        path = next((path for path in paths if expression.fullmatch(path)), "")
        if path:
            yield Mention(value=name, source=path, trust=Trust.DOCUMENT)
