"""Creates in a local cloud what the configuration names, as a team's Terraform does on AWS."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from attrs import evolve
from semver import Version

from kaizen_tasks.config import checks
from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile
from kaizen_tasks.domain.environment import distinct_repositories
from kaizen_tasks.domain.new_service import NewService
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.domain.text import log_excerpt
from kaizen_tasks.domain.text.duration import write_duration
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import DeployFailed, KaizenError, NotFound, Refused
from kaizen_tasks.flows.deploy.image import image_reference, move_followed_tag
from kaizen_tasks.flows.release import files, last_release
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps.build import Build, build_spec, upload_image
from kaizen_tasks.flows.steps.copy import copy_image
from kaizen_tasks.ports.secrets import Secret
from kaizen_tasks.rehearsal.services.sample_secrets import sample_secrets
from kaizen_tasks.rehearsal.services.service_input import ServiceDescription, ServiceInput, read_secrets, service_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.image import Image
    from kaizen_tasks.wiring import Toolbox

DEFAULT_PORT = 8080
"""App Runner's default, which an app without `EXPOSE` is taken to use."""

INITIAL_VERSION = Version(0, 0, 0)
"""What services run before a first release: below any release, so that no release finds its tag taken."""

START_MARGIN_SECONDS = 60.0
"""Seconds beyond `rehearse.start_timeout` within which all new services must run: their images are pulled first."""

POLL_INTERVAL_SECONDS = 0.05
"""Seconds between two looks at services of a cloud on this machine."""

PATIENCE_SECONDS = 10.0
"""Seconds after which it is said what is waited for."""


def provision(tools: Toolbox, first_version: Version, *, like: ServiceDescription | None = None) -> None:
    """Create missing services, with what they need, and the ledger; every new service runs an image of HEAD.

    Args:
        tools: the app's toolbox, pointed at a local cloud.
        first_version: version label of the image.
        like: a real service, whose names of variables and secrets all services get; see `describe_service`.

    Raises:
        UsageError: the file of `rehearse.secrets` cannot be read.
        Refused: HEAD has no VERSION.
        DeployFailed: a service did not start.
    """
    environments = tuple(tools.settings.environments.values())
    new_environments = tuple(environment for environment in environments if not _service_exists(environment, tools))
    if not tools.ledger_table.exists():
        tools.ledger_table.create()
    if not new_environments:
        return
    secrets = read_secrets(tools.settings)
    for account in {each.target: tools.at(each).account for each in new_environments}.values():
        account.enable_blob_mounting()
    _create_repositories(new_environments, tools)
    image = _publish_first_image(new_environments, first_version, tools)
    port = tools.settings.rehearse.port or (like.port if like else 0) or _exposed_port(image, tools)
    for environment in new_environments:
        runs_with = service_input(environment, tools.settings, secrets=secrets, like=like)
        _create_service(environment, image, port, runs_with, tools)
    wait_until_running(new_environments, tools)


def choose_first_version(tools: Toolbox) -> Version:
    """Return the version label of a first image that no later release needs: that of the last release, or 0.0.0."""
    try:
        return last_release.last_released_version(tools) or INITIAL_VERSION
    except KaizenError:
        return INITIAL_VERSION  # without a VERSION or a changelog


def describe_service(environment: Environment, tools: Toolbox) -> ServiceDescription:
    """Return the names that the real service of an environment has, for services that are like it.

    Args:
        environment: the environment.
        tools: the app's toolbox, pointed at the real account.

    Raises:
        NotFound: there is no such service.
    """
    platform = tools.at(environment).platform
    service = platform.get_service(environment.service)
    return ServiceDescription.of(service.name, platform.read_settings(service))


def _exposed_port(image: Image, tools: Toolbox) -> int:
    """Return the port that the image exposes, or the Dockerfile of HEAD if the image is a stand-in."""
    ports = image.exposed_ports or _ports_of_dockerfile(tools)
    return DEFAULT_PORT if not ports or DEFAULT_PORT in ports else ports[0]


def _ports_of_dockerfile(tools: Toolbox) -> tuple[int, ...]:
    rules = tools.settings.build
    content = tools.scm.read_at(tools.scm.head().commit, posixpath.normpath(f"{rules.context}/{rules.dockerfile}"))
    text = content.decode(errors="replace") if content else ""
    stage = parse_dockerfile(text, rules.args, platform=rules.platform).find_stage(rules.target)
    return stage.exposed_ports if stage else ()


def _service_exists(environment: Environment, tools: Toolbox) -> bool:
    try:
        tools.at(environment).platform.get_service(environment.service)
    except NotFound:
        return False
    return True


def _create_repositories(environments: tuple[Environment, ...], tools: Toolbox) -> None:
    for environment in environments:
        try:
            tools.at(environment).registry.repository_uri(environment.repository)
        except NotFound:
            followed_tags = tools.settings.followed_tags(environment)
            rules = TagMutability(mutability="MUTABLE").with_versions_protected(followed_tags)
            tools.provisioner_at(environment).create_repository(environment.repository, rules)


def _publish_first_image(environments: tuple[Environment, ...], version: Version, tools: Toolbox) -> Image:
    """Build an image of HEAD, push it to the first repository, copy it to the others, and return it."""
    release = head_release(version, tools)
    first, *others = distinct_repositories(environments)
    if tools.at(first).registry.find_image(first.repository, release.name) is None:
        if tools.builder.find_image(build_spec(release, tools)) is None:
            run_flow((Build(),), release, tools)
        upload_image(release, first, tools)
    image = tools.at(first).registry.find_image(first.repository, release.name)
    assert image is not None
    for other in others:
        copy_image(image.digest, first, other, tag=release.name, tools=tools)
    for environment in environments:
        move_followed_tag(environment, image.digest, tools)
    return image


def head_release(version: Version, tools: Toolbox) -> Release:
    """Return what the first image is built from: HEAD, under the label of a version.

    Raises:
        Refused: HEAD has no VERSION.
    """
    head = tools.scm.head().commit
    if tools.scm.read_at(head, files.VERSION_FILE) is None:
        message = "HEAD has no VERSION, so there is no image for the services to start with"
        raise Refused(message, hint="commit a VERSION")
    return Release(version=version, commit=head)


def _create_service(environment: Environment, image: Image, port: int, runs_with: ServiceInput, tools: Toolbox) -> None:
    service = NewService(
        image=image_reference(environment, image.digest, tools),
        image_platform=tools.settings.build.platform,
        variables=runs_with.variables,
        secrets=_create_secrets(environment, runs_with, tools),
        port=port,
        health_path=_health_path(tools),
        start_timeout=tools.settings.rehearse.start_timeout,
    )
    tools.provisioner_at(environment).create_service(environment, service)


def _health_path(tools: Toolbox) -> str:
    """Return a path at which the app answers without an error to whoever asks: that of the version, if it is public."""
    verify = tools.settings.verify
    return "/" if verify.headers else verify.path


def _create_secrets(environment: Environment, runs_with: ServiceInput, tools: Toolbox) -> Mapping[str, str]:
    """Create an environment's secrets; return the references to the runtime configuration's, by variable."""
    references = {
        name: tools.provisioner_at(environment).create_secret(evolve(environment, secret=name), Secret(text))
        for name, text in sample_secrets(environment, tools.settings, runs_with.secrets).items()
    }
    own_references = references[environment.secret] if tools.settings.runtime.keys or runs_with.secrets else {}
    return {
        name: reference
        for name, reference in own_references.items()
        if name not in runs_with.variables and not checks.service_variable(name)
    }


def wait_until_running(environments: tuple[Environment, ...], tools: Toolbox) -> None:
    """Wait until the services of environments run what they were told.

    Raises:
        DeployFailed: one does not, with the last lines that its app has printed.
    """
    services = _wait_while_busy(environments, tools)
    pairs = zip(environments, services, strict=True)
    problems = {environment: _start_problem(service, environment, tools) for environment, service in pairs}
    failed = [environment for environment, problem in problems.items() if problem]
    if not failed:
        return
    first_service = services[environments.index(failed[0])]
    output = _last_output(first_service, failed[0], tools)
    for line in output:
        tools.reporter.note(f"  {first_service.name} | {line}")
    raise DeployFailed(
        f"not every service started: {', '.join(problems[environment] for environment in failed)}",
        state=f"the last words of {first_service.name}: {log_excerpt.last_words(output)}" if output else "",
        hint="correct the app, or set what it needs in [rehearse]: env, secrets, port, start_timeout",
    )


def _wait_while_busy(environments: tuple[Environment, ...], tools: Toolbox) -> tuple[Service, ...]:
    """Return the services once none is busy, one could not be created, or the time is over."""
    started_at, services, has_said = tools.clock.monotonic(), tuple[Service, ...](), False
    timeout = tools.settings.rehearse.start_timeout
    while (elapsed := tools.clock.monotonic() - started_at) < timeout + START_MARGIN_SECONDS:
        services = tuple(_get_service(environment, tools) for environment in environments)
        statuses = {service.status for service in services}
        if statuses <= {ServiceStatus.RUNNING} or ServiceStatus.CREATION_FAILED in statuses:
            break
        if elapsed > PATIENCE_SECONDS and not has_said:
            pending = list_names([service.name for service in services if service.status is not ServiceStatus.RUNNING])
            limit = f"{write_duration(timeout)}, by rehearse.start_timeout"
            tools.reporter.note(f"waiting for {pending} to listen on the port of the service (at most {limit})")
            has_said = True
        tools.clock.sleep(POLL_INTERVAL_SECONDS)
    return services


def _start_problem(service: Service, environment: Environment, tools: Toolbox) -> str:
    """Return why a service does not run what it was told; empty if it does. A service runs after a failure as well."""
    if service.status is not ServiceStatus.RUNNING:
        return f"{service.name} is {service.native_status}"
    for operation in tools.at(environment).platform.list_operations(service)[:1]:
        if operation.has_failed:
            reason = f": {operation.reason}" if operation.reason else ""
            return f"{service.name} ended its deployment with {operation.native_state}{reason}"
    return ""


def _get_service(environment: Environment, tools: Toolbox) -> Service:
    return tools.at(environment).platform.get_service(environment.service)


def _last_output(service: Service, environment: Environment, tools: Toolbox) -> tuple[str, ...]:
    """Return the last lines that the app of a service has printed; without any, those of the platform's log."""
    target, limit = tools.at(environment), log_excerpt.MAX_LINES
    for operation in target.platform.list_operations(service)[-1:]:
        lines = target.logs.application_tail(service, since=operation.started_at, limit=limit)
        return log_excerpt.sanitize_tail(lines or target.logs.deployment_tail(service, operation.id, limit=limit))
    return ()
