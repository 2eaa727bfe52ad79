"""Collects the status of all environments, with concurrent requests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from attrs import field, frozen

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.aws_target import AwsTarget
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import LedgerEntry, failure_before_rollback, find_withdrawal, latest_deployment_entry
from kaizen_tasks.domain.line import line_of_environment, line_of_version, series_name
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.migration.record import Migration, find_migration, left_platform
from kaizen_tasks.domain.migration.second_service import SecondService
from kaizen_tasks.domain.status import EnvironmentStatus, with_conflicts
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.deploy.image import find_configured_image
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.locking.liveness import is_run_dead
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools

T = TypeVar("T")
MAX_CONCURRENT_ENVIRONMENTS = 64
"""Number of worker threads: an app that does not answer occupies one for seconds."""

RECENT_ENTRIES = 60
"""How many entries of an environment are read: a migration is known for fifteen releases after it was typed last."""

NO_ADDRESS = VersionReport(error="has no address")


@frozen
class _Lookups:
    """What is looked up in several threads.

    Args:
        environments: the environments that are looked at.

    Attributes:
        accounts: the account of each target.
        service_urls: URLs by service, of each location.
        locks: the locks of all environments.
        holds: their holds.
        recent_entries: their newest entries.
        images: the image of each environment, and the digest that runs; see `find_configured_image`.
        versions: the URL of each environment's app, and its answer.
    """

    _environments: Sequence[Environment]
    accounts: Mapping[AwsTarget, Future[str]] = field(init=False)
    service_urls: Mapping[Hashable, Future[Mapping[str, str]]] = field(init=False)
    locks: Future[Mapping[str, Lock]] = field(init=False, factory=Future)
    holds: Future[Mapping[str, Hold]] = field(init=False, factory=Future)
    recent_entries: Future[Mapping[str, Sequence[LedgerEntry]]] = field(init=False, factory=Future)
    images: Mapping[str, Future[tuple[Image | None, str]]] = field(init=False)
    versions: Mapping[str, Future[tuple[str, VersionReport]]] = field(init=False)

    @accounts.default
    def _account_futures(self) -> Mapping[AwsTarget, Future[str]]:
        return {environment.target: Future() for environment in self._environments}

    @service_urls.default
    def _url_futures(self) -> Mapping[Hashable, Future[Mapping[str, str]]]:
        return {environment.location: Future() for environment in self._environments}

    @images.default
    def _image_futures(self) -> Mapping[str, Future[tuple[Image | None, str]]]:
        return {environment.name: Future() for environment in self._environments}

    @versions.default
    def _version_futures(self) -> Mapping[str, Future[tuple[str, VersionReport]]]:
        return {environment.name: Future() for environment in self._environments}


def collect_status(environments: Sequence[Environment], tools: Tools) -> tuple[EnvironmentStatus, ...]:
    """Return the status of each environment; the error of a failed lookup is in its `errors`, not raised.

    Raises:
        Denied: the credentials of the home belong to another account than configured.
    """
    tools.identity.account_id()
    names, lookups = [environment.name for environment in environments], _Lookups(environments)
    examples = {environment.target: environment for environment in environments}
    locations = {environment.location: environment for environment in environments}
    calls: tuple[Callable[[], EnvironmentStatus | None], ...] = (
        *(
            partial(_resolve, lookups.accounts[target], tools.at(environment).identity.account_id)
            for target, environment in examples.items()
        ),
        *(
            partial(_resolve, lookups.service_urls[location], partial(_read_urls, environment, lookups, tools))
            for location, environment in locations.items()
        ),
        partial(_resolve, lookups.locks, partial(tools.locks.get_many, names)),
        partial(_resolve, lookups.holds, partial(tools.holds.get_many, names)),
        partial(_resolve, lookups.recent_entries, partial(tools.ledger.recent_entries, names, limit=RECENT_ENTRIES)),
        *(
            partial(_resolve, lookups.images[environment.name], partial(_find_image, environment, lookups, tools))
            for environment in environments
        ),
        *(
            partial(_resolve, lookups.versions[environment.name], partial(_ask_app, environment, lookups, tools))
            for environment in environments
        ),
        *(partial(_environment_status, environment, lookups, tools) for environment in environments),
    )  # in this order, nothing waits for a lookup that has not started, and no request for what another one returns
    rows = map_parallel(lambda call: call(), calls, max_workers=MAX_CONCURRENT_ENVIRONMENTS)
    return with_conflicts([row for row in rows if row is not None])


def _resolve(future: Future[T], lookup: Callable[[], T]) -> None:
    try:
        future.set_result(lookup())
    except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
        future.set_exception(error)


@frozen
class _Failures:
    """The distinct messages of failed lookups, in order: of those that found nothing, and of all others."""

    missing: dict[str, None] = field(factory=dict)
    errors: dict[str, None] = field(factory=dict)

    def attempt(self, lookup: Callable[[], T]) -> T | None:
        """Return the answer of a lookup; when it fails, keep the message and return None."""
        try:
            return lookup()
        except KaizenError as error:
            messages = self.missing if isinstance(error, NotFound) else self.errors
            messages[error.message] = None
            return None


def _read_urls(environment: Environment, lookups: _Lookups, tools: Tools) -> Mapping[str, str]:
    lookups.accounts[environment.target].result()
    return tools.at(environment).platform.service_urls()


def _find_image(environment: Environment, lookups: _Lookups, tools: Tools) -> tuple[Image | None, str]:
    lookups.accounts[environment.target].result()  # a role that is denied is not asked for again by each environment
    return find_configured_image(environment, tools)


def _ask_app(environment: Environment, lookups: _Lookups, tools: Tools) -> tuple[str, VersionReport]:
    """Return the URL of an app, and its answer; the configured URL if those of the platform could not be read."""
    try:
        urls = lookups.service_urls[environment.location].result()
    except KaizenError:
        url = environment.url
    else:
        url = _app_url(environment, urls, tools)
    return url, _fetch_version(environment, url, tools)


def _environment_status(environment: Environment, lookups: _Lookups, tools: Tools) -> EnvironmentStatus:
    failures = _Failures()
    image, running_digest = failures.attempt(lookups.images[environment.name].result) or (None, "")
    recent_entries = failures.attempt(partial(_recent_entries, environment, lookups, tools)) or ()
    entry = latest_deployment_entry(recent_entries)
    if recent_entries and entry is None:
        entry = failures.attempt(lambda: ledger.read_latest_entry(environment, tools))
    failures.attempt(lookups.service_urls[environment.location].result)
    url, report = failures.attempt(lookups.versions[environment.name].result) or ("", NO_ADDRESS)
    moved_to = left_platform(recent_entries, environment)
    line, line_drift = _line(environment, entry, tools)
    locks, holds = failures.attempt(lookups.locks.result) or {}, failures.attempt(lookups.holds.result) or {}
    lock = locks.get(environment.name)
    return EnvironmentStatus(
        environment=environment,
        url=url,
        followed_image=image,
        running_digest=running_digest,
        version_report=report,
        last_entry=entry,
        lock=lock,
        hold=holds.get(environment.name),
        is_run_dead=lock is not None and is_run_dead(lock, tools),
        errors=tuple(failures.errors),
        missing=tuple(failures.missing),
        withdrawal=find_withdrawal(recent_entries, entry.digest) if entry else None,
        failure=failure_before_rollback(recent_entries),
        line=line,
        line_drift=line_drift,
        second_service=None if moved_to else _second_service(environment, find_migration(recent_entries), tools),
        moved_to=moved_to,
        changed_at=recent_entries[0].at if recent_entries else None,
    )


def _recent_entries(environment: Environment, lookups: _Lookups, tools: Tools) -> Sequence[LedgerEntry]:
    """Return the newest entries of an environment; alone, if they could not be read with those of all others."""
    found = lookups.recent_entries.result().get(environment.name)
    return tools.ledger.entries(environment.name, limit=RECENT_ENTRIES) if found is None else found


def _second_service(environment: Environment, migration: Migration | None, tools: Tools) -> SecondService | None:
    """Return the service that the configuration does not name; None if the environment is not being moved."""
    if migration is None:
        return None
    is_new = not migration.has_moved(environment)
    other = migration.new_environment(environment) if is_new else migration.old_environment(environment)
    url, report = migration.url if is_new else "", NO_ADDRESS
    try:
        url = url or tools.at(other).platform.get_service(other.service).url
        if is_new or not migration.is_retired:
            report = _fetch_version(other, url, tools)
    except NotFound:
        report = VersionReport(error="does not exist")
    except KaizenError as error:
        report = VersionReport(error=f"was not asked: {error.message}")
    return SecondService(
        migration=migration, is_new=is_new, platform=other.kind.title, name=other.service, url=url, report=report
    )


def _line(environment: Environment, entry: LedgerEntry | None, tools: Tools) -> tuple[str, str]:
    """Return the name of an environment's line, and what contradicts it; both empty without lines."""
    lines = tools.settings.lines
    own_line = line_of_environment(lines, environment.name)
    version = versions.parse_version(entry.version) if entry and lines else None
    line = line_of_version(lines, version) if version else None
    if own_line is None:
        return line.name if line else series_name(version) if version else "", ""
    is_wrong = entry is not None and line is not own_line
    return own_line.name, f"stays on the line {own_line.name}, and has {entry.version}" if entry and is_wrong else ""


def _fetch_version(environment: Environment, url: str, tools: Tools) -> VersionReport:
    if not url:
        return NO_ADDRESS
    try:
        return probe.version_endpoint(environment, url, tools).fetch()
    except KaizenError as error:
        return VersionReport(error=f"was not asked: {error.message}")


def _app_url(environment: Environment, service_urls: Mapping[str, str], tools: Tools) -> str:
    if environment.service not in service_urls:
        place = f" in the cluster {environment.cluster}" if environment.kind.has_cluster else ""
        raise NotFound(f"there is no service {environment.service}{place}")
    return probe.pick_url(environment, service_urls[environment.service], tools)
