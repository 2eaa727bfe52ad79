"""The account and region of `[aws]`, and environments that are somewhere else."""

from __future__ import annotations

from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Mention
from kaizen_tasks.domain.init.targets import Home, choose_home, outside

STAGING, PROD = "432143214321", "567856785678"


def fact(environment: str, **values: str) -> EnvironmentFact:
    return EnvironmentFact(environment=environment, source=f"{environment}.tf:1", **values)  # type: ignore[arg-type]


def home(*facts: EnvironmentFact, account: str = "", region: str = "", mentioned: str = "") -> Home:
    mentions = (Mention(value=mentioned, source="deploy.sh:1"),) if mentioned else ()
    return choose_home(facts, Facts(accounts=mentions), account=account, region=region)


def test_of_several_accounts_the_first_environments_is_home() -> None:
    found = home(fact("staging", account=STAGING, region="eu-west-1"), fact("prod", account=PROD, region="eu-north-1"))
    assert (found.account, found.account_source, found.region) == (STAGING, "staging.tf:1", "eu-west-1")


def test_the_only_account_that_is_mentioned_is_home() -> None:
    assert home(fact("prod"), mentioned=PROD) == Home(account=PROD, account_source="deploy.sh:1")
    assert home(fact("prod", account=PROD)).account == PROD
    assert home(fact("prod")) == Home()


def test_an_answer_precedes_what_was_found() -> None:
    found = home(fact("prod", account=PROD, region="eu-west-1"), account=STAGING, region="eu-north-1")
    assert (found.account, found.account_source, found.region, found.region_source) == (STAGING, "", "eu-north-1", "")


def test_only_what_differs_from_home_is_kept() -> None:
    at = Home(account=STAGING, region="eu-west-1")
    role = f"arn:aws:iam::{PROD}:role/deploy"
    inside = outside(fact("staging", account=STAGING, region="eu-west-1", role="arn:aws:iam::1:role/x"), at)
    assert (inside.account, inside.region, inside.role) == ("", "", "")
    away = outside(fact("prod", account=PROD, region="eu-north-1", role=role), at)
    assert (away.account, away.region, away.role) == (PROD, "eu-north-1", role)
    assert outside(fact("prod", account=PROD, role="arn:aws:iam::432143214321:role/x"), at).role == ""
