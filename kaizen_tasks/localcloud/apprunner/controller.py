"""What App Runner does with services: one operation at a time for each, in the background."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted, KaizenError
from kaizen_tasks.localcloud.apprunner.proxy import Relay
from kaizen_tasks.localcloud.apprunner.services import Operation, Service
from kaizen_tasks.localcloud.instances.launcher import wait_until_healthy
from kaizen_tasks.localcloud.instances.rootfs import read_image
from kaizen_tasks.localcloud.instances.spec import Instance, Launch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kaizen_tasks.localcloud.apprunner.services import Services
    from kaizen_tasks.localcloud.instances.launcher import Workloads
    from kaizen_tasks.localcloud.logs.files import Logs
    from kaizen_tasks.localcloud.registry.store import ImageStore

_DEPLOYMENTS = frozenset({"CREATE_SERVICE", "START_DEPLOYMENT", "UPDATE_SERVICE", "RESUME_SERVICE"})
_NOUNS = {"PAUSE_SERVICE": "Pause", "DELETE_SERVICE": "Deletion"}
_DRAIN_SECONDS = 1.0
_CLOSE_SECONDS = 15.0
_REVIVALS = 4  # at a time, so that a cloud with many services listens soon after it was started
_log = logging.getLogger(__name__)


class Busy(Exception):
    """The service is not in a state in which the operation may begin."""


@attrs.define(kw_only=True)
class _Runtime:
    """The moving parts of a service; `turn` is held by whoever changes them."""

    relay: Relay
    instance: Instance | None = None
    turn: threading.Lock = attrs.field(factory=threading.Lock)


class Operations:
    """Carries out operations.

    Args:
        services: the services they are done to.
        workloads: starts the instances.
        store: holds the images.
        logs: receives what a person will want to know.
        deploy_seconds: how long an operation is in progress at least.
        notice_seconds: how long a moved tag goes unnoticed.
        secret: returns what a reference to a secret stands for.
    """

    def __init__(
        self,
        *,
        services: Services,
        workloads: Workloads,
        store: ImageStore,
        logs: Logs,
        deploy_seconds: float,
        notice_seconds: float,
        secret: Callable[[str], str],
    ) -> None:
        self._services = services
        self._workloads = workloads
        self._store = store
        self._logs = logs
        self._deploy_seconds = deploy_seconds
        self._notice_seconds = notice_seconds
        self._secret = secret
        self._runtimes: dict[str, _Runtime] = {}
        self._moved: dict[str, str] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()
        self._revivals = threading.BoundedSemaphore(_REVIVALS)

    def restore(self) -> None:
        """Start what ran when the local cloud stopped, and settle what it was in the middle of."""
        self._workloads.remove_leftovers()
        for known in self._services.all():
            if known.deleted is None:
                port = self.open_port(known.arn, known.port)
                service = self._services.put(attrs.evolve(_settled(known), port=port))
                if service.resting == "RUNNING":
                    self._runtimes[service.arn].turn.acquire()  # whatever is asked for first comes after it
                    self._start(functools.partial(self._revive, service))

    def open_port(self, arn: str, port: int = 0) -> int:
        """Give a service its public port, the one it had if that is free; return which one it got."""
        relay = Relay(port)
        self._runtimes[arn] = _Runtime(relay=relay)
        return relay.port

    def begin(
        self,
        arn: str,
        kind: str,
        *,
        allowed: Collection[str],
        change: Callable[[Service], Service] = lambda service: service,
    ) -> tuple[Service, Operation]:
        """Begin an operation and return at once.

        Args:
            arn: the service.
            kind: the operation's type.
            allowed: the states of the service in which it may begin.
            change: what it changes in the service's configuration; undone if the operation fails.

        Raises:
            Busy: the service is in another state.
        """
        with self._services.lock:
            before = self._services.get(arn)
            if before.status not in allowed or self._closing.is_set():
                raise Busy(before.status)
            now = time.time()
            operation = Operation(id=str(uuid.uuid4()), type=kind, status="PENDING", started=now, updated=now)
            changed = attrs.evolve(change(before), fallback=before.configuration)
            service = self._services.put(changed.with_operation(operation))
            digest = self._digest_for(service, kind)
            self._start(lambda: self._carry_out(arn, operation, digest))
        return service, operation

    def tag_moved(self, repository: str, tag: str, digest: str) -> None:
        """Deploy to the services that follow a tag: later to a busy one, never to a paused one."""
        for service in self._services.all():
            if service.follows_tag and (service.repository, service.reference) == (repository, tag):
                self._notice(service.arn, digest)

    def close(self) -> None:
        """Stop everything; what is in progress stays unfinished, and the next start settles it."""
        with self._services.lock:
            self._closing.set()
        for thread in tuple(self._threads):
            thread.join(timeout=_CLOSE_SECONDS)
        stoppers = [threading.Thread(target=_dismantle, args=(part,)) for part in self._runtimes.values()]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(timeout=_CLOSE_SECONDS)

    def _digest_for(self, service: Service, kind: str) -> str | None:
        """Decide which bytes are deployed; a resumed service gets what it had, not what was pushed since."""
        if kind == "RESUME_SERVICE":
            return service.digest
        return self._store.resolve(service.repository, service.reference)

    def _notice(self, arn: str, digest: str) -> None:
        """Follow at once, so that whoever moved the tag sees it, or only after a while."""
        if self._notice_seconds:
            self._start(lambda: self._follow_late(arn, digest))
        else:
            self._follow(arn, digest)

    def _follow_late(self, arn: str, digest: str) -> None:
        with contextlib.suppress(Interrupted):
            self._wait_until(time.monotonic() + self._notice_seconds)
            self._follow(arn, digest)

    def _follow(self, arn: str, digest: str) -> None:
        with self._services.lock:
            try:
                self.begin(arn, "START_DEPLOYMENT", allowed={"RUNNING"})
            except Busy as busy:
                if busy.args == ("OPERATION_IN_PROGRESS",):
                    self._moved[arn] = digest

    def _carry_out(self, arn: str, operation: Operation, digest: str | None) -> None:
        with self._runtimes[arn].turn, contextlib.suppress(Interrupted):
            self._attempt(arn, operation, digest)
        self._catch_up(arn, digest)

    def _attempt(self, arn: str, operation: Operation, digest: str | None) -> None:
        earliest = time.monotonic() + self._deploy_seconds
        try:
            before = self._perform(arn, operation, digest, earliest)
        except Interrupted:
            raise
        except KaizenError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever happens, an operation ends
            _log.exception("%s of %s", operation.type, arn)
            failure = DeployFailed(f"Internal error: {error!r}")
        else:
            if before is not None:
                before.stop()
            return
        self._wait_until(earliest)
        self._give_up(arn, operation, failure)

    def _catch_up(self, arn: str, deployed: str | None) -> None:
        """Deploy what the tag moved to meanwhile."""
        with self._services.lock:
            moved = self._moved.pop(arn, None)
            if moved not in (None, deployed):
                with contextlib.suppress(Busy):
                    self.begin(arn, "START_DEPLOYMENT", allowed={"RUNNING"})

    def _perform(self, arn: str, operation: Operation, digest: str | None, earliest: float) -> Instance | None:
        """Carry an operation out; return the instance that serves nobody any more, for whose end nobody waits."""
        service = self._advance(arn, operation, "IN_PROGRESS")
        self._logs.event(service, f"Service status is set to {service.status}.")
        self._logs.event(service, f"{_noun(operation)} with ID : {operation.id} started.", operation)
        if operation.type in _DEPLOYMENTS:
            before = self._take_over(arn, self._launch(service, operation, digest, earliest))
            outcome = _serving(digest)
        else:
            self._wait_until(earliest)
            before, outcome = None, self._take_down(arn, operation)
        self._logs.event(service, f"{_noun(operation)} with ID : {operation.id} succeeded.", operation)
        self._finish(arn, operation, "SUCCEEDED", outcome)
        return before

    def _launch(self, service: Service, operation: Operation | None, digest: str | None, earliest: float) -> Instance:
        """Start an instance; return it when it is healthy, but not before the monotonic clock says so."""
        launch = self._plan(service, digest)
        self._logs.event(service, f"Starting instance {launch.identity} from {digest}.", operation)
        instance = self._workloads.start(launch)
        try:
            wait_until_healthy(instance, service.health_check, self._closing)
            self._wait_until(earliest)
        except BaseException as error:
            instance.stop()
            if isinstance(error, DeployFailed):
                self._quote(service, operation, launch)
            raise
        self._logs.event(service, "Health check is successful. Routing traffic to application.", operation)
        return instance

    def _quote(self, service: Service, operation: Operation | None, launch: Launch) -> None:
        for line in launch.tail():
            self._logs.event(service, f"Last output : {line}", operation)

    def _plan(self, service: Service, digest: str | None) -> Launch:
        if digest is None:
            raise DeployFailed(f"Image {service.repository}:{service.reference} does not exist.")
        identity = uuid.uuid4().hex
        return Launch(
            identity=identity,
            repository=service.repository,
            image=read_image(self._store, service.repository, digest),
            variables=service.variables | {name: self._secret(each) for name, each in service.secrets.items()},
            arguments=service.arguments,
            port=service.application_port,
            output=self._logs.output(service, identity),
        )

    def _take_over(self, arn: str, instance: Instance | None) -> Instance | None:
        """Send traffic to another instance, or to none; return the one before when its connections have ended."""
        runtime = self._runtimes[arn]
        before, runtime.instance = runtime.instance, instance
        runtime.relay.switch(instance.port if instance else None)
        if before is not None:
            runtime.relay.drain(before.port, _DRAIN_SECONDS)
        return before

    def _take_down(self, arn: str, operation: Operation) -> Callable[[Service], Service]:
        before = self._take_over(arn, None)
        if before is not None:
            before.stop()
        if operation.type == "PAUSE_SERVICE":
            return lambda service: attrs.evolve(service, resting="PAUSED")
        self._runtimes.pop(arn).relay.close()
        return lambda service: attrs.evolve(service, resting="DELETED", deleted=time.time())

    def _revive(self, service: Service) -> None:
        """Start again what a service ran before the local cloud stopped."""
        runtime = self._runtimes[service.arn]
        try:
            with self._revivals:
                self._wait_until(0)
                instance = self._launch(service, None, service.digest, 0)
            self._take_over(service.arn, instance)
        except Interrupted:
            return
        except KaizenError as error:
            self._logs.event(service, f"The service could not be started again. Failure reason : {error.what}")
        finally:
            runtime.turn.release()

    def _give_up(self, arn: str, operation: Operation, error: KaizenError) -> None:
        """Return a service to what it was; what it ran has been serving all the time."""
        service = self._services.get(arn)
        if error.state:
            self._logs.event(service, error.state, operation)
        reason = f"{_noun(operation)} with ID : {operation.id} failed. Failure reason : {error.what}"
        self._logs.event(service, reason, operation)
        if self._runtimes[arn].instance is None:
            self._finish(arn, operation, "FAILED", _undone)
            return
        self._advance(arn, operation, "ROLLBACK_IN_PROGRESS")
        self._finish(arn, operation, "ROLLBACK_SUCCEEDED", _undone)

    def _advance(self, arn: str, operation: Operation, status: str) -> Service:
        with self._services.lock:
            service = self._services.get(arn)
            return self._services.put(service.with_operation(operation.advanced(status)))

    def _finish(self, arn: str, operation: Operation, status: str, outcome: Callable[[Service], Service]) -> None:
        """Write down the end of an operation and what it leaves, as one change."""
        with self._services.lock:
            left = attrs.evolve(outcome(self._services.get(arn)), fallback=None)
            service = self._services.put(left.with_operation(operation.advanced(status)))
        self._logs.event(service, f"Service status is set to {service.status}.")

    def _wait_until(self, moment: float) -> None:
        if self._closing.wait(max(0.0, moment - time.monotonic())):
            raise Interrupted("the local cloud is stopping")

    def _start(self, work: Callable[[], None]) -> None:
        """Run a function in a thread that `close` waits for."""
        thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._threads.discard(threading.current_thread())


def _noun(operation: Operation) -> str:
    return _NOUNS.get(operation.type, "Deployment")


def _serving(digest: str | None) -> Callable[[Service], Service]:
    return lambda service: attrs.evolve(service, resting="RUNNING", digest=digest)


def _undone(service: Service) -> Service:
    return attrs.evolve(service, configuration=service.fallback or service.configuration, fallback=None)


def _settled(service: Service) -> Service:
    """End an operation that was in progress when the local cloud stopped: nothing of it has taken effect."""
    if not service.is_busy:
        return service
    operation = service.operations[-1]
    has_way_back = service.resting == "RUNNING" and operation.type in _DEPLOYMENTS
    return _undone(service).with_operation(operation.advanced("ROLLBACK_SUCCEEDED" if has_way_back else "FAILED"))


def _dismantle(runtime: _Runtime) -> None:
    runtime.relay.close()
    if runtime.instance is not None:
        runtime.instance.stop()
