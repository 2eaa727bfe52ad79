"""Checks of one environment: its repository, the images that it must keep, its service, and its app."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain import ledger as entries
from kaizen_tasks.domain import lifecycle
from kaizen_tasks.domain.aws_target import AwsTarget
from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.migration.record import left_platform
from kaizen_tasks.domain.service import OperationKind, ServiceStatus
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import ClusterMissing, KaizenError, NotFound
from kaizen_tasks.flows.deploy import first_deployment, probe
from kaizen_tasks.flows.deploy.image import describe_image_to_run, find_image_to_run
from kaizen_tasks.flows.doctor import ecs
from kaizen_tasks.flows.doctor.account import SETUP_HINT
from kaizen_tasks.flows.doctor.check import Check
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kaizen_tasks.domain.image import Image
    from kaizen_tasks.domain.service import Service

LIFECYCLE_LOOKAHEAD = timedelta(days=7)

OBSTRUCTING_OPERATIONS: Mapping[OperationKind, str] = {
    OperationKind.CREATION: "being created",
    OperationKind.DELETION: "being deleted",
    OperationKind.PAUSE: "being paused",
}


@define
class TagRules:
    """The tag rules of several repositories, read at the first use in as few requests as possible.

    Args:
        environments: whose repositories are read.
        tools: the ports.
    """

    _environments: Collection[Environment]
    _tools: Tools
    _lock: Lock = field(init=False, factory=Lock)
    _rules: dict[AwsTarget, Mapping[str, TagMutability]] = field(init=False, factory=dict)

    def find(self, environment: Environment) -> TagMutability:
        """Return the rules of an environment's repository.

        Raises:
            NotFound: there is no such repository.
        """
        repository, target, account = environment.repository, environment.target, self._tools.at(environment).account
        with self._lock:
            if target not in self._rules:
                names = [each.repository for each in self._environments if each.target == target]
                self._rules[target] = account.tag_mutabilities(names)
        return self._rules[target].get(repository) or account.tag_mutability(repository)


def checks(environment: Environment, tools: Tools, tag_rules: TagRules) -> Iterator[Check]:
    """Return the checks of an environment; `Check.before_changes` says which of them precede a change."""
    yield Check(
        subject=Subject("repository", environment.name),
        probe=partial(_check_repository, tag_rules, environment),
        before_changes=Verdict.PROBLEM,
    )
    yield Check(
        subject=Subject("images", environment.name),
        probe=partial(_check_images, environment, tools),
        error_verdict=Verdict.SKIPPED,
        before_changes=Verdict.WARNING,
    )
    yield Check(
        subject=Subject("image", environment.name),
        probe=partial(_check_followed_image, environment, tools),
        error_verdict=Verdict.SKIPPED,
    )
    yield Check(
        subject=Subject("service", environment.name),
        probe=partial(_check_service, environment, tools),
        before_changes=Verdict.PROBLEM,
    )
    yield from ecs.checks(environment, tools)
    yield Check(subject=Subject("app", environment.name), probe=partial(_check_app, environment, tools))


def checks_without_credentials(environment: Environment, tools: Tools) -> Iterator[Check]:
    """Return the checks that need no credentials: anybody can probe the app's configured URL."""
    if environment.url:
        probe = partial(_check_version_endpoint, environment.url, environment, tools)
        yield Check(subject=Subject("app", environment.name), probe=probe)


def _check_repository(tag_rules: TagRules, environment: Environment, subject: Subject) -> Iterator[Finding]:
    name, rules = environment.repository, tag_rules.find(environment)
    if environment.follows_tag and not rules.may_move(environment.follow):
        message = f"tags of {name} are {rules}: no deployment can move :{environment.follow}"
        yield subject.problem(message, SETUP_HINT)
    elif not rules.protects_version_tags:
        yield subject.warning(f"tags of {name} are {rules}: a released version can be replaced", SETUP_HINT)
    else:
        yield subject.ok(f"tags of {name} are {rules}")


def find_unsuitable_images(environments: Iterable[Environment], images: Iterable[Image]) -> Iterator[Finding]:
    """Yield a problem for each image that cannot run in an environment."""
    for environment, image in product(environments, images):
        if not environment.runs(image.platform):
            platform, name = " or ".join(environment.image_platforms), image.version or image.digest[:19]
            message = f"{name} is built for {image.platform}, and {environment.service} runs {platform}"
            fix = f"release an image for {platform}: see build.platform and the FROM lines of the Dockerfile"
            yield Subject("image", environment.name).problem(message, fix)


def _check_followed_image(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    image, name = find_image_to_run(environment, tools), describe_image_to_run(environment)
    if image is None:
        yield subject.ok(f"there is no {name} yet")
        return
    problems = tuple(find_unsuitable_images((environment,), (image,)))
    yield from problems or (subject.ok(f"{name} is {image.version or 'unlabelled'}"),)


def _check_images(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Find needed images that the lifecycle policy expires within a week: ECR does not spare running ones."""
    account = tools.at(environment).account
    rules = account.lifecycle_rules(environment.repository)
    if not rules:
        yield subject.ok("no lifecycle policy expires any")
        return
    roles, images = _required_images(environment, tools), account.list_images(environment.repository)
    expiring_today = lifecycle.expiring_images(rules, images, tools.clock.now())
    expiring_soon = lifecycle.expiring_images(rules, images, tools.clock.now() + LIFECYCLE_LOOKAHEAD)
    expiries = {**expiring_soon, **expiring_today}
    for digest in filter(expiries.__contains__, roles):
        rule = expiries[digest].priority
        message = f"lifecycle rule {rule} expires {roles[digest]}"
        fix = f"make rule {rule} of {environment.repository} keep tags that begin with v, or more of them"
        if digest in expiring_today:
            yield subject.problem(message, fix)
        else:
            yield subject.warning(f"within a week, {message}", fix)
    if not roles.keys() & expiring_soon.keys():
        yield subject.ok("the lifecycle policy keeps what is running and what a rollback needs")


def _required_images(environment: Environment, tools: Tools) -> dict[str, str]:
    """Return the digests that must be kept, each with its role."""
    history = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    serving_digest = ledger.read_serving_digest(environment, tools)
    rollback_entry = next(iter(entries.rollback_candidates(history, excluded_digest=serving_digest or "")), None)
    roles = {rollback_entry.digest: f"{rollback_entry.version}, which a rollback needs"} if rollback_entry else {}
    versions = {entry.digest: str(entry.version) for entry in reversed(history)}
    for digest in filter(None, (serving_digest, _running_digest(environment, tools))):
        roles[digest] = f"{versions.get(digest, digest[:19])}, which is running"
    return roles


def _running_digest(environment: Environment, tools: Tools) -> str:
    """Return the digest that a platform runs which is told one: there is no tag that spares the image."""
    if environment.follows_tag:
        return ""
    try:
        return tools.at(environment).platform.get_service(environment.service).running_digest
    except NotFound:
        return ""


def _check_service(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    try:
        service = tools.at(environment).platform.get_service(environment.service)
    except NotFound as error:
        create_command = first_deployment.create_command(environment)
        keys = "`service` or `cluster`" if environment.kind.has_cluster else "`service`"
        fix = f"correct {keys} in the configuration, or create it: {create_command}"
        if isinstance(error, ClusterMissing):
            fix = error.hint
        yield _departure(environment, tools, subject) or subject.problem(error.message, fix)
        return
    obstructing_operation = _find_obstructing_operation(service, environment, tools)
    if not service.is_deployable:
        problem = subject.problem(f"{service.name} is {service.native_status}", _service_fix(service, environment))
        yield _departure(environment, tools, subject) or problem
    elif obstructing_operation is not None:
        yield subject.problem(f"{service.name} is {obstructing_operation}", "wait until it is running")
    elif not environment.follows_tag:
        yield subject.ok(f"{service.name} is {service.native_status}")
    elif not _follows_configured_tag(service, environment, tools):
        expected_image = environment.followed_image
        message = f"{service.name} follows {service.image or 'no image'}, not {expected_image}"
        fix = f"make it follow {expected_image}, or correct repository, service and follow in the configuration"
        yield subject.problem(message, fix)
    elif service.auto_deploys:
        message = f"{service.name} deploys by itself when :{environment.follow} moves, in a race with the release"
        yield subject.warning(message, "switch AutoDeploymentsEnabled off (Terraform: auto_deployments_enabled)")
    else:
        yield subject.ok(f"{service.name} is {service.native_status} and follows {environment.followed_image}")


def _departure(environment: Environment, tools: Tools, subject: Subject) -> Finding | None:
    """Return the problem of a configuration that names the service which the environment has left, as in an old clone.

    Such a service is paused or deleted, so the ledger is asked only about one that cannot deploy.
    """
    history = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    place = left_platform(history, environment)
    message = f"{environment.name} has moved to {place}, and this configuration names the service that it has left"
    return subject.problem(message, "get the configuration of today: git pull") if place else None


def _find_obstructing_operation(service: Service, environment: Environment, tools: Tools) -> str | None:
    """Return what is being done to a service that no deployment can wait for: it may not be RUNNING afterwards."""
    if service.status is not ServiceStatus.BUSY:
        return None
    operations = tools.at(environment).platform.list_operations(service)
    current = next((operation for operation in operations if not operation.is_finished), None)
    return OBSTRUCTING_OPERATIONS.get(current.kind) if current else None


def _service_fix(service: Service, environment: Environment) -> str:
    events = f"see its events in the console of {environment.kind.title}"
    if service.status is ServiceStatus.PAUSED:
        return service.fix or events
    if service.status is ServiceStatus.CREATION_FAILED:
        return f"{events}; to delete it and create it again: {first_deployment.create_command(environment)}"
    return events


def _follows_configured_tag(service: Service, environment: Environment, tools: Tools) -> bool:
    """Return whether a service follows the configured tag of the environment's repository.

    App Runner knows a private repository by ECR's public name, even when the registry is on this machine.
    """
    public_host = f"{tools.at(environment).identity.account_id()}.dkr.ecr.{environment.target.region}."
    host, _, image = service.image.partition("/")
    if image != environment.followed_image:
        return False
    if host.startswith(public_host):
        return True
    repository_uri = tools.at(environment).registry.repository_uri(environment.repository)
    return service.image == f"{repository_uri}:{environment.follow}"


def _check_app(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    try:
        url = probe.probe_url(environment, tools)
    except KaizenError:
        url = environment.url
    if url:
        yield from _check_version_endpoint(url, environment, tools, subject)
    else:
        yield subject.skipped("only its service knows the URL, and cannot be read")


def _check_version_endpoint(url: str, environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    version_endpoint = probe.version_endpoint(environment, url, tools)
    endpoint, report = version_endpoint.url, version_endpoint.fetch()
    if report.is_cached:
        fix = f"exclude {tools.settings.verify.path} from the cache, or set verify.direct = true"
        yield subject.problem(f"{endpoint} {report.error}, so no release can be verified", fix)
    elif report.error:
        yield subject.warning(f"{endpoint} {report.error}", "start the app, or correct url or verify.path")
    elif not report.is_from(environment.name):
        message = f"{endpoint} says environment {report.environment or 'nothing'}, not {environment.name}"
        cannot = "" if report.environment else "; if the app cannot name it: environment = false in [verify]"
        fix = f"set ENVIRONMENT={environment.name} of {environment.service}, or correct url{cannot}"
        yield subject.problem(message, fix)
    else:
        yield subject.ok(f"{endpoint} says {report.version}")
