"""Gives facts without an environment one: a source that serves a single service does not say what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Ignored
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER, contains_word
from kaizen_tasks.domain.init.pipeline import STAGE_NAMES_BY_RANK, stage_rank
from kaizen_tasks.domain.platform import DEFAULT_PLATFORM, PLATFORMS

REPOSITORY_NAME = re.compile(r"(?=.{1,256}$)[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
"""What repositories of ECR can be called."""

SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""What services can be called where the platform is not said."""

SINGLE_ENVIRONMENT = "prod"
"""What an environment is called whose name no source shows: there is one service, and it has users."""


@frozen(kw_only=True)
class NamedFacts:
    """Facts of which each has an environment.

    Attributes:
        facts: the facts.
        guessed: environments whose names are guesses.
    """

    facts: Facts
    guessed: tuple[str, ...] = ()


def name_environments(facts: Facts, wanted: Sequence[str], words: Sequence[str]) -> NamedFacts:
    """Return facts with the environment of each.

    Args:
        facts: facts of all sources, the most trustworthy first.
        wanted: environments that a person has named; empty for those of the sources.
        words: names of the app and its folders, by which its service is told from those of its neighbours.
    """
    platform = facts.platform.value if facts.platform else ""
    valid_facts, invalid = _split_invalid(facts.environment_facts, platform)
    environment_facts = _with_one_name(_by_words(valid_facts, words))
    named = [fact for fact in environment_facts if fact.environment]
    unnamed = [fact for fact in environment_facts if not fact.environment]
    stages = {stage for fact in unnamed if (stage := _stage_word(fact))}
    known = _known(wanted, named)
    guessed: tuple[str, ...] = ()
    if stages and (len(stages) > 1 or stages & {*known} or known):
        named += [evolve(fact, environment=_stage_word(fact)) for fact in unnamed if _stage_word(fact)]
        named = _with_one_name(named)
        unnamed = [fact for fact in unnamed if not _stage_word(fact)]
        known = _known(wanted, named)
    elif not known and any(_is_literal(fact) for fact in unnamed):
        guessed = known = (next(iter(stages), SINGLE_ENVIRONMENT),)
    services, others = _one_service(unnamed, words)
    spread, ignored = _spread(services, named, known)
    result = sorted((*named, *spread), key=lambda fact: -fact.trust)
    return NamedFacts(
        facts=evolve(
            facts,
            environment_facts=tuple(_with_one_name(result)),
            ignored=(*facts.ignored, *invalid, *others, *ignored),
        ),
        guessed=guessed,
    )


def _known(wanted: Sequence[str], named: Iterable[EnvironmentFact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*wanted, *(fact.environment for fact in named if fact.shows_service))))


def _split_invalid(facts: Iterable[EnvironmentFact], platform: str) -> tuple[list[EnvironmentFact], list[Ignored]]:
    """Return facts without the names that no resource can have, and those names.

    Args:
        facts: facts of which some show their platform.
        platform: the platform of the others, or empty.
    """
    valid, invalid = [], []
    for fact in facts:
        kind = PLATFORMS[fact.platform or platform or DEFAULT_PLATFORM]
        service_name = kind.service_name if kind.has_cluster else SERVICE_NAME
        wrong = {}
        if fact.repository and not REPOSITORY_NAME.fullmatch(fact.repository.replace(ENV_PLACEHOLDER, "env")):
            wrong["repository"] = "no repository of ECR can have this name"
        if fact.service and not re.fullmatch(service_name, fact.service.replace(ENV_PLACEHOLDER, "env")):
            wrong["service"] = f"no service of {kind.title} can have this name"
        for key, reason in wrong.items():
            invalid.append(Ignored(what=f"{key} {getattr(fact, key)}", source=fact.source_of(key), reason=reason))
        values = {key: getattr(fact, key) for key in fact.known_keys if key not in wrong}
        if values:
            name = re.sub(r"[^A-Za-z0-9_-]+", "-", fact.environment).strip("-_")
            rest = EnvironmentFact.of(values, environment=name, source=fact.source, trust=fact.trust)
            valid.append(evolve(rest, sources=fact.sources))
    return valid, invalid


def _by_words(facts: Iterable[EnvironmentFact], words: Sequence[str]) -> list[EnvironmentFact]:
    """Return facts in their order of trust; among equals, those that bear one of some words come first."""
    return sorted(facts, key=lambda fact: (-fact.trust, not _bears(fact, words)))


def _bears(fact: EnvironmentFact, words: Sequence[str]) -> bool:
    return any(contains_word(f"{fact.service} {fact.repository}".replace("_", "-"), word) for word in words if word)


def _stage_word(fact: EnvironmentFact) -> str:
    """Return the conventional name of an environment in the name of a service, or else of a repository, or empty."""
    name = fact.service or fact.repository
    return next((word.lower() for word in re.split(r"[-_./]", name) if stage_rank(word) is not None), "")


def _same_stage(stage: str, known: Sequence[str]) -> str:
    return next((name for name in known if any({stage, name.lower()} <= names for names in STAGE_NAMES_BY_RANK)), "")


def _with_one_name(facts: Sequence[EnvironmentFact]) -> list[EnvironmentFact]:
    """Return facts in which a stage has one name, where two sources call it `prod` and `production`.

    The name with which services are created wins.
    """
    names = list(dict.fromkeys(fact.environment for fact in facts if fact.environment and fact.service))
    names += [fact.environment for fact in facts if fact.environment and fact.environment not in names]
    chosen: dict[str, str] = {}
    for name in names:
        chosen[name] = _same_stage(name.lower(), tuple(chosen)) or name
    return [evolve(fact, environment=chosen.get(fact.environment, "")) for fact in facts]


def _is_literal(fact: EnvironmentFact) -> bool:
    names = f"{fact.service}{fact.repository}{fact.cluster}"
    return bool(fact.service or fact.repository) and ENV_PLACEHOLDER not in names


def _one_service(facts: Sequence[EnvironmentFact], words: Sequence[str]) -> tuple[list[EnvironmentFact], list[Ignored]]:
    """Return the facts of the app's service, and the other services of the repository, which are other apps."""
    services = list(dict.fromkeys(fact.service for fact in facts if fact.service and _is_literal(fact)))
    if len(services) < 2:
        return list(facts), []
    chosen = next((name for name in services if any(contains_word(name, word) for word in words if word)), services[0])
    kept = [fact for fact in facts if fact.service in {"", chosen}]
    sources = {name: next(fact for fact in facts if fact.service == name).source_of("service") for name in services}
    reason = f"another service of this repository; this configuration is for {chosen}"
    return kept, [
        Ignored(what=f"service {name}", source=sources[name], reason=reason) for name in services if name != chosen
    ]


def _spread(
    unnamed: Sequence[EnvironmentFact], named: Sequence[EnvironmentFact], known: Sequence[str]
) -> tuple[list[EnvironmentFact], list[Ignored]]:
    """Return unnamed facts with the environments they are of: repositories of all, the service of the only one."""
    spread, ignored = [], []
    for fact in unnamed:
        is_pattern = not _is_literal(fact)
        values = {key: getattr(fact, key) for key in fact.known_keys}
        if len(known) > 1 and not is_pattern and "service" in values:
            service = values.pop("service")
            if all(other.service != service for other in named):
                reason = f"which of {', '.join(known)} it belongs to is not said"
                ignored.append(Ignored(what=f"service {service}", source=fact.source_of("service"), reason=reason))
            for key in ("url", "follow", "cluster", "container"):
                values.pop(key, None)
        if values:
            spread += [_of_environment(fact, values, name) for name in known]
    return spread, ignored


def _of_environment(fact: EnvironmentFact, values: Mapping[str, str], name: str) -> EnvironmentFact:
    filled = {key: value.replace(ENV_PLACEHOLDER, name) for key, value in values.items()}
    return evolve(
        EnvironmentFact.of(filled, environment=name, source=fact.source, trust=fact.trust), sources=fact.sources
    )
