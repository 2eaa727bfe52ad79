"""The toolbox in memory: a repository, a registry, services that run what `:latest` names, a ledger."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import Factory, define, field

from kaizen_tasks.adapters.host.atomic_write import OverlayFiles
from kaizen_tasks.config import load, validate
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.image import Image
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.scm import ReleaseFiles
from tests.fakes.account import IMMUTABLE_VERSIONS, FakeAccountAdmin
from tests.fakes.builder import FakeBuilder
from tests.fakes.clock import FakeClock
from tests.fakes.commands import FakeCommands
from tests.fakes.forge import FakeForge
from tests.fakes.holds import FakeHolds
from tests.fakes.host import FakeHost
from tests.fakes.ledger import FakeLedger
from tests.fakes.locks import FakeLocks
from tests.fakes.logs import FakeLogs
from tests.fakes.messenger import FakeMessenger
from tests.fakes.migration import FakeMigrationSource, FakeMigrationTarget
from tests.fakes.network import FakeNetwork
from tests.fakes.outbox import FakeOutbox
from tests.fakes.platform import FakePlatform
from tests.fakes.prober import FakeProber
from tests.fakes.registry import OCI_MANIFEST, FakeRegistry
from tests.fakes.release_files import FakeReleaseFiles
from tests.fakes.reporter import FakeReporter
from tests.fakes.run_report import FakeRunReport
from tests.fakes.scm import FakeRemote, FakeScm
from tests.fakes.secrets import FakeSecrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.image import LocalImage
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.images import Login

CONFIGURATION = {
    "app": "web",
    "pipeline": ["staging", "prod", "beta"],
    "aws": {"region": "eu-west-1", "account": "123456789012"},
    "environments": {"staging": {}, "prod": {"protected": True}, "mark": {}, "shane": {}, "dom": {}},
    "groups": {"beta": ["mark", "shane", "dom"]},
    "smoke": [{"path": "/"}],
    "runtime": {
        "visible": ["AI_TEMPERATURE"],
        "keys": {"AI_TEMPERATURE": {"type": "number", "min": 0, "max": 2}, "TOKEN": {"type": "string"}},
    },
}
DOCUMENT = '{"AI_TEMPERATURE": "0.2", "TOKEN": "hush", "DATABASE_URL": "postgres://hush"}'
CHANGELOG = b"""# Changelog

## [Unreleased]

### Added

- Weekly plans

## [0.1.0] - 2026-11-01

### Added

- Everything
"""
INITIAL_DIGEST = f"sha256:{'0' * 64}"
"""What services run before the first deployment, where no tag is followed."""

FILES = {"VERSION": b"0.1.0\n", "CHANGELOG.md": CHANGELOG, "Dockerfile": b"FROM scratch\n"}


def settings(**changes: object) -> Settings:
    """Return the settings of a team with staging, prod and three tenants."""
    raw = {**CONFIGURATION, **changes}
    config_file = load.ConfigFile(Path("/app"), "kaizen.toml", raw)
    return validate.build_settings(config_file, load.with_defaults(raw))


@define
class FakeIdentity:
    """Credentials of the right account.

    Attributes:
        account_number: the account.
        failure: raised instead, when the credentials do not work.
    """

    account_number: str = "123456789012"
    failure: KaizenError | None = None

    def account_id(self) -> str:
        if self.failure:
            raise self.failure
        return self.account_number


@define(kw_only=True)
class PushingBuilder(FakeBuilder):
    """A builder whose pushes arrive in a registry."""

    registry: FakeRegistry

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        super().push(image, repository_uri=repository_uri, tag=tag, login=login)
        spec = self.pushed_specs[f"{repository_uri}:{tag}"]
        digest = f"sha256:{hashlib.sha256(spec.revision.encode()).hexdigest()}"
        image_record = Image(digest=digest, media_type=OCI_MANIFEST, version=spec.version, revision=spec.revision)
        self.registry.put(repository_uri.partition("/")[2], tag, image_record)


@define(kw_only=True)
class FakeTools:
    """The toolbox of the flows. Once their deployment has succeeded, services run what `:latest` names, or were told.

    Attributes:
        dry: whether steps only announce what they would do.
        cached_environments: those whose ledger is read once, as long as that lasts.
        stuck_services: names of services that go on running the old release although their deployment succeeds.
        running_versions: version that each service runs.
        elsewhere: the tools of environments in other accounts, by name.
    """

    settings: Settings = field(factory=settings)
    actor: str = "ada@laptop"
    run_url: str = ""
    upstream: FakeRemote = field(factory=FakeRemote)
    release_files: ReleaseFiles = field(init=False)
    scm: FakeScm = field(init=False)
    builder: FakeBuilder = field(init=False)
    registry: FakeRegistry = field(factory=FakeRegistry)
    platform: FakePlatform = field(init=False)
    identity: FakeIdentity = field(factory=FakeIdentity)
    logs: FakeLogs = field(factory=FakeLogs)
    commands: FakeCommands = field(factory=FakeCommands)
    outbox: FakeOutbox = field(factory=FakeOutbox)
    ledger: FakeLedger = Factory(lambda self: FakeLedger(outbox=self.outbox), takes_self=True)
    prober: FakeProber = field(factory=FakeProber)
    network: FakeNetwork = field(factory=FakeNetwork)
    forge: FakeForge = field(factory=FakeForge)
    messenger: FakeMessenger = field(factory=FakeMessenger)
    clock: FakeClock = field(factory=FakeClock)
    account: FakeAccountAdmin = field(factory=FakeAccountAdmin)
    host: FakeHost = field(factory=FakeHost)
    locks: FakeLocks = field(factory=FakeLocks)
    holds: FakeHolds = field(init=False)
    secrets: FakeSecrets = field(factory=FakeSecrets)
    reporter: FakeReporter = field(factory=FakeReporter)
    run_report: FakeRunReport = field(factory=FakeRunReport)
    dry: bool = False
    cached_environments: tuple[str, ...] = ()
    stuck_services: set[str] = field(factory=set)
    running_versions: dict[str, str] = field(factory=dict)
    elsewhere: dict[str, FakeTools] = field(factory=dict)
    migration_source: FakeMigrationSource = field(init=False)
    migration_target: FakeMigrationTarget = field(factory=FakeMigrationTarget)

    def __attrs_post_init__(self) -> None:
        tree = FakeReleaseFiles()
        self.release_files = tree
        self.holds = FakeHolds(clock=self.clock, outbox=self.outbox)
        self.scm = FakeScm(FILES, working_tree=tree, remote=self.upstream)
        self.builder = PushingBuilder(registry=self.registry)
        for url in (*self.account.endpoint_urls(), self.registry.credentials().url):
            self.prober.answers[url] = ProbeResponse(status=403)
        follows_tag = all(environment.follows_tag for environment in self.settings.environments.values())
        self.platform = FakePlatform(follows_tag=follows_tag, on_deployed=self._deployed, now=self.clock.now)
        self.migration_source = FakeMigrationSource(platform=self.platform)
        self.migration_target.platform.now = self.clock.now
        self.account.on_repository_created = self.registry.create
        for name, environment in self.settings.environments.items():
            if environment.repository not in self.registry.repositories:
                self.registry.create(environment.repository)
                tags = self.settings.followed_tags(environment)
                self.account.rules[environment.repository] = IMMUTABLE_VERSIONS.with_versions_protected(tags)
            self.secrets.create(environment.secret, DOCUMENT, version=f"{name}-1", at=self.clock.now())
            image = f"registry.example/{environment.followed_image}"
            if not follows_tag:
                image = f"registry.example/{environment.repository}@{INITIAL_DIGEST}"
            self.platform.add(environment.service, image=image, url=f"https://{name}.example")
            self.running_versions[name] = "v0.1.0"
            self.prober.answers[f"https://{name}.example/version"] = lambda name=name: self._version(name)  # type: ignore[misc]
            self.prober.answers[f"https://{name}.example/"] = ProbeResponse(status=200, body=b"hello")

    def at(self, environment: Environment) -> FakeTools:
        """Return these tools, or those of another account, with the cluster as platform of what has moved there."""
        tools = self.elsewhere.get(environment.name, self)
        if environment.follows_tag == self.platform.follows_tag:
            return tools
        in_cluster = copy(tools)
        in_cluster.platform = self.migration_target.platform
        in_cluster.logs = self.migration_target.logs
        return in_cluster

    @contextmanager
    def caching_ledger(self, environments: Iterable[str], *, first_limit: int | None = None) -> Iterator[None]:
        """Note which environments' ledger is cached; in memory nothing needs to be."""
        self.cached_environments = tuple(environments)
        yield
        self.cached_environments = ()

    def next_command(self) -> FakeTools:
        """Start another command: edited files stay in memory again."""
        self.release_files = OverlayFiles(self.scm.working_tree)
        self.reporter = FakeReporter()
        self.scm.invalidate_cache(remote=True)
        return self

    def latest(self, environment: str) -> str:
        """Return the version that the followed tag names."""
        target = self.settings.environments[environment]
        image = self.registry.find_image(target.repository, target.follow)
        return image.version if image else ""

    def _version(self, name: str) -> ProbeResponse:
        return ProbeResponse(
            status=200, body=json.dumps({"version": self.running_versions[name], "environment": name}).encode()
        )

    def _deployed(self, service: Service) -> None:
        environment = next(each for each in self.settings.environments.values() if each.service == service.name)
        if environment.name in self.stuck_services:
            return
        image = self.registry.find_image(environment.repository, service.image_reference)
        self.running_versions[environment.name] = image.version if image else ""
