"""What a benchmark yields: a ratio, a count or a size with its goal, and the floors and peers that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

RATIO = "times"
"""The unit of a ratio."""


class Kind(Enum):
    """What a goal is a goal against."""

    PEER = "peer"
    """Another program that does the same in the same run: a busy machine slows both."""
    FLOOR = "floor"
    """The least that the work can take, such as bare calls, measured in the same run."""
    COUNT = "count"
    """Processes, calls, requests, bytes."""


class Verdict(Enum):
    """What the last column of the table says."""

    OK = "ok"
    MISSED = "MISSED"
    MISSED_WHILE_BUSY = "missed, while busy"
    NOT_MEASURED = "not measured"
    FAILED = "FAILED"


@frozen
class Number:
    """A measured number of ours, of a floor or of a peer.

    Attributes:
        name: what it belongs to.
        value: the number.
        unit: `s` is shown as milliseconds where it is short; `RATIO` for a ratio, empty for a count.
    """

    name: str
    value: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.amount}"

    @property
    def amount(self) -> str:
        """The number with its unit."""
        if self.unit == RATIO:
            return f"{self.value:.2f}"
        if self.unit == "s" and self.value < 1:
            return f"{self.value * 1000:.0f} ms"
        digits = 0 if self.value == int(self.value) or self.value >= 1000 else 1
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()


@frozen(kw_only=True)
class Result:
    """A measurement and its goal.

    Attributes:
        work: the command and its scale.
        measure: what is measured of it, and for a ratio what it is divided by.
        kind: what the goal is against.
        measured: the measurement.
        goal: the highest that is acceptable.
        beside: our own number if `measured` is a ratio, and those of floors and peers.
        unit: of `measured` and `goal`; `RATIO` for a ratio.
        note: scale, rounds.
    """

    work: str
    measure: str
    kind: Kind
    measured: float
    goal: float
    beside: Sequence[Number] = ()
    unit: str = ""
    note: str = ""

    def verdict(self, *, busy: bool) -> Verdict:
        """Return whether the goal is met; on a busy machine those against floors need not be."""
        if self.measured <= self.goal:
            return Verdict.OK
        return Verdict.MISSED_WHILE_BUSY if busy and self.kind is Kind.FLOOR else Verdict.MISSED

    def __str__(self) -> str:
        return f"{self.work}: {self.measure}: {self.amount(self.measured)}, goal {self.amount(self.goal)}"

    def amount(self, value: float) -> str:
        """Return the measurement or the goal as it is shown."""
        return Number("", value, self.unit).amount


@frozen
class NotMeasured:
    """A benchmark that cannot run on this machine, or that failed.

    Attributes:
        work: what would have been measured.
        reason: what is missing.
        failed: whether it failed.
    """

    work: str
    reason: str
    failed: bool = False

    def __str__(self) -> str:
        return f"{self.work}: {self.verdict(busy=False).value}: {self.reason}"

    def verdict(self, *, busy: bool) -> Verdict:
        """Return that it was not measured, or failed."""
        return Verdict.FAILED if self.failed else Verdict.NOT_MEASURED


Row = Result | NotMeasured


def ratio(
    work: str, measure: str, kind: Kind, *, ours: Number, against: Sequence[Number], goal: float, note: str = ""
) -> Result:
    """Divide a number of ours by the lowest of the floors or peers; see `Result`."""
    measured = ours.value / min(number.value for number in against)
    beside = (ours, *against)
    return Result(
        work=work, measure=measure, kind=kind, measured=measured, goal=goal, beside=beside, unit=RATIO, note=note
    )


def count(
    work: str,
    measure: str,
    measured: float,
    *,
    goal: float,
    unit: str = "",
    beside: Sequence[Number] = (),
    note: str = "",
) -> Result:
    """Return a count or a size, with those of floors or peers beside it; see `Result`."""
    return Result(
        work=work, measure=measure, kind=Kind.COUNT, measured=measured, goal=goal, beside=beside, unit=unit, note=note
    )
