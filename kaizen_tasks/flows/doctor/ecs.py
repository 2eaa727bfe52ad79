"""Checks of what a deployment to ECS depends on, and cannot change: roles, logs, health, and what ends it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.flows.doctor.account import is_local_cloud
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.health import ProbeResponse
    from kaizen_tasks.domain.service_review import ServiceReview
    from kaizen_tasks.ports.tools import Tools

HEALTH_TIMEOUT_SECONDS = 5.0
HEALTH_MAX_BYTES = 64 * 1024
TERRAFORM_SERVICE = r'resource +"aws_ecs_(express_gateway_)?service"'
NO_SERVICE = "creates no service of ECS here"
BREAKER_FIX = (
    "Terraform: deployment_circuit_breaker {{ enable = true, rollback = true }}; or aws ecs update-service --cluster "
    "{cluster} --service {service} --deployment-configuration 'deploymentCircuitBreaker={{enable=true,rollback=true}}'"
)


def app_checks(tools: Tools) -> Iterator[Check]:
    """Return the check of the app's Terraform, if an environment is on ECS."""
    if any(environment.kind.has_cluster for environment in tools.settings.environments.values()):
        yield Check(subject=Subject("Terraform"), probe=partial(_check_terraform, tools), error_verdict=Verdict.SKIPPED)


def _check_terraform(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Warn of services whose image the next `terraform apply` would set back."""
    from kaizen_tasks.domain.init.detect.terraform.ignored_changes import find_contested_services

    commit = tools.scm.head().commit
    paths = [path for path in tools.scm.find_lines(TERRAFORM_SERVICE) if path.endswith(".tf")]
    files = {path: (tools.scm.read_at(commit, path) or b"").decode(errors="replace") for path in paths}
    contested = tuple(find_contested_services(files))
    for service in contested:
        message = f"{service.place}: terraform apply would deploy the image that {service.address} names"
        yield subject.warning(message, f"lifecycle {{ ignore_changes = [{service.attribute}] }}")
    if not contested:
        count = len(paths)
        yield subject.ok(
            f"leaves the images of services alone ({count} file{'s'[: count != 1]})" if count else NO_SERVICE
        )


def checks(environment: Environment, tools: Tools) -> Iterator[Check]:
    """Return the checks of an environment on ECS; none on another platform."""
    if environment.kind.has_cluster:
        yield Check(
            subject=Subject("tasks", environment.name),
            probe=partial(_check_tasks, environment, tools),
            error_verdict=Verdict.SKIPPED,
            before_changes=Verdict.PROBLEM,
        )


def _check_tasks(environment: Environment, tools: Tools, subject: Subject) -> Iterator[Finding]:
    review = tools.at(environment).account.review_service(environment)
    findings = [
        *_check_running(review, environment, subject),
        *_check_failure_detection(review, environment, subject),
        *_check_roles(review, tools, subject),
        *_check_log(review, subject),
        *_check_health_path(review, environment, tools, subject),
        *_check_architecture(review, environment, tools, subject),
    ]
    yield from findings or [subject.ok(_summary(review))]


def _summary(review: ServiceReview) -> str:
    count = review.desired_count
    tasks = f"{count} task{'s'[: count != 1]} of {review.definition}"
    return f"{tasks}; a failing deployment is rolled back by {list_names(review.failure_detectors)}"


def _check_running(review: ServiceReview, environment: Environment, subject: Subject) -> Iterator[Finding]:
    if review.container_problem:
        yield subject.problem(review.container_problem, review.container_fix)
    if review.desired_count == 0:
        place = f"--cluster {environment.cluster} --service {environment.service}"
        fix = f"aws ecs update-service {place} --desired-count 1"
        yield subject.problem(f"{environment.service} runs no task: its desired count is 0", fix)


def _check_failure_detection(review: ServiceReview, environment: Environment, subject: Subject) -> Iterator[Finding]:
    fix = BREAKER_FIX.format(cluster=environment.cluster, service=environment.service)
    if not review.failure_detectors:
        message = f"nothing ends a deployment of {environment.service} whose tasks crash: it has no circuit breaker"
        yield subject.warning(message, fix)
    elif not review.rolls_back:
        detectors = list_names(review.failure_detectors)
        message = f"{detectors} of {environment.service} ends a failing deployment, and rolls nothing back"
        yield subject.warning(message, fix)


def _check_roles(review: ServiceReview, tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Check the roles of tasks; a local cloud has none."""
    problems = [role for role in review.roles if role.problem]
    if problems and is_local_cloud(tools):
        return
    for role in problems:
        name = role.arn.rpartition("/")[2]
        message = f"the {role.purpose} role {name} {role.problem}".replace("  ", " ")
        fix = f"correct it in {review.definition}: tasks cannot start with it"
        yield subject.problem(message, fix)


def _check_log(review: ServiceReview, subject: Subject) -> Iterator[Finding]:
    group = review.log_group
    if review.has_log_group is False:
        fix = f"create it, or no task starts: aws logs create-log-group --log-group-name {group}"
        yield subject.problem(f"the log group {group} does not exist", fix)
    elif not group and not review.container_problem:
        message = f"{review.definition} does not log to CloudWatch, so that no failure shows what the app printed"
        yield subject.warning(message, "add logConfiguration with the driver awslogs")


def _check_health_path(
    review: ServiceReview, environment: Environment, tools: Tools, subject: Subject
) -> Iterator[Finding]:
    """Ask the running app at the path of the health check: a new version that answers like it is rolled back."""
    path = review.health_path
    url = tools.at(environment).platform.service_url(environment.service) if path else ""
    if not url:
        return
    response = tools.prober.probe(f"{url}{path}", timeout=HEALTH_TIMEOUT_SECONDS, max_bytes=HEALTH_MAX_BYTES)
    if answer := _failure(response):
        message = f"the health check asks for {path}, and the app answers with {answer}"
        yield subject.warning(message, f"answer {path} with 200, or correct the health check of {review.definition}")


def _failure(response: ProbeResponse) -> str:
    """Return the answer with which a health check fails; empty if it succeeds, or if nobody answers at all."""
    return f"HTTP {response.status}" if response.status and not 200 <= response.status < 400 else ""


def _check_architecture(
    review: ServiceReview, environment: Environment, tools: Tools, subject: Subject
) -> Iterator[Finding]:
    built = tools.settings.build.platform
    if "/".join(built.split("/")[:2]) != review.image_platform:
        message = f"images are built for {built}, and tasks of {environment.service} run {review.image_platform}"
        yield subject.problem(message, f'write platform = "{review.image_platform}" in [build], or change the tasks')
