"""Checks of the account: its credentials, their permissions, and what all environments share."""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.accounts import group_by_target
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.cloud import AccountAdmin
    from kaizen_tasks.ports.tools import Tools

CLOCK_SKEW_WARNING_SECONDS = 2.0
"""Seconds of clock skew that are worth a warning, though what machines share has the time of AWS."""

CLOCK_SKEW_PROBLEM_SECONDS = 300.0
"""Seconds of clock skew at which AWS refuses a request, as its signature is too old or not valid yet."""

SETUP_HINT = "inv setup"


def checks_without_credentials(tools: Tools) -> Iterator[Check]:
    """Return the checks that run even without working credentials: credentials, region and clock."""
    yield Check(subject=Subject("credentials"), probe=partial(_check_credentials, tools))
    yield Check(subject=Subject("region"), probe=partial(_check_region, tools), error_verdict=Verdict.SKIPPED)
    yield Check(
        subject=Subject("clock"),
        probe=partial(_check_clock, tools),
        error_verdict=Verdict.SKIPPED,
        before_changes=Verdict.WARNING,
    )


def checks(tools: Tools) -> Iterator[Check]:
    """Return the checks of the home that need credentials: permissions, ledger and blob mounting."""
    yield Check(
        subject=Subject("permissions"),
        probe=partial(_check_permissions, tools.account, tools),
        error_verdict=Verdict.SKIPPED,
    )
    yield Check(subject=Subject("ledger"), probe=partial(_check_ledger, tools))
    if any(each.target == tools.settings.aws.target for each in tools.settings.environments.values()):
        yield _mounting_check(Subject("blob mounting"), tools.account)


def target_checks(environment: Environment, tools: Tools) -> Iterator[Check]:
    """Return the checks of an account or region other than the home's; none unless the environment is its first one."""
    groups = group_by_target(tools.settings.environments.values())
    if environment.target == tools.settings.aws.target or environment != groups[environment.target][0]:
        return
    name, account = environment.name, tools.at(environment).account
    yield Check(subject=Subject("account", name), probe=partial(_check_target, environment, tools))
    if not can_reach(environment, tools):
        return
    yield Check(
        subject=Subject("permissions", name),
        probe=partial(_check_permissions, account, tools),
        error_verdict=Verdict.SKIPPED,
    )
    yield _mounting_check(Subject("blob mounting", name), account)


def _mounting_check(subject: Subject, account: AccountAdmin) -> Check:
    return Check(subject=subject, probe=partial(_check_mounting, account), error_verdict=Verdict.SKIPPED)


def checks_before_changes(environments: Sequence[Environment], tools: Tools) -> Iterator[Check]:
    """Return the checks that precede a change of environments: what the credentials may change in each account."""
    groups = group_by_target(environments)
    at_home = groups.pop(tools.settings.aws.target, ())
    subjects = {Subject("permissions"): (at_home, tools.account)}
    subjects |= {
        Subject("permissions", first.name): ((first, *others), tools.at(first).account)
        for first, *others in groups.values()
    }
    for subject, (group, account) in subjects.items():
        yield Check(
            subject=subject,
            probe=partial(_check_denied_changes, group, account),
            error_verdict=Verdict.SKIPPED,
            before_changes=Verdict.PROBLEM,
        )


def can_reach(environment: Environment, tools: Tools) -> bool:
    """Return whether the credentials of an environment work; otherwise all its checks would report the same error."""
    try:
        tools.at(environment).identity.account_id()
    except KaizenError:
        return False
    return True


def is_local_cloud(tools: Tools) -> bool:
    """Return whether the account is that of a local cloud, as its registry tells; False if nobody knows."""
    try:
        environment = next(iter(tools.settings.environments.values()))
        return tools.at(environment).registry.credentials().is_local
    except KaizenError:
        return False


def skipped_checks() -> Iterator[Check]:
    """Return one check, which reports the checks that need credentials as skipped."""
    yield Check(subject=Subject("account"), probe=lambda subject: (subject.skipped(SKIPPED_MESSAGE),))


SKIPPED_MESSAGE = "permissions, ledger, repositories and services are not checked without working credentials"


def _check_credentials(tools: Tools, subject: Subject) -> Iterator[Finding]:
    caller = tools.account.caller()
    if tools.settings.aws.account:
        yield subject.ok(caller.principal)
    else:
        fix = f'account = "{caller.account_id}" in [aws] refuses the credentials of any other'
        yield subject.warning(f"{caller.principal}, and no account is configured", fix)


def _check_target(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    caller = tools.at(environment).account.caller()
    yield subject.ok(f"{caller.account_id} ({environment.target.region}), as {caller.principal}")


def _check_region(tools: Tools, subject: Subject) -> Iterator[Finding]:
    places = {(each.platform, each.target.region): each.kind for each in tools.settings.environments.values()}
    known_regions = set[str]()
    for (platform, region), kind in places.items():
        supported_regions = tools.account.supported_regions(platform)
        if region in supported_regions:
            yield from () if region in known_regions else (subject.ok(region),)
            known_regions.add(region)
            continue
        close_matches = difflib.get_close_matches(region, supported_regions, n=1)
        fix = f"did you mean {close_matches[0]}?" if close_matches else "check the region in kaizen.toml"
        yield subject.warning(f"{kind.title} is not known to be available in {region}", fix)


def _check_clock(tools: Tools, subject: Subject) -> Iterator[Finding]:
    skew = tools.account.clock_skew()
    if abs(skew) <= CLOCK_SKEW_WARNING_SECONDS:
        yield subject.ok("agrees with the clock of AWS")
        return
    message = f"is {duration.format_duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the clock of AWS"
    fix = "set this machine's clock: timedatectl set-ntp true"
    yield subject.problem(message, fix) if abs(skew) > CLOCK_SKEW_PROBLEM_SECONDS else subject.warning(message, fix)


def _check_permissions(account: AccountAdmin, tools: Tools, subject: Subject) -> Iterator[Finding]:
    if is_local_cloud(tools):
        yield subject.ok("a local cloud allows everything")
        return
    permissions = account.permissions()
    for permission in permissions:
        if permission.denied_actions:
            message = f"{permission.task} needs {', '.join(permission.denied_actions)}"
            yield subject.problem(message, "print a policy that allows it: inv setup --print-iam")
    remainder = [permission for permission in permissions if not permission.denied_actions]
    if gaps := [permission for permission in remainder if permission.unchecked_actions]:
        tasks = ", ".join(permission.task for permission in gaps)
        message = f"{tasks}: only reading could be tried; {gaps[0].unchecked_reason}"
        yield subject.skipped(message, "see what is needed: inv setup --print-iam")
    if allowed_tasks := ", ".join(permission.task for permission in remainder if not permission.unchecked_actions):
        yield subject.ok(f"enough for {allowed_tasks}")


def _check_denied_changes(
    environments: Sequence[Environment], account: AccountAdmin, subject: Subject
) -> Iterator[Finding]:
    denied_actions = account.denied_changes(environments)
    fix = "print a policy that allows it: inv setup --print-iam"
    if certain := [each.action for each in denied_actions if each.is_certain]:
        yield subject.problem(f"these credentials may not {', '.join(certain)}", fix)
    if uncertain := [each.action for each in denied_actions if not each.is_certain]:
        yield subject.warning(f"IAM's simulator does not allow {', '.join(uncertain)}", fix)


def _check_ledger(tools: Tools, subject: Subject) -> Iterator[Finding]:
    table = tools.account.ledger_table()
    if not table.exists:
        yield subject.problem(f"there is no table {table.name}", SETUP_HINT)
    elif table.point_in_time_recovery is None:
        yield subject.ok(f"the table {table.name}; its point-in-time recovery cannot be looked at")
    elif not table.point_in_time_recovery:
        yield subject.warning(f"the table {table.name} has no point-in-time recovery", SETUP_HINT)
    else:
        yield subject.ok(f"the table {table.name}, with point-in-time recovery")


def _check_mounting(account: AccountAdmin, subject: Subject) -> Iterator[Finding]:
    if account.is_blob_mounting_enabled():
        yield subject.ok("enabled: a promotion sends no layer")
    else:
        yield subject.warning("disabled: every promotion sends all layers again", SETUP_HINT)
