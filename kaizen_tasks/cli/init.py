"""`kaizen init`: makes these tasks at home in an app; it looks before it asks, and shows before it writes."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, NamedTuple

from kaizen_tasks.cli.command import YES, command

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context

    from kaizen_tasks.domain.init.detect.from_account import Found
    from kaizen_tasks.domain.init.merge_by_environment import Evidence
    from kaizen_tasks.domain.init.proposal import Answers, Proposal
    from kaizen_tasks.errors import Refused
    from kaizen_tasks.flows.init.plan import Adoption


class Asked(NamedTuple):
    """What the flags ask for.

    Attributes:
        yes: ask nothing.
        from_aws: look at the account too.
        profile: of the user's AWS configuration.
    """

    yes: bool
    from_aws: bool
    profile: str


@command(
    iterable=["env"],
    help={
        "yes": f"{YES}: what was found, and defaults for the rest",
        "from-aws": "look at the account's services and repositories too; changes nothing there",
        "app": "the app's name",
        "region": "of repositories and services: eu-west-1",
        "profile": "of your AWS configuration",
        "ci": "write workflows that type these tasks: github",
        "env": "an environment, in place of those that are found; may be repeated",
    },
)
def init(
    c: Context,
    env: list[str],
    yes: bool = False,
    from_aws: bool = False,
    app: str = "",
    region: str = "",
    profile: str = "",
    ci: str = "",
) -> None:
    """Write what an app needs to be released: tasks.py, kaizen.toml, VERSION, CHANGELOG.md."""
    from pathlib import Path

    from kaizen_tasks import __version__
    from kaizen_tasks.adapters.host.atomic_write import WorkingTree
    from kaizen_tasks.adapters.init import scan_repo
    from kaizen_tasks.domain.init.proposal import Answers
    from kaizen_tasks.flows.init import plan as flow

    _check_ci(ci)
    root = scan_repo.locate(Path.cwd())
    answers = Answers(app=app, region=region, environments=tuple(env))
    documents = WorkingTree(root)
    evidence, proposal = _proposed(root, answers, Asked(yes=yes, from_aws=from_aws, profile=profile))
    if ci and evidence.premises.within:
        raise _below_the_top(evidence.premises.within)
    adoption = flow.plan(root, evidence, proposal, documents, workflows=__version__ if ci else "")
    _show(adoption, root)
    if adoption.changes and not c.config.run.dry:
        _agree(adoption, yes=yes)
        flow.write(adoption, documents)
        _say_what_is_next(adoption)


def _check_ci(ci: str) -> None:
    from kaizen_tasks.errors import UsageError

    if ci not in {"", "github"}:
        raise UsageError(f"--ci {ci}: there are no workflows for it", hint="choose github")


def _below_the_top(within: str) -> Refused:
    from kaizen_tasks.errors import Refused

    return Refused(
        f"workflows belong to the top of the repository, and this app is in {within}",
        state="nothing has been changed",
        hint="leave out --ci, and write workflows that type the same tasks there",
    )


def _proposed(root: Path, answers: Answers, asked: Asked) -> tuple[Evidence, Proposal]:
    """Look around, ask for what cannot be seen, and propose; an app that is configured is asked nothing."""
    from kaizen_tasks.adapters.init import scan_repo as adapter
    from kaizen_tasks.config import load
    from kaizen_tasks.domain.init.merge_by_environment import Evidence
    from kaizen_tasks.domain.init.proposal import look, propose

    premises = adapter.look(root)
    evidence = Evidence(premises=premises, traces=look(premises))
    if load.read(root) is None:
        if asked.from_aws:
            evidence, answers = _with_account(evidence, answers, asked.profile)
        if sys.stdin.isatty() and not asked.yes:
            answers = _answered(answers, propose(evidence, answers))
    return evidence, propose(evidence, answers, profile=asked.profile)


def _with_account(evidence: Evidence, answers: Answers, profile: str) -> tuple[Evidence, Answers]:
    """Put what the account shows above what the files do: it is what runs."""
    from attrs import evolve

    from kaizen_tasks.domain.init.detect import from_account
    from kaizen_tasks.domain.init.evidence import together
    from kaizen_tasks.domain.init.proposal import propose

    first = propose(evidence, answers)
    found = _surveyed(first.region or evidence.premises.region, profile)
    names = (answers.app, first.app, evidence.premises.name)
    traces = together((from_account.traces(found, names, first.environments), evidence.traces))
    answers = evolve(answers, region=found.region, account=found.account)
    return evolve(evidence, traces=traces, account=found), answers


def _surveyed(region: str, profile: str) -> Found:
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.adapters.init.scan_aws import Survey
    from kaizen_tasks.domain.init.proposal import REGION

    region = region or REGION
    return Survey(Aws(region=region, profile=profile, account=""), region).read()


def _answered(answers: Answers, proposal: Proposal) -> Answers:
    """Ask for what nobody has said and nothing has shown, with what would be proposed as the default."""
    from attrs import evolve

    from kaizen_tasks.cli import prompts

    if not answers.app and "app" in proposal.guessed:
        answers = evolve(answers, app=prompts.answer("the app's name", proposal.app))
    if "region" in proposal.guessed:
        answers = evolve(answers, region=prompts.answer("the AWS region", proposal.region))
    if "environments" in proposal.guessed:
        default = " ".join(each.environment for each in proposal.environments)
        names = prompts.answer("environments, in the order in which a release reaches them", default)
        answers = evolve(answers, environments=tuple(names.replace(",", " ").split()))
    return answers


def _show(adoption: Adoption, root: Path) -> None:
    from kaizen_tasks.adapters.console import init_diff

    sys.stdout.write(f"{adoption.settings.app}   ({root}, configured in {adoption.where})\n")
    if adoption.kept:
        sys.stdout.write(f"stays as it is: {', '.join(adoption.kept)}\n")
    if not adoption.changes:
        sys.stdout.write("nothing is missing\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    init_diff.show(adoption.changes, adoption.remarks, sys.stdout)


def _agree(adoption: Adoption, *, yes: bool) -> None:
    from kaizen_tasks.cli import prompts

    sys.stdout.flush()
    prompts.agree(f"write {', '.join(change.path for change in adoption.changes)}", yes=yes)


def _say_what_is_next(adoption: Adoption) -> None:
    """Say which commands come next, as they are typed."""
    written = [change.path for change in adoption.changes]
    first = adoption.settings.pipeline[:1]
    steps = [
        f"git add {shlex.join(written)}",
        "git commit --message 'Release with kaizen_tasks'",
        "inv doctor" if first else "inv --list",
        *(("inv setup", f"inv --dry release-{first[0]}") if first else ("inv --dry cut",)),
    ]
    sys.stdout.write(f"wrote {', '.join(written)}; next:\n" + "".join(f"    {step}\n" for step in steps))
