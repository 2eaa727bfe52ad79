"""The environments that Terraform makes: repositories, services and domains, by the variables of each environment."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init.detect import terraform_expr
from kaizen_tasks.domain.init.evidence import Sighting, Traces, accounts, regions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BLOCK = re.compile(r'(?m)^(resource|variable|locals)\s*(?:"([\w-]+)"\s*)?(?:"([\w-]+)"\s*)?\{')
ATTRIBUTE = r"(?m)^[ \t]*{}[ \t]*=[ \t]*(.+(?:\n[ \t]*[?:].*)*)"
ASSIGNMENT = re.compile(r'(?m)^[ \t]*([\w-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*")')
NAMED = {
    "repository": ("aws_ecr_repository", "name"),
    "service": ("aws_apprunner_service", "service_name"),
    "url": ("aws_apprunner_custom_domain_association", "domain_name"),
}
"""What names each key: a type of resource, and its attribute."""

REPOSITORY = 'resource "aws_ecr_repository"'

NAMING = ("env", "environment", "stage", "workspace")
"""Variables that hold the environment's name."""

SHARED = ("terraform", "common", "default", "defaults", "vars", "variables")
"""Names of files that say nothing about whose variables they hold."""

Variables = dict[str, str]


def read(files: Mapping[str, str], known: Sequence[str]) -> Traces:
    """Return the environments of every module that there is.

    Args:
        files: `.tf` and `.tfvars`, by path.
        known: names of environments from elsewhere, for a module whose variables name none.
    """
    modules = sorted({str(PurePosixPath(path).parent) for path in files if path.endswith(".tf")}, key=len, reverse=True)
    sightings: list[Sighting] = []
    for module in modules:
        code = "\n".join(text for path, text in files.items() if path.endswith(".tf") and _folder(path) == module)
        variables = {path: text for path, text in files.items() if _module_of(path, modules) == module}
        where = next((path for path, text in files.items() if _folder(path) == module and REPOSITORY in text), module)
        sightings += _sightings(code, _by_environment(variables, known), where)
    every = "\n".join(files.values())
    return Traces(sightings=tuple(sightings), regions=regions(every), accounts=accounts(every))


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _module_of(path: str, modules: Sequence[str]) -> str:
    """Return the nearest module above a file of variables."""
    if not path.endswith(".tfvars"):
        return ""
    above = {str(folder) for folder in PurePosixPath(path).parents}
    return next((module for module in modules if module in above), "")


def _by_environment(files: Mapping[str, str], known: Sequence[str]) -> Mapping[str, Variables]:
    shared: Variables = {}
    own: dict[str, Variables] = {}
    for path, text in sorted(files.items()):
        said = {name: _unquoted(value) for name, value in ASSIGNMENT.findall(text)}
        name = _environment(path, said)
        own.setdefault(name, {}).update(said) if name else shared.update(said)
    names = tuple(own) or tuple(known)
    return {name: {**shared, **own.get(name, {})} for name in names}


def _environment(path: str, said: Variables) -> str:
    """Return whose variables a file holds: it says so itself, or its name or folder does."""
    place = PurePosixPath(path)
    stem = place.name.split(".")[0]
    named = next((said[name] for name in NAMING if name in said), "")
    return named or next((each for each in (stem, *place.parts[-2:-1]) if stem and each not in (*SHARED, "infra")), "")


def _sightings(code: str, environments: Mapping[str, Variables], where: str) -> Iterator[Sighting]:
    blocks = tuple(_blocks(code))
    named = {key: _expression(blocks, *place) for key, place in NAMED.items()}
    for environment, variables in environments.items():
        scope = _scope(blocks, environment, variables)
        found = {key: _value(written, scope) for key, written in named.items()}
        if found["url"]:
            found["url"] = f"https://{found['url']}"
        if any(found.values()):
            yield Sighting(environment=environment, where=where, **found)


def _blocks(code: str) -> Iterator[tuple[str, str, str]]:
    """Yield every block: what it is, its first label, its body."""
    for found in BLOCK.finditer(code):
        end = code.find("\n}", found.end())
        yield found[1], found[2] or "", code[found.end() : end if end >= 0 else None]


def _expression(blocks: Sequence[tuple[str, str, str]], resource: str, attribute: str) -> str:
    for kind, label, body in blocks:
        if (kind, label) == ("resource", resource):
            return _attribute(body, attribute)
    return ""


def _attribute(body: str, name: str) -> str:
    found = re.search(ATTRIBUTE.format(name), body)
    return found[1].strip() if found else ""


def _scope(blocks: Sequence[tuple[str, str, str]], environment: str, variables: Variables) -> Variables:
    """Return what references stand for in one environment; a workspace has its environment's name."""
    scope = {"terraform.workspace": environment}
    for kind, label, body in blocks:
        if kind == "variable" and (default := _value(_attribute(body, "default"), scope)):
            scope[f"var.{label}"] = default
    scope |= {f"var.{name}": environment for name in NAMING if f"var.{name}" not in scope}
    scope |= {f"var.{name}": value for name, value in variables.items()}
    for body in (body for kind, _, body in blocks if kind == "locals"):
        for name, written in re.findall(ATTRIBUTE.format(r"([\w-]+)"), body):
            if value := _value(written, scope):
                scope[f"local.{name}"] = value
    return scope


def _value(written: str, scope: Mapping[str, str]) -> str:
    try:
        return terraform_expr.evaluate(written, scope) if written else ""
    except terraform_expr.Unknown:
        return ""


def _unquoted(text: str) -> str:
    return text[1:-1]
