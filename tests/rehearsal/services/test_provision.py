"""Repositories, secrets and services of an app, created in an empty cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from attrs import define, evolve, field
from semver import Version

from kaizen_tasks.domain.made_up import KEY
from kaizen_tasks.domain.new_service import ServiceSettings
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, ServiceStatus
from kaizen_tasks.domain.text.json_document import ConfigDocument
from kaizen_tasks.errors import KaizenError, Refused, UsageError
from kaizen_tasks.rehearsal.services import provision
from tests.fakes.ledger import FakeLedger
from tests.fakes.platform import FakePlatform
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.new_service import NewService
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.domain.tag_mutability import TagMutability
    from kaizen_tasks.ports.secrets import Secret
    from kaizen_tasks.wiring import Toolbox


VERSION = Version(0, 1, 0)


@define
class MissingLedgerTable(FakeLedger):
    """A ledger whose table does not exist yet.

    Attributes:
        created: how often it was created.
    """

    created: int = 0

    def exists(self) -> bool:
        """Return whether it was created."""
        return self.created > 0

    def create(self) -> None:
        """Create it."""
        self.created += 1


@define(kw_only=True)
class FakeProvisioner:
    """Creates repositories and services in fakes.

    Attributes:
        tools: the fakes.
        status: of a service that was just created.
        created: names of everything created, in order.
        images: what each environment's service was created with.
        health_paths: what load balancers ask for.
        secrets: what each environment's app gets from a secret.
        variables: the variables of each environment's app.
        ports: the ports of all services.
        image_platforms: what their images are built for.
        start_timeouts: seconds that their instances may take to start.
    """

    tools: EmptyTools
    status: ServiceStatus = ServiceStatus.RUNNING
    created: list[str] = field(factory=list)
    images: dict[str, str] = field(factory=dict)
    health_paths: set[str] = field(factory=set)
    secrets: dict[str, Mapping[str, str]] = field(factory=dict)
    variables: dict[str, Mapping[str, str]] = field(factory=dict)
    ports: set[int] = field(factory=set)
    image_platforms: set[str] = field(factory=set)
    start_timeouts: set[float] = field(factory=set)

    def create_repository(self, name: str, rules: TagMutability) -> None:
        """Create a repository."""
        self.created.append(name)
        self.tools.registry.create(name)
        self.tools.account.rules[name] = rules

    def create_secret(self, environment: Environment, content: Secret) -> dict[str, str]:
        """Create a secret."""
        self.tools.secrets.create(environment.secret, content.reveal(), version="1", at=self.tools.clock.now())
        return {name: f"{environment.secret}:{name}" for name in ConfigDocument.parse(content.reveal()).names}

    def create_service(self, environment: Environment, service: NewService) -> None:
        """Create a service; it runs what `:latest` names now."""
        self.created.append(environment.service)
        self.images[environment.name] = service.image
        self.secrets[environment.name] = service.secrets
        self.variables[environment.name] = service.variables
        self.health_paths.add(service.health_path)
        self.ports.add(service.port)
        self.image_platforms.add(service.image_platform)
        self.start_timeouts.add(service.start_timeout)
        self.tools.platform.add(environment.service, image="any")
        self.tools.platform.set_status(environment.service, self.status)
        self.tools.running_versions[environment.name] = self.tools.latest(environment.name)


@define(kw_only=True)
class EmptyTools(FakeTools):
    """Tools of a cloud in which nothing exists yet."""

    ledger: MissingLedgerTable = field(factory=MissingLedgerTable)
    provisioner: FakeProvisioner = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.registry.repositories.clear()
        self.platform.services.clear()
        self.running_versions.clear()
        self.provisioner = FakeProvisioner(tools=self)

    def provisioner_at(self, environment: Environment) -> FakeProvisioner:
        """Return the one provisioner: all environments are in one place."""
        return self.provisioner

    @property
    def ledger_table(self) -> MissingLedgerTable:
        """The table behind the ledger."""
        return self.ledger


@pytest.fixture
def tools() -> EmptyTools:
    """Tools of an empty cloud, and a git repository with an app."""
    return EmptyTools()


def run_provision(tools: EmptyTools) -> None:
    """Create what is missing."""
    provision.provision(cast("Toolbox", tools), VERSION)


def test_every_environment_runs_the_version_that_was_asked_for(tools: EmptyTools) -> None:
    run_provision(tools)

    assert tools.running_versions == dict.fromkeys(tools.settings.environments, "v0.1.0")
    assert tools.ledger.created == 1


@pytest.mark.parametrize(
    ("version", "changelog", "first"),
    [
        ("0.1.0", "## [0.1.0] - 2026-01-02\n\n### Added\n\n- All.\n", "0.1.0"),
        ("0.2.0", "## [0.1.0] - 2026-01-02\n\n### Added\n\n- All.\n", "0.1.0"),
        ("0.1.0", "", "0.0.0"),
        ("0.1.0", None, "0.0.0"),
    ],
    ids=["released", "ahead of the last release", "never released", "without a changelog"],
)
def test_first_image_takes_no_version_that_is_to_be_released(
    tools: EmptyTools, version: str, changelog: str | None, first: str
) -> None:
    files = tools.scm.working_tree.files
    files["VERSION"] = f"{version}\n".encode()
    if changelog is None:
        del files["CHANGELOG.md"]
    else:
        files["CHANGELOG.md"] = f"# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A typo.\n\n{changelog}".encode()

    assert str(provision.choose_first_version(cast("Toolbox", tools))) == first


def test_services_run_what_images_are_built_for() -> None:
    tools = EmptyTools(settings=settings(build={"platform": "linux/arm64"}))

    run_provision(tools)

    assert tools.provisioner.image_platforms == {"linux/arm64"}


def test_every_app_gets_a_secret_with_sample_values(tools: EmptyTools) -> None:
    run_provision(tools)

    assert tools.provisioner.secrets.keys() == tools.settings.environments.keys()
    name = "prod-web-app-secrets"
    assert tools.provisioner.secrets["prod"] == {key: f"{name}:{key}" for key in ("AI_TEMPERATURE", "TOKEN")}
    assert tools.secrets.current(name).content.reveal() == f'{{"AI_TEMPERATURE": "0", "TOKEN": "{KEY}"}}'


def test_an_app_without_runtime_keys_gets_no_secret() -> None:
    tools = EmptyTools(settings=settings(runtime={}))

    run_provision(tools)

    assert set(map(len, tools.provisioner.secrets.values())) == {0}


def test_the_first_image_is_built_once_and_copied(tools: EmptyTools) -> None:
    run_provision(tools)

    digests = {digest for repository in tools.registry.repositories.values() for digest in repository.tags.values()}
    assert tools.builder.build_count == 1
    assert len(tools.builder.pushed_specs) == 1
    assert len(digests) == 1
    assert {tuple(repository.tags) for repository in tools.registry.repositories.values()} == {("v0.1.0", "latest")}


def test_services_are_created_after_their_repositories(tools: EmptyTools) -> None:
    run_provision(tools)

    names = [environment.repository for environment in tools.settings.environments.values()]
    services = [environment.service for environment in tools.settings.environments.values()]
    assert tools.account.changes == ["enable_blob_mounting"]
    assert tools.provisioner.created == [*names, *services]


def test_a_shared_repository_is_created_once_with_a_tag_for_each_environment() -> None:
    tools = EmptyTools(settings=settings(defaults={"repository": "web", "follow": "{env}"}))

    provision.provision(cast("Toolbox", tools), VERSION)

    assert tools.provisioner.created[0] == "web"
    assert tools.provisioner.created.count("web") == 1
    assert tools.registry.repositories["web"].tags.keys() == {"v0.1.0", *tools.settings.environments}
    assert all(tools.account.rules["web"].may_move(name) for name in tools.settings.environments)


def test_a_second_run_creates_nothing(tools: EmptyTools) -> None:
    run_provision(tools)
    created, calls = list(tools.provisioner.created), list(tools.registry.calls)

    run_provision(tools)

    assert tools.provisioner.created == created
    assert tools.registry.calls == calls
    assert (tools.builder.build_count, tools.ledger.created) == (1, 1)


def test_a_new_environment_is_added_to_existing_ones(tools: EmptyTools) -> None:
    run_provision(tools)
    tools.platform.services.pop("dom-web-service")
    tools.registry.repositories.pop("dom-web-app")
    tools.provisioner.created.clear()

    run_provision(tools)

    assert tools.provisioner.created == ["dom-web-app", "dom-web-service"]


def test_a_run_after_an_interrupted_one_creates_the_rest(tools: EmptyTools) -> None:
    run_provision(tools)
    tools.platform.services.clear()

    run_provision(tools)

    assert tools.platform.services.keys() == {
        environment.service for environment in tools.settings.environments.values()
    }
    assert tools.builder.build_count == 1


@define(kw_only=True)
class SlowPlatform(FakePlatform):
    """A platform whose services start slowly.

    Attributes:
        pending_reads: how many reads find a service that does not run yet.
    """

    pending_reads: int = 40

    def get_service(self, name: str) -> Service:
        """Return a service that may not run yet."""
        service = super().get_service(name)
        self.pending_reads -= 1
        is_busy = self.pending_reads >= 0
        return evolve(service, status=ServiceStatus.BUSY, native_status="BUSY") if is_busy else service


def test_provision_waits_until_every_service_runs(tools: EmptyTools) -> None:
    platform = SlowPlatform()
    tools.platform = platform

    run_provision(tools)

    assert platform.pending_reads < 0
    assert tools.clock.sleeps


def test_a_failed_service_is_an_error_at_once(tools: EmptyTools) -> None:
    tools.provisioner.status = ServiceStatus.CREATION_FAILED

    with pytest.raises(KaizenError, match="not every service started: staging-web-service is CREATION_FAILED"):
        run_provision(tools)

    assert tools.clock.sleeps == []


def test_the_last_words_of_a_failed_service_are_in_the_error(
    tools: EmptyTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.provisioner.status = ServiceStatus.CREATION_FAILED
    started_at = tools.clock.now()
    service = "staging-web-service"
    operation = Operation(
        id="1", kind=OperationKind.CREATION, state=OperationState.FAILED, native_state="FAILED", started_at=started_at
    )
    monkeypatch.setattr(type(tools.platform), "list_operations", lambda _platform, _service: (operation,))
    tools.logs.instances[service] = [(started_at, ("Traceback", "KeyError: 'DATABASE_URL'", ""))]

    with pytest.raises(KaizenError) as failure:
        run_provision(tools)

    assert tools.reporter.lines[-2:] == [f"  {service} | Traceback", f"  {service} | KeyError: 'DATABASE_URL'"]
    assert failure.value.state == f"the last words of {service}: KeyError: 'DATABASE_URL'"


def test_a_service_that_does_not_start_in_time_is_named(tools: EmptyTools) -> None:
    tools.provisioner.status = ServiceStatus.BUSY

    with pytest.raises(KaizenError, match="dom-web-service is BUSY"):
        run_provision(tools)

    assert tools.clock.monotonic() == pytest.approx(120 + provision.START_MARGIN_SECONDS, abs=0.1)


def test_provision_refuses_a_head_without_version(tools: EmptyTools) -> None:
    tools.scm.commits[tools.scm.head().commit].tree.pop("VERSION")  # type: ignore[attr-defined]

    with pytest.raises(Refused, match="HEAD has no VERSION") as refused:
        run_provision(tools)

    assert refused.value.hint == "commit a VERSION"
    assert tools.builder.build_count == 0


def test_services_get_what_is_configured(tmp_path: Path) -> None:
    (tmp_path / ".env.rehearse").write_text("API_KEY='from the file'\nTOKEN=known\nLEVEL=hidden\n9=invalid")
    rules = {
        "env": {"LEVEL": "{env} of {app}"},
        "secrets": ".env.rehearse",
        "port": 5000,
        "start_timeout": "30s",
    }
    tools = EmptyTools(settings=evolve(settings(rehearse=rules), root=tmp_path))
    with pytest.raises(UsageError, match=r"\.env\.rehearse has no NAME=value in line 4"):
        run_provision(tools)
    (tmp_path / ".env.rehearse").write_text("API_KEY='from the file'\nTOKEN=known\nLEVEL=hidden\n")

    run_provision(tools)

    assert tools.provisioner.variables["prod"] == {"ENVIRONMENT": "prod", "LEVEL": "prod of web"}
    assert tools.provisioner.secrets["prod"].keys() == {"AI_TEMPERATURE", "TOKEN", "API_KEY"}
    document = json.loads(tools.secrets.current("prod-web-app-secrets").content.reveal())
    assert document == {"AI_TEMPERATURE": "0", "TOKEN": "known", "API_KEY": "from the file"}
    assert (tools.provisioner.ports, tools.provisioner.start_timeouts) == ({5000}, {30.0})


def test_secrets_that_never_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".env.rehearse").symlink_to("/dev/zero")
    tools = EmptyTools(settings=evolve(settings(rehearse={"secrets": ".env.rehearse"}), root=tmp_path))

    with pytest.raises(UsageError, match=r"\.env\.rehearse is larger than 1,024 KiB"):
        run_provision(tools)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM python\nEXPOSE 8000\n", 8000),
        ("FROM python\nEXPOSE 9090 3000\n", 9090),
        ("FROM python\nEXPOSE 22 8080\n", 8080),
        ("FROM python\n", 8080),
    ],
)
def test_services_get_the_port_that_the_dockerfile_exposes(tools: EmptyTools, text: str, port: int) -> None:
    tools.scm.commits[tools.scm.head().commit].tree["Dockerfile"] = text.encode()  # type: ignore[index]

    run_provision(tools)

    assert tools.provisioner.ports == {port}


def test_services_get_the_names_of_a_real_service_and_no_value(tools: EmptyTools) -> None:
    real = FakeTools()
    real.platform.settings["staging-web-service"] = ServiceSettings(
        variables={"ENVIRONMENT": "staging", "DATABASE_URL": "postgresql://real", "DEBUG": "1"},
        secrets={"API_KEY": "arn:real", "TOKEN": "arn:real"},
        port=3000,
    )
    like = provision.describe_service(real.settings.environments["staging"], cast("Toolbox", real))

    provision.provision(cast("Toolbox", tools), VERSION, like=like)

    assert tools.provisioner.variables["prod"] == {
        "ENVIRONMENT": "prod",
        "DATABASE_URL": "postgresql://made-up:made-up@127.0.0.1:1/made_up",
        "DEBUG": "false",
    }
    assert tools.provisioner.secrets["prod"].keys() == {"AI_TEMPERATURE", "TOKEN", "API_KEY"}
    assert tools.provisioner.ports == {3000}
    assert "real" not in str((like, tools.provisioner.secrets, tools.secrets.current("prod-web-app-secrets")))


def test_a_long_wait_says_what_for(tools: EmptyTools) -> None:
    tools.platform = SlowPlatform(pending_reads=2000)

    run_provision(tools)

    note = tools.reporter.lines[-1]
    assert note.startswith("waiting for staging-web-service, ")
    assert "at most 2m, by rehearse.start_timeout" in note
