"""The accounts of a command: checked before anything is read, and named in the plan where they differ."""

from __future__ import annotations

import pytest

from kaizen_tasks.errors import Denied, Refused
from kaizen_tasks.flows import setup
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.doctor import run_checks
from kaizen_tasks.flows.execution import announce
from kaizen_tasks.flows.views.status import collect_status
from tests.fakes.tools import FakeIdentity, FakeTools, settings

ABROAD = {"account": "210987654321", "region": "eu-central-1", "role": "arn:aws:iam::210987654321:role/release"}
CHECKS = ("permissions", "blob mounting", "region", "ledger")
ENVIRONMENTS = {"staging": {}, "prod": ABROAD, "mark": ABROAD}


@pytest.fixture
def tools() -> FakeTools:
    """Tools whose `prod` and `mark` are in another account."""
    tools = FakeTools(settings=settings(environments=ENVIRONMENTS, pipeline=["staging", "prod"], groups={}))
    abroad = FakeTools(settings=tools.settings, identity=FakeIdentity("210987654321"))
    tools.elsewhere |= {"prod": abroad, "mark": abroad}
    return tools


def test_plan_names_account_and_region_where_they_differ(tools: FakeTools) -> None:
    announce("promote v1.2.3 to prod, mark", tools, tools.settings.environments.values())

    assert tools.reporter.lines == [
        "web: promote v1.2.3 to prod, mark   (account 123456789012, eu-west-1)",
        "  prod, mark: account 210987654321, eu-central-1",
    ]


def test_plan_of_one_account_is_one_line(tools: FakeTools) -> None:
    announce("release to staging", tools, [tools.settings.environments["staging"]])

    assert tools.reporter.lines == ["web: release to staging   (account 123456789012, eu-west-1)"]


def test_credentials_of_every_account_are_required(tools: FakeTools) -> None:
    environments = tools.settings.environments
    tools.elsewhere["prod"].identity.failure = Denied("no")

    require_accounts([environments["staging"]], tools)
    with pytest.raises(Denied):
        require_accounts(environments.values(), tools)


def test_status_shows_the_others_when_an_account_cannot_be_reached(tools: FakeTools) -> None:
    tools.elsewhere["prod"].identity.failure = Denied("ada may not assume the role")

    staging, *others = collect_status(tuple(tools.settings.environments.values()), tools)

    assert (staging.errors, staging.url) == ((), "https://staging.example")
    assert [row.errors for row in others] == [("ada may not assume the role",)] * 2


def test_doctor_looks_at_each_account(tools: FakeTools) -> None:
    findings = run_checks(tools)

    (account,) = [finding for finding in findings if finding.subject.check == "account"]
    assert (account.subject.environment, account.verdict) == ("prod", "ok")
    assert "(eu-central-1), as arn:aws:iam::" in account.message
    by_check = {
        check: [each.subject.environment for each in findings if each.subject.check == check] for check in CHECKS
    }
    assert by_check == {"permissions": ["", "prod"], "blob mounting": ["", "prod"], "region": ["", ""], "ledger": [""]}


def test_doctor_says_once_that_an_account_cannot_be_reached(tools: FakeTools) -> None:
    error = Denied("ada may not assume the role", hint="inv setup --print-iam --env prod")
    tools.elsewhere["prod"].identity.failure = error
    tools.elsewhere["prod"].account.failures["caller"] = error

    findings = run_checks(tools)

    told = [finding for finding in findings if "may not assume" in finding.message]
    assert [(each.subject.check, each.subject.environment, each.fix) for each in told] == [
        ("account", "prod", "inv setup --print-iam --env prod")
    ]
    assert {each.subject.check for each in findings if each.subject.environment == "staging"} > {
        "service",
        "repository",
    }


def test_setup_prepares_each_account(tools: FakeTools) -> None:
    for each in (tools, tools.elsewhere["prod"]):
        each.account.is_mounting_blobs = False

    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert tools.account.is_mounting_blobs
    assert tools.elsewhere["prod"].account.is_mounting_blobs
    labels = tools.reporter.labels_with("acted")
    assert [label for label in labels if label.startswith("blob")] == ["blob mounting staging", "blob mounting prod"]


def test_setup_creates_the_first_repository_of_an_account(tools: FakeTools) -> None:
    """There is none in the account that it could be like."""
    abroad = tools.elsewhere["prod"].account
    del tools.elsewhere["mark"], abroad.rules["prod-web-app"]
    tools.settings = settings(environments={"staging": {}, "prod": ABROAD}, pipeline=["staging", "prod"], groups={})

    flow = setup.setup_flow([*tools.settings.environments.values()])
    (pending,) = [text for _, text in setup.pending_steps(flow, tools)]
    setup.run_setup(flow, tools)

    place = "210987654321 (eu-central-1)"
    assert pending == f"create the repository prod-web-app in {place}, its tags immutable except latest"
    assert str(abroad.rules["prod-web-app"]) == "immutable except latest"
    assert setup.pending_steps(flow, tools) == ()


def test_missing_repository_beside_others_is_created_on_request(tools: FakeTools) -> None:
    del tools.elsewhere["prod"].account.rules["prod-web-app"]

    with pytest.raises(Refused) as caught:
        setup.pending_steps(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert "inv setup --env prod --create --like mark" in caught.value.hint
