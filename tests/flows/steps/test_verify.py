"""Verification of the running app, and smoke checks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.service import OperationKind, OperationState
from kaizen_tasks.errors import DeployFailed, Superseded, Unproven, Unreachable, VerifyFailed
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.rollback import automatic
from kaizen_tasks.flows.runner import apply_step
from kaizen_tasks.flows.steps import Smoke, Verify
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.service import Service

RELEASE = Release(version=Version.parse("0.2.0"), commit="4f2a9c81", digest="sha256:" + "ab" * 32)
SERVICE = "staging-web-service"
REPOSITORY = "staging-web-app"
URL = "https://staging.example/version"


@pytest.fixture
def tools() -> FakeTools:
    """Tools with v0.2.0 deployed to staging, whose app still answers v0.1.0."""
    made = FakeTools()
    made.registry.put(REPOSITORY, "latest", image(RELEASE.digest))
    deployed(made, made.platform.begin_operation(SERVICE))
    return made


def image(digest: str) -> Image:
    """Return an image with this digest."""
    return Image(digest=digest, media_type=OCI_MANIFEST, version="v0.2.0")


def deployed(tools: FakeTools, operation: str) -> None:
    """Record a successful deployment."""
    tools.platform.list_operations(tools.platform.get_service(SERVICE))
    tools.running_versions["staging"] = "v0.1.0"
    staging = tools.settings.environments["staging"]
    entries.append(Event.DEPLOYED, staging, RELEASE, tools, operation=operation)


def verify(tools: FakeTools) -> Release:
    """Ask the app of staging."""
    return Verify(environment=tools.settings.environments["staging"]).act(RELEASE, tools)


def answering(tools: FakeTools, versions: Iterable[str]) -> None:
    """Make the app answer these versions, the last one repeatedly."""
    left = list(versions)

    def answer() -> ProbeResponse:
        version = left.pop(0) if len(left) > 1 else left[0]
        return version_answer(version)

    tools.prober.answers[URL] = answer


def progress(tools: FakeTools) -> list[str]:
    """Return the reported answers of the app."""
    return [line.removeprefix("verify staging: ") for line in tools.reporter.lines if line.startswith("verify")]


def test_verify_counts_right_answers_in_a_row(tools: FakeTools) -> None:
    answering(tools, ["v0.1.0", "v0.2.0", "v0.2.0", "v0.1.0", "v0.2.0"])

    after = verify(tools)

    assert after.verified_steps == {StepLabel("verify", "staging")}
    assert len(tools.prober.urls) == 7


def test_progress_reports_each_answer_once(tools: FakeTools) -> None:
    answering(tools, ["v0.1.0", "v0.1.0", "v0.2.0", "v0.2.0", "v0.1.0", "v0.1.0", "v0.2.0"])

    verify(tools)

    said = [f"https://staging.example answers {version} in staging" for version in ("v0.1.0", "v0.2.0")]
    assert progress(tools) == said * 2


def test_alternating_versions_prove_nothing(tools: FakeTools) -> None:
    answering(tools, ["v0.2.0", "v0.1.0"] * 1000)

    with pytest.raises(VerifyFailed, match=r"flaps: v0\.2\.0 in staging came and went 150 times") as failed:
        verify(tools)

    assert failed.value.exit_code == 8
    assert tools.clock.monotonic() == 300
    assert len(progress(tools)) == 300


def test_verify_times_out(tools: FakeTools) -> None:
    with pytest.raises(VerifyFailed, match=r"answers v0\.1\.0 in staging; expected v0\.2\.0 in staging") as failed:
        verify(tools)

    assert failed.value.state == "deployed, but not proven by the app within 5m"
    assert failed.value.hint.endswith("inv verify --env staging --release v0.2.0")


def test_rolled_back_deployment_ends_verify(tools: FakeTools) -> None:
    operations = tools.platform.history[SERVICE]
    operations[0] = evolve(operations[0], state=OperationState.ROLLED_BACK, native_state="ROLLBACK_SUCCEEDED")

    with pytest.raises(DeployFailed, match="ended with ROLLBACK_SUCCEEDED") as failed:
        verify(tools)

    assert tools.clock.monotonic() == 0
    assert failed.value.hint.endswith("to retry: inv deploy --env staging --release v0.2.0")


def test_deployment_that_fails_meanwhile_ends_verify(tools: FakeTools) -> None:
    operations = tools.platform.history[SERVICE]
    operations[0] = evolve(operations[0], state=OperationState.IN_PROGRESS, native_state="IN_PROGRESS")
    tools.platform.polls, tools.platform.outcomes[SERVICE] = 2, OperationState.FAILED
    tools.platform._polls_left[SERVICE] = 2

    with pytest.raises(DeployFailed, match="ended with FAILED"):
        verify(tools)

    assert tools.clock.monotonic() == 30


def test_deployment_of_another_image_supersedes(tools: FakeTools) -> None:
    tools.registry.put(REPOSITORY, "latest", image("sha256:" + "cd" * 32))
    other = tools.platform.begin_operation(SERVICE)

    with pytest.raises(Superseded, match=other) as failed:
        verify(tools)

    assert failed.value.exit_code == 8
    assert tools.clock.monotonic() == 0


def test_service_moved_to_another_tag_supersedes(tools: FakeTools) -> None:
    tools.registry.put(REPOSITORY, "v0.1.0", image("sha256:" + "cd" * 32))
    tools.platform.services[SERVICE] = evolve(tools.platform.services[SERVICE], image="registry.example/a:v0.1.0")
    tools.platform.begin_operation(SERVICE, kind=OperationKind.UPDATE)

    with pytest.raises(Superseded, match="another update"):
        verify(tools)


@pytest.mark.parametrize("kind", [OperationKind.DEPLOYMENT, OperationKind.PAUSE])
def test_restart_of_the_same_image_does_not_supersede(tools: FakeTools, kind: OperationKind) -> None:
    tools.platform.begin_operation(SERVICE, kind=kind)
    answering(tools, ["v0.1.0"] * 60 + ["v0.2.0"])

    assert verify(tools).verified_steps


def test_failed_deployment_does_not_supersede(tools: FakeTools) -> None:
    tools.registry.put(REPOSITORY, "latest", image("sha256:" + "cd" * 32))
    tools.platform.outcomes[SERVICE] = OperationState.ROLLED_BACK
    tools.platform.begin_operation(SERVICE)
    answering(tools, ["v0.1.0"] * 60 + ["v0.2.0"])

    assert verify(tools).verified_steps


def test_platform_is_checked_at_intervals(tools: FakeTools) -> None:
    """Every fifteen seconds while the answers are wrong; never while they are right."""
    looked: list[float] = []

    def operations(_: Service) -> tuple[()]:
        looked.append(tools.clock.monotonic())
        return ()

    tools.platform.list_operations = operations  # type: ignore[method-assign,assignment]
    answering(tools, ["v0.1.0"] * 40 + ["v0.2.0"])
    verify(tools)

    assert looked == [0, 15, 30]


def test_unreachable_platform_is_ignored(tools: FakeTools) -> None:
    def operations(_: Service) -> tuple[()]:
        raise Unreachable("apprunner does not answer")

    tools.platform.list_operations = operations  # type: ignore[method-assign,assignment]
    answering(tools, ["v0.1.0", "v0.2.0"])

    assert verify(tools).verified_steps


def test_manual_deployment_is_not_checked() -> None:
    tools = FakeTools()
    tools.platform.begin_operation(SERVICE)

    with pytest.raises(VerifyFailed, match="not proven by the app within 5m"):
        verify(tools)


def test_superseding_deployment_is_not_rolled_back(tools: FakeTools) -> None:
    older = evolve(RELEASE, version=Version.parse("0.1.0"), digest="sha256:0")
    entries.append(Event.VERIFIED, tools.settings.environments["staging"], older, tools)
    tools.registry.put(REPOSITORY, "latest", image("sha256:" + "cd" * 32))
    tools.platform.begin_operation(SERVICE)
    written = len(tools.ledger.all_entries)

    with pytest.raises(Superseded):
        automatic.run_with_auto_rollback(
            (Verify(environment=tools.settings.environments["staging"]),), RELEASE, tools, apply_step
        )

    assert len(tools.ledger.all_entries) == written
    assert tools.platform.started_services == []


@pytest.mark.parametrize(
    ("versions", "kind"), [(["v0.2.0"], Done), (["v0.1.0"], Act), (["v0.2.0", "v0.2.0", "v0.1.0"], Act)]
)
def test_earlier_proof_holds_while_every_answer_is_right(tools: FakeTools, versions: list[str], kind: type) -> None:
    entries.append(Event.VERIFIED, tools.settings.environments["staging"], RELEASE, tools)
    answering(tools, versions)

    decided = Verify(environment=tools.settings.environments["staging"]).decide(RELEASE, tools)

    assert type(decided) is kind
    assert tools.clock.monotonic() == 0


def cached(version: str) -> ProbeResponse:
    """Return what a CDN answers that has seen a version."""
    body = b'{"version": "%s", "environment": "staging"}' % version.encode()
    return ProbeResponse(status=200, body=body, headers={"x-cache": "Hit from cloudfront"})


@pytest.mark.parametrize("version", ["v0.2.0", "v0.1.0"])
def test_cached_answers_prove_nothing_and_roll_nothing_back(tools: FakeTools, version: str) -> None:
    staging = tools.settings.environments["staging"]
    older = evolve(RELEASE, version=Version.parse("0.1.0"), digest="sha256:0")
    entries.append(Event.VERIFIED, staging, older, tools)
    tools.prober.answers[URL] = cached(version)
    written = len(tools.ledger.all_entries)

    with pytest.raises(Unproven) as failed:
        automatic.run_with_auto_rollback((Verify(environment=staging),), RELEASE, tools, apply_step)

    assert str(failed.value) == (
        "staging: https://staging.example/version answers from a cache (X-Cache: Hit from cloudfront),"
        " which proves nothing about v0.2.0\n"
        "no verification was recorded and nothing was rolled back, as v0.2.0 may be right\n"
        "exclude /version from the cache, or ask the service itself: direct = true in [verify];"
        " then: inv verify --env staging --release v0.2.0"
    )
    assert failed.value.exit_code == 8
    assert (len(tools.ledger.all_entries), tools.platform.started_services) == (written, [])


PROXY_DOWN = ProbeResponse(
    error="cannot be reached: the proxy http://proxy:3128 (HTTPS_PROXY) refuses the connection",
    network_remedy="correct or unset HTTPS_PROXY; hosts that need no proxy belong in NO_PROXY",
)


@pytest.mark.parametrize("auto_rollback", [True, False])
def test_failure_of_this_machines_network_rolls_nothing_back_and_withdraws_nothing(
    tools: FakeTools, *, auto_rollback: bool
) -> None:
    staging = tools.settings.environments["staging"]
    entries.append(Event.VERIFIED, staging, evolve(RELEASE, version=Version.parse("0.1.0"), digest="sha256:0"), tools)
    entries.append(Event.VERIFIED, staging, RELEASE, tools)
    tools.prober.answers[URL] = PROXY_DOWN
    written = len(tools.ledger.all_entries)
    flow = (Verify(environment=staging),)

    with pytest.raises(Unproven) as failed:
        automatic.run_with_auto_rollback(flow, RELEASE, tools, apply_step, auto_rollback=auto_rollback)

    assert str(failed.value) == (
        "staging: https://staging.example/version cannot be reached: the proxy http://proxy:3128 (HTTPS_PROXY) refuses"
        " the connection, which proves nothing about v0.2.0\n"
        "no verification was recorded and nothing was rolled back, as v0.2.0 may be right\n"
        "correct or unset HTTPS_PROXY; hosts that need no proxy belong in NO_PROXY;"
        " then: inv verify --env staging --release v0.2.0"
    )
    assert failed.value.exit_code == 8
    assert (len(tools.ledger.all_entries), tools.platform.started_services) == (written, [])


def test_app_that_refuses_connections_is_rolled_back(tools: FakeTools) -> None:
    """The network leads to the app's address, where nothing answers."""
    tools.prober.answers[URL] = ProbeResponse(error="refuses the connection")

    with pytest.raises(VerifyFailed) as failed:
        verify(tools)

    assert not isinstance(failed.value, Unproven)


def test_wrong_answers_of_the_app_count_after_cached_ones(tools: FakeTools) -> None:
    answers = itertools.chain([cached("v0.2.0")] * 9, itertools.repeat(ProbeResponse(status=503)))
    tools.prober.answers[URL] = lambda: next(answers)

    with pytest.raises(VerifyFailed) as failed:
        verify(tools)

    assert not isinstance(failed.value, Unproven)


def test_verify_goes_on_until_the_cache_lets_it_pass(tools: FakeTools) -> None:
    answers = [cached("v0.1.0")] * 60
    tools.prober.answers[URL] = lambda: answers.pop() if answers else version_answer("v0.2.0")

    assert verify(tools).verified_steps


PUBLIC_URL = "https://www.example/version"


@pytest.mark.parametrize(
    ("public", "own", "kind"),
    [
        (("v0.1.0", "staging"), "v0.2.0", Unproven),
        (("v0.2.0", "prod"), "v0.2.0", Unproven),
        (("v0.1.0", "staging"), "v0.1.0", VerifyFailed),
        (("", "staging"), "v0.2.0", VerifyFailed),
    ],
)
def test_release_that_only_its_service_answers_is_not_rolled_back(
    public: tuple[str, str], own: str, kind: type[VerifyFailed]
) -> None:
    """A cache that says nothing about itself, or a wrong address; an address that answers nothing may be its fault."""
    tools = FakeTools(settings=settings(defaults={"url": "https://www.example"}))
    body = b'{"version": "%s", "environment": "%s"}' % (public[0].encode(), public[1].encode())
    tools.prober.answers[PUBLIC_URL] = ProbeResponse(status=200 if public[0] else 502, body=body)
    tools.running_versions["staging"] = own

    with pytest.raises(VerifyFailed) as failed:
        verify(tools)

    assert type(failed.value) is kind
    assert ("but the service itself answers v0.2.0, which proves nothing" in failed.value.message) is (kind is Unproven)


def version_answer(version: str) -> ProbeResponse:
    """Return the app's own answer."""
    return ProbeResponse(status=200, body=b'{"version": "%s", "environment": "staging"}' % version.encode())


def test_answer_of_another_image_under_the_same_version_proves_nothing(tools: FakeTools) -> None:
    answering(tools, ["v0.2.0"])
    step = Verify(environment=tools.settings.environments["staging"])

    decided = step.decide(evolve(RELEASE, digest="sha256:" + "cd" * 32), tools)

    reason = (
        "staging was deployed with another image of v0.2.0 (sha256:abababababab), so its answer proves nothing"
        " about sha256:cdcdcdcdcdcd"
    )
    hint = "deploy it first: inv deploy --env staging --release v0.2.0"
    assert decided == Refuse(reasons=(reason,), hint=hint)


CHECKS = [
    {"path": "/", "contains": "hello"},
    {"name": "health", "path": "/health", "json": {"/status": "ok"}},
    {"path": "/plan", "status": [200, 204]},
]


OK_PLAN = ProbeResponse(status=204)


def smoke(answers: dict[str, ProbeResponse]) -> FakeTools:
    """Run the checks of an app that answers this on the paths other than `/`."""
    tools = FakeTools(settings=settings(smoke=CHECKS))
    tools.prober.answers.update({f"https://staging.example{path}": answer for path, answer in answers.items()})
    step = Smoke(environment=tools.settings.environments["staging"])
    try:
        assert step.act(RELEASE, tools).verified_steps == {step.label}
    except VerifyFailed as error:
        tools.reporter.note(str(error))
    return tools


def test_every_smoke_check_is_reported() -> None:
    tools = smoke({"/health": ProbeResponse(status=200, body=b'{"status": "ok"}'), "/plan": ProbeResponse(status=204)})

    assert tools.reporter.lines == [
        "smoke staging: right: GET / answers HTTP 200, contains 'hello' (0.0s)",
        'smoke staging: right: health: GET /health answers HTTP 200, says "ok" at /status (0.0s)',
        "smoke staging: right: GET /plan answers HTTP 204 (0.0s)",
    ]


def test_all_smoke_checks_run_and_all_failures_are_named() -> None:
    tools = smoke({"/health": ProbeResponse(status=200, body=b'{"status": "down"}')})

    *checks, what, state, hint = "\n".join(tools.reporter.lines).split("\n")
    assert checks == [
        "smoke staging: right: GET / answers HTTP 200, contains 'hello' (0.0s)",
        'smoke staging: wrong: health: GET /health says "down" at /status, not "ok" (0.0s)',
        "smoke staging: wrong: GET /plan refuses the connection (10s)",
    ]
    assert what == (
        "staging: 2 of 3 checks failed: "
        'health: GET /health says "down" at /status, not "ok"; GET /plan refuses the connection'
    )
    assert state == "v0.2.0 is running in staging and is not recorded as verified"
    assert hint.endswith("inv verify --env staging --release v0.2.0")


def test_smoke_checks_that_only_a_cache_has_answered_roll_nothing_back() -> None:
    tools = smoke(
        {"/health": ProbeResponse(status=200, body=b'{"status": "ok"}', headers={"age": "9"}), "/plan": OK_PLAN}
    )

    what, state, hint = tools.reporter.lines[-1].split("\n")
    assert what == ("staging: health: GET /health answers from a cache (Age: 9), which proves nothing about v0.2.0")
    assert state == "no verification was recorded and nothing was rolled back, as v0.2.0 may be right"
    assert hint.startswith("exclude the path from the cache, or accept that: cached = true in [[smoke]]; ")


def test_smoke_checks_that_the_network_kept_from_the_app_roll_nothing_back() -> None:
    tools = smoke({"/health": PROXY_DOWN, "/plan": OK_PLAN})

    what, state, hint = tools.reporter.lines[-1].split("\n")
    assert what.endswith(
        "the proxy http://proxy:3128 (HTTPS_PROXY) refuses the connection, which proves nothing about v0.2.0"
    )
    assert state == "no verification was recorded and nothing was rolled back, as v0.2.0 may be right"
    assert hint == f"{PROXY_DOWN.network_remedy}; then: inv verify --env staging --release v0.2.0"


def test_failed_smoke_check_counts_beside_a_cached_one() -> None:
    tools = smoke({"/health": ProbeResponse(status=200, headers={"age": "9"}), "/plan": ProbeResponse(status=404)})

    assert "2 of 3 checks failed" in tools.reporter.lines[-1]


@pytest.mark.parametrize(("status", "output"), [(503, ("Traceback", "KeyError: 'DATABASE_URL'")), (200, ())])
def test_last_lines_of_an_app_that_answers_no_version_are_in_the_error(
    tools: FakeTools, status: int, output: tuple[str, ...]
) -> None:
    """Gunicorn listens, so that the deployment succeeds, before its workers fail."""
    body = b'{"version": "v0.1.0", "environment": "staging"}' if status == 200 else b""
    tools.prober.answers[URL] = lambda: ProbeResponse(status=status, body=body)
    tools.logs.instances[SERVICE] = [(tools.clock.now(), ("Traceback", "KeyError: 'DATABASE_URL'"))]

    with pytest.raises(VerifyFailed) as failure:
        verify(tools)

    assert failure.value.output == output
