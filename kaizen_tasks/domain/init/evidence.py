"""What scripts, Terraform, documents and the account show of environments; how witnesses are put together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEYS = ("repository", "service", "url")
REGION = re.compile(r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:gov-)?(?:central|(?:north|south)?(?:east|west)?)-\d\b")
ACCOUNT = re.compile(
    r"""\b(\d{12})\.dkr\.ecr\.|arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}):|(?i:account\w*)["\s]*[=:]\s*\[?["']?(\d{12})\b"""
)


@frozen(kw_only=True)
class Sighting:
    """One environment, as one witness shows it; what it does not show is empty.

    Attributes:
        environment: its name.
        repository: its image repository.
        service: the platform's name for it.
        url: where the app answers.
        where: the witness: a file, or the account.
    """

    environment: str
    repository: str = ""
    service: str = ""
    url: str = ""
    where: str


@frozen(kw_only=True)
class Traces:
    """Everything that one or several witnesses show.

    Attributes:
        sightings: the most trustworthy first.
        groups: names that stand for several environments.
        regions: every mention.
        accounts: every mention.
    """

    sightings: tuple[Sighting, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(factory=dict)
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments, in the order in which they are shown."""
        return tuple(dict.fromkeys(each.environment for each in self.sightings))

    @property
    def region(self) -> str:
        """The region that is mentioned most, or empty."""
        return next((name for name, _ in Counter(self.regions).most_common(1)), "")

    @property
    def account(self) -> str:
        """The account, when only one is mentioned."""
        return self.accounts[0] if len(set(self.accounts)) == 1 else ""


def together(traces: Iterable[Traces]) -> Traces:
    """Put witnesses together, the most trustworthy first."""
    every = tuple(traces)
    groups = {name: members for each in reversed(every) for name, members in each.groups.items()}
    return Traces(
        sightings=tuple(sighting for each in every for sighting in each.sightings),
        groups=groups,
        regions=tuple(region for each in every for region in each.regions),
        accounts=tuple(account for each in every for account in each.accounts),
    )


def regions(text: str) -> tuple[str, ...]:
    """Return every region that a text mentions."""
    return tuple(REGION.findall(text))


def accounts(text: str) -> tuple[str, ...]:
    """Return every account that a text mentions as one: in an address, an ARN or an assignment."""
    return tuple("".join(found.groups("")) for found in ACCOUNT.finditer(text))


def merged(sightings: Sequence[Sighting]) -> Mapping[str, Sighting]:
    """Return one sighting for every environment: of each key, what the first witness says that shows it."""
    found: dict[str, Sighting] = {}
    for each in sightings:
        known = found.setdefault(each.environment, each)
        missing = {key: getattr(each, key) for key in KEYS if not getattr(known, key)}
        found[each.environment] = evolve(known, **missing)
    return found


def contradictions(sightings: Sequence[Sighting]) -> tuple[str, ...]:
    """Return a line for everything that two witnesses say differently, with whom we believe."""
    believed: dict[tuple[str, str], Sighting] = {}
    lines = []
    for each in sightings:
        for key in KEYS:
            value = getattr(each, key)
            first = believed.setdefault((each.environment, key), each) if value else each
            other = getattr(first, key)
            if other != value:
                lines.append(
                    f"{each.environment}: {key} is {value} in {each.where}, and {other} in {first.where}: used"
                )
    return tuple(dict.fromkeys(lines))
