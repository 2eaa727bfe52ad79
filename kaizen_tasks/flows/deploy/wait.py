"""Follows one deployment to its end, whatever else happens on the service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain import duration, polling
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NotFound, Unreachable
from kaizen_tasks.flows.deploy.start import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.service import Operation

SERVING = "the old release is serving"
GONE = "the service that was deploying is gone"


@frozen(kw_only=True)
class Outcome:
    """How a deployment ended, as far as it was followed.

    Attributes:
        event: what the ledger is to say: deployed, failed or abandoned.
        operation: the platform's identifier; empty when none was begun.
        what: in words, what went wrong; empty when it succeeded.
        state: in words, what is serving.
        hint: what to do about it; empty when that depends on the app.
        took: seconds that it took by the platform's clock; 0 when it does not say.
        began: when it began, in UTC; None when it was never seen.
    """

    event: Event
    operation: str = ""
    what: str = ""
    state: str = SERVING
    hint: str = ""
    took: float = 0.0
    began: datetime | None = None


def to_the_end(
    identity: str,
    watch: Watch,
    *,
    began: float | None = None,
    since: float = 0.0,
    missing_until: float | None = None,
) -> Outcome:
    """Wait until this very operation has ended, and say how.

    The first look comes when it should be over. An operation that is missing from the list is waited for: the list is
    eventually consistent. A platform that cannot be reached for a while is no reason to give up either.

    Args:
        identity: the operation.
        watch: where, and for how long.
        began: when it began, in elapsed seconds of the clock; None means now.
        since: seconds for which it has been under way already; then it is looked at at once.
        missing_until: when to give up an operation that is missing, in elapsed seconds; else at the deadline.

    Raises:
        Denied: the credentials do not suffice any more.
        Unreachable: the platform could not be reached at the deadline either.
    """
    pursuit = _Pursuit(
        identity=identity, watch=watch, missing_until=watch.until if missing_until is None else missing_until
    )
    moments = polling.looks(watch.usual, seed=identity)
    pursuit.announce()
    for _ in watch.pauses(_later(moments, since) if since else moments, began=began):
        outcome = pursuit.look()
        if outcome is not None:
            return outcome
    return pursuit.give_up()


def _later(moments: Iterator[float], since: float) -> Iterator[float]:
    """Yield now, and the moments that are still to come, from now on."""
    yield 0.0
    yield from (moment - since for moment in moments if moment > since)


@define(kw_only=True)
class _Pursuit:
    """One operation, and what has been seen of it.

    Attributes:
        state: its last state; empty as long as it was never listed.
        missing: whether it was missing when it was last looked for.
        trouble: why the last look failed; None when it did not.
    """

    _identity: str
    _watch: Watch
    _missing_until: float
    state: str = ""
    missing: bool = False
    trouble: Unreachable | None = None
    _told: str = ""
    _begun: datetime | None = None
    _began: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self._watch.tools.clock.elapsed()

    def announce(self) -> None:
        """Say that there may be nothing to say for a while."""
        usual = f", which usually takes {duration.show(self._watch.usual)}" if self._watch.usual else ""
        self._watch.say(f"{self._watch.service.name} is deploying {self._watch.release}{usual}")

    def look(self) -> Outcome | None:
        """Look once; return the outcome when there is one."""
        try:
            operation = self._watch.find(lambda each: each.identity == self._identity)
            self.trouble, self.missing = None, operation is None
            return self._missed() if operation is None else self._seen(operation)
        except Unreachable as error:
            self.trouble = error
            self._tell("out of reach")
        except NotFound as error:
            return Outcome(
                event=Event.ABANDONED, operation=self._identity, what=error.what, state=GONE, hint=error.hint
            )
        return None

    def give_up(self) -> Outcome:
        """Return the outcome at the deadline.

        Raises:
            Unreachable: nothing is known.
        """
        if self.trouble is not None:
            raise self.trouble
        if self.missing:
            return self._lost()
        return Outcome(
            event=Event.FAILED,
            operation=self._identity,
            what=f"{self._subject} has not ended in {duration.show(self._waited)}: {self.state}",
            state=f"{SERVING} until it does",
            hint="the same command goes on waiting, or begins anew when it has failed meanwhile",
            began=self._begun,
        )

    @property
    def _subject(self) -> str:
        return f"the deployment of {self._watch.release} to {self._watch.service.name}"

    @property
    def _waited(self) -> float:
        return self._watch.tools.clock.elapsed() - self._began

    def _seen(self, operation: Operation) -> Outcome | None:
        self.state, self._begun = operation.state, operation.started
        if not operation.ended:
            self._tell(operation.state)
            return None
        failure = f"{self._watch.service.name} ended its deployment of {self._watch.release} with {operation.state}"
        return Outcome(
            event=Event.DEPLOYED if operation.succeeded else Event.FAILED,
            operation=self._identity,
            what="" if operation.succeeded else failure,
            took=operation.took or self._waited,
            began=operation.started,
        )

    def _missed(self) -> Outcome | None:
        """Look at the service as well: one that was deleted, and perhaps created again, knows nothing of it."""
        name, identity = self._watch.service.name, self._watch.service.identity
        if self._watch.tools.platform.service(name).identity != identity:
            raise NotFound(f"the service {name} was deleted and created again")
        if self._watch.tools.clock.elapsed() >= self._missing_until:
            return self._lost()
        self._tell("no longer in the list of operations" if self.state else "not in the list of operations yet")
        return None

    def _lost(self) -> Outcome:
        listed = "is no longer in" if self.state else "never came into"
        return Outcome(
            event=Event.ABANDONED,
            operation=self._identity,
            what=f"{self._subject} {listed} the list of operations",
            state="nobody knows what became of it",
            hint="the same command tries again",
        )

    def _tell(self, state: str) -> None:
        """Report each state once."""
        if state != self._told:
            self._watch.say(f"{state} after {duration.show(self._waited)}")
            self._told = state
