"""Describes the services of ECS in a Terraform module: resources, and calls of the modules that many use for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.init.detect.ecs.containers import Container, app_container
from kaizen_tasks.domain.init.detect.shell import commands as shell_commands
from kaizen_tasks.domain.init.detect.terraform.expressions import (
    UnsupportedExpressionError,
    Value,
    dotted_name,
    evaluate,
    evaluate_text,
)
from kaizen_tasks.domain.init.evidence import ECS, ECS_EXPRESS

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.detect.terraform.hcl import Block, Expression
    from kaizen_tasks.domain.init.detect.terraform.modules import ModuleScope

SERVICE_TYPES = {"aws_ecs_service": ECS, "aws_ecs_express_gateway_service": ECS_EXPRESS}
MODULE_SOURCE = re.compile(r"(?i)(?:^|[/_-])(?:ecs|fargate)(?:[/_.?-]|$)")
"""The source of a published module for services of ECS."""

NAME_KEYS = ("service_name", "ecs_service_name", "name")
CLUSTER_KEYS = tuple(
    f"{prefix}{key}" for prefix in ("", "ecs_") for key in ("cluster", "cluster_name", "cluster_arn", "cluster_id")
)
IMAGE_KEYS = ("container_image", "image", "task_image", "image_uri")
PORT_KEYS = ("container_port", "port")
DEFINITION_KEYS = ("container_definitions", "container_definition_json")
UNQUOTED_REFERENCE = re.compile(r"(:\s*)\$\{[^}]*\}")
FOUND = tuple[str, "Expression | None"]
"""A value, and where it is written."""


@frozen(kw_only=True)
class EcsService:
    """What a block says of a service.

    Attributes:
        values: service, cluster, container and repository, as far as they are known, by key.
        port: the container's port, or empty.
        architecture: the processor in small letters, or empty.
        has_load_balancer: whether requests reach it.
    """

    values: Mapping[str, FOUND] = field(factory=dict)
    port: FOUND = ("", None)
    architecture: FOUND = ("", None)
    has_load_balancer: bool = True


def describe_service(block: Block, scope: ModuleScope) -> EcsService:
    """Return what a resource of ECS says of a service."""
    if block.labels[0] == "aws_ecs_express_gateway_service":
        return _describe_express(block, scope)
    balancer = block.find("load_balancer") or _dynamic(block, "load_balancer")
    task = _task_definition(block.attributes.get("task_definition"), scope)
    definitions = task.attributes.get("container_definitions") if task else None
    container = app_container(_definitions(definitions, scope))
    named, listened = (_attribute(balancer, key, scope) for key in ("container_name", "container_port"))
    runtime = task.find("runtime_platform") if task else None
    architecture, place = _attribute(runtime, "cpu_architecture", scope)
    return EcsService(
        values={
            "service": _attribute(block, "name", scope),
            "cluster": _cluster(block, scope),
            "container": named if named[0] else (container.name, definitions),
            "repository": (container.repository, definitions),
        },
        port=listened if listened[0] else (container.port, definitions),
        architecture=(architecture.lower(), place),
        has_load_balancer=balancer is not None,
    )


def _describe_express(block: Block, scope: ModuleScope) -> EcsService:
    primary = block.find("primary_container")
    image, place = _attribute(primary, "image", scope)
    cluster = _cluster(block, scope) if "cluster" in block.attributes else ("default", None)
    architecture, written = _attribute(block, "cpu_architecture", scope)
    return EcsService(
        values={
            "service": _attribute(block, "service_name", scope),
            "cluster": cluster,
            "repository": (Container(image=image).repository, place),
        },
        port=_attribute(primary, "container_port", scope),
        architecture=(architecture.lower(), written),
    )


def describe_module(block: Block, scope: ModuleScope) -> Iterator[EcsService]:
    """Yield what the call of a published module says of its services, of which it may create several."""
    if services := block.attributes.get("services"):
        tables = _value(services, scope)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            container = app_container(table.get("container_definitions") if isinstance(table, dict) else None)
            yield _module_service((name, services), _cluster(block, scope), container, services)
        return
    definitions = next((block.attributes[key] for key in DEFINITION_KEYS if key in block.attributes), None)
    container = app_container(_definitions(definitions, scope))
    image, image_place = _first(block, IMAGE_KEYS, scope)
    port, port_place = _first(block, PORT_KEYS, scope)
    container_name, _ = _attribute(block, "container_name", scope)
    service = _first(block, NAME_KEYS, scope)
    if service[0] and (definitions or image_place or any(key in block.attributes for key in CLUSTER_KEYS)):
        known = Container(
            name=container.name or container_name, image=container.image or image, port=container.port or port
        )
        yield _module_service(service, _cluster(block, scope), known, definitions or image_place or port_place)


def _module_service(service: FOUND, cluster: FOUND, container: Container, place: Expression | None) -> EcsService:
    return EcsService(
        values={
            "service": service,
            "cluster": cluster,
            "container": (container.name, place),
            "repository": (container.repository, place),
        },
        port=(container.port, place),
    )


def _dynamic(block: Block, kind: str) -> Block | None:
    """Return the content of a `dynamic` block."""
    return next(
        (each.find("content") or each for each in block.blocks if (each.kind, each.labels) == ("dynamic", (kind,))),
        None,
    )


def _cluster(block: Block, scope: ModuleScope) -> FOUND:
    text, place = _first(block, CLUSTER_KEYS, scope)
    return shell_commands.ecs_names("", text)["cluster"], place


def _task_definition(expression: Expression | None, scope: ModuleScope) -> Block | None:
    """Return the task definition that an expression names, or the only one of the module."""
    definitions = [*scope.module.resources("aws_ecs_task_definition")]
    names = dotted_name(expression.node) if expression else ()
    named = next((each for each in definitions if each.labels[1:2] == names[1:2]), None)
    return named or (definitions[0] if len(definitions) == 1 else None)


def _definitions(expression: Expression | None, scope: ModuleScope) -> object:
    """Return definitions of containers, which may be written as JSON."""
    value = _value(expression, scope)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(UNQUOTED_REFERENCE.sub(r"\1null", value))
    except ValueError:
        return None


def _value(expression: Expression | None, scope: ModuleScope) -> Value:
    try:
        return evaluate(expression.node, scope) if expression else None
    except UnsupportedExpressionError:
        return None


def _attribute(block: Block | None, key: str, scope: ModuleScope) -> FOUND:
    expression = block.attributes.get(key) if block else None
    return (evaluate_text(expression.node, scope), expression) if expression else ("", None)


def _first(block: Block, keys: tuple[str, ...], scope: ModuleScope) -> FOUND:
    found = (_attribute(block, key, scope) for key in keys)
    return next((each for each in found if each[0]), ("", None))
