"""What `init` does: it looks before it asks, and shows before it writes."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from attrs import evolve
from invoke.context import Context

from kaizen_tasks.adapters.console import init_diff
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.adapters.host.program_path import typeable
from kaizen_tasks.adapters.init import scan_repo
from kaizen_tasks.adapters.init.installation import read_installation
from kaizen_tasks.cli import params, prompts
from kaizen_tasks.config import load
from kaizen_tasks.domain.init.ci.installation import SOURCE_FORM, Installation
from kaizen_tasks.domain.init.ci.systems import RENDERERS, CiRequest
from kaizen_tasks.domain.init.detect import from_account
from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.evidence import combine_facts
from kaizen_tasks.domain.init.platforms import PLATFORM_QUESTION, RECOMMENDED_PLATFORM
from kaizen_tasks.domain.init.proposal import (
    DEFAULT_REGION,
    Proposal,
    ScanResult,
    UserAnswers,
    app_names,
    detect_environments,
    propose_config,
)
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.init import plan as flow
from kaizen_tasks.flows.init.plan import InitPlan


def init(
    c: Context,
    *,
    env: list[str],
    yes: bool,
    from_aws: bool,
    app: str,
    region: str,
    platform: str,
    profile: str,
    ci: str,
    propose: bool,
    dashboard: bool,
    kaizen_from: str,
    add_version_endpoint: bool,
) -> None:
    if ci and ci not in RENDERERS:
        raise UsageError(f"--ci {ci}: expected {' or '.join(RENDERERS)}")
    if propose and not ci:
        raise UsageError("--propose writes a workflow", hint="kaizen init --ci github --propose")
    if dashboard and not ci:
        raise UsageError("--dashboard writes a workflow", hint="kaizen init --ci github --dashboard")
    if platform and platform not in PLATFORMS:
        raise params.unknown_choice_error(f"--platform {platform!r} is not a platform", platform, tuple(PLATFORMS))
    installation = _find_installation(kaizen_from, asks=bool(ci) and not yes and sys.stdin.isatty())
    root = scan_repo.find_app_folder(Path.cwd())
    answers = UserAnswers(app=app, region=region, environments=tuple(env), platform=platform)
    scan, proposal = _make_proposal(root, answers, profile, yes=yes, from_aws=from_aws)
    documents = WorkingTree(root, boundary=root.resolve() / scan.repo_scan.path_to_top)
    request = CiRequest(system=ci, proposes=propose, publishes=dashboard) if ci else None
    plan = flow.plan_init(
        root,
        scan,
        proposal,
        documents,
        installation=installation,
        ci=request,
        adds_endpoint=add_version_endpoint,
    )
    _show_plan(plan, root, proposal)
    if from_aws and not plan.is_new:
        line = f"AWS was not asked: --from-aws is for writing {plan.config_name}, which exists; to check it: inv doctor"
        sys.stdout.write(printable(line) + "\n")
    if plan.changes and not c.config.run.dry:
        _confirm_plan(plan, yes=yes)
        flow.apply_plan(plan, documents)
        found_profile = "" if "AWS_PROFILE" in os.environ else proposal.facts.profile
        _print_next_steps(plan, profile or found_profile)


def _find_installation(source: str, *, asks: bool) -> Installation:
    """Return what a pipeline installs; its repository is the given one, the one that this copy knows, or asked for."""
    installation = read_installation()
    if not source and not installation.address and asks:
        source = prompts.prompt_line(f"the repository of kaizen_tasks, which the pipeline installs, {SOURCE_FORM}: ")
    return installation.from_source(source) if source else installation


def _make_proposal(
    root: Path, answers: UserAnswers, profile: str, *, yes: bool, from_aws: bool
) -> tuple[ScanResult, Proposal]:
    """Read the app, ask for what no source shows, and propose; nothing is asked about a configured app."""
    repo_scan = scan_repo.scan_repo(root)
    scan = ScanResult(repo_scan=repo_scan, facts=detect_environments(repo_scan))
    if load.read_config_file(root) is None:
        if from_aws:
            scan, answers = _add_account_scan(scan, answers, profile)
        if sys.stdin.isatty() and not yes:
            answers = _ask_for_missing_answers(answers, propose_config(scan, answers))
            answers = _ask_for_addresses(answers, propose_config(scan, answers))
    return scan, propose_config(scan, answers)


def _add_account_scan(scan: ScanResult, answers: UserAnswers, profile: str) -> tuple[ScanResult, UserAnswers]:
    """Add what the account shows; it precedes the files, since it is what runs."""
    first_proposal = propose_config(scan, answers)
    account_scan = _scan_account(first_proposal.region or scan.repo_scan.region, profile)
    names = (answers.app, first_proposal.app, *app_names(scan.repo_scan), scan.repo_scan.name)
    facts = combine_facts(
        (from_account.facts_from_account(account_scan, names, first_proposal.environments), scan.facts)
    )
    answers = evolve(answers, region=account_scan.region, account=account_scan.account_id)
    return evolve(scan, facts=facts, account_scan=account_scan), answers


def _scan_account(region: str, profile: str) -> AccountScan:
    from kaizen_tasks.adapters.aws.session import Aws  # noqa: PLC0415 - boto3, which only --from-aws needs
    from kaizen_tasks.adapters.init.scan_aws import scan_account  # noqa: PLC0415

    region = region or DEFAULT_REGION
    return scan_account(Aws(region=region, profile=profile, account=""), region)


def _ask_for_missing_answers(answers: UserAnswers, proposal: Proposal) -> UserAnswers:
    """Ask for what was neither given nor found; the default is what would be proposed."""
    if not answers.app and "app" in proposal.guessed_keys:
        answers = evolve(answers, app=prompts.prompt("the app's name", proposal.app))
    if "region" in proposal.guessed_keys:
        answers = evolve(answers, region=prompts.prompt("the AWS region", proposal.region))
    if "platform" in proposal.guessed_keys:
        answers = evolve(answers, platform=_ask_for_platform())
    if "environments" in proposal.guessed_keys:
        default = " ".join(fact.environment for fact in proposal.environments)
        names = prompts.prompt("environments, in the order in which a release reaches them", default)
        answers = evolve(answers, environments=tuple(names.replace(",", " ").split()))
    return answers


def _ask_for_platform() -> str:
    while (answer := prompts.prompt(PLATFORM_QUESTION, RECOMMENDED_PLATFORM)) not in PLATFORMS:
        sys.stderr.write(f"choose one of {', '.join(PLATFORMS)}\n")
    return answer


def _ask_for_addresses(answers: UserAnswers, proposal: Proposal) -> UserAnswers:
    """Ask for the addresses of the services to which their platform gives none."""
    unknown = {
        fact.environment: fact.url
        for fact in proposal.environments
        if f"{fact.environment}.url" in proposal.guessed_keys
    }
    given = {name: prompts.prompt(f"the address of {name}", placeholder) for name, placeholder in unknown.items()}
    return evolve(answers, urls={name: url for name, url in given.items() if url != unknown[name]})


def _show_plan(plan: InitPlan, root: Path, proposal: Proposal) -> None:
    if foreign := proposal.facts.foreign_platform:
        line = f"this app runs on {foreign}, and these tasks deploy to App Runner and ECS only"
        sys.stdout.write(printable(line) + "\n")
    state = "to be configured" if plan.is_new else "configured"
    sys.stdout.write(printable(f"{plan.settings.app}   ({root}, {state} in {plan.config_name})") + "\n")
    if plan.existing_files:
        sys.stdout.write(f"left alone: {', '.join(plan.existing_files)}\n")
    if not plan.changes:
        sys.stdout.write("no file is missing\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    init_diff.print_changes(plan.changes, plan.notes, sys.stdout)


def _confirm_plan(plan: InitPlan, *, yes: bool) -> None:
    sys.stdout.flush()
    prompts.confirm_yes_no(f"write {', '.join(change.path for change in plan.changes)}", yes=yes)


def _print_next_steps(plan: InitPlan, profile: str) -> None:
    """Print the next commands, ready to be pasted.

    The profile is this machine's, while others and CI read the configuration: it is set in a variable.
    """
    paths = [change.path for change in plan.changes]
    committed_paths = [*paths, *plan.edited_files]
    first_stage = plan.settings.pipeline[:1]
    build = plan.settings.build
    rehearsal = ["inv rehearse"] if first_stage and (build.dockerfile or build.engine == "bundle") else []
    steps = [
        *(note.step for note in plan.notes if note.step),
        *(
            ["# first, what the notes above say about the version: without it no release can be verified"]
            * plan.lacks_version
        ),
        *([f"export AWS_PROFILE={shlex.quote(profile)}"] if profile else []),
        f"git add {'--force ' if plan.ignored_files else ''}{shlex.join(committed_paths)}",
        "git commit --message 'Release with kaizen_tasks'",
        "inv doctor" if first_stage else "inv --list",
        *rehearsal,
        *(("inv setup", f"inv --dry release-{first_stage[0]}") if first_stage else ("inv --dry cut",)),
        *(f"# set up by hand what stands at the top of {path}" for path in plan.setup_files),
    ]
    if plan.ignored_files:
        sys.stdout.write(f"git ignores {', '.join(plan.ignored_files)}: add with --force, or correct .gitignore\n")
    sys.stdout.write(f"wrote {', '.join(paths)}; next:\n" + "".join(f"    {typeable(step)}\n" for step in steps))
