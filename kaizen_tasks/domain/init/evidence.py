"""What scripts, Terraform, documents and the account show of environments; how witnesses are put together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FACT_KEYS = ("repository", "service", "url")
REGION_NAME = re.compile(
    r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:gov-)?(?:central|(?:north|south)?(?:east|west)?)-\d\b"
)
ACCOUNT_ID = re.compile(
    r"""\b(\d{12})\.dkr\.ecr\.|arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}):|(?i:account\w*)["\s]*[=:]\s*\[?["']?(\d{12})\b"""
)


@frozen(kw_only=True)
class EnvironmentFact:
    """One environment, as one witness shows it; what it does not show is empty.

    Attributes:
        environment: its name.
        repository: its image repository.
        service: the platform's name for it.
        url: where the app answers.
        source: the witness: a file, or the account.
    """

    environment: str
    repository: str = ""
    service: str = ""
    url: str = ""
    source: str


@frozen(kw_only=True)
class Facts:
    """Everything that one or several witnesses show.

    Attributes:
        environment_facts: the most trustworthy first.
        groups: names that stand for several environments.
        regions: every mention.
        accounts: every mention.
    """

    environment_facts: tuple[EnvironmentFact, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(factory=dict)
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments, in the order in which they are shown."""
        return tuple(dict.fromkeys(fact.environment for fact in self.environment_facts))

    @property
    def region(self) -> str:
        """The region that is mentioned most, or empty."""
        return next((name for name, _ in Counter(self.regions).most_common(1)), "")

    @property
    def account(self) -> str:
        """The account, when only one is mentioned."""
        return self.accounts[0] if len(set(self.accounts)) == 1 else ""


def combine_facts(parts: Iterable[Facts]) -> Facts:
    """Put witnesses together, the most trustworthy first."""
    ordered_parts = tuple(parts)
    groups = {name: members for part in reversed(ordered_parts) for name, members in part.groups.items()}
    return Facts(
        environment_facts=tuple(sighting for part in ordered_parts for sighting in part.environment_facts),
        groups=groups,
        regions=tuple(region for part in ordered_parts for region in part.regions),
        accounts=tuple(account for part in ordered_parts for account in part.accounts),
    )


def find_regions(text: str) -> tuple[str, ...]:
    """Return every region that a text mentions."""
    return tuple(REGION_NAME.findall(text))


def find_account_ids(text: str) -> tuple[str, ...]:
    """Return every account that a text mentions as one: in an address, an ARN or an assignment."""
    return tuple("".join(match.groups("")) for match in ACCOUNT_ID.finditer(text))


def merge_by_environment(environment_facts: Sequence[EnvironmentFact]) -> Mapping[str, EnvironmentFact]:
    """Return one sighting for every environment: of each key, what the first witness says that shows it."""
    by_environment: dict[str, EnvironmentFact] = {}
    for fact in environment_facts:
        merged_fact = by_environment.setdefault(fact.environment, fact)
        new_values = {key: getattr(fact, key) for key in FACT_KEYS if not getattr(merged_fact, key)}
        by_environment[fact.environment] = evolve(merged_fact, **new_values)
    return by_environment


def describe_conflicts(environment_facts: Sequence[EnvironmentFact]) -> tuple[str, ...]:
    """Return a line for everything that two witnesses say differently, with whom we believe."""
    first_facts: dict[tuple[str, str], EnvironmentFact] = {}
    lines = []
    for fact in environment_facts:
        for key in FACT_KEYS:
            value = getattr(fact, key)
            first_fact = first_facts.setdefault((fact.environment, key), fact) if value else fact
            first_value = getattr(first_fact, key)
            if first_value != value:
                lines.append(
                    f"{fact.environment}: {key} is {value} in {fact.source}, and {first_value} in {first_fact.source}: used"
                )
    return tuple(dict.fromkeys(lines))
