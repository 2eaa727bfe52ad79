"""What every platform does that an environment leaves, and every one to which it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from attrs import evolve

from kaizen_tasks.domain.migration.definition import CREATION_TAG
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.domain.migration.definition import ServiceDefinition
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.migration import MigrationSource, MigrationTarget
    from kaizen_tasks.ports.platform import Platform


class SourceStage(Protocol):
    """The running service `leaving-service`, with the variable TENANT, on the platform that is left.

    Attributes:
        source: the implementation.
        platform: the same services.
    """

    source: MigrationSource
    platform: Platform

    def settle(self) -> None:
        """Wait until no operation is in progress."""
        ...


class MigrationSourceContract:
    """Subclasses provide the fixture `stage`."""

    def test_reads_what_matters_to_the_successor(self, stage: SourceStage) -> None:
        source = stage.source.read_source(_leaving(stage))

        assert source.name == "leaving-service"
        assert source.id.split(":")[:3] == ["arn", "aws", "apprunner"]
        assert source.image.endswith(":latest")
        assert set(source.variables) == {"TENANT"}
        assert (source.port, source.scaling.minimum, source.is_public) == (8080, 1, True)

    def test_pauses_resumes_and_deletes(self, stage: SourceStage) -> None:
        with pytest.raises(Refused):
            stage.source.delete_source(_leaving(stage))
        with pytest.raises(Refused):
            stage.source.resume(_leaving(stage))

        stage.source.pause(_leaving(stage))
        stage.settle()
        assert _leaving(stage).status is ServiceStatus.PAUSED
        with pytest.raises(Refused):
            stage.source.pause(_leaving(stage))
        stage.source.resume(_leaving(stage))
        stage.settle()
        assert _leaving(stage).status is ServiceStatus.RUNNING
        stage.source.pause(_leaving(stage))
        stage.settle()
        stage.source.delete_source(_leaving(stage))
        stage.settle()

        with pytest.raises(NotFound):
            _leaving(stage)


def _leaving(stage: SourceStage) -> Service:
    return stage.platform.get_service("leaving-service")


class TargetStage(Protocol):
    """A cluster without services.

    Attributes:
        target: the implementation.
        platform: the services of the cluster.
        definition: a service that can be created there, and has the tag of a migration.
    """

    target: MigrationTarget
    platform: Platform
    definition: ServiceDefinition

    def settle(self) -> None:
        """Wait until no deployment is in progress, and what was deleted is gone."""
        ...

    def add_role(self, name: str, service: str) -> None:
        """Let there be a role that a service of AWS may assume."""
        ...


class MigrationTargetContract:
    """Subclasses provide the fixture `stage`."""

    def test_creates_a_service_and_deletes_it(self, stage: TargetStage) -> None:
        name, digest = stage.definition.name, stage.definition.image.partition("@")[2]

        stage.target.create_service(stage.definition)
        stage.settle()

        service = stage.platform.get_service(name)
        assert (service.status, service.image_reference) == (ServiceStatus.RUNNING, digest)
        deployment = stage.platform.list_operations(service)[0]
        assert (deployment.deploys, deployment.succeeded) == (True, True)
        assert stage.target.creation_tag(service) == stage.definition.tags[CREATION_TAG]
        with pytest.raises(Refused):
            stage.target.create_service(evolve(stage.definition, health_path="/other"))
        stage.target.delete_service(service)
        stage.settle()
        with pytest.raises(NotFound):
            stage.platform.get_service(name)
        with pytest.raises(NotFound):
            stage.target.creation_tag(service)

    def test_knows_who_may_assume_a_role(self, stage: TargetStage) -> None:
        stage.add_role("contract-execution", "ecs-tasks.amazonaws.com")

        trusted = stage.target.trusted_services("arn:aws:iam::123456789012:role/contract-execution")

        assert trusted == frozenset({"ecs-tasks.amazonaws.com"})
        with pytest.raises(NotFound, match="absent"):
            stage.target.trusted_services("arn:aws:iam::123456789012:role/absent")
