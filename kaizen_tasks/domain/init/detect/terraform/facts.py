"""Finds the services that Terraform creates, and the environments for which it creates them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect.terraform import ecs
from kaizen_tasks.domain.init.detect.terraform.expressions import UnsupportedExpressionError, Value
from kaizen_tasks.domain.init.detect.terraform.modules import (
    ENVIRONMENT_VARIABLES,
    Module,
    ModuleScope,
    compared_environments,
    load_modules,
    read_variables,
)
from kaizen_tasks.domain.init.detect.terraform.services import Service, find_repositories, find_services, text_of
from kaizen_tasks.domain.init.detect.terraform.targets import add_targets, find_regions, find_target
from kaizen_tasks.domain.init.evidence import APP_RUNNER, ECS, EnvironmentFact, Facts, Ignored, Mention, Trust, trust_in
from kaizen_tasks.domain.init.pipeline import stage_rank

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.detect.terraform.hcl import Block

SHARED_NAMES = ("terraform", "common", "default", "defaults", "vars", "variables", "infra")
"""Names of variable files and folders that are not environments."""

ENVIRONMENT_FOLDERS = ("environments", "environment", "envs", "env", "live", "stages", "workspaces", "accounts")
"""Folders in which each folder is an environment."""

PLATFORM_TYPES = {
    "aws_apprunner_service": APP_RUNNER,
    **ecs.SERVICE_TYPES,
    "aws_lambda_function": "AWS Lambda",
    "aws_elastic_beanstalk_environment": "AWS Elastic Beanstalk",
    "aws_lightsail_container_service": "Amazon Lightsail",
    "aws_eks_cluster": "Kubernetes",
    "google_cloud_run_service": "Google Cloud Run",
    "google_cloud_run_v2_service": "Google Cloud Run",
    "azurerm_container_app": "Azure Container Apps",
    "azurerm_linux_web_app": "Azure App Service",
    "heroku_app": "Heroku",
}
"""What an app is deployed to, by the type of a resource."""


def facts_from_terraform(files: Mapping[str, str], environments: Sequence[str]) -> Facts:
    """Return the facts about the environments of every Terraform module.

    Args:
        files: texts of `.tf` and `.tfvars` files, by path.
        environments: names of environments from other sources, for a module whose variables name none.
    """
    modules, ignored = load_modules(files)
    variables = {path: read_variables(path, text)[0] for path, text in files.items() if path.endswith(".tfvars")}
    called = {folder for module in modules.values() for _, folder in module.local_calls()}
    found: list[Facts] = [Facts(ignored=ignored)]
    for path, module in sorted(modules.items()):
        if path not in called:
            own_variables = {each: values for each, values in variables.items() if _module_of(each, modules) == path}
            found.append(_facts_of_root(modules, module, own_variables, environments))
    comments = (each for path, text in files.items() for each in evidence.find_in_comments(text, path))
    return evidence.combine_facts((*found, Facts(ignored=tuple(comments), accounts=_accounts(files))))


def _accounts(files: Mapping[str, str]) -> tuple[Mention, ...]:
    code = ((path, evidence.strip_comments(text)) for path, text in files.items())
    return tuple(
        each for path, text in code for each in evidence.find_account_ids(text, path, trust_in(path, Trust.TERRAFORM))
    )


def _module_of(path: str, modules: Mapping[str, Module]) -> str:
    """Return the folder of the nearest module at or above a file; an only module for a file elsewhere; or empty."""
    parents = [str(folder) for folder in PurePosixPath(path).parents]
    return next((folder for folder in parents if folder in modules), next(iter(modules)) if len(modules) == 1 else "")


def _facts_of_root(
    modules: Mapping[str, Module],
    module: Module,
    variables: Mapping[str, Mapping[str, Value]],
    environments: Sequence[str],
) -> Facts:
    """Return the facts of a module that no other one calls, in each of its environments."""
    shared, own = _split_variables(module.path, variables)
    names = _environments_of(modules, module, shared, tuple(own), environments)
    scopes = [
        ModuleScope(modules, module, {**shared, **own.get(name, {})}, environment=name) for name in names or ("",)
    ]
    trust = trust_in(f"{module.path}/", Trust.TERRAFORM)
    services = [service for scope in scopes for service in find_services(scope, module.path)]
    environment_facts = tuple(evolve(each, trust=trust) for each in _distinct_facts(services, len(scopes)))
    if not environment_facts:
        environment_facts = tuple(evolve(each, trust=trust) for scope in scopes for each in find_repositories(scope))
    ports = tuple(
        Mention(value=each.port, source=each.sources["port"], trust=trust) for each in services if each.port.isdigit()
    )
    architectures = tuple(
        Mention(value=each.architecture, source=each.sources["architecture"], trust=trust)
        for each in services
        if each.architecture
    )
    targets = {
        scope.environment: evolve(each, trust=trust)
        for scope in scopes
        if scope.environment and (each := find_target(scope))
    }
    platforms = tuple(each for scope in scopes for each in _platforms(scope))
    regions = tuple(evolve(each, trust=trust) for scope in scopes for each in find_regions(scope))
    return Facts(
        environment_facts=tuple(add_targets(environment_facts, targets)),
        ports=ports,
        regions=regions,
        architectures=architectures,
        platforms=tuple(dict.fromkeys(evolve(each, trust=trust) for each in platforms)),
        ignored=tuple(each for scope in scopes[:1] for each in _source_services(scope)),
    )


def _split_variables(
    root: str, variables: Mapping[str, Mapping[str, Value]]
) -> tuple[dict[str, Value], dict[str, dict[str, Value]]]:
    """Return the values for all environments, and those of each environment, of a module's `.tfvars` files."""
    shared: dict[str, Value] = {}
    own: dict[str, dict[str, Value]] = {}
    for path, values in sorted(variables.items()):
        name = _environment_of_file(path, root, values)
        (own.setdefault(name, {}) if name else shared).update(values)
    return shared, {_without_prefix(name, tuple(own)): values for name, values in own.items()}


def _without_prefix(name: str, names: Sequence[str]) -> str:
    """Return the stage at the end of a name, if all names have the same word in front of one: `shop-prod`."""
    parts = [re.fullmatch(r"(.+)[-_.]([^-_.]+)", each) for each in names]
    prefixes = {part[1] if part and stage_rank(part[2]) is not None else "" for part in parts}
    return name if len(names) < 2 or len(prefixes) > 1 or "" in prefixes else re.split(r"[-_.]", name)[-1]


def _environment_of_file(path: str, root: str, values: Mapping[str, Value]) -> str:
    """Return the environment of a `.tfvars` file: named by the file, by its folder or by a variable."""
    file_path = PurePosixPath(path)
    stem = re.sub(r"\.auto$", "", file_path.name.removesuffix(".tfvars"))
    folder = file_path.parent.name if str(file_path.parent) != root else ""
    named_by_variable = (str(values[name]) for name in ENVIRONMENT_VARIABLES if values.get(name))
    named_by_path = (name for name in (stem, folder) if name and name not in SHARED_NAMES)
    return next(chain(named_by_variable, named_by_path), "")


def _environments_of(
    modules: Mapping[str, Module],
    module: Module,
    shared: Mapping[str, Value],
    named_by_files: tuple[str, ...],
    environments: Sequence[str],
) -> tuple[str, ...]:
    """Return the environments of a module: of its variable files, its folder, its conditions, or its default."""
    if named_by_files:
        return named_by_files
    if folder_name := _environment_of_folder(module.path):
        return (folder_name,)
    scope = ModuleScope(modules, module, shared)
    in_modules = [scope.called(call, folder) for call, folder in module.local_calls()]
    compared = [
        name for each in (scope, *filter(None, in_modules)) for name in compared_environments(each.module, each)
    ]
    if names := dict.fromkeys((*environments, *compared)):
        return tuple(names)
    for name in ENVIRONMENT_VARIABLES:
        try:
            value, _ = scope.resolve(("var", name))
        except UnsupportedExpressionError:
            continue
        if isinstance(value, str) and value:
            return (value,)
    return ()


def _environment_of_folder(path: str) -> str:
    *above, name = ("", *PurePosixPath(path).parts)
    return name if stage_rank(name) is not None or (above and above[-1].lower() in ENVIRONMENT_FOLDERS) else ""


def _distinct_facts(services: Sequence[Service], environment_count: int) -> Iterator[EnvironmentFact]:
    """Yield the facts of services; those with one name in all environments belong to an environment nobody knows."""
    names: dict[str, set[tuple[str, str]]] = {}
    for service in services:
        names.setdefault(service.address, set()).add((service.fact.cluster, service.fact.service))
    seen = set()
    for service in services:
        fact = service.fact
        if environment_count > 1 and fact.service and len(names[service.address]) == 1:
            fact = evolve(fact, environment="")
        if (identity := (fact.environment, service.address)) not in seen:
            seen.add(identity)
            yield fact


def _platforms(scope: ModuleScope) -> Iterator[Mention]:
    for each in scope.walk():
        for block in each.module.blocks:
            if name := _platform_of(block, each):
                yield Mention(value=name, source=block.source)


def _platform_of(block: Block, scope: ModuleScope) -> str:
    """Return what a resource, or a published module, deploys an app to; an empty text for another block."""
    if block.kind == "resource" and block.labels:
        return PLATFORM_TYPES.get(block.labels[0], "")
    source = text_of(block.attributes.get("source"), scope) if block.kind == "module" else ""
    if "app-runner" in source:
        return APP_RUNNER
    is_ecs = ecs.MODULE_SOURCE.search(source) and not source.startswith(".")
    return ECS if is_ecs and any(True for _ in ecs.describe_module(block, scope)) else ""


def _source_services(scope: ModuleScope) -> Iterator[Ignored]:
    """Yield the services that App Runner builds itself, to which no image can be deployed."""
    for block in scope.module.resources("aws_apprunner_service"):
        if block.find("source_configuration", "code_repository"):
            name = text_of(block.attributes.get("service_name"), scope)
            reason = "App Runner builds it from source; change it to an image of ECR, which can be released"
            yield Ignored(what=f"service {name}", source=block.source, reason=reason, is_serious=True)
