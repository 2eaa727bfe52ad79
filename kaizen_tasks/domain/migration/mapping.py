"""What becomes of each setting of an App Runner service on ECS, and what has no counterpart there."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.migration.plan import MAX_TAGS, Choices
from kaizen_tasks.domain.text.listing import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.migration.definition import ServiceDefinition
    from kaizen_tasks.domain.migration.source import SourceService

UNITS_OF_ONE = 1024
"""CPU units of one vCPU, and MiB of one GB."""

MIN_SUBNETS = 2
EXPRESS_MEMORY = 8192
"""The most MiB that the documentation of Express Mode mentions; whether it takes more is unproven."""


class Counterpart(StrEnum):
    """Whether a setting of the old service has a counterpart in the new one."""

    SAME = "same"
    GUESS = "a guess"
    NONE = "no counterpart"
    MISSING = "missing"


@frozen(kw_only=True)
class MappedSetting:
    """A setting of the old service and what becomes of it; without any value of a variable or a secret.

    Attributes:
        name: what is set: `CPU and memory`.
        before: what it is on App Runner.
        after: what it becomes; empty without a counterpart.
        counterpart: whether there is one.
        note: what to know about it; may be empty.
    """

    name: str
    before: str
    after: str = ""
    counterpart: Counterpart = Counterpart.SAME
    note: str = ""


def describe_setting(setting: MappedSetting) -> str:
    """Return what becomes of a setting, in a line: `a TCP connection → HTTP 200 from /version (a guess): …`."""
    text = setting.before
    if setting.counterpart in {Counterpart.NONE, Counterpart.MISSING}:
        text += f" → {setting.after or setting.counterpart}"
    elif setting.after != setting.before:
        text += f" → {setting.after}"
    marks = {Counterpart.GUESS: " (a guess)", Counterpart.MISSING: " (needed)" if setting.after else ""}
    return f"{text}{marks.get(setting.counterpart, '')}" + (f"; {setting.note}" if setting.note else "")


def map_settings(source: SourceService, definition: ServiceDefinition, choices: Choices) -> tuple[MappedSetting, ...]:
    """Return what becomes of each setting, in an order in which one would read them."""
    return (
        *_process(source, definition),
        *_roles(source, definition, choices),
        *_network(source, definition, choices),
        *_health(source, definition, choices),
        *_scaling(source, definition),
        *_rest(source, definition),
    )


def _process(source: SourceService, definition: ServiceDefinition) -> Iterator[MappedSetting]:
    repository, _, digest = definition.image.rpartition("/")[2].partition("@")
    yield MappedSetting(
        name="image",
        before=source.image.rpartition("/")[2],
        after=f"{repository}@{digest[:19]}",
        note="a digest in place of the tag that is followed: the release that serves",
    )
    note = "App Runner sets PORT by itself; here it is a variable"
    yield MappedSetting(name="port", before=str(source.port), after=str(definition.port), note=note)
    if source.start_command:
        is_shell = definition.command[:2] == ("sh", "-c")
        note = "it is the image's CMD that this replaces: an ENTRYPOINT of the image stays in front of it"
        yield MappedSetting(
            name="start command",
            before=source.start_command,
            after="sh -c …" if is_shell else " ".join(definition.command),
            counterpart=Counterpart.GUESS,
            note=note,
        )
    if source.variables:
        names = ", ".join(sorted(source.variables))
        yield MappedSetting(name="variables", before=names, after="the same, with the same values")
    if source.secrets:
        note = f"{_role_name(definition.execution_role)} reads them, and no longer the role of the app"
        yield MappedSetting(
            name="secrets", before=", ".join(sorted(source.secrets)), after="the same references", note=note
        )
    yield _size(source, definition)


def _size(source: SourceService, definition: ServiceDefinition) -> MappedSetting:
    before, after = _size_text(source.cpu, source.memory), _size_text(definition.cpu, definition.memory)
    is_same, note = before == after, ""
    if not is_same:
        note = "Fargate has no tasks of the old size"
    elif definition.is_express and definition.memory > EXPRESS_MEMORY:
        is_same, note = False, "whether Express Mode takes more than 8 GB is not documented"
    counterpart = Counterpart.SAME if is_same else Counterpart.GUESS
    return MappedSetting(name="CPU and memory", before=before, after=after, counterpart=counterpart, note=note)


def _roles(source: SourceService, definition: ServiceDefinition, choices: Choices) -> Iterator[MappedSetting]:
    yield MappedSetting(
        name="pull role",
        before=_role_name(source.pull_role) or "none",
        after=_role_name(definition.execution_role),
        counterpart=Counterpart.SAME if choices.execution_role else Counterpart.GUESS,
        note="the execution role: ecs-tasks.amazonaws.com assumes it; it also reads the secrets, and writes the log",
    )
    if source.app_role:
        note = "ecs-tasks.amazonaws.com must be allowed to assume it, as tasks.apprunner.amazonaws.com is"
        role = _role_name(source.app_role)
        yield MappedSetting(name="role of the app", before=role, after=role, note=note)
    if definition.is_express:
        yield MappedSetting(
            name="infrastructure role",
            before="none",
            after=_role_name(definition.infrastructure_role),
            counterpart=Counterpart.SAME if choices.infrastructure_role else Counterpart.GUESS,
            note="ecs.amazonaws.com assumes it, and manages load balancer, certificate and scaling",
        )


def _network(source: SourceService, definition: ServiceDefinition, choices: Choices) -> Iterator[MappedSetting]:
    before = f"VPC connector in {', '.join(source.subnets)}" if source.subnets else "no VPC"
    if not source.is_public:
        before = f"private; {before}"
    yield _subnets(before, source, definition, choices)
    if source.security_groups:
        yield MappedSetting(
            name="security groups",
            before=", ".join(source.security_groups),
            after=", ".join(definition.security_groups),
            note="they must let the load balancer in, to the port",
        )
    if source.is_dual_stack:
        note = "the load balancer has IPv4 addresses only"
        yield MappedSetting(name="IPv6", before="dual stack", counterpart=Counterpart.NONE, note=note)
    if source.domains:
        note = "add each to the load balancer by hand, with a certificate, before its record is changed"
        yield MappedSetting(name="domains", before=", ".join(source.domains), counterpart=Counterpart.NONE, note=note)
    if not definition.is_express:
        is_missing = not definition.target_group
        yield MappedSetting(
            name="load balancer",
            before="App Runner's own",
            after=definition.target_group.rpartition(":")[2],
            counterpart=Counterpart.MISSING if is_missing else Counterpart.SAME,
            note="--target-group ARN names its target group, of the type ip" if is_missing else "",
        )


def _subnets(before: str, source: SourceService, definition: ServiceDefinition, choices: Choices) -> MappedSetting:
    after = ", ".join(definition.subnets)
    counterpart, note = Counterpart.SAME, "--subnets chooses others"
    if 0 < len(definition.subnets) < MIN_SUBNETS:
        counterpart, note = Counterpart.MISSING, "a load balancer needs subnets in two zones: --subnets ID,ID"
    elif choices.subnets:
        note = "the subnets decide whether the internet reaches the app"
    elif definition.subnets:
        note = "in private subnets the load balancer is internal"
    elif source.subnets:
        note = (
            "a connector's subnets may be private, which hides the app: name public ones of that VPC by --subnets ID,ID"
        )
        counterpart = Counterpart.MISSING
    elif definition.is_express:
        after = "public subnets of the default VPC"
    else:
        counterpart, note = Counterpart.MISSING, "tasks need subnets: --subnets ID,ID"
    return MappedSetting(name="network", before=before, after=after, counterpart=counterpart, note=note)


def _health(source: SourceService, definition: ServiceDefinition, choices: Choices) -> Iterator[MappedSetting]:
    check = source.health_check
    is_known = bool(choices.health_path or check.path)
    yield MappedSetting(
        name="health check",
        before=f"HTTP {check.path}" if check.path else "a TCP connection",
        after=f"HTTP 200 from {definition.health_path}",
        counterpart=Counterpart.SAME if is_known else Counterpart.GUESS,
        note="" if is_known else "the load balancer wants an answer: --health-path chooses another path",
    )
    yield MappedSetting(
        name="health check times",
        before=f"every {check.interval} s, {check.healthy} good, {check.unhealthy} bad",
        after="every 30 s, 5 good, 2 bad" if definition.is_express else "",
        counterpart=Counterpart.NONE,
        note="fixed in Express Mode" if definition.is_express else "they are settings of the target group",
    )


def _scaling(source: SourceService, definition: ServiceDefinition) -> Iterator[MappedSetting]:
    before, after = (
        f"{minimum} to {counted(maximum, 'instance' if each is source else 'task')}"
        for each, minimum, maximum in (
            (source, source.scaling.minimum, source.scaling.maximum),
            (definition, definition.min_tasks, definition.max_tasks),
        )
    )
    is_capped = definition.max_tasks < source.scaling.maximum
    note = f"Express Mode has at most {definition.max_tasks} tasks without a higher quota" if is_capped else ""
    if not definition.is_express:
        after, note = f"{definition.min_tasks}, fixed", "--terraform FILE has the scaling too"
    counterpart = Counterpart.GUESS if is_capped or not definition.is_express else Counterpart.SAME
    yield MappedSetting(name="instances", before=before, after=after, counterpart=counterpart, note=note)
    yield MappedSetting(
        name="scales by",
        before=f"{source.scaling.concurrency} requests at a time",
        after=f"{definition.metric_target} % CPU",
        counterpart=Counterpart.GUESS,
        note="ECS knows CPU, memory and requests of a minute, not requests at a time",
    )
    yield MappedSetting(
        name="idle instances",
        before="billed for memory only",
        counterpart=Counterpart.NONE,
        note=f"billed day and night: {counted(definition.min_tasks, 'task')}, and the load balancer",
    )


def _rest(source: SourceService, definition: ServiceDefinition) -> Iterator[MappedSetting]:
    if source.deploys_on_push:
        note = "a push starts nothing; a release names its digest"
        yield MappedSetting(name="deploys on push", before="yes", counterpart=Counterpart.NONE, note=note)
    if source.kms_key:
        note = "it encrypts App Runner's copy of the image; ECS pulls from the repository"
        key = source.kms_key.rpartition("/")[2]
        yield MappedSetting(name="encryption key", before=key, counterpart=Counterpart.NONE, note=note)
    if source.traces:
        note = "a collector beside the app would send them" if not definition.is_express else "one container only"
        yield MappedSetting(name="traces", before="to X-Ray", counterpart=Counterpart.NONE, note=note)
    dropped = len(source.tags) + 1 - len(definition.tags)
    if source.tags:
        note = f"{dropped} are left out: ECS takes {MAX_TAGS}" if dropped > 0 else ""
        yield MappedSetting(
            name="tags", before=_names(tuple(source.tags)), after="the same, and who created it", note=note
        )
    after = "a log group of its own" if definition.is_express else definition.log_group
    note = "the old log stays where it is"
    yield MappedSetting(name="log", before=f"/aws/apprunner/{source.name}/…", after=after, note=note)


def _names(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _size_text(cpu: int, memory: int) -> str:
    return f"{cpu / UNITS_OF_ONE:g} vCPU, {memory / UNITS_OF_ONE:g} GB"
