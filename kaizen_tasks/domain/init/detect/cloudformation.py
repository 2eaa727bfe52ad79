"""Reads services and repositories in templates of CloudFormation and SAM, without evaluating more than parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import yaml
from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.shell.commands import is_unknown
from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    ECS,
    ECS_EXPRESS,
    EnvironmentFact,
    Facts,
    Ignored,
    Mention,
    Trust,
)

if TYPE_CHECKING:
    from yaml.nodes import Node

SERVICE_TYPE = "AWS::AppRunner::Service"
ECS_TYPE = "AWS::ECS::Service"
EXPRESS_TYPE = "AWS::ECS::ExpressGatewayService"
REPOSITORY_TYPE = "AWS::ECR::Repository"
TEMPLATE_PATH = re.compile(r".*\.(?:ya?ml|json|jsonnet|template)")
ENVIRONMENT_PARAMETER = re.compile(r"(?i)env(?:ironment)?(?:name)?|stage(?:name)?")
REFERENCE = re.compile(r"\$\{([\w:.]+)\}")
IMAGE = re.compile(r"(?:.*\.amazonaws\.com(?:\.cn)?/)?([^:@]+)(?::([^:@]+))?(?:@.*)?")


def facts_from_template(path: str, content: str) -> Facts:
    """Return the facts in a template; there are none in another file."""
    if not any(kind in content for kind in (SERVICE_TYPE, ECS_TYPE, EXPRESS_TYPE, REPOSITORY_TYPE)):
        return Facts()
    try:
        root = yaml_nodes.parse_yaml(content)
    except yaml.YAMLError:
        return Facts(ignored=(Ignored(what=path, source=f"{path}:1", reason="is no template that can be read"),))
    parameters = dict(pairs(child(root, "Parameters")))
    defaults = {name: text_at(node, "Default") for name, node in parameters.items()}
    choices = [
        (name, value)
        for name, node in parameters.items()
        if ENVIRONMENT_PARAMETER.fullmatch(name)
        for value in map(text, items(child(node, "AllowedValues")))
    ]
    facts: list[Facts] = []
    for name, environment in choices or [("", "")]:
        values = {**defaults, name: environment} if environment else defaults
        facts += _facts_of_resources(path, root, values, environment)
    combined = evidence.combine_facts(facts)
    code = evidence.strip_comments(content)
    regions, accounts = (
        find(code, path, Trust.TERRAFORM) for find in (evidence.find_regions, evidence.find_account_ids)
    )
    return evolve(combined, regions=regions, accounts=accounts) if facts else combined


def _facts_of_resources(path: str, root: Node | None, values: Mapping[str, str], environment: str) -> Iterator[Facts]:
    for name, resource in pairs(child(root, "Resources")):
        kind, properties = text_at(resource, "Type"), child(resource, "Properties")
        source = f"{path}:{line_of(resource)}"
        if kind == REPOSITORY_TYPE:
            yield _fact(source, environment, values, {"repository": child(properties, "RepositoryName")}, name)
        elif kind == SERVICE_TYPE:
            image = child(properties, "SourceConfiguration", "ImageRepository")
            named = {"service": child(properties, "ServiceName"), "repository": child(image, "ImageIdentifier")}
            facts = _fact(source, environment, values, named, name)
            port, _ = _resolve(child(image, "ImageConfiguration", "Port"), values)
            yield _with_platform(facts, APP_RUNNER, source, port)
        elif kind == EXPRESS_TYPE:
            container = child(properties, "PrimaryContainer")
            named = {
                "service": child(properties, "ServiceName"),
                "repository": child(container, "Image"),
                "cluster": _named_resource(root, child(properties, "Cluster"), "ClusterName"),
            }
            facts = _fact(source, environment, values, named, name)
            port, _ = _resolve(child(container, "ContainerPort"), values)
            yield _with_platform(facts, ECS_EXPRESS, source, port)
        elif kind == ECS_TYPE and child(properties, "TaskDefinition"):
            yield _ecs_facts(root, properties, source, environment, values, name)


def _ecs_facts(
    root: Node | None,
    properties: Node | None,
    source: str,
    environment: str,
    values: Mapping[str, str],
    resource: str,
) -> Facts:
    """Return the facts of a service of ECS, with the container that requests reach."""
    definition = _resource(root, child(properties, "TaskDefinition"))
    containers = [*items(child(definition, "Properties", "ContainerDefinitions"))]
    balancer = next(items(child(properties, "LoadBalancers")), None)
    reached = text_at(balancer, "ContainerName")
    container = next(
        (each for each in containers if reached in {"", text_at(each, "Name")}), containers[0] if containers else None
    )
    named = {
        "service": child(properties, "ServiceName"),
        "cluster": _named_resource(root, child(properties, "Cluster"), "ClusterName"),
        "container": child(balancer, "ContainerName") or child(container, "Name"),
        "repository": _own_image(child(container, "Image")),
    }
    facts = _fact(source, environment, values, {key: node for key, node in named.items() if node}, resource)
    mapping = next(items(child(container, "PortMappings")), None)
    port, _ = _resolve(child(balancer, "ContainerPort") or child(mapping, "ContainerPort"), values)
    architecture = text_at(definition, "Properties", "RuntimePlatform", "CpuArchitecture").lower()
    found = (Mention(value=architecture, source=source),) if architecture else ()
    return evolve(_with_platform(facts, ECS, source, port), architectures=found)


def _with_platform(facts: Facts, platform: str, source: str, port: str) -> Facts:
    return evolve(
        facts,
        environment_facts=tuple(evolve(each, platform=platform) for each in facts.environment_facts),
        platforms=(Mention(value=platform, source=source),),
        ports=(Mention(value=port, source=source),) if port.isdigit() else (),
    )


def _resource(root: Node | None, reference: Node | None) -> Node | None:
    """Return the resource that a `Ref`, or an attribute of which, is a value; or None."""
    functions = dict(pairs(reference))
    of_attribute = functions.get("Fn::GetAtt")
    names = (text(functions.get("Ref")), text(next(items(of_attribute), of_attribute)), text(reference))
    name = next(filter(None, names), "").partition(".")[0]
    return child(root, "Resources", name) if name else None


def _named_resource(root: Node | None, node: Node | None, key: str) -> Node | None:
    """Return the name of the resource that is referred to, or else the node."""
    resource = _resource(root, node) if node is not None else None
    return child(resource, "Properties", key) if resource else node


def _own_image(node: Node | None) -> Node | None:
    """Return an image that a release can replace: one of ECR, or one that a parameter names."""
    image = text(node)
    return None if image and not node.tag.startswith("!") and ".dkr.ecr." not in image else node  # type: ignore[union-attr]


def _fact(
    source: str, environment: str, values: Mapping[str, str], named: Mapping[str, Node | None], resource: str
) -> Facts:
    """Return the fact of a resource; a name that a parameter's default completes is a guess."""
    found: dict[str, str] = {}
    sources: dict[str, tuple[str, Trust]] = {}
    ignored = []
    for key, node in named.items():
        value, is_guess = _resolve(node, values)
        image = IMAGE.fullmatch(value) if key == "repository" else None
        name = image[1] if image else value
        if not name or is_unknown(name) or name.startswith("public.ecr.aws/"):
            reason = "the template does not say its name; kaizen init --from-aws reads it in the account"
            ignored.append(Ignored(what=f"{key} {name or resource}", source=source, reason=reason))
            continue
        found[key] = name
        if image and image[2] and not is_unknown(image[2]):
            found["follow"] = image[2]
        sources[key] = (source, Trust.OLD if is_guess and not environment else Trust.TERRAFORM)
    trust = min((trust for _, trust in sources.values()), default=Trust.TERRAFORM)
    fact = EnvironmentFact.of(found, environment=environment, source=source, trust=trust)
    return Facts(environment_facts=(evolve(fact, sources=sources),) if found else (), ignored=tuple(ignored))


def _resolve(node: Node | None, values: Mapping[str, str]) -> tuple[str, bool]:
    """Return a text with references to parameters replaced, and whether there were any."""
    if node is None:
        return "", False
    functions = dict(pairs(node))
    is_reference = node.tag == "!Ref" or "Ref" in functions
    template = text(node) or text(functions.get("Ref")) or text(functions.get("Fn::Sub"))
    if is_reference:
        return values.get(template) or f"${{{template}}}", True
    if node.tag.startswith("!") and node.tag != "!Sub":
        return "", True
    filled = REFERENCE.sub(lambda match: values.get(match[1]) or match[0], template)
    return filled, filled != template
