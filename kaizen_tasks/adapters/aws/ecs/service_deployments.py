"""Deployments of services: ECS's record of each change, the same for Express services and plain ones.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from attrs import field, frozen

from kaizen_tasks.adapters.aws.clients import Document
from kaizen_tasks.adapters.aws.ecs.revisions import Revisions
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState
from kaizen_tasks.errors import Refused

PAGE_SIZE = 20
"""How many deployments are looked at: as many as one request describes."""

STATES: Mapping[str, OperationState] = {
    "PENDING": OperationState.PENDING,
    "IN_PROGRESS": OperationState.IN_PROGRESS,
    "STOP_REQUESTED": OperationState.IN_PROGRESS,
    "ROLLBACK_REQUESTED": OperationState.IN_PROGRESS,
    "ROLLBACK_IN_PROGRESS": OperationState.IN_PROGRESS,
    "SUCCESSFUL": OperationState.SUCCEEDED,
    "STOPPED": OperationState.STOPPED,
    "ROLLBACK_SUCCESSFUL": OperationState.ROLLED_BACK,
    "ROLLBACK_FAILED": OperationState.FAILED,
}
"""STOPPED stands for a failure without a rollback too, for what was superseded, and for what was stopped by hand."""

TRIGGERED = "TRIGGERED"
"""Status of a circuit breaker or of alarms that ended a deployment."""


@frozen
class ServiceDeployments:
    """The deployments of the services of a cluster. Safe to use from several threads.

    Attributes:
        revisions: what the deployments deploy.
    """

    revisions: Revisions
    _ended: dict[str, Document] = field(factory=dict)
    _finished: set[str] = field(factory=set)

    def summaries(self, service: str) -> Sequence[Document]:
        """Return the last deployments of a service, newest first, without the reasons of their ends.

        Raises:
            NotFound: there is no such service.
        """
        cluster = self.revisions.cluster
        with cluster.errors(f"list the deployments of {service}"):
            response = cluster.client.list_service_deployments(
                service=service, cluster=cluster.name, maxResults=PAGE_SIZE
            )
        deployments = [each for each in response["serviceDeployments"] if each.get("targetServiceRevisionArn")]
        self._finished.update(each["serviceDeploymentArn"] for each in deployments if not is_unfinished(each))
        return sorted(deployments, key=lambda deployment: deployment["createdAt"], reverse=True)

    def operations(self, service: str) -> tuple[Operation, ...]:
        """Return the last deployments of a service as operations, newest first.

        The digests of those before the last successful one are not looked up.

        Raises:
            NotFound: there is no such service.
        """
        summaries = self.summaries(service)
        details = self._details(summaries)
        listed_as_unfinished = {each["serviceDeploymentArn"] for each in summaries if is_unfinished(each)}
        if any(not is_unfinished(details[arn]) for arn in listed_as_unfinished & details.keys()):
            summaries = self.summaries(service)  # it has ended since, maybe because of one that was not listed yet
        digests = self.revisions.digests(summary["targetServiceRevisionArn"] for summary in _latest(summaries))
        return tuple(
            self._operation(details.get(summary["serviceDeploymentArn"], summary), summary, summaries[:index], digests)
            for index, summary in enumerate(summaries)
        )

    def stop(self, service: str, revision: str) -> None:
        """Stop the deployment of a revision, and let ECS roll it back.

        Raises:
            Refused: it is not in progress.
        """
        cluster = self.revisions.cluster
        for summary in self.summaries(service):
            if summary["targetServiceRevisionArn"] == revision and is_unfinished(summary):
                with cluster.errors(f"stop the deployment of {service}", change_error=Refused):
                    arn = summary["serviceDeploymentArn"]
                    cluster.client.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
                return
        raise Refused(f"{service} has no deployment of {revision} in progress", hint="see what runs: inv status")

    def is_running(self, arn: str) -> bool:
        """Return whether a deployment, by its ARN, has not ended."""
        if not arn or arn in self._finished:
            return False
        detail = self._describe([arn]).get(arn)
        return detail is not None and is_unfinished(detail)

    def _details(self, summaries: Sequence[Document]) -> Mapping[str, Document]:
        """Return the details of deployments that run, or ended without success; the latter are read once."""
        arns = [each["serviceDeploymentArn"] for each in summaries if each["status"] != "SUCCESSFUL"]
        details = {arn: self._ended[arn] for arn in arns if arn in self._ended}
        unread = [arn for arn in arns if arn not in details]
        return {**details, **(self._describe(unread) if unread else {})}

    def _describe(self, arns: Sequence[str]) -> Mapping[str, Document]:
        cluster = self.revisions.cluster
        with cluster.errors("read the deployments of services"):
            response = cluster.client.describe_service_deployments(serviceDeploymentArns=list(arns))
        details = {each["serviceDeploymentArn"]: each for each in response["serviceDeployments"]}
        self._ended.update({arn: detail for arn, detail in details.items() if not is_unfinished(detail)})
        self._finished.update(self._ended)
        return details

    def _operation(
        self, detail: Document, summary: Document, later: Sequence[Document], digests: Mapping[str, str]
    ) -> Operation:
        finished_at, arn = detail.get("finishedAt") or detail.get("stoppedAt"), summary["targetServiceRevisionArn"]
        is_creation = "sourceServiceRevisions" in detail and not detail["sourceServiceRevisions"]
        successor = _successor(detail, later)
        stage = detail.get("lifecycleStage", "") if is_unfinished(detail) else ""
        return Operation(
            id=arn,
            kind=OperationKind.CREATION if is_creation else OperationKind.DEPLOYMENT,
            state=OperationState.SUPERSEDED if successor else _state(detail),
            native_state=f"{detail['status']} ({stage})" if stage else detail["status"],
            started_at=_utc(detail.get("startedAt") or detail["createdAt"]),
            finished_at=_utc(finished_at) if finished_at else None,
            reason=f"service revision {successor} took its place" if successor else _reason(detail),
            digest=digests.get(arn, ""),
        )


def _latest(summaries: Sequence[Document]) -> Sequence[Document]:
    """Return the newest deployments up to the last successful one: only these may be ours, or in the place of ours."""
    is_successful = [summary["status"] == "SUCCESSFUL" for summary in summaries]
    return summaries[: is_successful.index(True) + 1] if any(is_successful) else summaries


def is_unfinished(deployment: Document) -> bool:
    """Return whether a deployment has not ended; one in a state that is not known here has not."""
    state = STATES.get(deployment["status"], OperationState.IN_PROGRESS)
    return state in {OperationState.PENDING, OperationState.IN_PROGRESS}


def _state(detail: Document) -> OperationState:
    state = STATES.get(detail["status"], OperationState.IN_PROGRESS)
    has_failed = any(detail.get(name, {}).get("status") == TRIGGERED for name in ("deploymentCircuitBreaker", "alarms"))
    return OperationState.FAILED if state is OperationState.STOPPED and has_failed else state


def _reason(detail: Document) -> str:
    """Return why a deployment ended, or is being rolled back; empty where ECS does not say."""
    breaker, alarms = detail.get("deploymentCircuitBreaker", {}), detail.get("alarms", {})
    failure_count, alarm_names = breaker.get("failureCount", 0), alarms.get("triggeredAlarmNames", ())
    is_broken = breaker.get("status") == TRIGGERED
    parts = (
        detail.get("statusReason", ""),
        detail.get("rollback", {}).get("reason", ""),
        f"alarms: {', '.join(alarm_names)}" if alarm_names else "",
        f"{failure_count} tasks failed" if is_broken and failure_count else "",
    )
    return "; ".join(dict.fromkeys(part.strip().rstrip(".") for part in parts if part))


def _successor(detail: Document, later: Sequence[Document]) -> str:
    """Return the number of the revision that took the place of a stopped one's; empty if it was stopped by hand.

    ECS does not say that a deployment was superseded; see `assumptions`.

    Args:
        detail: the deployment.
        later: the later ones, newest first.
    """
    stopped_at = detail.get("finishedAt") or detail.get("stoppedAt")
    if not later or stopped_at is None or _state(detail) is not OperationState.STOPPED:
        return ""
    successor = later[-1]
    number = str(successor["targetServiceRevisionArn"]).rpartition("/")[2]
    return number if successor["createdAt"] <= stopped_at else ""


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
