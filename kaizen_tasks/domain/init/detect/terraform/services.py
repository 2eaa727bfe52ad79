"""Finds the services of a Terraform module, and their repositories, in one environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from kaizen_tasks.domain.init.detect.terraform import ecs
from kaizen_tasks.domain.init.detect.terraform.expressions import UnsupportedExpressionError, evaluate
from kaizen_tasks.domain.init.detect.terraform.modules import REGISTRY, ModuleScope
from kaizen_tasks.domain.init.evidence import APP_RUNNER, ECS, EnvironmentFact, Trust

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.detect.terraform.ecs import EcsService
    from kaizen_tasks.domain.init.detect.terraform.hcl import Block, Expression

COMPONENT_NAMES = frozenset(
    {"admin", "api", "app", "backend", "frontend", "server", "ui", "web", "worker", "site", "client", "service"}
)
"""Keys of a `for_each` that are parts of an app, and not environments."""


@frozen(kw_only=True)
class Service:
    """A service in one environment, as Terraform creates it.

    Attributes:
        address: the resource, with the folder of the module that it begins in.
        fact: what is known of it.
        port: the port of the container, or empty.
        architecture: the processor that it runs on, or empty.
        sources: where values are written, by key.
    """

    address: str
    fact: EnvironmentFact
    port: str = ""
    architecture: str = ""
    sources: Mapping[str, str] = field(factory=dict)


def find_services(scope: ModuleScope, address: str) -> Iterator[Service]:
    """Yield the services of a module and of those that it calls."""
    yield from _own_services(scope, address)
    yield from _own_ecs_services(scope, address)
    yield from _published_services(scope, address)
    for call, folder in scope.module.local_calls():
        for instance, key in _instances(call, scope):
            if inner := instance.called(call, folder):
                inner.environment = inner.environment or key
                yield from find_services(inner, f"{address}.{call.labels[0]}")


def _own_services(scope: ModuleScope, address: str) -> Iterator[Service]:
    for block in scope.module.resources("aws_apprunner_service"):
        for instance, key in _instances(block, scope):
            if service := _service(block, instance, f"{address}.{'.'.join(block.labels)}", key, APP_RUNNER):
                yield service


def _own_ecs_services(scope: ModuleScope, address: str) -> Iterator[Service]:
    """Yield the services of ECS that requests reach; where they reach none, all."""
    found = [
        (block, instance, key, ecs.describe_service(block, instance))
        for block in scope.module.resources(*ecs.SERVICE_TYPES)
        for instance, key in _instances(block, scope)
    ]
    reached = [each for each in found if each[3].has_load_balancer] or found
    for block, instance, key, description in reached:
        path = f"{address}.{'.'.join(block.labels)}"
        yield _ecs_service(block, instance, path, key, description, ecs.SERVICE_TYPES[block.labels[0]])


def _published_services(scope: ModuleScope, address: str) -> Iterator[Service]:
    """Yield the services of modules from a registry: those for ECS, and others that take a service's name."""
    for block in scope.module.blocks:
        source = text_of(block.attributes.get("source"), scope) if block.kind == "module" else "."
        if source.startswith("."):
            continue
        path = f"{address}.{block.labels[0]}"
        if ecs.MODULE_SOURCE.search(source):
            for instance, key in _instances(block, scope):
                for number, description in enumerate(ecs.describe_module(block, instance)):
                    yield _ecs_service(block, instance, f"{path}.{number}", key, description, ECS)
        elif "service_name" in block.attributes:
            platform = APP_RUNNER if "app-runner" in source or "apprunner" in source else ""
            if service := _service(block, scope, path, "", platform):
                yield service


def _ecs_service(
    block: Block, scope: ModuleScope, address: str, key: str, description: EcsService, platform: str
) -> Service:
    """Return a service of ECS; its repository is that of the image, or the only one."""
    values = {"platform": (platform, None), **description.values, "url": _address_of_records(scope)}
    if not values["repository"][0]:
        values["repository"] = _only_repository(scope) or _only_repository_of_all(scope) or ("", None)
    known = {name: value for name, (value, _) in values.items() if value}
    sources = {name: _source(expression, block) for name, (value, expression) in values.items() if value}
    fact = EnvironmentFact.of(
        known, environment=scope.environment or key, source=sources.get("service", block.source), trust=Trust.TERRAFORM
    )
    port, architecture = description.port, description.architecture
    places = {"port": _source(port[1], block), "architecture": _source(architecture[1], block)}
    return Service(
        address=address,
        fact=evolve(fact, sources={name: (place, Trust.TERRAFORM) for name, place in sources.items()}),
        port=port[0],
        architecture=architecture[0],
        sources={**sources, **places},
    )


def _instances(block: Block, scope: ModuleScope) -> Iterator[tuple[ModuleScope, str]]:
    """Yield the scope of each instance of a block, and the environment that its key names, if any."""
    if text_of(block.attributes.get("count"), scope) == "0":
        return
    if "for_each" not in block.attributes:
        yield scope, ""
        return
    try:
        collection = evaluate(block.attributes["for_each"].node, scope)
    except UnsupportedExpressionError:
        yield scope, ""
        return
    entries = collection if isinstance(collection, dict) else {each: each for each in collection or ()}
    pairs = [(str(key), value) for key, value in entries.items() if re.fullmatch(r"[\w-]+", str(key))]
    has_components = all(key.lower() in COMPONENT_NAMES for key, _ in pairs)
    for key, value in pairs:
        yield scope.repeated(key, value), "" if has_components else key


def _service(block: Block, scope: ModuleScope, address: str, key: str, platform: str) -> Service | None:
    """Return a service with what Terraform says of it, or None if that is nothing."""
    image_block = block.find("source_configuration", "image_repository") or block
    image_expression = image_block.attributes.get("image_identifier")
    image = text_of(image_expression, scope) or _nested_text(block, ("image_repository", "image_identifier"), scope)
    repository, tag = _split_image(image)
    name_key = "service_name" if "service_name" in block.attributes else "name"
    values = {
        "service": (text_of(block.attributes.get(name_key), scope), block.attributes.get(name_key)),
        "repository": (repository, _repository_expression(repository, scope) or image_expression),
        "follow": (tag, image_expression),
        "url": _url(scope),
    }
    if not repository and (only := _only_repository(scope)):
        values["repository"] = only
    port_block = block.find("source_configuration", "image_repository", "image_configuration")
    port = port_block.attributes.get("port") if port_block else None
    known = {name: value for name, (value, _) in values.items() if value}
    if not known:
        return None
    known["platform"] = platform
    sources = {name: _source(expression, block) for name, (value, expression) in values.items() if value}
    source = sources.get("service") or block.source
    fact = EnvironmentFact.of(known, environment=scope.environment or key, source=source, trust=Trust.TERRAFORM)
    fact = evolve(fact, sources={name: (place, Trust.TERRAFORM) for name, place in sources.items()})
    port_text = text_of(port, scope) or _nested_text(block, ("image_repository", "image_configuration", "port"), scope)
    return Service(address=address, fact=fact, port=port_text, sources={**sources, "port": _source(port, block)})


def _source(expression: Expression | None, block: Block) -> str:
    return expression.source if expression else block.source


def text_of(expression: Expression | None, scope: ModuleScope) -> str:
    """Return the text that an expression evaluates to; empty when it is no text, or only Terraform knows it."""
    if expression is None:
        return ""
    try:
        value = evaluate(expression.node, scope)
    except UnsupportedExpressionError:
        return ""
    return value if isinstance(value, str) else ""


def _nested_text(block: Block, path: tuple[str, ...], scope: ModuleScope) -> str:
    """Return a text inside `source_configuration = { … }`, as a published module takes it."""
    expression = block.attributes.get("source_configuration")
    try:
        value = evaluate(expression.node, scope) if expression else None
    except UnsupportedExpressionError:
        return ""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _split_image(image: str) -> tuple[str, str]:
    """Return repository and tag of an image in the account's registry; empty texts for one elsewhere."""
    host, slash, path = image.partition("/")
    if not slash or not (host == REGISTRY or ".dkr.ecr." in host):
        return "", ""
    repository, _, tag = path.partition(":")
    return repository, tag


def _repository_blocks(scope: ModuleScope) -> Iterator[tuple[str, Expression]]:
    """Yield name and expression of every repository that a module creates or looks up."""
    for block in scope.module.blocks:
        is_repository = block.labels[:1] == ("aws_ecr_repository",) and block.kind in {"resource", "data"}
        expression = block.attributes.get("name" if is_repository else "repository_name")
        if expression is not None and (is_repository or block.kind == "module"):
            for instance, _ in _instances(block, scope):
                if name := text_of(expression, instance):
                    yield name, expression


def _repository_expression(name: str, scope: ModuleScope) -> Expression | None:
    return next((expression for each, expression in _repository_blocks(scope) if each == name), None)


def _only_repository_of_all(scope: ModuleScope) -> tuple[str, Expression] | None:
    """Return the repository if only one is made by a module and all that are called with it."""
    repositories = {name: place for each in scope.root.walk() for name, place in _repository_blocks(each)}
    return next(iter(repositories.items())) if len(repositories) == 1 else None


def _only_repository(scope: ModuleScope) -> tuple[str, Expression] | None:
    """Return the repository of a module that has only one, for a service whose image only a pipeline knows."""
    repositories = dict(_repository_blocks(scope))
    return next(iter(repositories.items())) if len(repositories) == 1 else None


def find_repositories(scope: ModuleScope) -> Iterator[EnvironmentFact]:
    """Yield the repository of a module without services: another tool creates those."""
    if only := _only_repository(scope):
        name, expression = only
        yield EnvironmentFact(environment=scope.environment, repository=name, source=expression.source)


def _url(scope: ModuleScope) -> tuple[str, Expression | None]:
    for block in scope.module.resources("aws_apprunner_custom_domain_association"):
        for instance, _ in _instances(block, scope):
            expression = block.attributes.get("domain_name")
            if domain := text_of(expression, instance):
                return f"https://{domain}", expression
    return "", None


def _address_of_records(scope: ModuleScope) -> tuple[str, Expression | None]:
    """Return the address of a load balancer, by the only host that its rules or DNS records name."""
    found: dict[str, Expression] = {}
    for each in scope.root.walk():
        found |= {name: place for name, place in _hosts(each) if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", name)}
    if len(found) != 1:
        return "", None
    [(name, expression)] = found.items()
    return f"https://{name}", expression


def _hosts(scope: ModuleScope) -> Iterator[tuple[str, Expression]]:
    for block in scope.module.resources("aws_lb_listener_rule"):
        header = block.find("condition", "host_header")
        if header and (expression := header.attributes.get("values")):
            for instance, _ in _instances(block, scope):
                yield from ((name, expression) for name in _texts(expression, instance))
    for block in scope.module.resources("aws_route53_record"):
        expression = block.attributes.get("name")
        if expression and text_of(block.attributes.get("type"), scope) in {"A", "CNAME"}:
            for instance, _ in _instances(block, scope):
                yield text_of(expression, instance).rstrip("."), expression


def _texts(expression: Expression, scope: ModuleScope) -> Iterator[str]:
    try:
        value = evaluate(expression.node, scope)
    except UnsupportedExpressionError:
        return
    if isinstance(value, tuple):
        yield from (each for each in value if isinstance(each, str))
