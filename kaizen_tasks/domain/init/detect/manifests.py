"""Reads the files by which other tools deploy: AWS Copilot, App Runner's own builds, and platforms that are not AWS."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import yaml

from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.yaml_nodes import child, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
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
COPILOT_TYPES = {"Request-Driven Web Service": APP_RUNNER, "Load Balanced Web Service": "Amazon ECS"}
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
    for path, content in texts.items():
        match = COPILOT_MANIFEST.fullmatch(path)
        root = _parse(content) if match and match[2] != "environments" else None
        if match and root and (kind := COPILOT_TYPES.get(text_at(root, "type"), "")):
            workspace = _parse(texts.get(f"{match[1]}copilot/.workspace", ""))
            yield _copilot_service(path, match[1], root, kind, text_at(workspace, "application"), environments)


def _copilot_service(path: str, top: str, root: Node, kind: str, application: str, environments: list[str]) -> Facts:
    """Return the facts of a service of Copilot, which names its resources after application and environment."""
    name_node = child(root, "name")
    name, names = text(name_node), environments or [key for key, _ in pairs(child(root, "environments"))]
    source = f"{path}:{line_of(name_node) if name_node else 1}"
    port_node = child(root, "image", "port")
    repository = f"{application}/{name}" if application else name
    facts = tuple(
        EnvironmentFact(
            environment=environment,
            repository=repository,
            service=f"{application}-{environment}-{name}" if application and kind == APP_RUNNER else "",
            source=source,
            trust=Trust.MANIFEST,
        )
        for environment in names or [""]
    )
    ports = (
        (Mention(value=text(port_node), source=f"{path}:{line_of(port_node)}", trust=Trust.MANIFEST),)
        if port_node
        else ()
    )
    type_node = child(root, "type")
    platform = Mention(value=kind, source=f"{path}:{line_of(type_node) if type_node else 1}", trust=Trust.MANIFEST)
    return Facts(
        environment_facts=facts,
        ports=ports,
        platforms=(platform,),
        builds=tuple(_copilot_build(path, top, root, repository)),
    )


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
