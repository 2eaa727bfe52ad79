"""Finds the environments that Terraform creates: the repository, service and domain of each set of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePosixPath

from kaizen_tasks.domain.init.detect import for_each, terraform_expr
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, find_account_ids, find_regions

BLOCK = re.compile(r'(?m)^(resource|variable|locals)\s*(?:"([\w-]+)"\s*)?(?:"([\w-]+)"\s*)?\{')
ATTRIBUTE = r"(?m)^[ \t]*{}[ \t]*=[ \t]*(.+(?:\n[ \t]*[?:].*)*)"
ASSIGNMENT = re.compile(r'(?m)^[ \t]*([\w-]+)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"')
NAME_ATTRIBUTES = {
    "repository": ("aws_ecr_repository", "name"),
    "service": ("aws_apprunner_service", "service_name"),
    "url": ("aws_apprunner_custom_domain_association", "domain_name"),
}
"""The type of resource and its attribute from which each key is read."""

IMAGE_TAG = re.compile(r':((?:[^:"${}]|\$\{[^{}]*\})+)"\s*$')
"""The tag in the expression of an image: what follows the last colon."""

REPOSITORY_RESOURCE = 'resource "aws_ecr_repository"'

ENVIRONMENT_VARIABLES = ("env", "environment", "stage", "workspace")  # variables that hold the environment's name
GENERIC_NAMES = ("", "terraform", "common", "default", "defaults", "vars", "variables", "infra")
"""Names of variable files and folders that are not environments."""

Variables = dict[str, str]


def facts_from_terraform(files: Mapping[str, str], environments: Sequence[str]) -> Facts:
    """Return the facts about the environments of every Terraform module.

    Args:
        files: texts of `.tf` and `.tfvars` files, by path.
        environments: names of environments from other sources, for a module whose variables name none.
    """
    module_files: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        if path.endswith(".tf"):
            module_files.setdefault(str(PurePosixPath(path).parent), {})[path] = text
    modules = sorted(module_files, key=len, reverse=True)
    environment_facts: list[EnvironmentFact] = []
    for module in modules:
        texts = module_files[module]
        variables = {path: text for path, text in files.items() if _module_of(path, modules) == module}
        source = next((path for path, text in texts.items() if REPOSITORY_RESOURCE in text), module)
        code = "\n".join(texts.values())
        values = _variables_by_environment(variables, (*for_each.environment_names(code), *environments))
        environment_facts += _environment_facts(code, values, source)
    text = terraform_expr.COMMENT.sub("", "\n".join(files.values()))
    facts = tuple(environment_facts)
    return Facts(environment_facts=facts, regions=find_regions(text), accounts=find_account_ids(text))


def _module_of(path: str, modules: Sequence[str]) -> str:
    """Return the nearest module above a `.tfvars` file, or an empty path."""
    if not path.endswith(".tfvars"):
        return ""
    parents = {str(folder) for folder in PurePosixPath(path).parents}
    return next((module for module in modules if module in parents), "")


def _variables_by_environment(files: Mapping[str, str], environments: Sequence[str]) -> Mapping[str, Variables]:
    shared_variables: Variables = {}
    own_variables: dict[str, Variables] = {}
    for path, text in sorted(files.items()):
        variables = dict(ASSIGNMENT.findall(text))
        name = _find_environment(path, variables)
        own_variables.setdefault(name, {}).update(variables) if name else shared_variables.update(variables)
    names = tuple(own_variables) or tuple(environments)
    return {name: {**shared_variables, **own_variables.get(name, {})} for name in names}


def _find_environment(path: str, variables: Variables) -> str:
    """Return the environment of a `.tfvars` file: named by a variable, by the file or by the file's folder."""
    file_path = PurePosixPath(path)
    stem = file_path.name.split(".")[0]
    named_by_path = (name for name in (stem, *file_path.parts[-2:-1]) if stem and name not in GENERIC_NAMES)
    named_by_variable = (variables[name] for name in ENVIRONMENT_VARIABLES if variables.get(name))
    return next(chain(named_by_variable, named_by_path), "")


def _environment_facts(code: str, environments: Mapping[str, Variables], source: str) -> Iterator[EnvironmentFact]:
    blocks = tuple(_parse_blocks(code))
    expressions = {key: _find_expression(blocks, *location) for key, location in NAME_ATTRIBUTES.items()}
    for environment, variables in environments.items():
        scope = _build_scope(blocks, environment, variables)
        scope |= for_each.scope_of(code, environment)
        values = {key: _evaluate_or_empty(expression_text, scope) for key, expression_text in expressions.items()}
        values["follow"] = _find_tag(blocks, scope)
        if values["url"]:
            values["url"] = f"https://{values['url']}"
        if any(values.values()):
            yield EnvironmentFact(environment=environment, source=source, **values)


def _find_tag(blocks: Sequence[tuple[str, str, str]], scope: Mapping[str, str]) -> str:
    """Return the tag at the end of the service's image; empty when only Terraform knows it."""
    image = _find_expression(blocks, "aws_apprunner_service", "image_identifier")
    match = IMAGE_TAG.search(image)
    tag = _evaluate_or_empty(f'"{match[1]}"', scope) if match else ""
    return tag if re.fullmatch(r"[\w.-]+", tag) else ""


def _parse_blocks(code: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, first label and body of every Terraform block."""
    for match in BLOCK.finditer(code):
        yield match[1], match[2] or "", code[match.end() : for_each.closing_brace(code, match.end())]


def _find_expression(blocks: Sequence[tuple[str, str, str]], resource: str, attribute: str) -> str:
    bodies = (body for kind, label, body in blocks if (kind, label) == ("resource", resource))
    return _read_attribute(next(bodies, ""), attribute)


def _read_attribute(body: str, name: str) -> str:
    match = re.search(ATTRIBUTE.format(name), body)
    return match[1].strip() if match else ""


def _build_scope(blocks: Sequence[tuple[str, str, str]], environment: str, variables: Variables) -> Variables:
    """Return the values of references, by name, in an environment, whose workspace has the environment's name."""
    scope = {"terraform.workspace": environment}
    for kind, label, body in blocks:
        if kind == "variable" and (default := _evaluate_or_empty(_read_attribute(body, "default"), scope)):
            scope[f"var.{label}"] = default
    scope |= {f"var.{name}": environment for name in ENVIRONMENT_VARIABLES if f"var.{name}" not in scope}
    scope |= {f"var.{name}": value for name, value in variables.items()}
    for body in (body for kind, _, body in blocks if kind == "locals"):
        for name, expression_text in re.findall(ATTRIBUTE.format(r"([\w-]+)"), body):
            if value := _evaluate_or_empty(expression_text, scope):
                scope[f"local.{name}"] = value
    return scope


def _evaluate_or_empty(expression_text: str, scope: Mapping[str, str]) -> str:
    try:
        return terraform_expr.evaluate(expression_text, scope) if expression_text else ""
    except terraform_expr.UnsupportedExpressionError:
        return ""
