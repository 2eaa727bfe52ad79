"""Reads what a migration starts from, plans the new service, and refuses what could not work."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from attrs import evolve, frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import serving_entry
from kaizen_tasks.domain.migration.definition import ServiceDefinition
from kaizen_tasks.domain.migration.mapping import Counterpart, MappedSetting, map_settings
from kaizen_tasks.domain.migration.plan import Choices, define_service
from kaizen_tasks.domain.migration.record import Migration, find_migration
from kaizen_tasks.domain.migration.source import SourceService
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, NotFound, Refused
from kaizen_tasks.flows.deploy.image import image_reference
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools

TASKS_PRINCIPAL = "ecs-tasks.amazonaws.com"
ECS_PRINCIPAL = "ecs.amazonaws.com"


@frozen(kw_only=True)
class MigrationRequest:
    """What the flags of `migrate` ask for.

    Attributes:
        platform: where to: `ecs-express`, `ecs`.
        choices: the settings that a person has chosen.
        service: the name of the new service; empty for that of the old one.
        address: the URL at which a service without an address of its platform answers; else empty.
        command: the words of the command line, to be typed again.
    """

    platform: str
    choices: Choices
    service: str = ""
    address: str = ""
    command: tuple[str, ...] = ()

    @property
    def command_line(self) -> str:
        """The command line."""
        return shlex.join(("inv", *self.command))


def with_flags(command_line: str, flags: Mapping[str, str]) -> str:
    """Return a command line with flags at its end in place of those that it has; without those whose value is empty.

    Args:
        command_line: each of its flags is followed by a value.
        flags: the values, by flag: `{"--subnets": "subnet-ID,subnet-ID"}`.
    """
    words = shlex.split(command_line)
    kept = [
        word for index, word in enumerate(words) if word not in flags and (index == 0 or words[index - 1] not in flags)
    ]
    added = (word for flag, value in flags.items() if value for word in (flag, value))
    return shlex.join((*kept, *added))


@frozen(kw_only=True)
class EnvironmentPlan:
    """The migration of one environment.

    Attributes:
        environment: the environment with its old service.
        new_environment: the environment with its new service.
        release: the release that serves.
        source: the old service.
        definition: the new service.
        settings: what becomes of each setting.
        migration: what the ledger knows of it; None before it has begun.
    """

    environment: Environment
    new_environment: Environment
    release: Release
    source: SourceService
    definition: ServiceDefinition
    settings: tuple[MappedSetting, ...]
    migration: Migration | None

    @property
    def title(self) -> str:
        """What moves where: `mark-coach-service on App Runner → mark-coach-service on ECS Express Mode`."""
        old, new = self.environment, self.new_environment
        return f"{old.service} on {old.kind.title} → {new.service} on {new.kind.title}"

    @property
    def new_id(self) -> str:
        """The ARN that the new service has, or will have."""
        _, partition, _, region, account, *_ = self.source.id.split(":")
        environment = self.new_environment
        return f"arn:{partition}:ecs:{region}:{account}:service/{environment.cluster}/{environment.service}"

    def leads_elsewhere(self, migration: Migration) -> bool:
        """Return whether a migration that was begun leads to another service than this one."""
        return migration.new_id != self.new_id or migration.platform != self.new_environment.platform


def begun_elsewhere(environment: Environment, migration: Migration) -> tuple[str, str]:
    """Return that an environment moves to another place already, and what to type: to go on, or to give that up."""
    command, name = f"inv migrate --env {environment.name}", environment.name
    message = f"{name} moves to {migration.title} already, as {migration.new_id}"
    return message, f"go on with that: {command} --to {migration.platform}; or give it up: {command} --undo"


def read_migration(environment: Environment, tools: Tools) -> Migration | None:
    """Return the migration of an environment that is under way, or None."""
    return find_migration(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))


def plan_environment(environment: Environment, request: MigrationRequest, tools: Tools) -> EnvironmentPlan:
    """Return what has to be done for one environment.

    Raises:
        Refused: nothing serves there, the service has no image, or a move to another place was begun.
        NotFound: there is no such service.
    """
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    entry = serving_entry(entries)
    if entry is None:
        raise Refused(
            f"{environment.name}: the ledger knows no release that serves there",
            state=NOTHING_CHANGED,
            hint=f"bring one into service first: inv promote --env {environment.name}",
        )
    release, migration = ledger.release_from_entry(entry), find_migration(entries)
    choices = _remembered_choices(request, migration)
    new_environment = evolve(
        environment,
        platform=request.platform,
        service=request.service or (migration.new_service if migration else environment.service),
        cluster=choices.cluster,
        container="",
        url=request.address or (migration.url if migration else ""),
    )
    at_source = tools.at(environment)
    source = at_source.migration_source.read_source(at_source.platform.get_service(environment.service))
    verify = tools.settings.verify
    definition = define_service(
        source,
        new_environment,
        choices,
        app=tools.settings.app,
        image=image_reference(new_environment, release.digest, tools),
        version_path="" if verify.headers else verify.path,
    )
    plan = EnvironmentPlan(
        environment=environment,
        new_environment=new_environment,
        release=release,
        source=source,
        definition=definition,
        settings=map_settings(source, definition, choices),
        migration=migration,
    )
    if migration is not None and plan.leads_elsewhere(migration):
        message, hint = begun_elsewhere(environment, migration)
        raise Refused(message, state=NOTHING_CHANGED, hint=hint)
    return plan


def _remembered_choices(request: MigrationRequest, migration: Migration | None) -> Choices:
    """Return the choices; the cluster of a service that was created before stays the same."""
    if migration is None or request.choices.cluster != Choices().cluster:
        return request.choices
    return evolve(request.choices, cluster=migration.new_id.split("/")[-2])


def require_possible(plan: EnvironmentPlan, request: MigrationRequest, tools: Tools) -> None:
    """Refuse a migration that could not work: for a setting that is missing, an image, or a role.

    Raises:
        Refused: with everything that is missing, and the flag that says it.
    """
    name = plan.environment.name
    missing = [each for each in plan.settings if each.counterpart is Counterpart.MISSING]
    if missing:
        reasons = "; ".join(f"{each.name}: {each.note}" for each in missing)
        flags = {"network": ("--subnets", "subnet-ID,subnet-ID"), "load balancer": ("--target-group", "ARN")}
        hint = with_flags(request.command_line, dict(flags[each.name] for each in missing if each.name in flags))
        raise Refused(f"{name} cannot move as it is: {reasons}", state=NOTHING_CHANGED, hint=hint)
    if not plan.new_environment.kind.has_address and not plan.new_environment.url:
        raise Refused(
            f"{name}: {plan.new_environment.kind.title} gives a service no address, so nothing can prove it",
            state=NOTHING_CHANGED,
            hint=f"name the load balancer's: {request.command_line} --address https://HOST",
        )
    repository = plan.environment.repository
    if tools.at(plan.environment).registry.find_image(repository, plan.release.digest) is None:
        raise Refused(
            f"{repository} no longer has the image of {plan.release.name}, which serves in {name}",
            state=NOTHING_CHANGED,
            hint=f"bring a release that exists into service first: inv promote --env {name}",
        )
    _require_roles(plan, request, tools)


def _require_roles(plan: EnvironmentPlan, request: MigrationRequest, tools: Tools) -> None:
    definition, target = plan.definition, tools.at(plan.new_environment).migration_target
    roles = (
        (definition.execution_role, TASKS_PRINCIPAL, "--execution-role"),
        (definition.infrastructure_role, ECS_PRINCIPAL, "--infrastructure-role"),
        (definition.task_role, TASKS_PRINCIPAL, ""),
    )
    for role, principal, flag in roles:
        name = role.rpartition("/")[2]
        try:
            trusted = target.trusted_services(role) if role else None
        except NotFound as error:
            describe = with_flags(request.command_line, {flag: "", "--terraform": f"{plan.environment.name}.tf"})
            hint = f"name another one by {flag}, or have it described: {describe}" if flag else f"create it: {describe}"
            raise Refused(error.message, state=NOTHING_CHANGED, hint=hint) from error
        if trusted is not None and principal not in trusted:
            raise Refused(
                f"the role {name} cannot be assumed by {principal}, only by {', '.join(sorted(trusted)) or 'nobody'}",
                state=NOTHING_CHANGED,
                hint=f"add it to the trust policy: aws iam update-assume-role-policy --role-name {name}"
                " --policy-document file://trust.json",
            )
