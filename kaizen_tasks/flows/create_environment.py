"""The steps that create the repository and the service of a new environment, like those of a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain import new_service
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import DeployFailed, NotFound, UsageError
from kaizen_tasks.flows.setup import CreateTable, EnableBlobMounting, ProtectTags
from kaizen_tasks.flows.step import EnvironmentStep

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
CREATION_STATUSES = {"", "CREATE_FAILED", "OPERATION_IN_PROGRESS"}
"""States of a service that has never run; a service that does not exist has an empty one."""


def creation_flow(environment: Environment, neighbour: Environment) -> Flow:
    """Return the steps of a setup that also creates what an environment lacks: its repository and its service."""
    return (
        CreateTable(),
        EnableBlobMounting(),
        CreateRepository(environment=environment, neighbour=neighbour),
        CreateService(environment=environment, neighbour=neighbour),
    )


def find_neighbour(environment: Environment, settings: Settings) -> Environment:
    """Return the environment to imitate: the first other one of the same group.

    Raises:
        UsageError: the environment is in no group with another one.
    """
    if neighbours := settings.neighbours(environment):
        return neighbours[0]
    message = f"{environment.name} is in no group, so it has no neighbour to be like"
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
            tools.account.create_repository_like(self.neighbour.repository, repository, self._rules(tools))
        return release

    def _rules(self, tools: Tools) -> TagMutability:
        rules = tools.account.tag_mutability(self.neighbour.repository)
        return rules.with_versions_protected(tools.settings.followed_tags(self.environment.repository))


@frozen(kw_only=True)
class CreateService(EnvironmentStep):
    """Create the environment's service like the neighbour's, with the image that `promote` has brought."""

    step_name: ClassVar[str] = "service"
    neighbour: Environment

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the service, the image that it starts with, and what the neighbour's service is like."""
        service, name = self._find_service(tools), self.environment.service
        if service is not None and service.status not in CREATION_STATUSES:
            return Done(f"the service {name} is {service.status}", release)
        if service is not None and service.status == "OPERATION_IN_PROGRESS":
            return self._decide_for_busy_service(service, release, tools)
        if not self._has_image(tools):
            reason = f"nothing is {self.environment.followed_image} yet, and a service needs an image to start with"
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
        if service is None or service.status == "CREATE_FAILED":
            settings = self._with_identifiers(self._adapted_settings(tools), tools)
            if service is not None:
                tools.platform.delete_failed_service(service)
                self._wait_until_deleted(tools)
            repository_uri = self._platform_repository_uri(tools)
            image = f"{repository_uri}:{self.environment.follow}"
            neighbour_service = tools.platform.get_service(self.neighbour.service)
            tools.platform.create_service_like(
                neighbour_service, self.environment.service, image=image, settings=settings
            )
        self._wait_until_created(tools)
        return release

    def _find_service(self, tools: Tools) -> Service | None:
        try:
            return tools.platform.get_service(self.environment.service)
        except NotFound:
            return None

    def _decide_for_busy_service(self, service: Service, release: Release, tools: Tools) -> Decision:
        operations = tools.platform.list_operations(service)
        if any(operation.kind == "CREATE_SERVICE" and not operation.is_finished for operation in operations):
            return Act(f"wait until {service.name} is created", release)
        return Done(f"the service {service.name} is {service.status}", release)

    def _has_image(self, tools: Tools) -> bool:
        try:
            return tools.registry.find_image(self.environment.repository, self.environment.follow) is not None
        except NotFound:
            return False

    def _adapted_settings(self, tools: Tools) -> ServiceSettings:
        return new_service.adapt_settings(self._neighbour_settings(tools), self.neighbour, self.environment)

    def _neighbour_settings(self, tools: Tools) -> ServiceSettings:
        return tools.platform.read_settings(tools.platform.get_service(self.neighbour.service))

    def _missing_secrets(self, tools: Tools) -> tuple[str, ...]:
        references = self._adapted_settings(tools).secrets.values()
        names = dict.fromkeys(filter(None, map(new_service.secret_name, references)))
        return tuple(name for name in names if not _secret_exists(name, tools))

    def _with_identifiers(self, settings: ServiceSettings, tools: Tools) -> ServiceSettings:
        """Return settings whose references have the identifiers of the new environment's secrets."""
        secrets = dict(settings.secrets)
        for variable, reference in secrets.items():
            if name := new_service.secret_name(reference):
                secrets[variable] = new_service.with_secret_arn(reference, tools.secrets.identifier(name))
        return evolve(settings, secrets=secrets)

    def _platform_repository_uri(self, tools: Tools) -> str:
        """Return the repository as the platform knows it: at the registry of the neighbour's image."""
        neighbour_image = tools.platform.get_service(self.neighbour.service).image
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
        name = self.environment.service
        tools.reporter.progress(self.label, f"{name} is being created, which takes App Runner some minutes")
        for _ in self._polls(tools):
            service = self._find_service(tools)
            if service is not None and service.status == "CREATE_FAILED":
                raise DeployFailed(
                    f"{name} could not be created: it is CREATE_FAILED",
                    state=f"{self.environment.followed_image} is as it was",
                    hint="see its events in the App Runner console; then run the same command again",
                )
            if service is not None and service.status != "OPERATION_IN_PROGRESS":
                return
        raise self._timeout_error("created", tools)

    def _polls(self, tools: Tools) -> Iterator[None]:
        deadline = tools.clock.monotonic() + tools.settings.deploy.timeout
        while tools.clock.monotonic() < deadline:
            yield
            tools.clock.sleep(POLL_INTERVAL_SECONDS)

    def _timeout_error(self, participle: str, tools: Tools) -> DeployFailed:
        return DeployFailed(
            f"{self.environment.service} was not {participle} within"
            f" {duration.format_duration(tools.settings.deploy.timeout)}",
            state="App Runner may still be at it",
            hint="run the same command again: it waits on",
        )


def _secret_exists(name: str, tools: Tools) -> bool:
    try:
        tools.secrets.identifier(name)
    except NotFound:
        return False
    return True
