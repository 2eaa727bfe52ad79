"""Reads task definitions, and the configuration of ecspresso, which names services: https://github.com/kayac/ecspresso."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import yaml
from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.ecs.containers import app_container
from kaizen_tasks.domain.init.detect.shell.commands import is_unknown
from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import ECS, EnvironmentFact, Facts, Mention, Trust
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER
from kaizen_tasks.domain.init.pipeline import stage_rank

if TYPE_CHECKING:
    from yaml.nodes import Node

DEFINITION_PATH = re.compile(r".*\.(?:json|jsonnet|ya?ml)")
MARKS = ("containerDefinitions", "task_definition", "targetGroupArn")
"""Keys of task definitions, of ecspresso's configuration, and of its definitions of services."""

ECSPRESSO_KEYS = frozenset({"cluster", "service", "task_definition"})
TEMPLATE = re.compile(r"\{\{-?\s*(?:must_env|env)\s+[`\"'](\w+)[`\"'][^}]*\}\}")
ENVIRONMENT_VARIABLE = re.compile(r"(?i)(?:\w+_)?(?:env(?:ironment)?(?:_name)?|stage)")


def facts_from_definitions(texts: Mapping[str, str], environments: Collection[str] = ()) -> Facts:
    """Return the facts in task definitions and configurations of ecspresso.

    Args:
        texts: texts of files, by path.
        environments: names of environments from other sources, beside which a file of a definition names none.
    """
    documents = {path: node for path, text in sorted(texts.items()) if (node := _parse(path, text)) is not None}
    used: set[str] = set()
    found: list[Facts] = []
    for path, root in documents.items():
        if {key for key, _ in pairs(root)} >= ECSPRESSO_KEYS:
            found.append(_ecspresso_facts(path, root, documents))
            used.add(_neighbour(path, text_at(root, "task_definition")))
    for path, root in documents.items():
        if child(root, "containerDefinitions") and path not in used:
            facts = _definition_facts(path, root, {}, "")
            found.append(_with_known_environment(facts, environments))
    return evidence.combine_facts(found)


def _with_known_environment(facts: Facts, environments: Collection[str]) -> Facts:
    """Return facts without the environment that only the name of a file shows, where others deploy to others."""
    ranks = {stage_rank(name) for name in environments}
    return evolve(
        facts,
        environment_facts=tuple(
            fact if not environments or stage_rank(fact.environment) in ranks else evolve(fact, environment="")
            for fact in facts.environment_facts
        ),
    )


def _parse(path: str, text: str) -> Node | None:
    """Return a document that may be one of both, or None. Its placeholders for the environment are `{env}`."""
    if not DEFINITION_PATH.fullmatch(path) or not any(word in text for word in MARKS):
        return None
    filled = TEMPLATE.sub(lambda match: ENV_PLACEHOLDER if ENVIRONMENT_VARIABLE.fullmatch(match[1]) else "$", text)
    code = evidence.strip_comments(filled) if path.endswith("jsonnet") else filled
    try:
        return yaml_nodes.parse_yaml(code.replace("\t", " "))
    except yaml.YAMLError:
        return None


def _neighbour(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _ecspresso_facts(path: str, root: Node, documents: Mapping[str, Node]) -> Facts:
    """Return the facts of a service: its names, and the containers of the definition beside it."""
    named = {key: node for key in ("cluster", "service", "region") if (node := child(root, key)) and text(node)}
    definition_path = _neighbour(path, text_at(root, "task_definition"))
    definition = documents.get(definition_path)
    service = documents.get(_neighbour(path, text_at(root, "service_definition")))
    balancer = next(items(child(service, "loadBalancers")), None)
    facts = _definition_facts(path, definition, named, text_at(balancer, "containerName"), definition_path)
    mention = Mention(value=ECS, source=f"{path}:1", trust=Trust.MANIFEST)
    return evolve(facts, platforms=(mention,))


def _definition_facts(
    path: str, root: Node | None, named: Mapping[str, Node], container_name: str, definition_path: str = ""
) -> Facts:
    """Return the facts of a task definition, with the names that its service is known to have.

    Args:
        path: the file that names the service, or that of the definition.
        root: the definition.
        named: nodes of names, by key.
        container_name: the container that requests reach, or empty.
        definition_path: the definition's file, if it is another one.
    """
    definitions = child(root, "containerDefinitions")
    container = app_container(_plain(definitions))
    place = (
        f"{definition_path if definitions and definition_path else path}:{line_of(definitions) if definitions else 1}"
    )
    found = {
        "platform": ECS,
        "repository": container.repository,
        "container": container_name or container.name,
        **{key: text(node) for key, node in named.items()},
    }
    known = {key: value for key, value in found.items() if value and not is_unknown(value)}
    sources = {key: f"{path}:{line_of(named[key])}" if key in named else place for key in known}
    trust = evidence.trust_in(path, Trust.MANIFEST)
    source = sources.get("service", place)
    fact = EnvironmentFact.of(known, environment=environment_of_path(path), source=source, trust=trust)
    fact = evolve(fact, sources={key: (each, trust) for key, each in sources.items()})
    architecture = text_at(root, "runtimePlatform", "cpuArchitecture").lower()
    image = evidence.find_account_ids(container.image, path, trust)
    return Facts(
        environment_facts=(fact,) if known.keys() - {"platform"} else (),
        platforms=(Mention(value=ECS, source=place, trust=trust),),
        ports=_mentions(container.port, place) if container.port.isdigit() else (),
        architectures=_mentions(architecture, place) if architecture.isidentifier() else (),
        accounts=tuple(evolve(each, source=place) for each in image),
        regions=tuple(evolve(each, source=place) for each in evidence.find_regions(container.image, path, trust)),
    )


def _mentions(value: str, source: str) -> tuple[Mention, ...]:
    return (Mention(value=value, source=source, trust=Trust.MANIFEST),)


def _plain(node: Node | None) -> object:
    """Return a node as sequences, tables and texts."""
    if entries := [*items(node)]:
        return [_plain(each) for each in entries]
    table = {key: _plain(value) for key, value in pairs(node)}
    return table or text(node)


def environment_of_path(path: str) -> str:
    """Return the conventional name of an environment in the name of a file or its folder, or an empty text."""
    folder, _, name = path.rpartition("/")
    words = (*re.split(r"[._-]", name), *re.split(r"[._-]", folder.rpartition("/")[2]))
    return next((word.lower() for word in words if stage_rank(word) is not None and word.lower() != "test"), "")
