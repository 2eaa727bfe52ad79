"""What `migrate` does: a second service, the address, the configuration, and the end of the first service."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve
from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import init_diff, tables
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.cli import params, prompts
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.cli.options import env_flags, run_change
from kaizen_tasks.config import checks, load
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.migration.plan import Choices
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, Interrupted, KaizenError, Refused, UsageError
from kaizen_tasks.flows.migration import configuration, origin, retire, undo, waiting
from kaizen_tasks.flows.migration import migrate as flows
from kaizen_tasks.flows.migration import terraform as terraform_flow
from kaizen_tasks.flows.migration.plan import MigrationRequest
from kaizen_tasks.flows.migration.retire import OngoingMigration
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.wiring import Toolbox

TARGET_PLATFORMS = tuple(name for name, kind in PLATFORMS.items() if kind.has_cluster)
MAX_CONCURRENT_WAITS = 16
STDOUT = "-"


def migrate(
    c: Context,
    *,
    env: list[str],
    to: str,
    terraform: str,
    wait: str,
    moved: str | None,
    retire: bool,
    delete: bool,
    undo: bool,
    service: str,
    cluster: str,
    execution_role: str,
    infrastructure_role: str,
    subnets: str,
    security_groups: str,
    health_path: str,
    target_group: str,
    address: str,
    yes: bool,
) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if terraform == STDOUT else sys.stdout)
    environments = params.resolve_stage(env, tools.settings).environments
    is_asserted = bool(params.parse_reason("--moved", moved))
    if delete and not retire:
        raise UsageError("--delete is for --retire", hint=typed_line("--retire"))
    if retire or undo:
        _require_alone(retire=retire, undo=undo, others=(to, terraform, wait))
    if retire:
        _retire(environments, tools, env=env, deletes=delete, is_asserted=is_asserted, yes=yes)
        return
    if undo:
        _undo(environments, tools, env=env, is_asserted=is_asserted, yes=yes)
        return
    request = MigrationRequest(
        platform=_parse_platform(to, env),
        choices=Choices(
            cluster=_checked("--cluster", cluster, checks.cluster_name) or Choices().cluster,
            execution_role=execution_role,
            infrastructure_role=infrastructure_role,
            health_path=_checked("--health-path", health_path, checks.url_path),
            subnets=_split(subnets),
            security_groups=_split(security_groups),
            target_group=target_group,
        ),
        service=_checked("--service", service, checks.cluster_name),
        address=_checked("--address", address, checks.url).rstrip("/"),
    )
    given = {
        "to": to,
        "service": service,
        "cluster": cluster,
        "execution-role": execution_role,
        "infrastructure-role": infrastructure_role,
        "subnets": subnets,
        "security-groups": security_groups,
        "health-path": health_path,
        "target-group": target_group,
        "address": address,
    }
    words = (word for name, value in given.items() if value for word in (f"--{name}", value))
    request = evolve(request, command=("migrate", *env_flags(env), *words))
    if terraform:
        _write_terraform(environments, request, terraform, tools)
        return
    timeout = params.parse_duration("--wait", wait)
    _move(environments, request, tools, timeout=timeout, is_asserted=is_asserted, yes=yes)


def _require_alone(*, retire: bool, undo: bool, others: Sequence[str]) -> None:
    if retire and undo:
        raise UsageError("--retire ends the old service, and --undo the new one", hint="choose one of the two")
    if any(others):
        flag = "--retire" if retire else "--undo"
        message = f"{flag} goes with neither --to nor --terraform nor --wait: the ledger knows what was begun"
        raise UsageError(message, hint="leave them out")


def _parse_platform(name: str, env: Sequence[str]) -> str:
    if name in TARGET_PLATFORMS:
        return name
    command_line = shlex.join(("inv", "migrate", *env_flags(env), "--to", TARGET_PLATFORMS[0]))
    if not name:
        raise UsageError("--to is missing: the platform to move to", hint=command_line)
    raise params.unknown_choice_error(f"--to {name!r} is not a platform to move to", name, TARGET_PLATFORMS)


def _checked(flag: str, value: str, check: Callable[[str], str]) -> str:
    if value and (problem := check(value)):
        raise UsageError(f"{flag}: {problem}", state=NOTHING_CHANGED)
    return value


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _write_terraform(
    environments: Sequence[Environment], request: MigrationRequest, target: str, tools: Toolbox
) -> None:
    """Write what describes the new services; nothing is created, and no file with other content is replaced."""
    plan = flows.plan_migration(environments, request, tools)
    text = terraform_flow.describe(plan, tools)
    if target == STDOUT:
        sys.stdout.write(text)
        return
    tables.print_migrations((each.title, each.settings) for each in plan.plans)
    path = Path(target)
    try:
        if path.is_file() and path.read_bytes() != text.encode():  # a device or a pipe is only written
            hint = f"remove it, or name another file: {request.command_line} --terraform OTHER.tf"
            raise Refused(f"{target} exists, with other content", state="it is unchanged", hint=hint)
        if not tools.dry:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = remedy(str(error.strerror), path.parent)
        raise Refused(f"--terraform {target}: {error.strerror}", state=NOTHING_CHANGED, hint=hint) from None
    tools.reporter.note(f"wrote {target}; once it is applied, or to create the service without it:")
    tools.reporter.note(f"    {request.command_line}")


def _move(
    environments: Sequence[Environment],
    request: MigrationRequest,
    tools: Toolbox,
    *,
    timeout: float,
    is_asserted: bool,
    yes: bool,
) -> None:
    remaining = [environment for environment in environments if not flows.has_moved(environment, tools)]
    if not remaining:
        names = list_names([environment.name for environment in environments])
        verb = "is" if len(environments) == 1 else "are"
        flags = shlex.join(env_flags([environment.name for environment in environments]))
        tools.reporter.note(f"{names} {verb} configured for {environments[0].kind.title} already")
        tools.reporter.note(f"next, to pause what is left on App Runner: inv migrate {flags} --retire")
        return
    plan = flows.plan_migration(remaining, request, tools)

    def show_and_check() -> None:
        tables.print_migrations((each.title, each.settings) for each in plan.plans)
        flows.require_all_possible(plan, tools)

    run_change(evolve(plan.as_change(tools), preflight=show_and_check), tools, yes=yes)
    if not tools.dry:
        ongoing = [retire.find_ongoing(environment, tools) for environment in remaining]
        _hand_over(ongoing, request, tools, timeout=timeout, is_asserted=is_asserted, yes=yes)


def _hand_over(
    ongoing: Sequence[OngoingMigration],
    request: MigrationRequest,
    tools: Toolbox,
    *,
    timeout: float,
    is_asserted: bool,
    yes: bool,
) -> None:
    """Ask the addresses, configure the environments whose address has moved, and say what is left to be done.

    Raises:
        Interrupted: an address has not moved in time, and was to be waited for.
    """

    def ask(each: OngoingMigration) -> origin.AddressReport | None:
        if not origin.address_of(each.environment, each.migration, tools):
            return None
        return origin.wait_for_address(
            each.environment, each.migration, each.release, tools, timeout=timeout, is_asserted=is_asserted
        )

    reports = map_parallel(ask, ongoing, max_workers=MAX_CONCURRENT_WAITS)
    pairs = list(zip(ongoing, reports, strict=True))
    if moved := [each for each, report in pairs if report is None or report.has_moved]:
        wanted = [(each.environment, each.configured_environment) for each in moved]
        _edit_configuration(wanted, tools, yes=yes)
        tools.reporter.note("next, when nobody needs the old service any more:")
        flags = shlex.join(env_flags([each.environment.name for each in moved]))
        tools.reporter.note(f"    inv migrate {flags} --retire")
    pending = [(each, report) for each, report in pairs if report is not None and not report.has_moved]
    if not pending:
        return
    texts = [report.describe(each.old_environment.kind.title, each.migration.title) for each, report in pending]
    for (each, _), text in zip(pending, texts, strict=True):
        service = waiting.find_service(each.new_environment, tools)
        url = each.migration.url or (service.url if service else "")
        tools.reporter.note(f"{each.environment.name}: {text}; the new service answers at {url}")
    again = f"{request.command_line} --wait 1h"
    if timeout:
        message, state = "; ".join(texts), "both services run; the configuration is unchanged"
        raise Interrupted(message, state=state, hint=f"let the address lead to the new service; then: {again}")
    tools.reporter.note("next, let each address lead to its new service, then:")
    tools.reporter.note(f"    {again}")


def _edit_configuration(
    changes: Sequence[tuple[Environment, Environment]], tools: Toolbox, *, yes: bool, question: str = ""
) -> None:
    """Show the change of the configuration, ask, and write it."""
    files, config_file = WorkingTree(tools.settings.root), load.read_config_file(tools.settings.root)
    if config_file is None:
        return
    edit = configuration.plan_edit(changes, files, config_file)
    if edit is None:
        return
    sys.stdout.flush()
    init_diff.print_changes([edit.change], [], sys.stdout)
    sys.stdout.flush()
    try:
        prompts.confirm_yes_no(question or f"write {edit.change.path}", yes=yes)
    except KaizenError as error:
        error.state = f"both services run; {edit.change.path} is unchanged"
        raise
    files.write(edit.change.path, edit.change.after)
    tools.reporter.note(f"wrote {edit.change.path}: commit it, so that everybody releases to the same services")


def _retire(
    environments: Sequence[Environment],
    tools: Toolbox,
    *,
    env: Sequence[str],
    deletes: bool,
    is_asserted: bool,
    yes: bool,
) -> None:
    """Pause the old services; once they are paused, delete them if a person at the terminal or `--delete` says so.

    `--yes` alone never deletes: it may be that of a job that pauses them, and was run again after a kill.
    """
    command_line = shlex.join(("inv", "migrate", *env_flags(env), "--retire"))
    remaining = retire.without_ended(environments, Event.MIGRATED, tools)
    if not remaining:
        run_change(retire.plan_nothing(environments, retire.ended(environments)), tools)
        return
    ongoing = [retire.find_ongoing(environment, tools) for environment in remaining]
    if not deletes and all(each.migration.is_retired for each in ongoing):
        if yes or not sys.stdin.isatty():
            run_change(retire.plan_nothing(remaining, retire.paused(ongoing, command_line)), tools)
            return
        deletes = True
    config_file = load.read_config_file(tools.settings.root)
    if config_file is not None and not deletes:
        configuration.require_shared(config_file, tools, command_line=command_line)
    change = retire.plan_retirement(
        remaining, tools, deletes=deletes, command_line=command_line, is_asserted=is_asserted
    )
    run_change(change, tools, yes=yes)


def _undo(
    environments: Sequence[Environment], tools: Toolbox, *, env: Sequence[str], is_asserted: bool, yes: bool
) -> None:
    command_line = shlex.join(("inv", "migrate", *env_flags(env), "--undo"))
    remaining = retire.without_ended(environments, Event.UNMIGRATED, tools)
    if not remaining:
        run_change(retire.plan_nothing(environments, retire.ended(environments)), tools)
        return
    ongoing = [retire.find_ongoing(environment, tools) for environment in remaining]
    if resumption := undo.plan_resumption(ongoing, tools, command_line=command_line):
        run_change(resumption, tools, yes=yes)
    undo.require_led_back(ongoing, tools, is_asserted=is_asserted)
    if not tools.dry:
        _edit_configuration([(each.environment, each.old_environment) for each in ongoing], tools, yes=yes)
    run_change(undo.plan_undo(ongoing, tools, command_line=command_line), tools, yes=yes)
