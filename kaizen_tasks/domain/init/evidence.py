"""Facts about environments from scripts, Terraform, documents and the AWS account, and how they are combined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from attrs import evolve, field, frozen

FACT_KEYS = ("repository", "follow", "service", "url")
REGION_NAME = re.compile(
    r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:gov-)?(?:central|(?:north|south)?(?:east|west)?)-\d\b"
)
ACCOUNT_ID = re.compile(
    r"""\b(\d{12})\.dkr\.ecr\.|arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}):|(?i:account\w*)["\s]*[=:]\s*\[?["']?(\d{12})\b"""
)


@frozen(kw_only=True)
class EnvironmentFact:
    """The attributes of an environment that one source, a file or the account, shows; empty if not shown.

    Attributes:
        environment: the environment's name.
        repository: name of the image repository.
        follow: the tag that the service deploys.
        service: name of the service on the platform.
        url: the app's URL.
        source: path of the file, or the account.
    """

    environment: str
    repository: str = ""
    follow: str = ""
    service: str = ""
    url: str = ""
    source: str


@frozen(kw_only=True)
class Facts:
    """All that one or several sources show.

    Attributes:
        environment_facts: facts about environments, the most trustworthy first.
        groups: environments by the name of their group.
        regions: every mention of a region.
        accounts: every mention of an account.
    """

    environment_facts: tuple[EnvironmentFact, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(factory=dict)
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments, in the order of their facts."""
        return tuple(dict.fromkeys(fact.environment for fact in self.environment_facts))

    @property
    def region(self) -> str:
        """The region that is mentioned most, or empty."""
        return next((name for name, _ in Counter(self.regions).most_common(1)), "")

    @property
    def account(self) -> str:
        """The account when only one is mentioned, else empty."""
        return self.accounts[0] if len(set(self.accounts)) == 1 else ""


def combine_facts(sources: Iterable[Facts]) -> Facts:
    """Return the facts of several sources combined; the most trustworthy source comes first."""
    sources = tuple(sources)
    return Facts(
        environment_facts=tuple(chain.from_iterable(source.environment_facts for source in sources)),
        groups={name: members for source in reversed(sources) for name, members in source.groups.items()},
        regions=tuple(chain.from_iterable(source.regions for source in sources)),
        accounts=tuple(chain.from_iterable(source.accounts for source in sources)),
    )


def find_regions(text: str) -> tuple[str, ...]:
    """Return every mention of a region in a text."""
    return tuple(REGION_NAME.findall(text))


def find_account_ids(text: str) -> tuple[str, ...]:
    """Return every mention of an account in a text: in a registry address, an ARN or an assignment."""
    return tuple("".join(match.groups("")) for match in ACCOUNT_ID.finditer(text))


def merge_by_environment(environment_facts: Sequence[EnvironmentFact]) -> Mapping[str, EnvironmentFact]:
    """Return one fact per environment, by name; each key is from the first fact that shows the key."""
    by_environment: dict[str, EnvironmentFact] = {}
    for fact in environment_facts:
        merged_fact = by_environment.setdefault(fact.environment, fact)
        new_values = {key: getattr(fact, key) for key in FACT_KEYS if not getattr(merged_fact, key)}
        by_environment[fact.environment] = evolve(merged_fact, **new_values)
    return by_environment


def describe_conflicts(environment_facts: Sequence[EnvironmentFact]) -> tuple[str, ...]:
    """Return a message for every value that is not used because a more trustworthy source shows another one."""
    first_facts: dict[tuple[str, str], EnvironmentFact] = {}
    lines = []
    for fact in environment_facts:
        for key in FACT_KEYS:
            value = getattr(fact, key)
            first_fact = first_facts.setdefault((fact.environment, key), fact) if value else fact
            if (used_value := getattr(first_fact, key)) != value:
                used = f"using {used_value} of {first_fact.source}"
                lines.append(f"{fact.environment}: {key} is {value} in {fact.source}; {used}")
    return tuple(dict.fromkeys(lines))
