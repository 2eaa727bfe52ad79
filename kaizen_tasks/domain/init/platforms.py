"""Chooses the platform that an app runs on, where files and account show several, one or none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attrs import evolve

from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    ECS,
    ECS_EXPRESS,
    SUPPORTED_PLATFORMS,
    EnvironmentFact,
    Facts,
    Ignored,
    Mention,
    Trust,
)
from kaizen_tasks.domain.platform import PLATFORMS

RECOMMENDED_PLATFORM = ECS_EXPRESS
"""What AWS recommends to whom App Runner is closed:
https://docs.aws.amazon.com/apprunner/latest/dg/apprunner-availability-change.html"""

PLATFORM_QUESTION = (
    "the platform: ecs-express (AWS recommends it for a new service), ecs (a service of your own on Fargate), or "
    "apprunner (for accounts that have it: it takes no new customers)"
)
WORDS: Mapping[str, re.Pattern[str]] = {
    APP_RUNNER: re.compile(r"\bapp[- ]?runner\b", re.IGNORECASE),
    ECS_EXPRESS: re.compile(r"\becs[- ]express\b|\bexpress[- ]?(?:mode|gateway)", re.IGNORECASE),
    ECS: re.compile(r"\bECS\b|\bFargate\b"),
}
"""The words by which documents name a platform."""

PUSHED_TAG = re.compile(r"\bpush\b[^\n]*:latest\b")
REGISTRY_WORD = re.compile(r"\.dkr\.ecr\.|\baws ecr\b|amazon-ecr-login|\bECR_")
SERVICE_KEYS = ("platform", "service", "cluster", "container", "follow", "url")


def mentions_in_documents(texts: Mapping[str, str]) -> tuple[Mention, ...]:
    """Return the platform that documents name, if it is one; ECS is named where its Express Mode is, too.

    Args:
        texts: texts of files, by path.
    """
    found = {
        platform: Mention(value=platform, source=f"{path}:{text.count(chr(10), 0, match.start()) + 1}", trust=Trust.OLD)
        for platform, pattern in WORDS.items()
        for path, text in sorted(texts.items(), reverse=True)
        if path.endswith(".md") and (match := pattern.search(text))
    }
    if ECS_EXPRESS in found:
        found.pop(ECS, None)
    return tuple(found.values()) if len(found) == 1 else ()


def mentions_of_pushes(texts: Mapping[str, str]) -> Iterator[Mention]:
    """Yield App Runner for each file that pushes `:latest` to ECR: where nothing else deploys, it deploys by itself.

    Args:
        texts: texts of scripts and workflows, by path.
    """
    for path, text in sorted(texts.items()):
        if (match := PUSHED_TAG.search(text)) and REGISTRY_WORD.search(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Mention(value=APP_RUNNER, source=f"{path}:{line}", trust=Trust.OLD)


def keep_deployed(facts: Facts, answer: str) -> Facts:
    """Return facts without the services of platforms that nothing deploys to, or that a person did not name.

    Args:
        facts: facts of all sources.
        answer: the platform that a person named, or empty.
    """
    deployed = {answer} if answer else {each.value for each in facts.platforms} & SUPPORTED_PLATFORMS
    if not deployed:
        return facts
    kept, ignored = [], []
    for fact in facts.environment_facts:
        if fact.platform in {"", *deployed}:
            kept.append(fact)
            continue
        if fact.service:
            reason = f"{answer} is asked for" if answer else f"nothing deploys to {PLATFORMS[fact.platform].title}"
            ignored.append(Ignored(what=f"service {fact.service}", source=fact.source_of("service"), reason=reason))
        others = {key: getattr(fact, key) for key in fact.known_keys if key not in SERVICE_KEYS}
        if others and fact.trust is not Trust.ACCOUNT:
            kept.append(EnvironmentFact.of(others, environment=fact.environment, source=fact.source, trust=Trust.OLD))
    return evolve(facts, environment_facts=tuple(kept), ignored=(*facts.ignored, *ignored))


def choose_platform(fact: EnvironmentFact, facts: Facts, answer: str) -> str:
    """Return the platform of an environment; the recommended one where neither a source nor a person names any."""
    if answer or fact.platform:
        return answer or fact.platform
    usable = _usual_platforms(facts)
    return RECOMMENDED_PLATFORM if not usable or RECOMMENDED_PLATFORM in usable else next(iter(usable))


def _usual_platforms(facts: Facts) -> tuple[str, ...]:
    """Return the supported platforms that the most trustworthy sources name, the usual one first."""
    if facts.platform is None:
        return ()
    trusted = (each.value for each in facts.platforms if each.trust == facts.platform.trust)
    return tuple(dict.fromkeys((facts.platform.value, *(each for each in trusted if each in SUPPORTED_PLATFORMS))))


def is_platform_guessed(facts: Facts, answer: str) -> bool:
    """Return whether no source names a platform, or the most trustworthy ones name several and no service."""
    is_known = answer or any(fact.platform for fact in facts.environment_facts)
    return not is_known and len(_usual_platforms(facts)) != 1
