"""One environment: its repository, the images that must stay in it, its service, and its app."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import ledger as entries
from kaizen_tasks.domain import lifecycle
from kaizen_tasks.domain.check import Subject, Verdict
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.doctor.account import SET_UP
from kaizen_tasks.flows.doctor.check import Look
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.tools import Tools

SOON = timedelta(days=7)
HISTORY = 200
"""Ledger entries that are searched."""


def looks(environment: Environment, tools: Tools) -> Iterator[Look]:
    """Return the looks at an environment."""
    name = environment.name
    yield Look(subject=Subject("repository", name), see=partial(_repository, environment, tools))
    yield Look(subject=Subject("images", name), see=partial(_images, environment, tools), unseen=Verdict.SKIPPED)
    yield Look(subject=Subject("service", name), see=partial(_service, environment, tools))
    yield Look(subject=Subject("app", name), see=partial(_app, environment, tools))


def looks_without_credentials(environment: Environment, tools: Tools) -> Iterator[Look]:
    """Return the looks that need none: the app's configured address can be asked by anybody."""
    if environment.url:
        see = partial(_answer, environment.url, environment, tools)
        yield Look(subject=Subject("app", environment.name), see=see)


def _repository(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    name, rules = environment.repository, tools.account.tag_rules(environment.repository)
    if not rules.follows_deployments:
        yield subject.problem(f"tags of {name} are {rules}: no deployment can move :latest", SET_UP)
    elif not rules.keeps_versions:
        yield subject.warning(f"tags of {name} are {rules}: a released version can be replaced", SET_UP)
    else:
        yield subject.ok(f"tags of {name} are {rules}")


def _images(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Carry out the lifecycle policy in mind, today and in a week: ECR itself ignores what is running."""
    rules = tools.account.lifecycle(environment.repository)
    if not rules:
        yield subject.ok("no lifecycle policy takes any away")
        return
    needed, stored = _needed(environment, tools), tools.account.images(environment.repository)
    today = lifecycle.doomed(rules, stored, tools.clock.now())
    soon = lifecycle.doomed(rules, stored, tools.clock.now() + SOON)
    for digest, role in needed.items():
        if digest in today:
            rule = today[digest].priority
            yield subject.problem(f"lifecycle rule {rule} takes away {role}", _keep(environment, rule))
        elif digest in soon:
            rule = soon[digest].priority
            yield subject.warning(f"within a week, lifecycle rule {rule} takes away {role}", _keep(environment, rule))
    if not needed.keys() & soon.keys():
        yield subject.ok("the lifecycle policy spares what is running and what a rollback needs")


def _keep(environment: Environment, rule: int) -> str:
    return f"let rule {rule} of {environment.repository} keep tags that begin with v, or more of them"


def _needed(environment: Environment, tools: Tools) -> dict[str, str]:
    """Return the digests that must stay, each with its role."""
    written = tools.ledger.entries(environment.name, limit=HISTORY)
    running = ledger.running(environment, tools)
    back = next(iter(entries.candidates(written, other_than=running or "")), None)
    needed = {back.digest: f"{back.version}, which a rollback needs"} if back else {}
    return needed | ({running: f"{_version(running, written)}, which is running"} if running else {})


def _version(digest: str, written: tuple[entries.Entry, ...]) -> str:
    return next((entry.version for entry in written if entry.digest == digest), digest[:19])


def _service(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    service = tools.platform.service(environment.service)
    if service.status not in {"RUNNING", "OPERATION_IN_PROGRESS"}:
        yield subject.problem(f"{service.name} is {service.status}", _revive(service))
    elif not _follows(service, environment, tools):
        wanted = f"{environment.repository}:latest"
        yield subject.problem(
            f"{service.name} follows {service.image or 'no image'}, not {wanted}",
            f"let it follow {wanted}, or correct repository and service in the configuration",
        )
    elif service.auto_deploys:
        yield subject.warning(
            f"{service.name} deploys by itself when :latest moves, in a race with the release",
            "switch AutoDeploymentsEnabled off (Terraform: auto_deployments_enabled)",
        )
    else:
        yield subject.ok(f"{service.name} is {service.status} and follows {environment.repository}:latest")


def _revive(service: Service) -> str:
    if service.status == "PAUSED":
        return f"aws apprunner resume-service --service-arn {service.identity}"
    return "see its events in the App Runner console; one that failed to be created is deleted and created again"


def _follows(service: Service, environment: Environment, tools: Tools) -> bool:
    """Return whether a service runs what is pushed.

    App Runner knows a private repository by ECR's public name, also where the registry is on this machine.
    """
    public = f"{tools.identity.account()}.dkr.ecr.{tools.settings.aws.region}."
    host, _, image = service.image.partition("/")
    if image != f"{environment.repository}:latest":
        return False
    return host.startswith(public) or service.image == f"{tools.registry.address(environment.repository)}:latest"


def _app(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    try:
        url = probe.address(environment, tools)
    except KaizenError:
        url = environment.url
    if url:
        yield from _answer(url, environment, tools, subject)
    else:
        yield subject.skipped("only its service knows the address, and cannot be asked")


def _answer(url: str, environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    where, said = f"{url}{tools.settings.verify.path}", probe.running(url, tools)
    if said.fault:
        yield subject.warning(f"{where} {said.fault}", "start the app, or correct url or verify.path")
    elif said.environment != environment.name:
        yield subject.problem(
            f"{where} says environment {said.environment or 'nothing'}, not {environment.name}",
            f"set ENVIRONMENT={environment.name} of {environment.service}, or correct url",
        )
    else:
        yield subject.ok(f"{where} says {said.version}")
