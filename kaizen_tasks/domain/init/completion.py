"""Completes environments: the patterns of their names, and a guess for what no source shows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.evidence import FACT_KEYS, EnvironmentFact
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER
from kaizen_tasks.domain.platform import PLATFORMS

UNKNOWN_URL = "https://{env}.{app}.invalid"
"""An address that no server ever has: https://www.rfc-editor.org/rfc/rfc6761#section-6.4"""

MAX_GUESS_LENGTH = 40
"""Characters of a guessed name of a service, which any platform allows."""


def drop_shared_tags(environment_facts: Sequence[EnvironmentFact]) -> list[EnvironmentFact]:
    """Return facts without the tags that services of one repository share, since each needs a tag of its own.

    On platforms that follow no tag there is none.
    """
    tags = [(fact.repository, fact.follow) for fact in environment_facts if _follows_tag(fact)]
    return [
        evolve(fact, follow="")
        if not _follows_tag(fact) or (fact.repository and tags.count((fact.repository, fact.follow)) > 1)
        else fact
        for fact in environment_facts
    ]


def _follows_tag(fact: EnvironmentFact) -> bool:
    return PLATFORMS[fact.platform].follows_tag


def guessed_names(environment_facts: Sequence[EnvironmentFact], patterns: Mapping[str, str], app: str) -> Iterator[str]:
    """Yield the keys of environments that no source shows, or only one that is out of use."""
    for fact, key in itertools.product(environment_facts, ("repository", "service", "cluster", "url")):
        kind = PLATFORMS[fact.platform]
        is_needed = {"cluster": not kind.has_address, "url": not kind.has_address}.get(key, True)
        if is_needed and (not getattr(fact, key) or fact.is_old(key)):
            yield f"{fact.environment}.{key}"
    for fact in environment_facts:
        if _complete_follow(fact, patterns, app) not in {fact.follow, naming.DEFAULT_PATTERNS["follow"]}:
            yield f"{fact.environment}.follow"


def known_values(key: str, environment_facts: Sequence[EnvironmentFact]) -> dict[str, str]:
    """Return the known values of a key, by environment."""
    return {fact.environment: getattr(fact, key) for fact in environment_facts if getattr(fact, key)}


def infer_patterns(environment_facts: Sequence[EnvironmentFact], app: str) -> dict[str, str]:
    """Return the pattern of each key; for URLs, only if all are known, since a wrong URL would be requested."""
    if len(environment_facts) == 1:
        return dict.fromkeys(FACT_KEYS, "")  # one name is no pattern
    patterns = {}
    for key in FACT_KEYS:
        values = known_values(key, environment_facts)
        pattern = naming.common_pattern(values, "" if key in {"url", "follow"} else app)
        is_usable = key not in {"url", "container"} or len(values) == len(environment_facts)
        patterns[key] = (pattern if is_usable else "") or naming.DEFAULT_PATTERNS[key]
    patterns |= _shared_values(environment_facts)
    if not any(map(_follows_tag, environment_facts)):
        return {**patterns, "follow": ""}
    tags = {*known_values("follow", environment_facts).values()}
    shares_repository = naming.shared_name(known_values("repository", environment_facts))
    if shares_repository and ENV_PLACEHOLDER not in patterns["follow"] and len(tags) < 2:
        patterns["follow"] = ENV_PLACEHOLDER  # environments that follow one tag cannot share a repository
    return patterns


def _shared_values(environment_facts: Sequence[EnvironmentFact]) -> dict[str, str]:
    """Return the values that environments have in common, and the platform of most of them.

    Services share a name only in clusters of their own; a cluster or container is that of all environments, or of none.
    """
    keys = ["repository"] if any(map(_follows_tag, environment_facts)) else ["repository", "service"]
    complete = (key for key in ("cluster", "container") if all(getattr(fact, key) for fact in environment_facts))
    shared = {key: naming.shared_name(known_values(key, environment_facts)) for key in (*keys, *complete)}
    platforms = [fact.platform for fact in environment_facts]
    usual = {"platform": max(platforms, key=platforms.count)} if platforms else {}
    return {**usual, **{key: value for key, value in shared.items() if value}}


def complete_fact(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> EnvironmentFact:
    """Return an environment's fact with all that its platform needs; what no source shows is guessed."""
    name, kind = fact.environment, PLATFORMS[fact.platform]
    service = fact.service or naming.guess_service_name(fact.repository)
    service = service or naming.fill_pattern(_pattern("service", patterns), name, app)
    if not re.fullmatch(kind.service_name, service) and not fact.service:
        service = service[:MAX_GUESS_LENGTH].rstrip("-")
    return evolve(
        fact,
        repository=fact.repository or naming.fill_pattern(_pattern("repository", patterns), name, app),
        follow=_complete_follow(fact, patterns, app),
        service=service,
        cluster=(fact.cluster or naming.fill_pattern(_pattern("cluster", patterns), name, app))
        if kind.has_cluster
        else "",
        container=fact.container if kind.has_cluster else "",
        url=fact.url or ("" if kind.has_address else naming.fill_pattern(UNKNOWN_URL, name, app)),
    )


def _pattern(key: str, patterns: Mapping[str, str]) -> str:
    return patterns[key] or naming.DEFAULT_PATTERNS[key]


def _complete_follow(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> str:
    """Return the tag that an environment follows; in a shared repository, another one than its neighbours."""
    if not _follows_tag(fact):
        return ""
    is_shared = patterns["follow"] == ENV_PLACEHOLDER
    known = "" if is_shared and fact.follow == naming.DEFAULT_PATTERNS["follow"] else fact.follow
    return known or naming.fill_pattern(_pattern("follow", patterns), fact.environment, app)
