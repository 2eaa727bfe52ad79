"""Finds the account, region and role with which Terraform works in each environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect.terraform.expressions import UnsupportedExpressionError, evaluate
from kaizen_tasks.domain.init.detect.terraform.services import text_of
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Mention, Trust

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.detect.terraform.hcl import Block, Expression
    from kaizen_tasks.domain.init.detect.terraform.modules import ModuleScope

ACCOUNT_VARIABLES = ("account_id", "aws_account_id", "account")
ACCOUNT_NUMBER = re.compile(r"\d{12}")
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+")


def find_regions(scope: ModuleScope) -> Iterator[Mention]:
    """Yield the region of the provider, else that of a variable."""
    for block in scope.module.blocks:
        expression = block.attributes.get("region")
        if block.kind == "provider" and block.labels == ("aws",) and "alias" not in block.attributes:
            region = text_of(expression, scope)
            if expression and evidence.REGION_NAME.fullmatch(region):
                yield Mention(value=region, source=expression.source)
                return
    for name in ("region", "aws_region"):
        expression = scope.module.variables.get(name)
        region = text_of(expression, scope)
        if expression and evidence.REGION_NAME.fullmatch(region):
            yield Mention(value=region, source=expression.source)
            return


def find_target(scope: ModuleScope) -> EnvironmentFact | None:
    """Return the account, region and role with which the provider of an environment works, or None."""
    provider = scope.module.default_provider("aws")
    assumed = provider.find("assume_role") if provider else None
    role_place = assumed.attributes.get("role_arn") if assumed else None
    role = ROLE_ARN.fullmatch(text_of(role_place, scope))
    region = next(find_regions(scope), None)
    found = {"region": (region.value, region.source)} if region else {}
    if role and role_place:
        found |= {"role": (role[0], role_place.source), "account": (role[1], role_place.source)}
    elif account := _account(provider, scope):
        found["account"] = account
    if not found:
        return None
    values, sources = ({key: pair[index] for key, pair in found.items()} for index in (0, 1))
    source = next(iter(sources.values()))
    fact = EnvironmentFact.of(values, environment=scope.environment, source=source, trust=Trust.TERRAFORM)
    return evolve(fact, sources={key: (place, Trust.TERRAFORM) for key, place in sources.items()})


def _account(provider: Block | None, scope: ModuleScope) -> tuple[str, str] | None:
    """Return the account that a provider is allowed, or that a variable names, with its place."""
    allowed = provider.attributes.get("allowed_account_ids") if provider else None
    if allowed and (number := _first_text(allowed, scope)):
        return number, allowed.source
    for name in ACCOUNT_VARIABLES:
        variable = scope.module.find("variable", name)
        try:
            value, _ = scope.resolve(("var", name))
        except UnsupportedExpressionError:
            continue
        if variable and ACCOUNT_NUMBER.fullmatch(str(value)):
            return str(value), variable.source
    return None


def _first_text(expression: Expression, scope: ModuleScope) -> str:
    try:
        values = evaluate(expression.node, scope)
    except UnsupportedExpressionError:
        return ""
    return str(values[0]) if values and ACCOUNT_NUMBER.fullmatch(str(values[0])) else ""


def add_targets(
    environment_facts: Iterable[EnvironmentFact], targets: Mapping[str, EnvironmentFact]
) -> Iterator[EnvironmentFact]:
    """Yield facts with the account, region and role of their environments, and those of environments without facts."""
    unused = dict(targets)
    for fact in environment_facts:
        target = targets.get(fact.environment)
        unused.pop(fact.environment, None)
        values = {key: getattr(target, key) for key in target.known_keys} if target else {}
        yield evolve(fact, sources={**fact.sources, **target.sources}, **values) if target else fact
    yield from unused.values()
