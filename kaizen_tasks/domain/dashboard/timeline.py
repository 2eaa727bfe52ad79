"""The entries of the ledger as bars of a timeline: which release served when, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from kaizen_tasks.domain.deployments import CAUSES, Deployment, group_deployments
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry


class BarOutcome(StrEnum):
    """How a deployment ended, or how far it has come."""

    VERIFIED = "verified"
    DEPLOYED = "deployed"
    STARTED = "started"
    FAILED = "failed"
    ABANDONED = "abandoned"
    ROLLED_BACK = "rolled back"


_OUTCOMES = {
    Event.VERIFIED: BarOutcome.VERIFIED,
    Event.DEPLOYED: BarOutcome.DEPLOYED,
    Event.STARTED: BarOutcome.STARTED,
    Event.FAILED: BarOutcome.FAILED,
    Event.ABANDONED: BarOutcome.ABANDONED,
}
_SERVING = {BarOutcome.VERIFIED, BarOutcome.DEPLOYED}


@frozen(kw_only=True)
class Bar:
    """A release in an environment, from the beginning of its deployment until another one serves.

    Attributes:
        environment: the environment's name.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: digest of the image's manifest.
        outcome: how its deployment ended; `rolled back` if a rollback replaced the release later.
        start: when its deployment began.
        end: when another release replaced it or, of one that never served, when it failed; None while it serves or is
            being deployed.
        seconds: how long the deployment took until it was verified or had failed; None if the ledger does not say.
        actor: who deployed it, as in the ledger.
        reason: why it was deployed and why it failed, as far as anybody has said so.
        run_url: address of the CI run that deployed it, or empty.
        undone: who rolled it back, to what and why; empty if nobody did.
    """

    environment: str
    version: str
    commit: str
    digest: str
    outcome: BarOutcome
    start: datetime
    end: datetime | None
    seconds: float | None
    actor: str
    reason: str = ""
    run_url: str = ""
    undone: str = ""

    @property
    def is_serving(self) -> bool:
        """Whether the release serves now."""
        return self.end is None and self.outcome in _SERVING

    @property
    def has_served(self) -> bool:
        """Whether the release serves or has served."""
        return self.outcome in _SERVING or self.outcome is BarOutcome.ROLLED_BACK


@frozen(kw_only=True)
class Lane:
    """The timeline of one environment.

    Attributes:
        environment: the environment's name.
        bars: newest first.
        error: why its history could not be read; empty when it was.
    """

    environment: str
    bars: tuple[Bar, ...] = ()
    error: str = ""

    @property
    def serving(self) -> Bar | None:
        """The bar of the release that serves, by the ledger."""
        return next((bar for bar in self.bars if bar.is_serving), None)


def make_bars(entries: Sequence[LedgerEntry], *, since: datetime) -> tuple[Bar, ...]:
    """Return the bars of one environment that reach into a span, newest first.

    Deployments of the release that serves already, as for a new configuration, belong to its bar.

    Args:
        entries: the environment's entries, newest first, from before the span too as far as they are known.
        since: when the span begins.
    """
    bars: list[Bar] = []
    serving: int | None = None
    for deployment in _image_deployments(entries):
        bar = _new_bar(deployment)
        is_rollback = deployment.cause == CAUSES[Event.ROLLBACK]
        if is_rollback and bars:
            bars[-1] = _undone(bars[-1], deployment)
        if bars and bars[-1].outcome is BarOutcome.STARTED:
            bars[-1] = evolve(bars[-1], end=max(bar.start, bars[-1].start))
        if bar.outcome in _SERVING:
            if serving is not None and bars[serving].digest == bar.digest:
                bars[serving] = evolve(bars[serving], outcome=bar.outcome)
                continue
            if serving is not None:
                bars[serving] = evolve(bars[serving], end=max(bar.start, bars[serving].start))
            serving = len(bars)
        bars.append(bar)
    return tuple(bar for bar in reversed(bars) if bar.end is None or bar.end >= since)


def _image_deployments(entries: Sequence[LedgerEntry]) -> Iterable[Deployment]:
    """Yield the deployments of images, oldest first; those whose time is unknown have no place on a timeline."""
    for deployment in reversed(group_deployments(entries)):
        if deployment.last.event in _OUTCOMES and UNKNOWN_TIME not in {deployment.first.at, deployment.last.at}:
            yield deployment


def _new_bar(deployment: Deployment) -> Bar:
    first, last = deployment.first, deployment.last
    outcome = _OUTCOMES[last.event]
    is_over = outcome in {BarOutcome.FAILED, BarOutcome.ABANDONED}
    return Bar(
        environment=first.environment,
        version=last.version,
        commit=last.commit,
        digest=last.digest,
        outcome=outcome,
        start=first.at,
        end=max(last.at, first.at) if is_over else None,
        seconds=deployment.seconds,
        actor=first.actor,
        reason=deployment.reason,
        run_url=first.run_url,
    )


def _undone(bar: Bar, rollback: Deployment) -> Bar:
    """Return the bar of a release that a rollback has replaced; one that had failed before stays a failed one."""
    reason = f": {rollback.first.reason}" if rollback.first.reason else ""
    undone = f"back to {rollback.last.version} by {rollback.first.actor}{reason}"
    is_other = bar.digest != rollback.last.digest
    outcome = BarOutcome.ROLLED_BACK if bar.outcome in _SERVING and is_other else bar.outcome
    return evolve(bar, outcome=outcome, undone=undone if is_other else bar.undone)
