"""What `setup` does: it shows what is missing in the account, asks, and creates it."""

from __future__ import annotations

import sys

from attrs import evolve
from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.aws.iam import accounts as iam_accounts
from kaizen_tasks.adapters.aws.iam import policy as iam_policy
from kaizen_tasks.adapters.aws.iam import setup_policy as iam_setup_policy
from kaizen_tasks.cli import json_output, params, prompts
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.init.ci import trust
from kaizen_tasks.domain.init.ci.trust import TrustedJobs
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows import create_environment
from kaizen_tasks.flows import setup as flows
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.execution import announce, join_names
from kaizen_tasks.flows.runner import choose_executor, noting_interruptions
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.wiring import Toolbox


def setup(
    c: Context,
    *,
    env: list[str],
    create: bool,
    like: str,
    yes: bool,
    print_iam: bool,
    for_setup: bool,
    github: str,
    gitlab: str,
) -> None:
    jobs = _trusted_jobs(github, gitlab, print_iam=print_iam, for_setup=for_setup)
    tools = wiring.toolbox(c.config, stream=sys.stderr if print_iam else sys.stdout)
    if print_iam:
        environments = params.resolve_environments_or_all(env, tools.settings)
        _print_policy(environments, tools, jobs, for_setup=for_setup)
        return
    if like and not create:
        raise UsageError("--like only names what a new service is like; it needs --create", hint=typed_line("--create"))
    environments = params.resolve_environments_or_all(env, tools.settings)
    flow = _creation_flow(env, like, tools) if create else flows.setup_flow(environments)
    announce(f"set up {join_names(environments)}" if env else "one-time setup", tools, environments)
    _confirm_setup(flow, tools, yes=yes)
    started_at = tools.clock.monotonic()
    with noting_interruptions(choose_executor(dry=tools.dry)) as execute:
        flows.run_setup(flow, tools, execute)
    if not tools.dry:
        tools.reporter.summary("nothing is missing", "next: inv doctor", tools.clock.monotonic() - started_at)


def _creation_flow(env: list[str], like: str, tools: Toolbox) -> Flow:
    """Return the steps that create the one environment that `--env` names."""
    if not env:
        message = "--create creates the repository and the service of one environment, and --env is missing"
        raise UsageError(message, hint=f"add --env with one of: {', '.join(tools.settings.environments)}")
    if len(env) > 1:
        raise UsageError("--create creates one environment at a time", hint=f"inv setup --env {env[0]} --create")
    environment = params.resolve_environment(env[0], tools.settings)
    if like:
        neighbour = params.resolve_environment(like, tools.settings)
    else:
        neighbour = create_environment.find_neighbour(environment, tools.settings)
    if neighbour == environment:
        raise UsageError(f"--like {like}: {like} is the environment to create", hint="name another one")
    if not neighbour.is_beside(environment):
        raise UsageError(
            f"{neighbour.name} is on {neighbour.place}, and {environment.name} on {environment.place}:"
            " size, roles, keys and networks of a service are those of its place",
            hint="create the service there as the others were created, with Terraform; then: inv setup",
        )
    return create_environment.creation_flow(environment, neighbour)


def _confirm_setup(flow: Flow, tools: Toolbox, *, yes: bool) -> None:
    """Show what is missing and ask: for a protected environment's repository, as for any change of that environment."""
    missing_steps = flows.pending_steps(flow, tools)
    if not missing_steps or yes or tools.dry:
        return
    for description in dict.fromkeys(description for _, description in missing_steps):
        tools.reporter.note(f"  {description}")
    steps = (step for step, _ in missing_steps)
    changed_environments = tuple(step.environment for step in steps if isinstance(step, EnvironmentStep))
    if any(environment.protected for environment in changed_environments):
        prompts.confirm_protected(changed_environments, tools, yes=yes)
    else:
        prompts.confirm_yes_no("create all that", yes=yes)


def _trusted_jobs(github: str, gitlab: str, *, print_iam: bool, for_setup: bool) -> TrustedJobs | None:
    """Return the jobs for which a role is to be described, or None for a policy alone.

    Raises:
        UsageError: flags exclude or need each other, or name no repository.
    """
    flag, name = ("--gitlab", gitlab) if gitlab else ("--github", github)
    if for_setup and not print_iam:
        raise UsageError("--for-setup chooses a policy; it needs --print-iam", hint="inv setup --print-iam --for-setup")
    if for_setup and name:
        raise UsageError(f"--for-setup and {flag} exclude each other", hint="a job that releases needs no setup")
    if not name:
        return None
    if not print_iam:
        hint = f"inv setup --print-iam {flag} {name}"
        raise UsageError(f"{flag} only describes a role; it needs --print-iam", hint=hint)
    if github and gitlab:
        raise UsageError("--github and --gitlab exclude each other", hint="print a role for each")
    jobs = trust.trust_gitlab(gitlab) if gitlab else trust.trust_github(github)
    if jobs is None:
        form = "group/project or https://HOST/group/project" if gitlab else "owner/name or owner@id/name@id"
        raise UsageError(f"{flag} {name}: not a repository", hint=f"write it as {form}")
    return jobs


def _print_policy(
    environments: tuple[Environment, ...], tools: Toolbox, jobs: TrustedJobs | None, *, for_setup: bool
) -> None:
    """Print the policy, or the role with it. With a configured account this needs no credentials."""
    all_environments = {name: _with_account(each, tools) for name, each in tools.settings.environments.items()}
    settings = evolve(tools.settings, environments=all_environments)
    account, table = settings.aws.account or tools.identity.account_id(), tools.ledger_table.table_name
    render = _render_setup_policy if for_setup else _render_release_policy
    if not for_setup:
        tools.reporter.note(iam_policy.NOT_ENFORCED)
        if any(each.runs_commands for each in environments):
            tools.reporter.note(iam_policy.ROLES_TO_NAME)
    trusted = _trust_jobs(jobs, tools, account) if jobs else {}
    if not any(iam_accounts.is_elsewhere(each, settings) for each in all_environments.values()):
        permissions = render(settings, account, table)
        json_output.print_json({**trusted, "permissions": permissions} if trusted else permissions)
        return
    selected = [all_environments[each.name] for each in environments]
    document = iam_accounts.account_policies(settings, selected, account=account, table=table, render=render)
    tools.reporter.note(iam_accounts.NO_REPOSITORY_POLICY)
    json_output.print_json({**trusted, **document})


def _with_account(environment: Environment, tools: Toolbox) -> Environment:
    """Return the environment with the number of its account, which its profile knows if the configuration does not."""
    if environment.target.account or not iam_accounts.is_elsewhere(environment, tools.settings):
        return environment
    account = tools.at(environment).identity.account_id()
    return evolve(environment, target=evolve(environment.target, account=account))


def _render_release_policy(settings: Settings, account: str, table: str) -> iam_policy.Document:
    return iam_policy.policy_document(settings, account=account, table=table)


def _render_setup_policy(settings: Settings, account: str, table: str) -> iam_policy.Document:
    return iam_setup_policy.setup_policy_document(settings, account=account, table=table)


def _trust_jobs(jobs: TrustedJobs, tools: Toolbox, account: str) -> iam_policy.Document:
    if jobs.note:
        tools.reporter.note(jobs.note)
    return {"trust": iam_policy.trust_policy(tools.settings, account=account, jobs=jobs)}
