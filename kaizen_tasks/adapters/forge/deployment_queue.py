"""Sends the states of deployments to a forge beside a run, which waits for it only at its end, and not for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from kaizen_tasks.adapters.forge.api import RateLimited
from kaizen_tasks.domain.deployment_status import DeploymentStatus
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import ConfigurationError, Denied, KaizenError, NotFound, Unreachable

FINISH_SECONDS = 5.0
"""How long the end of a run waits for what is still on its way."""

MAX_THREADS = 4
"""How many states are sent at a time: many environments may end at once. GitHub takes 80 changes a minute."""

SWITCH_HINT = "or set release.deployment_status = false"
LEDGER_HINT = "inv history has them"
ACCESS_ERRORS = (ConfigurationError, Denied, NotFound)
LASTING_ERRORS = (*ACCESS_ERRORS, RateLimited)
"""After which a forge is asked no more in this run."""


class Deployments(Protocol):
    """The deployments of a forge."""

    def show(self, status: DeploymentStatus) -> None:
        """Give a deployment its state; create the deployment if there is none.

        Raises:
            KaizenError: the forge does not answer, or refuses.
        """


class DeploymentQueue:
    """Sends states in a few threads, those of an environment one after the other. Safe to use from several threads.

    What fails is sent once more at the end of the run: by then the commit of a release is on the remote, and a server
    may be back. After an error that lasts, nothing more is sent.

    Args:
        server: what people call the forge.
        connect: returns its deployments, without a request; it may fail.
        finish_seconds: how long `finish` waits.
    """

    def __init__(
        self, server: str, connect: Callable[[], Deployments], *, finish_seconds: float = FINISH_SECONDS
    ) -> None:
        self.server = server
        self._connect = connect
        self.finish_seconds = finish_seconds
        self._deployments: Deployments | None = None
        self._waiting: list[DeploymentStatus] = []
        self._in_flight: list[DeploymentStatus] = []
        self._failed: list[DeploymentStatus] = []
        self._error: KaizenError | None = None
        self._is_closed = False
        self._thread_count = 0
        self._changed = threading.Condition()

    def add(self, status: DeploymentStatus) -> None:
        """Send a state soon, in place of an earlier one of the same deployment that still waits and ends nothing."""
        with self._changed:
            self._waiting = [*_without_superseded(self._waiting, status), status]
            self._start_threads()

    def finish(self) -> str:
        """Wait a few seconds for what is on its way; return what the forge does not show, and why, or nothing."""
        with self._changed:
            if not self._is_closed:
                self._waiting = [*self._failed, *self._waiting]
                self._failed = []
                self._start_threads()
            has_ended = self._changed.wait_for(lambda: not self._thread_count, timeout=self.finish_seconds)
            self._is_closed |= not has_ended  # a later task of the command line shows newer states
            missing = [*self._failed, *self._in_flight, *self._waiting]
            error = self._error
        if not missing:
            return ""
        if not has_ended or error is None:
            error = Unreachable(f"it has not answered within {self.finish_seconds:g}s")
        return self._describe(missing, error)

    def _start_threads(self) -> None:
        count = len({status.environment for status in self._waiting}) if not self._is_closed else 0
        for _ in range(min(count, MAX_THREADS) - self._thread_count):
            self._thread_count += 1
            threading.Thread(target=self._send_all, name="deployment status", daemon=True).start()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                status = self._take()
                if status is None:
                    self._thread_count -= 1
                    self._changed.notify_all()
                    return
            error = self._send(status)
            with self._changed:
                self._in_flight.remove(status)
                self._failed = _without_superseded(self._failed, status)
                if error is not None:
                    self._failed.append(status)
                    self._error = error
                    self._is_closed |= isinstance(error, LASTING_ERRORS)

    def _take(self) -> DeploymentStatus | None:
        """Take the first state whose environment no other thread is busy with; None if there is nothing to send."""
        busy = {status.environment for status in self._in_flight}
        status = next((waiting for waiting in self._waiting if waiting.environment not in busy), None)
        if status is None or self._is_closed:
            return None
        self._waiting.remove(status)
        self._in_flight.append(status)
        return status

    def _send(self, status: DeploymentStatus) -> KaizenError | None:
        """Send a state and return the error, of whatever kind: nothing that a forge answers may end a run."""
        try:
            self._connected().show(status)
        except KaizenError as error:
            return error
        except Exception as error:  # noqa: BLE001 - see above
            return Unreachable(f"{self.server} answers something that is not documented: {type(error).__name__}")
        return None

    def _connected(self) -> Deployments:
        with self._changed:
            if self._deployments is None:
                self._deployments = self._connect()
            return self._deployments

    def _describe(self, missing: Iterable[DeploymentStatus], error: KaizenError) -> str:
        names = list_names(list(dict.fromkeys(status.environment for status in missing)))
        hint = f"{error.hint}, {SWITCH_HINT}" if isinstance(error, ACCESS_ERRORS) else LEDGER_HINT
        return f"{self.server} does not show the deployments to {names}: {error.message}; {hint}"


def _without_superseded(statuses: Iterable[DeploymentStatus], newer: DeploymentStatus) -> list[DeploymentStatus]:
    """Return the states without those that a newer one of the same deployment makes needless."""
    deployment = (newer.environment, newer.digest)
    return [status for status in statuses if not status.is_open or (status.environment, status.digest) != deployment]
