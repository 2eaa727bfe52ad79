"""Environments whose release serves on App Runner, and commands that move them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.migration.plan import Choices
from kaizen_tasks.flows.execution import Change, execute_change
from kaizen_tasks.flows.migration.migrate import MigrationPlan, plan_migration, require_all_possible
from kaizen_tasks.flows.migration.plan import MigrationRequest
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.migration.definition import ServiceDefinition

ROLES = {
    "ecsTaskExecutionRole": frozenset({"ecs-tasks.amazonaws.com"}),
    "ecsInfrastructureRoleForExpressServices": frozenset({"ecs.amazonaws.com"}),
}
TO_EXPRESS = MigrationRequest(
    platform="ecs-express", choices=Choices(), command=("migrate", "--env", "mark", "--to", "ecs-express")
)
DIGESTS = {"v0.1.0": f"sha256:{'a1' * 32}", "v0.2.0": f"sha256:{'b2' * 32}"}


class Scenario:
    """A team whose tenants run v0.1.0 on App Runner.

    Attributes:
        tools: the toolbox.
        new_versions: the version that a new service answers with, by environment, if not the one that it was given.
    """

    def __init__(self) -> None:
        self.tools = FakeTools()
        self.new_versions: dict[str, str] = {}
        self.tools.migration_target.trust = dict(ROLES)
        self.tools.migration_target.on_created = self._serve
        for name in ("mark", "shane", "dom"):
            self.release(name, "v0.1.0")

    def environment(self, name: str = "mark") -> Environment:
        """Return an environment as it is configured."""
        return self.tools.settings.environments[name]

    def release(self, name: str, version: str) -> None:
        """Let a release serve in an environment, by the ledger's word."""
        environment, digest = self.environment(name), DIGESTS[version]
        image = Image(digest=digest, media_type=OCI_MANIFEST, version=version, revision="c" * 40)
        self.tools.registry.put(environment.repository, version, image)
        self.tools.running_versions[name] = version
        entry = LedgerEntry(
            environment=name,
            event=Event.VERIFIED,
            version=version,
            commit="c" * 40,
            digest=digest,
            at=self.tools.clock.now(),
            actor="ada@laptop",
        )
        self.tools.ledger.append(entry)

    def configure(self, name: str, *, platform: str = "", url: str = "") -> None:
        """Change the configuration of an environment."""
        current = self.environment(name)
        changed = evolve(current, platform=platform or current.platform, url=url or current.url)
        environments = {**self.tools.settings.environments, name: changed}
        self.tools.settings = evolve(self.tools.settings, environments=environments)

    def plan(self, *names: str, request: MigrationRequest = TO_EXPRESS) -> MigrationPlan:
        """Return the plan for environments."""
        return plan_migration([self.environment(name) for name in names or ("mark",)], request, self.tools)

    def move(self, *names: str, request: MigrationRequest = TO_EXPRESS) -> list[str]:
        """Run the command; return the questions that were asked."""
        plan = self.plan(*names, request=request)
        require_all_possible(plan, self.tools)
        return self.run(plan.as_change(self.tools))

    def run(self, change: Change) -> list[str]:
        """Run a change; return the questions that were asked."""
        questions: list[str] = []
        execute_change(
            change, self.tools, confirm=lambda _, question: questions.append(question), command="inv migrate"
        )
        return [question for question in questions if question]

    def events(self, name: str = "mark") -> list[str]:
        """Return what the ledger has recorded since the release was verified, oldest first."""
        entries = [entry for entry in self.tools.ledger.all_entries if entry.environment == name]
        return [entry.event_name for entry in entries if entry.event is not Event.VERIFIED]

    def _serve(self, definition: ServiceDefinition) -> None:
        """Let a new service answer at its address as the image that it has."""
        name = definition.name.split("-")[0]
        url = f"https://{definition.name}.ecs.example"

        def version() -> ProbeResponse:
            image = self.tools.migration_target.platform.services[definition.name].image.partition("@")[2]
            by_digest = {digest: version for version, digest in DIGESTS.items()}
            answer = {"version": self.new_versions.get(name, by_digest[image]), "environment": name}
            return ProbeResponse(status=200, body=json.dumps(answer).encode())

        self.tools.prober.answers[f"{url}/version"] = version
        self.tools.prober.answers[f"{url}/"] = ProbeResponse(status=200, body=b"hello")
