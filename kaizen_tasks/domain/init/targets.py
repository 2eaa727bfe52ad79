"""Chooses the account and region of `[aws]`, and finds the environments that are somewhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Mention


@frozen(kw_only=True)
class Home:
    """The account and region of `[aws]`, where ledger and locks are.

    Attributes:
        account: twelve digits, or empty when no source shows it.
        account_source: where the account was found, or empty.
        region: the region, or empty when no source shows it.
        region_source: where the region was found, or empty.
    """

    account: str = ""
    account_source: str = ""
    region: str = ""
    region_source: str = ""


def choose_home(environment_facts: Sequence[EnvironmentFact], facts: Facts, *, account: str, region: str) -> Home:
    """Return the only account and the usual region; where environments differ in them, those of the first one.

    Args:
        environment_facts: the environments, in the order in which a release reaches them.
        facts: all facts.
        account: the account that a person named, or empty.
        region: the region that a person named, or empty.
    """
    account_choice = _choose("account", account, facts.account, environment_facts)
    region_choice = _choose("region", region, facts.region, environment_facts)
    return Home(
        account=account_choice.value,
        account_source="" if account else account_choice.source,
        region=region_choice.value,
        region_source=region_choice.source,
    )


def _choose(key: str, answer: str, mention: Mention | None, environment_facts: Sequence[EnvironmentFact]) -> Mention:
    """Return the value of `[aws]` for a key, and where it was found."""
    known = [fact for fact in environment_facts if getattr(fact, key)]
    has_several = len({getattr(fact, key) for fact in known}) > 1
    if known and (has_several or mention is None):
        mention = Mention(value=getattr(known[0], key), source=known[0].source_of(key))
    if answer:
        return Mention(value=answer, source=mention.source if mention and mention.value == answer else "")
    return mention or Mention(value="", source="")


def outside(fact: EnvironmentFact, home: Home) -> EnvironmentFact:
    """Return an environment's fact with those of account, region and role that differ from `[aws]`.

    An account of its own needs a role, without which no credentials would be those of the account.
    """
    account = fact.account if fact.account != home.account else ""
    role = fact.role if account and f":{account}:" in fact.role else ""
    return evolve(fact, account=account, region=fact.region if fact.region != home.region else "", role=role)


def accounts_without_role(environment_facts: Sequence[EnvironmentFact]) -> Mapping[str, str]:
    """Return the account of every environment that has one of its own, and no role, by environment."""
    return {fact.environment: fact.account for fact in environment_facts if fact.account and not fact.role}
