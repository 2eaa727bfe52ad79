"""The findings of doctor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from kaizen_tasks.domain.aws_account import LedgerTable, Permission
from kaizen_tasks.domain.doctor import Finding, Verdict
from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.service_review import RoleReview
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import ConfigurationError, Denied, NotFound, Refused, Undelivered, Unreachable, Unsupported
from kaizen_tasks.flows.doctor import preflight, run_checks
from kaizen_tasks.flows.notification.sender import MessageSender
from kaizen_tasks.ports.host import BuildObstacle, Engine
from tests.domain.notification.news import notification
from tests.fakes.account import GOOD_REVIEW
from tests.fakes.registry import FakeRegistry
from tests.fakes.tools import CHANGELOG, FakeTools, settings
from tests.flows.release.test_release import release

LINKS = b"""
[Unreleased]: https://git.example.com/team/app/compare/v0.1.0...HEAD
[0.1.0]: https://git.example.com/team/app/releases/tag/v0.1.0
"""
DOCKERFILE = b"FROM scratch AS app\nARG VERSION=dev\nENV APP_VERSION=$VERSION\n"
ENDPOINT = b"@app.get('/version')\n"


def role(purpose: str, problem: str) -> RoleReview:
    """Return a role of tasks."""
    arn = "arn:aws:iam::123456789012:role/web"
    return RoleReview(purpose=purpose, arn=arn, principal="ecs-tasks.amazonaws.com", problem=problem)


def healthy(**changes: object) -> FakeTools:
    """Return tools in which every check passes, with other settings."""
    tools = FakeTools(settings=settings(**changes))
    tools.scm.commit({"CHANGELOG.md": CHANGELOG + LINKS, "Dockerfile": DOCKERFILE, "app.py": ENDPOINT})
    return tools


@pytest.fixture
def tools() -> FakeTools:
    """Tools in which every check passes."""
    return healthy()


def trouble(tools: FakeTools) -> list[Finding]:
    """Return the findings that are not ok."""
    return [finding for finding in run_checks(tools) if finding.verdict is not Verdict.OK]


def the(findings: list[Finding]) -> tuple[str, str, str]:
    """Return subject, verdict and message of the only finding."""
    (finding,) = findings
    name = f"{finding.subject.environment} {finding.subject.check}".strip()
    return name, str(finding.verdict), finding.message


def test_healthy_setup_has_no_findings_but_ok(tools: FakeTools) -> None:
    found = run_checks(tools)

    assert {finding.verdict for finding in found} == {Verdict.OK}
    checks = [finding.subject.check for finding in found if not finding.subject.environment]
    assert checks == [
        *("git", "remote", "VERSION", "CHANGELOG.md", "engine", "platform", "Dockerfile"),
        *("version argument", "endpoint", "proxy", "certificates", "network"),
        *("credentials", "region", "clock", "permissions", "ledger", "blob mounting"),
    ]
    names = [finding.subject.environment for finding in found if finding.subject.check == "repository"]
    assert names == ["staging", "prod", "mark", "shane", "dom"]


def test_only_the_release_side_is_checked_without_environments() -> None:
    tools = healthy(pipeline=[], environments={}, groups={}, smoke=[], aws={})
    tools.account.failures["caller"] = Denied("nobody was to ask")

    assert [finding.subject.check for finding in run_checks(tools)] == ["git", "remote", "VERSION", "CHANGELOG.md"]


Spoil = Callable[[FakeTools], object]


def _status(status: ServiceStatus) -> Spoil:
    return lambda tools: tools.platform.set_status("prod-web-service", status)


def _service(**changes: Any) -> Spoil:
    def spoil(tools: FakeTools) -> None:
        service = tools.platform.services["prod-web-service"]
        tools.platform.services["prod-web-service"] = evolve(service, **changes)

    return spoil


def _rules(rules: TagMutability) -> Spoil:
    return lambda tools: tools.account.rules.update({"prod-web-app": rules})


def _answer(answer: ProbeResponse) -> Spoil:
    return lambda tools: tools.prober.answers.update({"https://prod.example/version": answer})


def _table(*, exists: bool) -> LedgerTable:
    return LedgerTable(name="t", exists=exists, point_in_time_recovery=False)


def _account(name: str, value: object) -> Spoil:
    return lambda tools: setattr(tools.account, name, value)


@pytest.mark.parametrize(
    ("spoil", "where", "verdict", "what"),
    [
        (_status(ServiceStatus.PAUSED), "prod service", "problem", "is PAUSED"),
        (_service(image="registry.example/other:latest"), "prod service", "problem", "not prod-web-app:latest"),
        (_service(image="registry.example/prod-web-app:stable"), "prod service", "problem", ":stable, not"),
        (_service(image="elsewhere.example/prod-web-app:latest"), "prod service", "problem", "elsewhere"),
        (_service(auto_deploys=True), "prod service", "warning", "race"),
        (lambda tools: tools.account.rules.pop("dom-web-app"), "dom repository", "problem", "no image repository"),
        (_rules(TagMutability(mutability="MUTABLE")), "prod repository", "warning", "can be replaced"),
        (_rules(TagMutability(mutability="IMMUTABLE")), "prod repository", "problem", "move :latest"),
        (_answer(ProbeResponse(status=503)), "prod app", "warning", "answers HTTP 503"),
        (_account("skew_seconds", 3.5), "clock", "warning", "3.5s ahead of"),
        (_account("skew_seconds", -90.0), "clock", "warning", "1m 30s behind"),
        (_account("skew_seconds", 400.0), "clock", "problem", "6m 40s ahead"),
        (_account("table_state", _table(exists=False)), "ledger", "problem", "no table t"),
        (_account("table_state", _table(exists=True)), "ledger", "warning", "point-in-time"),
        (_account("is_mounting_blobs", False), "blob mounting", "warning", "disabled"),
        (lambda tools: setattr(tools.scm, "reported_blockers", ("a merge is on: end it",)), "git", "problem", "merge"),
        (lambda tools: setattr(tools.scm, "upstream", None), "remote", "warning", "there is no remote"),
        (lambda tools: setattr(tools.host, "engine_result", Refused("no engine")), "engine", "problem", "no engine"),
        (
            lambda tools: setattr(tools.host, "engine_result", Engine(name="docker", warning="no buildx", fix="-")),
            *("engine", "warning", "no buildx"),
        ),
        (
            lambda tools: setattr(tools.host, "engine_result", Engine(name="stand-in")),
            *("engine", "problem", "for local clouds alone"),
        ),
    ],
)  # fmt: skip
def test_each_problem_is_the_only_finding(tools: FakeTools, spoil: Spoil, where: str, verdict: str, what: str) -> None:
    spoil(tools)

    found = trouble(tools)

    assert the(found)[:2] == (where, verdict)
    assert what in found[0].message
    assert found[0].fix or verdict == "problem"


@pytest.mark.parametrize(("url", "app"), [("", "skipped"), ("https://dom.example", "ok")])
def test_app_of_a_missing_service_is_probed_at_its_configured_url(url: str, app: str) -> None:
    """Without a URL of its own there is nothing to probe."""
    tools = healthy(pipeline=["dom"], environments={"dom": {"url": url}}, groups={})
    tools.platform.services.clear()

    found = {each.subject.check: str(each.verdict) for each in run_checks(tools) if each.subject.environment}

    assert found == {"repository": "ok", "images": "ok", "image": "ok", "service": "problem", "app": app}


def test_service_may_follow_the_public_name_of_the_registry(tools: FakeTools) -> None:
    """App Runner knows the repository by that name, wherever the registry is."""
    _service(image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/prod-web-app:latest")(tools)

    assert trouble(tools) == []


def test_app_that_reports_another_environment_is_a_problem(tools: FakeTools) -> None:
    _answer(ProbeResponse(status=200, body=b'{"version": "v0.1.0", "environment": "staging"}'))(tools)

    assert the(trouble(tools))[:2] == ("prod app", "problem")


def test_changelog_problems_are_counted(tools: FakeTools) -> None:
    tools.release_files.write("CHANGELOG.md", b"# Changelog\n\n## [0.1.0] - 2026-13-41\n")

    where, verdict, what = the(trouble(tools))

    assert (where, verdict) == ("CHANGELOG.md", "warning")
    assert "problem" in what


def test_fragments_are_checked() -> None:
    changelog = {"fragments": "changelog.d"}
    tools = healthy(pipeline=[], environments={}, groups={}, smoke=[], aws={}, changelog=changelog)
    tools.scm.commit({"changelog.d/1.fixed.md": b"A crash.\n"})
    assert [finding.message for finding in run_checks(tools)][-1] == "1 fragment"

    tools.release_files.write("changelog.d/2.bugfix.md", b"A crash.\n")
    tools.release_files.write("changelog.d/3.fixed.md", b"A crash.\n")
    assert [the([finding]) for finding in trouble(tools)] == [
        ("changelog.d", "warning", "changelog.d/2.bugfix.md:1:1: 'bugfix' is not a type of change"),
        ("changelog.d", "warning", "changelog.d/3.fixed.md: not in git"),
    ]


@pytest.mark.parametrize("content", [b"tomorrow\n", b""])
def test_unreadable_version_is_a_problem(tools: FakeTools, content: bytes) -> None:
    tools.release_files.write("VERSION", content)

    assert [(each.subject.check, str(each.verdict)) for each in trouble(tools)] == [
        ("VERSION", "problem"),
        ("CHANGELOG.md", "problem"),
    ]


def test_failing_check_hides_no_other(tools: FakeTools) -> None:
    tools.account.failures.update(
        {"is_blob_mounting_enabled": Denied("not allowed"), "clock_skew": Unreachable("no answer")}
    )
    _status(ServiceStatus.PAUSED)(tools)

    assert [(each.subject.check, str(each.verdict)) for each in trouble(tools)] == [
        ("clock", "skipped"),
        ("blob mounting", "skipped"),
        ("service", "problem"),
    ]


@pytest.mark.parametrize(
    ("question", "check"),
    [
        ("ledger_table", "ledger"),
        ("is_blob_mounting_enabled", "blob mounting"),
        ("tag_mutability", "repository"),
        ("lifecycle_rules", "images"),
        ("clock_skew", "clock"),
        ("permissions", "permissions"),
    ],
)
def test_question_that_the_cloud_does_not_know_is_skipped(tools: FakeTools, question: str, check: str) -> None:
    tools.account.failures[question] = Unsupported("unknown operation")

    found = trouble(tools)

    assert {(each.subject.check, str(each.verdict), each.message) for each in found} == {
        (check, "skipped", "unknown operation")
    }


def test_failing_credentials_are_reported_once(tools: FakeTools) -> None:
    url = {"staging": {"url": "https://staging.example"}, "prod": {"url": "https://gone.example"}}
    tools = healthy(environments=url, groups={}, pipeline=["staging", "prod"])
    denied = Denied("no credentials", hint="log in")
    tools.identity.failure = denied
    tools.account.failures["caller"] = denied

    found = trouble(tools)

    assert [(each.subject.check, str(each.verdict)) for each in found] == [
        ("credentials", "problem"),
        ("account", "skipped"),
        ("app", "warning"),
    ]
    assert found[0].fix == "log in"
    assert found[2].subject.environment == "prod"


def test_missing_account_setting_is_a_warning() -> None:
    """Without one, the credentials of any account would be used."""
    tools = healthy(aws={"region": "eu-west-1"})

    found = trouble(tools)

    assert the(found)[:2] == ("credentials", "warning")
    assert 'account = "123456789012"' in found[0].fix


def test_misspelt_region_gets_a_suggestion() -> None:
    """A misspelt region would otherwise look like a network that is down."""
    tools = healthy(aws={"region": "eu-wets-1", "account": "123456789012"})

    found = trouble(tools)

    assert the(found)[:2] == ("region", "warning")
    assert found[0].fix == "did you mean eu-west-1?"


def test_denied_and_unchecked_permissions_differ(tools: FakeTools) -> None:
    tools.account.task_permissions = (
        Permission(
            task="push",
            denied_actions=("ecr:PutImage",),
            unchecked_actions=("ecr:UploadLayerPart",),
            unchecked_reason="no",
        ),
        Permission(
            task="deploy", unchecked_actions=("apprunner:StartDeployment",), unchecked_reason="IAM is not to be asked"
        ),
        Permission(task="status"),
    )

    found = [each for each in run_checks(tools) if each.subject.check == "permissions"]

    assert [str(each.verdict) for each in found] == ["problem", "skipped", "ok"]
    assert "push needs ecr:PutImage" in found[0].message
    assert "deploy" in found[1].message
    assert "IAM is not to be asked" in found[1].message
    assert found[2].message == "enough for status"


class TestImages:
    """Lifecycle policies that would expire needed images."""

    @pytest.fixture
    def tools(self) -> FakeTools:
        """Two releases in staging: v0.2.0, and v0.3.0, which runs."""
        tools = FakeTools()
        release(tools)
        changelog = tools.scm.working_tree.files["CHANGELOG.md"]
        entry = b"## [Unreleased]\n\n### Added\n\n- More\n"
        tools.scm.commit({"CHANGELOG.md": changelog.replace(b"## [Unreleased]\n", entry, 1)})
        tools.upstream.branches["main"] = tools.scm.head().commit
        release(tools)
        self._store(tools, running=0, before=0)
        return tools.next_command()

    def _store(self, tools: FakeTools, *, running: int, before: int) -> None:
        """List the images of both releases, pushed so many days ago."""
        now, (old, new) = tools.clock.now(), self._digests(tools)
        tools.account.images_by_repository["staging-web-app"] = (
            StoredImage(digest=old, tags=("v0.2.0",), pushed_at=now - timedelta(days=before)),
            StoredImage(digest=new, tags=("v0.3.0", "latest"), pushed_at=now - timedelta(days=running)),
        )

    def _digests(self, tools: FakeTools) -> tuple[str, str]:
        tags = tools.registry.repositories["staging-web-app"].tags
        return tags["v0.2.0"], tags["v0.3.0"]

    def _found(self, tools: FakeTools, *rules: LifecycleRule) -> list[tuple[str, str]]:
        tools.account.policies["staging-web-app"] = rules
        found = [each for each in run_checks(tools) if (each.subject.check, each.subject.environment) == IMAGES]
        return [(str(each.verdict), each.message) for each in found]

    def test_running_image_that_expires_is_a_problem(self, tools: FakeTools) -> None:
        self._store(tools, running=31, before=0)

        found = self._found(tools, LifecycleRule(priority=3, tag_status="any", max_age_days=30))

        assert found == [("problem", "lifecycle rule 3 expires v0.3.0, which is running")]

    def test_rollback_image_that_expires_is_a_problem(self, tools: FakeTools) -> None:
        self._store(tools, running=0, before=5)

        found = self._found(tools, LifecycleRule(priority=1, tag_status="tagged", tag_patterns=("v*",), max_images=1))

        assert found == [("problem", "lifecycle rule 1 expires v0.2.0, which a rollback needs")]

    def test_image_that_expires_within_a_week_is_a_warning(self, tools: FakeTools) -> None:
        self._store(tools, running=25, before=0)

        found = self._found(tools, LifecycleRule(priority=1, tag_status="any", max_age_days=30))

        assert found == [("warning", "within a week, lifecycle rule 1 expires v0.3.0, which is running")]

    def test_policy_that_keeps_both_images_is_ok(self, tools: FakeTools) -> None:
        found = self._found(tools, LifecycleRule(priority=1, tag_status="untagged", max_age_days=1))

        assert [verdict for verdict, _ in found] == ["ok"]

    def test_unreadable_policy_is_skipped(self, tools: FakeTools) -> None:
        tools.account.failures["lifecycle_rules"] = NotFound("cannot be read")

        assert [verdict for verdict, _ in self._found(tools)] == ["skipped"]


IMAGES = ("images", "staging")


class TestNetwork:
    def found(self, tools: FakeTools, check: str) -> list[tuple[str, str, str]]:
        findings = [finding for finding in run_checks(tools) if finding.subject.check == check]
        return [(str(finding.verdict), finding.message, finding.fix) for finding in findings]

    def test_says_which_host_goes_through_which_proxy(self, tools: FakeTools) -> None:
        tools.network.proxies["https://sts.eu-west-1.amazonaws.com"] = "http://proxy.example:3128 (HTTPS_PROXY)"

        assert self.found(tools, "proxy") == [
            ("ok", "through http://proxy.example:3128 (HTTPS_PROXY): sts.eu-west-1.amazonaws.com", ""),
            ("ok", "directly: api.ecr.eu-west-1.amazonaws.com, registry.example", ""),
        ]

    def test_says_that_there_is_no_proxy(self, tools: FakeTools) -> None:
        assert self.found(tools, "proxy") == [("ok", "all hosts are reached directly", "")]

    def test_invalid_settings_are_problems(self, tools: FakeTools) -> None:
        tools.network.failure = ConfigurationError(("HTTPS_PROXY is not the address of a proxy",), hint="correct it")

        problem = ("problem", "HTTPS_PROXY is not the address of a proxy", "correct it")
        assert self.found(tools, "proxy") == self.found(tools, "certificates") == [problem]

    def test_host_that_does_not_answer_is_a_problem(self, tools: FakeTools) -> None:
        tools.prober.answers["https://registry.example"] = ProbeResponse(error="cannot be reached: no route to host")

        assert self.found(tools, "network") == [
            (
                "problem",
                "registry.example cannot be reached: no route to host",
                "HTTPS_PROXY, NO_PROXY and AWS_CA_BUNDLE decide how a host is reached and whose certificate is trusted",
            )
        ]

    def test_any_answer_shows_that_a_host_is_reached(self, tools: FakeTools) -> None:
        assert self.found(tools, "network") == [("ok", "3 hosts of AWS answer", "")]

    def test_without_valid_profile_no_host_is_known(self, tools: FakeTools) -> None:
        tools.account.failures["endpoint_urls"] = Denied("the profile is missing")

        assert [verdict for verdict, _, _ in self.found(tools, "network")] == ["skipped"]


@pytest.mark.parametrize("engine", ["bundle", "stand-in"])
def test_a_local_cloud_needs_neither_an_engine_nor_permissions(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    tools.host.engine_result = Engine(name=engine, warning="not for users", fix="-")
    tools.account.task_permissions = (Permission(task="push", unchecked_actions=("ecr:PutImage",)),)
    assert {finding.subject.check for finding in trouble(tools)} == {"engine", "permissions"}

    login = evolve(tools.registry.credentials(), url="http://127.0.0.1:5000")
    monkeypatch.setattr(tools.registry, "credentials", lambda: login)

    messages = {finding.subject.check: finding.message for finding in run_checks(tools)}
    assert messages["engine"] == f"{engine} builds images for the local cloud"
    assert messages["permissions"] == "a local cloud allows everything"


class TestBuild:
    """What the image is built from, and with."""

    def test_missing_dockerfile_is_a_problem(self, tools: FakeTools) -> None:
        tools.scm.commit({"Dockerfile": None})

        (finding,) = trouble(tools)

        assert finding.message == "there is no Dockerfile in the last commit"
        assert finding.fix == 'add one, or build without it: engine = "bundle" in [build]'

    def test_dockerfile_elsewhere_is_named(self, tools: FakeTools) -> None:
        tools.scm.commit({"Dockerfile": None, "backend/Dockerfile.apprunner": DOCKERFILE, "notes.md": b"FROM here\n"})

        assert trouble(tools)[0].fix == 'write dockerfile = "backend/Dockerfile.apprunner" in [build]'

    def test_dockerfile_that_is_not_committed_is_named(self, tools: FakeTools) -> None:
        tools.scm.commit({"Dockerfile": None})
        tools.scm.working_tree.files["Dockerfile"] = DOCKERFILE

        assert trouble(tools)[0].fix == "commit it: git add Dockerfile && git commit"

    @pytest.mark.parametrize(
        ("dockerfile", "message", "fix"),
        [
            (
                b"FROM scratch\n",
                "Dockerfile has no ARG VERSION: the app may not know its version",
                "write ARG VERSION=dev and ENV APP_VERSION=$VERSION at the end of Dockerfile",
            ),
            (
                b"ARG VERSION\nFROM a AS b\nARG VERSION\nFROM scratch\n",
                "Dockerfile has ARG VERSION outside of the stage that is built: the app may not know its version",
                "write ARG VERSION=dev and ENV APP_VERSION=$VERSION at the end of Dockerfile",
            ),
            (
                b"FROM scratch\nARG APP_VERSION\n",
                "Dockerfile has no ARG VERSION: the app may not know its version",
                'write version_arg = "APP_VERSION" in [build]',
            ),
        ],
    )
    def test_dockerfile_without_the_version_is_a_warning(
        self, tools: FakeTools, dockerfile: bytes, message: str, fix: str
    ) -> None:
        tools.scm.commit({"Dockerfile": dockerfile})

        (finding,) = trouble(tools)

        assert (finding.verdict, finding.message, finding.fix) == (Verdict.WARNING, message, fix)

    def test_stage_may_get_the_version_from_the_one_it_is_built_from(self, tools: FakeTools) -> None:
        tools.scm.commit({"Dockerfile": DOCKERFILE + b"FROM app\nCMD serve\n"})

        assert trouble(tools) == []

    @pytest.mark.parametrize(
        ("dockerfile", "message", "fix"),
        [
            (b"# later\n", "Dockerfile has no FROM", "write the image that it is built from"),
            (DOCKERFILE, "Dockerfile has no stage runtime, which build.target names", "choose from app"),
            (
                b"FROM scratch\n",
                "Dockerfile has no stage runtime, which build.target names",
                "name a stage: FROM … AS runtime",
            ),
        ],
    )
    def test_target_that_is_no_stage_is_a_problem(self, dockerfile: bytes, message: str, fix: str) -> None:
        tools = healthy(build={"target": "runtime"})
        tools.scm.commit({"Dockerfile": dockerfile})

        (finding,) = trouble(tools)

        assert (finding.verdict, finding.message, finding.fix) == (Verdict.PROBLEM, message, fix)

    @pytest.mark.parametrize("engine", ["bundle"])
    def test_bundle_needs_no_dockerfile(self, engine: str) -> None:
        tools = healthy(build={"engine": engine, "command": ["true"]})
        tools.scm.commit({"Dockerfile": None})

        assert trouble(tools) == []

    @pytest.mark.parametrize(
        "files",
        [
            {"app.py": b"path('version', views.version)\n"},
            {"main.go": b"mux.HandleFunc(`/version`, version)\n"},
            {"config/routes.rb": b"  get :version, to: 'meta#version'\n"},
            {"nginx.conf": b"location /version {\n"},
            {"site.py": b'        case "/version":\n'},
            {"app.py": b"", "pages/api/version.ts": b"export default\n"},
            {"app.py": b"", "app/version/route.ts": b"export\n"},
        ],
    )
    def test_endpoint_is_recognised(self, tools: FakeTools, files: dict[str, bytes]) -> None:
        tools.scm.commit({"app.py": b"", **files})

        assert trouble(tools) == []

    @pytest.mark.parametrize(
        "files",
        [
            {},
            {"package.json": b'{"version": "1.2.3"}'},
            {"README.md": b"GET /version\n"},
            {"tests/test_app.py": b"client.get('/version')\n"},
            {"health.py": b'    return {"version": "0.1.0"}\n', "dist/all.css.map": b'"/version"\n'},
            {"app.py": b"importlib.metadata.version('coach')\n__version__ = '1'\n'/versions'\n"},
        ],
    )
    def test_app_that_does_not_mention_the_endpoint_gets_a_warning(
        self, tools: FakeTools, files: dict[str, bytes]
    ) -> None:
        tools.scm.commit({"app.py": b"", **files})

        (finding,) = trouble(tools)

        assert finding.verdict is Verdict.WARNING
        assert finding.message == "no source file mentions /version, where verify asks for the version"
        assert finding.fix.startswith('answer it with {"version": "v1.2.3", "environment": "staging"}')

    def test_what_the_engine_does_not_support_is_a_problem(self) -> None:
        tools = healthy(build={"ssh": ["default"], "cache_from": ["type=gha"]})
        obstacle = BuildObstacle(message="docker without buildx does not support build.ssh", fix="install buildx")
        tools.host.engine_result = Engine(name="docker", ignored_keys=("cache_from",), obstacles=(obstacle,))

        assert [(str(finding.verdict), finding.message, finding.fix) for finding in trouble(tools)] == [
            ("problem", "docker without buildx does not support build.ssh", "install buildx"),
            ("warning", "docker ignores build.cache_from", "use docker with buildx for images that serve users"),
        ]

    def test_argument_that_seems_to_be_a_secret_is_a_warning(self) -> None:
        tools = healthy(build={"args": {"BASE": "x", "NPM_TOKEN": "abc", "TOKENIZER": "fast"}})

        (finding,) = trouble(tools)

        assert finding.message == "everybody who has the image can read the build argument NPM_TOKEN"
        assert finding.fix == 'write it in [build.secrets]: npm_token = { env = "NPM_TOKEN" }'

    def test_secret_that_is_mounted_and_not_configured_is_a_warning(self) -> None:
        tools = healthy(build={"secrets": {"npm": {"env": "NPM_TOKEN"}}})
        run = b"RUN --mount=type=cache,id=x,target=/c --mount=type=secret,id=npm --mount=type=secret,id=netrc true\n"
        tools.scm.commit({"Dockerfile": DOCKERFILE + run})

        (finding,) = trouble(tools)

        assert finding.message == "Dockerfile mounts the secret netrc, which [build.secrets] lacks"
        assert finding.fix == 'write where it is, such as netrc = { env = "NETRC" } in [build.secrets]'

    def test_context_that_is_not_committed_is_a_problem(self) -> None:
        contexts = {"docs": "docs", "schemas": "shared/schemas/", "alpine": "docker-image://alpine", "all": "."}
        tools = healthy(build={"contexts": contexts})
        tools.scm.commit({"docs/index.md": b""})

        (finding,) = trouble(tools)

        assert finding.message == "git tracks no file in shared/schemas, the build context schemas"
        assert finding.fix == "commit its files, or correct build.contexts.schemas"

    def test_release_is_refused_before_anything_is_built(self) -> None:
        tools = healthy(build={"ssh": ["default"]})
        obstacle = BuildObstacle(message="docker without buildx does not support build.ssh", fix="install buildx")
        tools.host.engine_result = Engine(name="docker", obstacles=(obstacle,))

        with pytest.raises(Refused, match=r"docker without buildx does not support build\.ssh"):
            release(tools)


def test_stand_ins_are_refused_before_a_release_to_an_account_begins() -> None:
    tools = healthy(build={"engine": "stand-in"})
    tools.host.engine_result = Engine(name="stand-in")

    problems = preflight.find_problems((tools.settings.environments["staging"],), tools, builds=True)

    assert [(problem.message, problem.fix) for problem in problems] == [
        ("stand-in images are for local clouds alone", 'unset INVOKE_BUILD_ENGINE, or set build.engine = "auto"')
    ]


def on_ecs(platform: str = "ecs", **changes: object) -> FakeTools:
    """Return tools of environments on ECS in which every check passes."""
    tools = healthy(defaults={"platform": platform, "url": "https://{env}.example"}, **changes)
    for name, environment in tools.settings.environments.items():
        image = f"registry.example/{environment.repository}@sha256:{'5' * 64}"
        tools.migration_target.platform.add(environment.service, image=image, url=f"https://{name}.example")
    return tools


def review_of_prod(tools: FakeTools, **changes: object) -> None:
    tools.account.reviews["prod-web-service"] = evolve(GOOD_REVIEW, **changes)  # type: ignore[arg-type]


def test_services_of_ecs_have_a_check_of_their_tasks() -> None:
    found = {finding.subject.check: finding for finding in run_checks(on_ecs())}

    assert found["tasks"].message == "2 tasks of web:7; a failing deployment is rolled back by circuit breaker"
    assert found["Terraform"].verdict is Verdict.OK
    assert not [*filter(lambda each: each.subject.check == "tasks", run_checks(healthy()))]


@pytest.mark.parametrize(
    ("changes", "verdict", "message"),
    [
        ({"desired_count": 0}, "problem", "prod-web-service runs no task: its desired count is 0"),
        (
            {"failure_detectors": (), "rolls_back": False},
            "warning",
            "nothing ends a deployment of prod-web-service whose tasks crash: it has no circuit breaker",
        ),
        (
            {"rolls_back": False},
            "warning",
            "circuit breaker of prod-web-service ends a failing deployment, and rolls nothing back",
        ),
        ({"container_problem": "web has no container app"}, "problem", "web has no container app"),
        ({"has_log_group": False}, "problem", "the log group /ecs/web does not exist"),
        (
            {"log_group": ""},
            "warning",
            "web:7 does not log to CloudWatch, so that no failure shows what the app printed",
        ),
        (
            {"image_platform": "linux/arm64"},
            "problem",
            "images are built for linux/amd64, and tasks of prod-web-service run linux/arm64",
        ),
        (
            {"roles": (role("execution", "does not exist"), role("task", ""))},
            "problem",
            "the execution role web does not exist",
        ),
        (
            {"roles": (RoleReview(purpose="execution", arn="", principal="p", problem="is not set"),)},
            "problem",
            "the execution role is not set",
        ),
    ],
)
def test_what_a_deployment_to_ecs_depends_on(changes: dict[str, object], verdict: str, message: str) -> None:
    tools = on_ecs()
    review_of_prod(tools, **changes)
    assert the(trouble(tools)) == ("prod tasks", verdict, message)


def test_a_local_cloud_has_no_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = on_ecs()
    login = evolve(tools.registry.credentials(), url="http://127.0.0.1:5000")
    monkeypatch.setattr(FakeRegistry, "credentials", lambda _: login)
    review_of_prod(tools, roles=(role("execution", "does not exist"),))
    assert [finding for finding in trouble(tools) if finding.subject.check == "tasks"] == []


def test_a_health_check_that_the_app_does_not_answer_is_told() -> None:
    """A new version that answers in the same way would be rolled back."""
    tools = on_ecs("ecs-express")
    url = "https://prod.example"
    review_of_prod(tools, health_path="/ping")
    assert trouble(tools) == []

    tools.prober.answers[f"{url}/ping"] = ProbeResponse(status=404)
    assert the(trouble(tools))[2] == "the health check asks for /ping, and the app answers with HTTP 404"


def test_a_review_that_is_not_allowed_is_skipped() -> None:
    tools = on_ecs()
    tools.account.failures["review_service"] = Denied("may not describe services")
    assert {(each.subject.check, each.verdict) for each in trouble(tools)} == {("tasks", Verdict.SKIPPED)}


def test_terraform_that_would_set_images_back_is_told() -> None:
    tools = on_ecs()
    contested = b'resource "aws_ecs_service" "web" {\n  name = "web"\n}\n'
    settled = b'resource "aws_ecs_service" "api" {\n  lifecycle { ignore_changes = [task_definition] }\n}\n'
    tools.scm.commit({"infra/web.tf": contested, "infra/api.tf": settled})

    (finding,) = trouble(tools)

    assert finding.message == "infra/web.tf:1: terraform apply would deploy the image that aws_ecs_service.web names"
    assert finding.fix == "lifecycle { ignore_changes = [task_definition] }"


def test_a_digest_that_ecs_runs_must_be_kept() -> None:
    """The ledger knows nothing of it, and no tag spares it."""
    tools = on_ecs()
    digest = f"sha256:{'5' * 64}"
    services = tools.at(tools.settings.environments["prod"]).platform.services
    services["prod-web-service"] = evolve(services["prod-web-service"], running_digest=digest)
    rule = LifecycleRule(priority=1, tag_status="any", max_images=1)
    pushed_at = tools.clock.now()
    tools.account.policies["prod-web-app"] = (rule,)
    tools.account.images_by_repository["prod-web-app"] = (
        StoredImage(digest=digest, tags=("v0.1.0",), pushed_at=pushed_at - timedelta(days=9)),
        StoredImage(digest=f"sha256:{'6' * 64}", tags=("v0.2.0",), pushed_at=pushed_at),
    )

    assert the(trouble(tools)) == (
        "prod images",
        "problem",
        f"lifecycle rule 1 expires {digest[:19]}, which is running",
    )


@pytest.mark.parametrize(("platform", "keys"), [("apprunner", "`service`"), ("ecs-express", "`service` or `cluster`")])
def test_a_missing_service_names_every_key_that_may_be_wrong(platform: str, keys: str) -> None:
    """ECS Express Mode answers for a missing cluster as for a missing service."""
    tools = healthy() if platform == "apprunner" else on_ecs(platform)
    environment = tools.settings.environments["prod"]
    platform_port = tools.at(environment).platform
    platform_port.services.pop(environment.service)

    (found,) = [each for each in trouble(tools) if each.subject.check == "service"]

    assert found.fix == f"correct {keys} in the configuration, or create it: inv setup --env prod --create"


class TestMessages:
    """`[[notify]]`: what a message needs is looked at, and nothing is sent."""

    NOTIFY = ({"webhook_secret": "kaizen/slack", "name": "team"}, {"webhook": "https://deploys.web.example/hook"})

    def test_each_target_is_checked(self) -> None:
        tools = healthy(notify=[*self.NOTIFY])

        found = [finding for finding in run_checks(tools) if finding.subject.check == "messages"]

        assert [finding.message.partition(": ")[0] for finding in found] == ["team", "deploys.web.example"]
        assert {finding.verdict for finding in found} == {Verdict.OK}
        assert tools.messenger.sent == []

    def test_target_that_cannot_be_told_is_a_warning(self) -> None:
        """It prevents no release: messages wait until it is corrected."""
        tools = healthy(notify=[*self.NOTIFY])
        tools.messenger.failures["team"] = [Undelivered("team: there is no secret kaizen/slack", hint="create it")]

        assert the(trouble(tools)) == ("messages", "warning", "team: there is no secret kaizen/slack")

    def test_what_was_refused_by_nobody_is_counted_and_becomes_a_warning(self) -> None:
        tools = healthy(notify=[*self.NOTIFY])
        tools.outbox.write([notification(), notification(version="v1.2.4", thread="v1.2.4")])
        tools.clock.advance(60)

        assert [finding for finding in run_checks(tools) if "2 changes not told to team yet" in finding.message]
        assert trouble(tools) == []
        tools.clock.advance(2 * 3600)
        assert the(trouble(tools)) == ("messages", "warning", "2 changes not told to team yet")

    def test_message_that_was_refused_is_a_warning_with_what_sends_it(self) -> None:
        tools = healthy(notify=[*self.NOTIFY])
        tools.messenger.failures["team"] = [Undelivered("team: HTTP 404", is_permanent=True)]
        tools.outbox.write([notification(), notification(version="v1.2.4", thread="v1.2.4")])
        MessageSender(tools=tools).send_all(is_ending=True)
        tools.messenger.failures.clear()
        assert the(trouble(tools))[2] == "2 messages wait for team: HTTP 404"
        tools.clock.advance(2 * 3600)

        (found,) = trouble(tools)

        assert (found.message, found.fix) == (
            "2 messages wait for team, the oldest for 2h: HTTP 404",
            "inv notify.test",
        )
        tools.clock.advance(8 * 86_400)
        assert trouble(tools)[0].message == (
            "2 messages wait for team, the oldest for 8d: HTTP 404; nobody tries any more"
        )

    def test_message_to_a_former_target_says_what_becomes_of_it(self) -> None:
        tools = healthy(notify=[*self.NOTIFY])
        tools.outbox.write([notification(target="former")])
        MessageSender(tools=tools).send_all(is_ending=True)
        tools.clock.advance(2 * 3600)

        (found,) = trouble(tools)

        assert found.message == "1 message waits for former, the oldest for 2h"
        assert found.fix == "call a [[notify]] 'former'; else they are dropped after a month"
