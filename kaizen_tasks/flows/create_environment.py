"""The steps that create the repository and the service of a new environment, like those of a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain import new_service
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.service import OperationKind, ServiceStatus
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import DeployFailed, NotFound, UsageError
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.setup import CreateTable, ProtectTags, blob_mounting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.new_service import ServiceSettings
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.domain.tag_mutability import TagMutability
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools

POLL_INTERVAL_SECONDS = 2.0


def creation_flow(environment: Environment, neighbour: Environment) -> Flow:
    """Return the steps of a setup that also creates what an environment lacks: its repository and its service."""
    return (
        CreateTable(),
        *blob_mounting([environment]),
        CreateRepository(environment=environment, neighbour=neighbour),
        CreateService(environment=environment, neighbour=neighbour),
    )


def find_neighbour(environment: Environment, settings: Settings) -> Environment:
    """Return the environment to imitate: the first other one of the same group on the same platform, in the same place.

    Raises:
        UsageError: the environment is in no group with another one, or all others are elsewhere.
    """
    neighbours = settings.neighbours(environment)
    for neighbour in neighbours:
        if neighbour.is_beside(environment):
            return neighbour
    message = f"{environment.name} is in no group, so it has no neighbour to be like"
    if neighbours:
        message = f"no other environment of the group of {environment.name} is on {environment.place}"
    raise UsageError(message, hint="name an environment whose service it shall be like: --like ENV")


@frozen(kw_only=True)
class CreateRepository(ProtectTags):
    """Create the environment's repository like the neighbour's; of one that exists, protect the tags."""

    step_name: ClassVar[str] = "repository"
    neighbour: Environment

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the repository and its rules."""
        try:
            return super().decide(release, tools)
        except NotFound:
            rules, repository = self._rules(tools), self.environment.repository
            like = f"with encryption, scanning and lifecycle policy of {self.neighbour.repository}"
            return Act(f"create the repository {repository}, its tags {rules}, {like}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create the repository, or change the rules of an existing one."""
        repository = self.environment.repository
        try:
            return super().act(release, tools)
        except NotFound:
            account = tools.at(self.environment).account
            account.create_repository_like(self.neighbour.repository, repository, self._rules(tools))
        return release

    def _rules(self, tools: Tools) -> TagMutability:
        rules = tools.at(self.neighbour).account.tag_mutability(self.neighbour.repository)
        return rules.with_versions_protected(tools.settings.followed_tags(self.environment))


@frozen(kw_only=True)
class CreateService(EnvironmentStep):
    """Create the environment's service like the neighbour's, with the image that `promote` has brought."""

    step_name: ClassVar[str] = "service"
    neighbour: Environment

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the service, the image that it starts with, and what the neighbour's service is like."""
        service, name = self._find_service(tools), self.environment.service
        may_be_created = {ServiceStatus.CREATION_FAILED, ServiceStatus.BUSY}
        if service is not None and service.status not in may_be_created:
            return Done(f"the service {name} is {service.native_status}", release)
        if service is not None and service.status is ServiceStatus.BUSY:
            return self._decide_for_busy_service(service, release, tools)
        if not self._has_image(tools):
            reason = f"there is no {self._needed_image} yet, and a service needs an image to start with"
            is_first = self.environment in tools.settings.first_stage.environments
            command = (
                f"release-{tools.settings.first_stage.name}" if is_first else f"promote --env {self.environment.name}"
            )
            hint = f"inv {command} brings one; then run the same command again"
            return Refuse(reasons=(reason,), hint=hint)
        missing_names = self._missing_secrets(tools)
        if missing_names:
            create = f"aws secretsmanager create-secret --name {missing_names[0]} --secret-string file://values.json"
            hint = f"create each with values of its own: {create}; then run the same command again"
            return Refuse(reasons=(f"{name} needs secrets that do not exist: {', '.join(missing_names)}",), hint=hint)
        return Act(self._describe(service, tools), release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create the service, after deleting one that could not be created, and wait until it runs.

        Raises:
            DeployFailed: the service was not created, or not in time.
        """
        service = self._find_service(tools)
        if service is None or service.status is ServiceStatus.CREATION_FAILED:
            settings = self._with_identifiers(self._adapted_settings(tools), tools)
            if service is not None:
                tools.at(self.environment).platform.delete_failed_service(service)
                self._wait_until_deleted(tools)
            image = f"{self._platform_repository_uri(tools)}{self._image_suffix(tools)}"
            neighbour_service = tools.at(self.neighbour).platform.get_service(self.neighbour.service)
            tools.at(self.environment).platform.create_service_like(
                neighbour_service, self.environment.service, image=image, settings=settings
            )
        self._wait_until_created(tools)
        return release

    def _find_service(self, tools: Tools) -> Service | None:
        try:
            return tools.at(self.environment).platform.get_service(self.environment.service)
        except NotFound:
            return None

    def _decide_for_busy_service(self, service: Service, release: Release, tools: Tools) -> Decision:
        operations = tools.at(self.environment).platform.list_operations(service)
        if any(operation.kind is OperationKind.CREATION and not operation.is_finished for operation in operations):
            return Act(f"wait until {service.name} is created", release)
        return Done(f"the service {service.name} is {service.native_status}", release)

    def _has_image(self, tools: Tools) -> bool:
        try:
            return self._image_suffix(tools) != ""
        except NotFound:
            return False

    @property
    def _needed_image(self) -> str:
        if self.environment.follows_tag:
            return self.environment.followed_image
        return f"image of a release in {self.environment.repository}"

    def _image_suffix(self, tools: Tools) -> str:
        """Return the tag or the digest that the service starts with, after `:` or `@`; empty if there is no image."""
        environment = self.environment
        registry = tools.at(environment).registry
        if environment.follows_tag:
            image = registry.find_image(environment.repository, environment.follow)
            return f":{environment.follow}" if image else ""
        entry = ledger.read_latest_entry(environment, tools)
        image = registry.find_image(environment.repository, entry.digest) if entry else None
        return f"@{image.digest}" if image else ""

    def _adapted_settings(self, tools: Tools) -> ServiceSettings:
        return new_service.adapt_settings(self._neighbour_settings(tools), self.neighbour, self.environment)

    def _neighbour_settings(self, tools: Tools) -> ServiceSettings:
        platform = tools.at(self.neighbour).platform
        return platform.read_settings(platform.get_service(self.neighbour.service))

    def _missing_secrets(self, tools: Tools) -> tuple[str, ...]:
        references = self._adapted_settings(tools).secrets.values()
        names = dict.fromkeys(filter(None, map(new_service.secret_name, references)))
        return tuple(name for name in names if not _secret_exists(name, self.environment, tools))

    def _with_identifiers(self, settings: ServiceSettings, tools: Tools) -> ServiceSettings:
        """Return settings whose references have the identifiers of the new environment's secrets."""
        secrets = dict(settings.secrets)
        for variable, reference in secrets.items():
            if name := new_service.secret_name(reference):
                identifier = tools.at(self.environment).secrets.identifier(name)
                secrets[variable] = new_service.with_secret_arn(reference, identifier)
        return evolve(settings, secrets=secrets)

    def _platform_repository_uri(self, tools: Tools) -> str:
        """Return the repository as the platform knows it: at the registry of the neighbour's image."""
        neighbour_image = tools.at(self.neighbour).platform.get_service(self.neighbour.service).image
        return f"{neighbour_image.partition('/')[0]}/{self.environment.repository}"

    def _describe(self, service: Service | None, tools: Tools) -> str:
        neighbour_settings, settings = self._neighbour_settings(tools), self._adapted_settings(tools)
        verb = "delete the service that could not be created, and create" if service else "create the service"
        differences = new_service.describe_differences(settings, neighbour_settings, self.neighbour.name)
        like = f"like {self.neighbour.service} ({settings.description})"
        return "; ".join(filter(None, (f"{verb} {self.environment.service} {like}", differences)))

    def _wait_until_deleted(self, tools: Tools) -> None:
        for _ in self._polls(tools):
            if self._find_service(tools) is None:
                return
        raise self._timeout_error("deleted", tools)

    def _wait_until_created(self, tools: Tools) -> None:
        name, kind = self.environment.service, self.environment.kind
        tools.reporter.progress(self.label, f"{name} is being created, which takes {kind.title} some minutes")
        for _ in self._polls(tools):
            service = self._find_service(tools)
            if service is None or service.status is ServiceStatus.BUSY:
                continue
            if problem := self._creation_problem(service, tools):
                raise DeployFailed(
                    f"{name} could not be created: {problem}",
                    state="its image is as it was",
                    hint=f"see its events in the console of {kind.title}; then run the same command again",
                )
            return
        raise self._timeout_error("created", tools)

    def _creation_problem(self, service: Service, tools: Tools) -> str:
        """Return why a service that was created does not run; empty if it does."""
        if service.status is ServiceStatus.CREATION_FAILED:
            return f"it is {service.native_status}"
        for operation in tools.at(self.environment).platform.list_operations(service)[:1]:
            if operation.has_failed:
                return ": ".join(
                    filter(None, (f"its deployment ended with {operation.native_state}", operation.reason))
                )
        return ""

    def _polls(self, tools: Tools) -> Iterator[None]:
        deadline = tools.clock.monotonic() + tools.settings.deploy.timeout
        while tools.clock.monotonic() < deadline:
            yield
            tools.clock.sleep(POLL_INTERVAL_SECONDS)

    def _timeout_error(self, participle: str, tools: Tools) -> DeployFailed:
        return DeployFailed(
            f"{self.environment.service} was not {participle} within"
            f" {duration.format_duration(tools.settings.deploy.timeout)}",
            state=f"{self.environment.kind.title} may still be at it",
            hint="run the same command again: it waits on",
        )


def _secret_exists(name: str, environment: Environment, tools: Tools) -> bool:
    try:
        tools.at(environment).secrets.identifier(name)
    except NotFound:
        return False
    return True
