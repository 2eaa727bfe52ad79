"""The account: whose credentials, what they allow, and what all environments share in it."""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.check import Subject, Verdict
from kaizen_tasks.flows.doctor.check import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.aws_account import Permission
    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.ports.tools import Tools

NOTED = 2.0
"""Seconds of clock skew that can already confuse: the ledger's order, and which deployment is ours."""

UNUSABLE = 60.0
"""Seconds of clock skew at which entries of two machines are in the wrong order; AWS itself refuses at 5 minutes."""

SET_UP = "inv setup"


def looks_without_credentials(tools: Tools) -> Iterator[Look]:
    """Return the looks that say why credentials do not work, if they do not."""
    yield Look(subject=Subject("credentials"), see=partial(_credentials, tools))
    yield Look(subject=Subject("region"), see=partial(_region, tools), unseen=Verdict.SKIPPED)
    yield Look(subject=Subject("clock"), see=partial(_clock, tools), unseen=Verdict.SKIPPED)


def looks(tools: Tools) -> Iterator[Look]:
    """Return the looks behind credentials."""
    yield Look(subject=Subject("permissions"), see=partial(_permissions, tools), unseen=Verdict.SKIPPED)
    yield Look(subject=Subject("ledger"), see=partial(_ledger, tools))
    yield Look(subject=Subject("blob mounting"), see=partial(_mounting, tools), unseen=Verdict.SKIPPED)


def looks_left_out() -> Iterator[Look]:
    """Return what stands for them when the credentials do not work."""
    yield Look(subject=Subject("account"), see=lambda subject: (subject.skipped(LEFT_OUT),))


LEFT_OUT = "permissions, ledger, repositories and services are not asked about without credentials that work"


def _credentials(tools: Tools, subject: Subject) -> Iterator[Finding]:
    caller = tools.account.caller()
    if tools.settings.aws.account:
        yield subject.ok(caller.principal)
    else:
        fix = f'account = "{caller.account}" in [aws] refuses the credentials of any other'
        yield subject.warning(f"{caller.principal}, and no account is configured", fix)


def _region(tools: Tools, subject: Subject) -> Iterator[Finding]:
    region, known = tools.settings.aws.region, tools.account.regions()
    if region in known:
        yield subject.ok(region)
        return
    near = difflib.get_close_matches(region, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "see whether aws.region is meant so"
    yield subject.warning(f"App Runner is not known to exist in {region}", fix)


def _clock(tools: Tools, subject: Subject) -> Iterator[Finding]:
    skew = tools.account.skew()
    if abs(skew) <= NOTED:
        yield subject.ok("agrees with that of AWS")
        return
    what = f"is {duration.show(abs(skew))} {'ahead of' if skew > 0 else 'behind'} that of AWS"
    fix = "set this machine's clock: timedatectl set-ntp true"
    yield subject.problem(what, fix) if abs(skew) > UNUSABLE else subject.warning(what, fix)


def _permissions(tools: Tools, subject: Subject) -> Iterator[Finding]:
    found = tools.account.permissions()
    for each in found:
        if each.denied:
            what = f"{each.task} needs {', '.join(each.denied)}"
            yield subject.problem(what, "inv setup --print-iam prints a policy that allows it")
    untried = tuple(each for each in found if each.untried and not each.denied)
    if untried:
        yield subject.skipped(_untried(untried), "inv setup --print-iam prints what is needed")
    enough = ", ".join(each.task for each in found if not each.denied and not each.untried)
    if enough:
        yield subject.ok(f"enough for {enough}")


def _untried(permissions: tuple[Permission, ...]) -> str:
    """Say what nobody knows; the reason is the same for all."""
    tasks = ", ".join(each.task for each in permissions)
    return f"{tasks}: only reading could be tried; {permissions[0].why}"


def _ledger(tools: Tools, subject: Subject) -> Iterator[Finding]:
    table = tools.account.table()
    if not table.exists:
        yield subject.problem(f"there is no table {table.name}", SET_UP)
    elif not table.recoverable:
        yield subject.warning(f"the table {table.name} has no point-in-time recovery", SET_UP)
    else:
        yield subject.ok(f"the table {table.name}, with point-in-time recovery")


def _mounting(tools: Tools, subject: Subject) -> Iterator[Finding]:
    if tools.account.mounts_blobs():
        yield subject.ok("enabled: a promotion sends no layer")
    else:
        yield subject.warning("disabled: every promotion sends all layers again", SET_UP)
