"""Facts about an app from scripts, Terraform, workflows, documents and the AWS account, and how they are combined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import chain
from typing import Self

from attrs import evolve, field, frozen

FACT_KEYS = ("platform", "repository", "follow", "service", "cluster", "container", "url")
TARGET_KEYS = ("account", "region", "role")
"""Where the resources of an environment are, and who may change them: written where environments differ in it."""
REGION_NAME = re.compile(
    r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:gov-)?(?:central|(?:north|south)?(?:east|west)?)-\d\b"
)
ACCOUNT_ID = re.compile(
    r"""\b(\d{12})\.dkr\.ecr\.|arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}):|(?i:account\w*)["\s]*[=:]\s*\[?["']?(?:\$\{\w+:?-)?(\d{12})\b"""
)
PROFILE = re.compile(r"""\bAWS_PROFILE\s*[:?]?=\s*["']?(?:\$\{\w+:?-)?([\w.-]+)|--profile[ =]["']?([\w.-]+)""")
EXAMPLE_ACCOUNTS = frozenset({"000000000000", "111111111111", "123456789012", "123412341234", "999999999999"})
"""Account numbers of documentation, which nobody's credentials have; AWS's own samples use them."""

APP_RUNNER, ECS, ECS_EXPRESS = "apprunner", "ecs", "ecs-express"
"""The platforms that can be deployed to, by their names in the configuration; others have the names of their makers."""

SUPPORTED_PLATFORMS = frozenset({APP_RUNNER, ECS, ECS_EXPRESS})


class Trust(IntEnum):
    """How far a source is believed where two of them differ; values of `OLD` are guesses."""

    OLD = 0
    DOCUMENT = 1
    WORD = 2
    """A word of a script that looks like a name."""
    MANIFEST = 3
    TERRAFORM = 4
    SCRIPT = 5
    WORKFLOW = 6
    ACCOUNT = 7


OLD_PATH = re.compile(
    r"(?i)(?:^|/)(?:old|legacy|archived?|deprecated|backups?|unused)(?:/|$)|"
    r"[-_. ](?:old|legacy|bak|backup|deprecated|orig|unused)\b"
)


def trust_in(path: str, usual: Trust) -> Trust:
    """Return how far a file is believed: less when its name says that it is out of use."""
    return Trust.OLD if OLD_PATH.search(path) else usual


@frozen(kw_only=True)
class Mention:
    """A value that a source shows for the app as a whole.

    Attributes:
        value: the region, account, port, platform or processor architecture.
        source: `path:line`, or the account.
        trust: how far the source is believed.
    """

    value: str
    source: str
    trust: Trust = Trust.TERRAFORM

    def __str__(self) -> str:
        """Return value and source."""
        return f"{self.value} ({self.source})"


@frozen(kw_only=True)
class Ignored:
    """Something that was found and is not used.

    Attributes:
        what: what was found: `region us-east-1`.
        source: `path:line`.
        reason: why it is not used.
        is_serious: whether a person has to know it although the value is used.
    """

    what: str
    source: str
    reason: str
    is_serious: bool = False

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.what} ({self.source}): {self.reason}"


@frozen(kw_only=True)
class ImageBuild:
    """A command that builds an image.

    Attributes:
        dockerfile: path of the Dockerfile below the app's folder.
        context: folder of the build context, relative to the app's folder.
        repository: the repository that the image is for, or empty.
        target: the stage that is built; empty for the last one.
        source: `path:line`.
    """

    dockerfile: str
    context: str = "."
    target: str = ""
    repository: str = ""
    source: str = ""


@frozen(kw_only=True)
class EnvironmentFact:
    """The attributes of an environment that one source, a file or the account, shows; empty if not shown.

    Attributes:
        environment: the environment's name; empty when the source does not show it.
        platform: one of `SUPPORTED_PLATFORMS`.
        repository: name of the image repository.
        follow: the tag that the service deploys.
        service: name of the service on the platform.
        cluster: name of the service's cluster.
        container: name of the container that runs the app.
        url: the app's URL.
        account: twelve digits.
        region: the region.
        role: ARN of the role with which the environment is deployed to.
        source: `path:line`, or the account.
        trust: how far the source is believed.
        sources: the source of each key, after facts were merged.
    """

    environment: str
    platform: str = ""
    repository: str = ""
    follow: str = ""
    service: str = ""
    cluster: str = ""
    container: str = ""
    url: str = ""
    account: str = ""
    region: str = ""
    role: str = ""
    source: str
    trust: Trust = Trust.TERRAFORM
    sources: Mapping[str, tuple[str, Trust]] = field(factory=dict, eq=False)

    @classmethod
    def of(cls, values: Mapping[str, str], *, environment: str, source: str, trust: Trust) -> Self:
        """Return a fact with values by key."""
        return cls(
            environment=environment,
            source=source,
            trust=trust,
            platform=values.get("platform", ""),
            repository=values.get("repository", ""),
            follow=values.get("follow", ""),
            service=values.get("service", ""),
            cluster=values.get("cluster", ""),
            container=values.get("container", ""),
            url=values.get("url", ""),
            account=values.get("account", ""),
            region=values.get("region", ""),
            role=values.get("role", ""),
        )

    @property
    def known_keys(self) -> tuple[str, ...]:
        """The keys that have a value."""
        return tuple(key for key in (*FACT_KEYS, *TARGET_KEYS) if getattr(self, key))

    @property
    def shows_service(self) -> bool:
        """Whether it is about a service, and not only about where one would be."""
        return bool({*self.known_keys} - {*TARGET_KEYS})

    def source_of(self, key: str) -> str:
        """Return where the value of a key was found, or an empty text."""
        place = "" if self.sources else self.source  # a key without a source of its own was not found there
        return self.sources.get(key, (place, self.trust))[0] if getattr(self, key) else ""

    def is_old(self, key: str) -> bool:
        """Return whether a value was found only where it is out of use."""
        return bool(getattr(self, key)) and self.sources.get(key, (self.source, self.trust))[1] is Trust.OLD


@frozen(kw_only=True)
class Facts:
    """All that one or several sources show.

    Attributes:
        environment_facts: facts about environments, the most trustworthy first.
        groups: environments by the name of their group.
        regions: every mention of a region.
        accounts: every mention of an account.
        ports: every mention of the app's port.
        platforms: what the app is deployed to.
        architectures: the processors that the app runs on: `arm64`, `amd64`.
        builds: the commands that build images.
        ignored: what was found and is not used.
        profiles: every mention of a profile of the AWS configuration.
    """

    environment_facts: tuple[EnvironmentFact, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(factory=dict)
    regions: tuple[Mention, ...] = ()
    accounts: tuple[Mention, ...] = ()
    ports: tuple[Mention, ...] = ()
    platforms: tuple[Mention, ...] = ()
    architectures: tuple[Mention, ...] = ()
    builds: tuple[ImageBuild, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    profiles: tuple[Mention, ...] = ()

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments, in the order of their facts."""
        names = (fact.environment for fact in self.environment_facts if fact.environment and fact.shows_service)
        return tuple(dict.fromkeys(names))

    @property
    def region(self) -> Mention | None:
        """The region that the most trustworthy source mentions most, or None."""
        return _most_common(self.regions)

    @property
    def account(self) -> Mention | None:
        """The account when only one is mentioned, else None."""
        real = [each for each in self.accounts if each.value not in EXAMPLE_ACCOUNTS] or self.accounts
        return real[0] if len({each.value for each in real}) == 1 else None

    @property
    def profile(self) -> str:
        """The profile of the AWS configuration when only one is mentioned, else empty."""
        names = {each.value for each in self.profiles}
        return next(iter(names)) if len(names) == 1 else ""

    @property
    def port(self) -> Mention | None:
        """The port that the most trustworthy source mentions, or None."""
        return _most_common(self.ports)

    @property
    def platform(self) -> Mention | None:
        """The supported platform that the most trustworthy source mentions most, or None."""
        return _most_common([each for each in self.platforms if each.value in SUPPORTED_PLATFORMS])

    @property
    def foreign_platform(self) -> Mention | None:
        """The platform that the app is deployed to when none of those is supported, else None."""
        return max(self.platforms, key=lambda each: each.trust) if self.platforms and not self.platform else None


def _most_common(mentions: Sequence[Mention]) -> Mention | None:
    if not mentions:
        return None
    trust = max(each.trust for each in mentions)
    trusted = [each for each in mentions if each.trust == trust]
    value = Counter(each.value for each in trusted).most_common(1)[0][0]
    return next(each for each in trusted if each.value == value)


def combine_facts(sources: Iterable[Facts]) -> Facts:
    """Return the facts of several sources combined, the most trustworthy ones first."""
    sources = tuple(sources)
    environment_facts = chain.from_iterable(source.environment_facts for source in sources)
    return Facts(
        environment_facts=tuple(sorted(environment_facts, key=lambda fact: -fact.trust)),
        groups={name: members for source in reversed(sources) for name, members in source.groups.items()},
        regions=tuple(chain.from_iterable(source.regions for source in sources)),
        accounts=tuple(chain.from_iterable(source.accounts for source in sources)),
        ports=tuple(chain.from_iterable(source.ports for source in sources)),
        platforms=tuple(chain.from_iterable(source.platforms for source in sources)),
        architectures=tuple(chain.from_iterable(source.architectures for source in sources)),
        builds=tuple(chain.from_iterable(source.builds for source in sources)),
        profiles=tuple(chain.from_iterable(source.profiles for source in sources)),
        ignored=tuple(dict.fromkeys(chain.from_iterable(source.ignored for source in sources))),
    )


def find_regions(text: str, path: str, trust: Trust) -> tuple[Mention, ...]:
    """Return every mention of a region in a text."""
    return _find(REGION_NAME, text, path, trust)


def find_account_ids(text: str, path: str, trust: Trust) -> tuple[Mention, ...]:
    """Return every mention of an account in a text: in a registry address, an ARN or an assignment."""
    return _find(ACCOUNT_ID, text, path, trust)


def find_profiles(text: str, path: str, trust: Trust) -> tuple[Mention, ...]:
    """Return every mention of a profile in a text: `AWS_PROFILE=acme`, `--profile acme`."""
    return _find(PROFILE, text, path, trust)


def _find(pattern: re.Pattern[str], text: str, path: str, trust: Trust) -> tuple[Mention, ...]:
    return tuple(
        Mention(value="".join(match.groups("")) or match[0], source=f"{path}:{line}", trust=trust)
        for line, content in enumerate(text.split("\n"), start=1)
        for match in pattern.finditer(content)
    )


COMMENT = re.compile(r"(?m)(?:^|(?<=[\s;]))(?:#|//).*$")


def strip_comments(text: str) -> str:
    """Return a script, workflow or Terraform file without its comments, with the same lines."""
    return COMMENT.sub("", text)


def find_in_comments(text: str, path: str) -> tuple[Ignored, ...]:
    """Return the regions, accounts and repositories that only comments mention."""
    code, comments = strip_comments(text), "\n".join(_comment_lines(text))
    return tuple(
        Ignored(what=f"{name} {mention.value}", source=mention.source, reason="commented out")
        for name, pattern in (("region", REGION_NAME), ("account", ACCOUNT_ID))
        for mention in _find(pattern, comments, path, Trust.OLD)
        if mention.value not in {"".join(match.groups("")) or match[0] for match in pattern.finditer(code)}
    )


def _comment_lines(text: str) -> Iterable[str]:
    for line in text.split("\n"):
        match = COMMENT.search(line)
        yield match[0] if match else ""


def merge_by_environment(environment_facts: Sequence[EnvironmentFact]) -> Mapping[str, EnvironmentFact]:
    """Return one fact per environment, by name; each key is from the first fact that shows the key.

    A fact of another platform than that of the environment's first one is about another service.
    """
    by_environment: dict[str, EnvironmentFact] = {}
    for fact in environment_facts:
        merged_fact = by_environment.setdefault(fact.environment, evolve(fact, sources=_own_sources(fact)))
        if merged_fact.platform and fact.platform not in {"", merged_fact.platform}:
            continue
        new_values = {key: getattr(fact, key) for key in fact.known_keys if not getattr(merged_fact, key)}
        new_sources = {key: value for key, value in _own_sources(fact).items() if key in new_values}
        by_environment[fact.environment] = evolve(
            merged_fact, sources={**merged_fact.sources, **new_sources}, **new_values
        )
    return by_environment


def _own_sources(fact: EnvironmentFact) -> Mapping[str, tuple[str, Trust]]:
    return {key: fact.sources.get(key, (fact.source, fact.trust)) for key in fact.known_keys}


def describe_conflicts(environment_facts: Sequence[EnvironmentFact]) -> tuple[str, ...]:
    """Return a message for every value that is not used because a more trustworthy source shows another one."""
    first_facts: dict[tuple[str, str], EnvironmentFact] = {}
    lines: dict[tuple[str, str, str], str] = {}
    for fact in (each for each in environment_facts if each.trust is not Trust.WORD):
        for key in (*FACT_KEYS, "account", "region"):
            value = getattr(fact, key)
            first_fact = first_facts.setdefault((fact.environment, key), fact) if value else fact
            if (used_value := getattr(first_fact, key)) != value and not _is_neighbour(fact, first_fact):
                used = f"using {used_value} of {first_fact.source_of(key)}"
                line = f"{fact.environment}: {key} is {value} in {fact.source_of(key)}; {used}"
                lines.setdefault((fact.environment, key, value), line)
    return tuple(lines.values())


def find_neighbours(environment_facts: Sequence[EnvironmentFact]) -> tuple[Ignored, ...]:
    """Return the services and repositories that a tool creates for an environment beside those that are used."""
    first_facts: dict[tuple[str, str], EnvironmentFact] = {}
    found: dict[str, Ignored] = {}
    for fact in environment_facts:
        for key in ("service", "repository"):
            value = getattr(fact, key)
            first_fact = first_facts.setdefault((fact.environment, key), fact) if value else fact
            if value != (used := getattr(first_fact, key)) and _is_neighbour(fact, first_fact):
                reason = f"another service of this repository; this configuration is for {used}"
                found.setdefault(value, Ignored(what=f"{key} {value}", source=fact.source_of(key), reason=reason))
    return tuple(found.values())


def _is_neighbour(fact: EnvironmentFact, other: EnvironmentFact) -> bool:
    """Return whether two facts are of one tool that creates several services, and do not contradict each other."""
    return fact.trust == other.trust and fact.trust in {Trust.MANIFEST, Trust.TERRAFORM}
