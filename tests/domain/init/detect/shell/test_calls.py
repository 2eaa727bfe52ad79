"""The environments with which a script or a Makefile is called."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.app_folder import AppFolder
from kaizen_tasks.domain.init.detect.shell import calls as script_calls

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


def found(text: str, callers: dict[str, str] | None = None, path: str = "Makefile") -> dict[str, tuple[str, str, str]]:
    """Return repository, service and cluster by environment."""
    facts = script_calls.facts_from_script(path, text, {path: text, **(callers or {})})
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


@pytest.mark.parametrize(
    ("use", "callers"),
    [
        ("release: deploy-staging deploy-prod\n", {}),
        (".PHONY: deploy-staging deploy-prod\n", {}),
        ("", {"cd.yml": "- run: make deploy-staging\n- run: make deploy-prod\n"}),
    ],
)
@pytest.mark.parametrize("rule", ["deploy-%: ENV = $*\ndeploy-%: deploy\n", "deploy-%:\n\t$(MAKE) deploy ENV=$*\n"])
def test_what_takes_the_place_of_a_wildcard_is_an_environment(rule: str, use: str, callers: dict[str, str]) -> None:
    text = MAKEFILE.removeprefix("ENV ?= staging\n")

    assert found(text + rule + use, callers) == BOTH
    assert found(text.replace("deploy:", "deploy-%:").replace("$(ENV)", "$*") + use, callers) == BOTH


SCRIPT = """\
ENV=${1:-staging}
docker push 999988887777.dkr.ecr.eu-west-1.amazonaws.com/$ENV-shop:latest
aws ecs update-service --cluster $ENV --service shop-$ENV
"""


@pytest.mark.parametrize(
    "call",
    ["- run: ./scripts/deploy.sh prod\n", "bash scripts/deploy.sh 'prod' --wait\n", '"deploy": "deploy.sh prod"\n'],
)
def test_the_argument_that_a_script_is_given_is_an_environment(call: str) -> None:
    assert found(SCRIPT, {"cd.yml": call}, "scripts/deploy.sh") == BOTH
    assert [*found(SCRIPT.replace(":-staging", ""), {"cd.yml": call}, "scripts/deploy.sh")] == ["prod"]


def test_the_call_of_another_apps_script_is_not_counted() -> None:
    """Both scripts have the same name."""
    callers = {"../cd.yml": "- run: api/deploy.sh dev\n- run: ./web/deploy.sh prod\n"}
    facts = script_calls.facts_from_script("deploy.sh", SCRIPT, callers, AppFolder(path="apps/web"))

    assert {fact.environment for each in facts for fact in each.environment_facts} == {"staging", "prod"}


@pytest.mark.parametrize(
    "call",
    ["", "- run: ./deploy.sh $ENV\n", "./deploy.sh --help\n", "cp deploy.sh bin/deploy\n", "# ./deploy.sh prod\n"],
)
def test_a_script_that_no_environment_is_given_keeps_its_templates(call: str) -> None:
    assert found(SCRIPT, {"cd.yml": call}, "deploy.sh") == {"": ("{env}-shop", "shop-{env}", "{env}")}
