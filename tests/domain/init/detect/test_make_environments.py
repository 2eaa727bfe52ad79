"""The environments of a Makefile whose variable others set."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect import make_environments

MAKEFILE = """\
ENV ?= staging
deploy: push
\taws ecs update-service --cluster $(ENV) --service shop-$(ENV)
push:
\tdocker push 999988887777.dkr.ecr.eu-west-1.amazonaws.com/$(ENV)-shop:latest
up:
\tdocker compose up
"""
WORKFLOW = "jobs:\n  a:\n    steps:\n      - run: make deploy ENV=prod\n"


def found(text: str, callers: dict[str, str] | None = None) -> dict[str, tuple[str, str, str]]:
    """Return repository, service and cluster by environment."""
    facts = make_environments.facts_from_script("Makefile", text, {"Makefile": text, **(callers or {})})
    names: dict[str, tuple[str, str, str]] = {}
    for fact in (each for facts_of_one in facts for each in facts_of_one.environment_facts):
        before = names.get(fact.environment, ("", "", ""))
        now = (fact.repository, fact.service, fact.cluster)
        names[fact.environment] = tuple(a or b for a, b in zip(before, now, strict=True))  # type: ignore[assignment]
    return names


BOTH = {name: (f"{name}-shop", f"shop-{name}", name) for name in ("staging", "prod")}


@pytest.mark.parametrize(
    "rule",
    [
        "deploy-prod:\n\t$(MAKE) deploy ENV=prod\n",
        "deploy-prod:\n\t@${MAKE} --no-print-directory ENV='prod' deploy\n",
        "deploy-prod:\n\tENV=prod make deploy\n",
        "deploy-prod: ; $(MAKE) deploy ENV=prod\n",
        "deploy-prod: ENV = prod\ndeploy-prod: deploy\n",
        "deploy-prod: export ENV := prod\ndeploy-prod: deploy\n",
        "prod:\n\t$(MAKE) all \\\n\t  ENV=prod\nall: deploy\n",
    ],
)
def test_the_value_that_another_target_gives_is_an_environment(rule: str) -> None:
    assert found(MAKEFILE + rule) == BOTH


@pytest.mark.parametrize("path", [".github/workflows/cd.yml", "scripts/release.sh", "package.json", ".gitlab-ci.yml"])
def test_the_value_that_a_script_or_workflow_gives_is_an_environment(path: str) -> None:
    assert found(MAKEFILE, {path: WORKFLOW}) == BOTH
    assert [*found(MAKEFILE.removeprefix("ENV ?= staging\n"), {path: WORKFLOW})] == ["prod"]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "check:\n\t$(MAKE) up ENV=test\n",
        "prod:\n\t$(MAKE) deploy ENV=$(word 2,$(MAKECMDGOALS))\n",
        "prod:\n\t$(MAKE) deploy ENVIRONMENT=prod\n",
        "# $(MAKE) deploy ENV=prod\n",
    ],
)
def test_other_values_are_no_environments(rule: str) -> None:
    assert found(MAKEFILE + rule) == {"": BOTH["staging"]}


def test_a_local_environment_is_not_released_to() -> None:
    text = MAKEFILE.replace("staging", "local") + "prod:\n\t$(MAKE) deploy ENV=prod\n"

    assert [*found(text)] == ["prod"]
