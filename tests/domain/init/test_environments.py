"""Names of environments for facts that show none."""

from __future__ import annotations

from kaizen_tasks.domain.init.environments import NamedFacts, name_environments
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Trust


def fact(
    environment: str = "", *, service: str = "", repository: str = "", trust: Trust = Trust.SCRIPT
) -> EnvironmentFact:
    return EnvironmentFact(
        environment=environment, service=service, repository=repository, source=f"{service}{repository}:1", trust=trust
    )


def named(*facts: EnvironmentFact, wanted: tuple[str, ...] = (), words: tuple[str, ...] = ()) -> NamedFacts:
    return name_environments(Facts(environment_facts=facts), wanted, words)


def values(found: NamedFacts) -> list[tuple[str, str, str]]:
    """Return environment, service and repository of each fact."""
    return [(each.environment, each.service, each.repository) for each in found.facts.environment_facts]


def test_the_only_service_is_production_as_a_guess() -> None:
    found = named(fact(service="spots-api"), fact(repository="spots"))

    assert values(found) == [("prod", "spots-api", ""), ("prod", "", "spots")]
    assert found.guessed == ("prod",)


def test_a_stage_in_the_only_name_is_a_guess_too() -> None:
    assert named(fact(service="shop-staging")).guessed == ("staging",)


def test_stages_in_several_names_are_their_environments() -> None:
    found = named(fact(service="shop-dev"), fact(service="shop-prod"), fact(repository="shop"))

    assert found.guessed == ()
    assert {*values(found)} == {
        ("dev", "shop-dev", ""),
        ("prod", "shop-prod", ""),
        ("dev", "", "shop"),
        ("prod", "", "shop"),
    }


def test_a_repository_without_environment_is_that_of_all() -> None:
    found = named(fact("staging", service="a"), fact("prod", service="b"), fact(repository="shop"))
    assert values(found)[2:] == [("staging", "", "shop"), ("prod", "", "shop")]


def test_a_service_that_can_be_of_several_environments_is_of_none() -> None:
    found = named(fact("staging", repository="a"), fact("prod", repository="b"), fact(service="shop"))

    assert [each.service for each in found.facts.environment_facts if each.service] == []
    assert [str(each) for each in found.facts.ignored] == [
        "service shop (shop:1): which of staging, prod it belongs to is not said"
    ]


def test_a_pattern_is_filled_in_for_each_environment() -> None:
    found = named(fact(repository="{env}-shop"), wanted=("staging", "prod"))
    assert values(found) == [("staging", "", "staging-shop"), ("prod", "", "prod-shop")]


def test_two_names_of_one_stage_are_one_environment() -> None:
    """The name with which the service is created counts."""
    found = named(fact("production", repository="shop", trust=Trust.WORKFLOW), fact("prod", service="shop-prod"))
    assert {name for name, *_ in values(found)} == {"prod"}


def test_of_several_services_the_one_named_after_the_app_counts() -> None:
    found = named(fact(service="shop-web"), fact(service="shop-api"), words=("api",))

    assert values(found) == [("prod", "shop-api", "")]
    assert [each.what for each in found.facts.ignored] == ["service shop-web"]


def test_names_that_no_resource_can_have_are_not_used() -> None:
    found = named(fact("prod", service="Stack-" + "A" * 40), fact("prod", repository="Shop"))

    assert values(found) == []
    assert [each.reason for each in found.facts.ignored] == [
        "no service of App Runner can have this name",
        "no repository of ECR can have this name",
    ]
