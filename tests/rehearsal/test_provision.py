"""Everything that a configuration names, made where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import pytest
from attrs import define, evolve, field

from kaizen_tasks.domain.json_document import ConfigDocument
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import provision
from tests.fakes.ledger import FakeLedger
from tests.fakes.platform import FakePlatform
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.types import Secret
    from kaizen_tasks.wiring import Toolbox


@define
class UnfoundedLedger(FakeLedger):
    """A ledger whose table has to be made first.

    Attributes:
        created: how often it was made.
    """

    created: int = 0

    def exists(self) -> bool:
        """Return whether it was made."""
        return self.created > 0

    def create(self) -> None:
        """Make it."""
        self.created += 1


@define(kw_only=True)
class FakeProvisioner:
    """Makes repositories and services in a fake world.

    Attributes:
        tools: that world.
        status: of a service that was just created.
        created: everything that was made, in order.
        secrets: what each environment's app gets from a secret.
    """

    tools: EmptyTools
    status: str = "RUNNING"
    created: list[str] = field(factory=list)
    secrets: dict[str, Mapping[str, str]] = field(factory=dict)

    def create_repository(self, name: str) -> None:
        """Create a repository."""
        self.created.append(name)
        self.tools.registry.create(name)

    def create_secret(self, environment: Environment, content: Secret) -> dict[str, str]:
        """Create a secret."""
        self.tools.secrets.create(environment.secret, content.reveal(), version="1", at=self.tools.clock.now())
        return {name: f"{environment.secret}:{name}" for name in ConfigDocument.parse(content.reveal()).names}

    def create_service(self, environment: Environment, secrets: Mapping[str, str]) -> None:
        """Create a service; it runs what `:latest` names by then."""
        self.created.append(environment.service)
        self.secrets[environment.name] = secrets
        self.tools.platform.add(environment.service, image="any")
        self.tools.platform.set_status(environment.service, self.status)
        self.tools.running_versions[environment.name] = self.tools.latest(environment.name)


@define(kw_only=True)
class EmptyTools(FakeTools):
    """A world in which nothing has been founded yet."""

    ledger: UnfoundedLedger = field(factory=UnfoundedLedger)
    provisioner: FakeProvisioner = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.registry.repositories.clear()
        self.platform.services.clear()
        self.running_versions.clear()
        self.provisioner = FakeProvisioner(tools=self)

    @property
    def ledger_table(self) -> UnfoundedLedger:
        """The table behind the ledger."""
        return self.ledger


@pytest.fixture
def tools() -> EmptyTools:
    """A world in which there is nothing but a repository with an app."""
    return EmptyTools()


def provide(tools: EmptyTools) -> None:
    """Make what is missing."""
    provision.provision(cast("Toolbox", tools))


def test_every_environment_runs_the_committed_version(tools: EmptyTools) -> None:
    """Whatever lies in the working tree."""
    tools.scm.working_tree.files["VERSION"] = b"9.9.9\n"

    provide(tools)

    assert tools.running_versions == dict.fromkeys(tools.settings.environments, "v0.1.0")
    assert tools.ledger.created == 1


def test_every_app_gets_a_sample_of_what_is_configured(tools: EmptyTools) -> None:
    """One secret an environment, and each value of it by its own name."""
    provide(tools)

    assert tools.provisioner.secrets.keys() == tools.settings.environments.keys()
    name = "prod-web-app-secrets"
    assert tools.provisioner.secrets["prod"] == {key: f"{name}:{key}" for key in ("AI_TEMPERATURE", "TOKEN")}
    assert tools.secrets.current(name).content.reveal() == '{"AI_TEMPERATURE": "0", "TOKEN": "sample"}'


def test_an_app_that_configures_nothing_has_no_secret() -> None:
    """There is nothing that it would get."""
    tools = EmptyTools(settings=settings(runtime={}))

    provide(tools)

    assert set(map(len, tools.provisioner.secrets.values())) == {0}


def test_builds_once_and_copies(tools: EmptyTools) -> None:
    """All of them run the same bytes from the beginning."""
    provide(tools)

    digests = {digest for each in tools.registry.repositories.values() for digest in each.tags.values()}
    assert tools.builder.build_count == 1
    assert len(tools.builder.pushed_specs) == 1
    assert len(digests) == 1
    assert {tuple(each.tags) for each in tools.registry.repositories.values()} == {("v0.1.0", "latest")}


def test_an_image_is_there_before_the_service_that_follows_it(tools: EmptyTools) -> None:
    """A service without an image fails to be created."""
    provide(tools)

    names = [each.repository for each in tools.settings.environments.values()]
    services = [each.service for each in tools.settings.environments.values()]
    assert tools.account.changes == ["enable_blob_mounting"]
    assert tools.provisioner.created == [*names, *services]


def test_makes_nothing_twice(tools: EmptyTools) -> None:
    """`local.up` may be typed again at any time."""
    provide(tools)
    founded, calls = list(tools.provisioner.created), list(tools.registry.calls)

    provide(tools)

    assert tools.provisioner.created == founded
    assert tools.registry.calls == calls
    assert (tools.builder.build_count, tools.ledger.created) == (1, 1)


def test_makes_what_was_added_since(tools: EmptyTools) -> None:
    """A new tenant gets a service, and the others stay as they are."""
    provide(tools)
    tools.platform.services.pop("dom-web-service")
    tools.registry.repositories.pop("dom-web-app")
    tools.provisioner.created.clear()

    provide(tools)

    assert tools.provisioner.created == ["dom-web-app", "dom-web-service"]


def test_goes_on_where_it_was_stopped(tools: EmptyTools) -> None:
    """Repositories and an image, but no service yet."""
    provide(tools)
    tools.platform.services.clear()

    provide(tools)

    assert tools.platform.services.keys() == {each.service for each in tools.settings.environments.values()}
    assert tools.builder.build_count == 1


@define(kw_only=True)
class SlowPlatform(FakePlatform):
    """A platform whose services take their time to come up.

    Attributes:
        looks: how often a service must be looked at until it runs.
    """

    looks: int = 40

    def get_service(self, name: str) -> Service:
        """Return a service that may not run yet."""
        found = super().get_service(name)
        self.looks -= 1
        return found if self.looks < 0 else evolve(found, status="OPERATION_IN_PROGRESS")


def test_waits_until_every_service_runs(tools: EmptyTools) -> None:
    """Then somebody can release to them."""
    platform = SlowPlatform()
    tools.platform = platform

    provide(tools)

    assert platform.looks < 0
    assert tools.clock.sleeps


def test_a_service_that_cannot_be_created_is_told_at_once(tools: EmptyTools) -> None:
    """Waiting would change nothing."""
    tools.provisioner.status = "CREATE_FAILED"

    with pytest.raises(KaizenError, match="not every service came up: staging-web-service is CREATE_FAILED"):
        provide(tools)

    assert tools.clock.sleeps == []


def test_does_not_wait_for_ever(tools: EmptyTools) -> None:
    """The error names what does not come up."""
    tools.provisioner.status = "OPERATION_IN_PROGRESS"

    with pytest.raises(KaizenError, match="dom-web-service is OPERATION_IN_PROGRESS"):
        provide(tools)

    assert tools.clock.monotonic() == pytest.approx(provision.SERVICE_START_TIMEOUT_SECONDS, abs=0.1)


def test_needs_a_committed_version(tools: EmptyTools) -> None:
    """There is nothing to run at first without one."""
    tools.scm.commits[tools.scm.head().commit].tree.pop("VERSION")  # type: ignore[attr-defined]

    with pytest.raises(Refused, match="HEAD has no VERSION") as refused:
        provide(tools)

    assert refused.value.hint == "commit a VERSION"
    assert tools.builder.build_count == 0
