"""The platform of an app, where several sources show some, one or none."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init import platforms
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Mention, Trust
from kaizen_tasks.domain.init.platforms import choose_platform, is_platform_guessed, keep_deployed

UNKNOWN = EnvironmentFact(environment="prod", source="")


def mention(value: str, trust: Trust = Trust.SCRIPT) -> Mention:
    return Mention(value=value, source=f"{value}:1", trust=trust)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Runs on AWS App Runner.", ["apprunner"]),
        ("We use ECS on Fargate.", ["ecs"]),
        ("Deployed with ECS Express Mode on Fargate.", ["ecs-express"]),
        ("Moved from App Runner to ECS.", []),
        ("Records are kept; a necklace.", []),
    ],
)
def test_documents_name_a_platform_if_only_one(text: str, found: list[str]) -> None:
    assert [each.value for each in platforms.mentions_in_documents({"README.md": f"# Shop\n{text}\n"})] == found


def test_what_pushes_latest_and_deploys_nothing_is_for_app_runner() -> None:
    """It is the only one that deploys what is pushed."""
    script = 'REPO="1.dkr.ecr.eu-west-1.amazonaws.com/shop"\ndocker push "$REPO:latest"\n'
    assert [str(each) for each in platforms.mentions_of_pushes({"deploy.sh": script})] == ["apprunner (deploy.sh:2)"]
    assert not [*platforms.mentions_of_pushes({"deploy.sh": script.replace(":latest", ":$VERSION")})]
    assert not [*platforms.mentions_of_pushes({"deploy.sh": "docker push hub.example/shop:latest"})]


def test_without_any_source_the_platform_that_aws_recommends_is_a_guess() -> None:
    assert choose_platform(UNKNOWN, Facts(), "") == "ecs-express"
    assert is_platform_guessed(Facts(), "")
    assert not is_platform_guessed(Facts(), "ecs")


def test_of_two_platforms_that_are_deployed_to_alike_the_recommended_one_is_a_guess() -> None:
    facts = Facts(platforms=(mention("ecs"), mention("ecs"), mention("ecs-express")))
    assert choose_platform(UNKNOWN, facts, "") == "ecs-express"
    assert is_platform_guessed(facts, "")


def test_the_most_trustworthy_platform_is_none() -> None:
    facts = Facts(platforms=(mention("ecs", Trust.WORKFLOW), mention("apprunner", Trust.MANIFEST), mention("Fly.io")))
    assert choose_platform(UNKNOWN, facts, "") == "ecs"
    assert not is_platform_guessed(facts, "")
    assert facts.foreign_platform is None


def test_an_environment_may_be_on_another_platform_than_the_rest() -> None:
    fact = EnvironmentFact(environment="prod", platform="apprunner", source="a")
    assert choose_platform(fact, Facts(platforms=(mention("ecs"),)), "") == "apprunner"
    assert choose_platform(fact, Facts(), "ecs") == "ecs"


def test_services_of_a_platform_that_nothing_deploys_to_are_not_used() -> None:
    left = EnvironmentFact(
        environment="", platform="apprunner", service="shop-old", repository="shop", source="w.yml:3"
    )
    facts = Facts(environment_facts=(left,), platforms=(mention("ecs"),))

    found = keep_deployed(facts, "")

    (fact,) = found.environment_facts
    assert (fact.platform, fact.service, fact.repository) == ("", "", "shop")
    assert [str(each) for each in found.ignored] == ["service shop-old (w.yml:3): nothing deploys to App Runner"]
    assert [each.reason for each in keep_deployed(facts, "ecs-express").ignored] == ["ecs-express is asked for"]
    assert keep_deployed(Facts(environment_facts=(left,)), "").environment_facts == (left,)
