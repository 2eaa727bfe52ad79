"""What a change of environments asks before it begins: the questions of doctor, for these environments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.aws_account import DeniedAction
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationKind, ServiceStatus
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import Denied, Refused, RolloutFailed
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.promotion import plan_deployment, plan_promotion, plan_verification
from kaizen_tasks.flows.promote.rollout import RolloutOptions
from kaizen_tasks.flows.rollback.manual import plan_rollback
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

RELEASE = Release(version=Version.parse("0.2.0"))
Spoil = Callable[[FakeTools], object]


def _service(name: str, **changes: Any) -> Spoil:
    def spoil(tools: FakeTools) -> None:
        service = f"{name}-web-service"
        tools.platform.services[service] = evolve(tools.platform.services[service], **changes)

    return spoil


def _busy(name: str, kind: OperationKind) -> Spoil:
    def spoil(tools: FakeTools) -> None:
        tools.platform.polls = 3
        tools.platform.begin_operation(f"{name}-web-service", kind=kind)

    return spoil


def _denied(action: str, *, certain: bool) -> Spoil:
    return lambda tools: setattr(tools.account, "denied_actions", (DeniedAction(action=action, is_certain=certain),))


def _problems(name: str) -> list[tuple[Spoil, str]]:
    """Return what prevents a deployment to an environment, each with what the refusal says of it."""
    return [
        (_service(name, status=ServiceStatus.PAUSED, native_status="PAUSED"), f"{name}-web-service is PAUSED"),
        (
            _service(name, status=ServiceStatus.UNAVAILABLE, native_status="DELETE_FAILED"),
            f"{name}-web-service is DELETE_FAILED",
        ),
        (_busy(name, OperationKind.CREATION), f"{name}-web-service is being created"),
        (_busy(name, OperationKind.PAUSE), f"{name}-web-service is being paused"),
        (
            _service(name, image=f"registry.example/{name}-web-app:stable"),
            f"{name}-web-app:stable, not {name}-web-app:latest",
        ),
        (_service(name, image="registry.example/other:latest"), f"not {name}-web-app:latest"),
        (
            lambda tools: tools.account.rules.update({f"{name}-web-app": TagMutability(mutability="IMMUTABLE")}),
            "no deployment can move :latest",
        ),
        (_denied("apprunner:StartDeployment", certain=True), "these credentials may not apprunner:StartDeployment"),
    ]


@pytest.fixture
def tools() -> FakeTools:
    """Tools with v0.2.0 verified in staging."""
    made = FakeTools()
    release(made)
    return made.next_command()


def promote(tools: FakeTools, name: str) -> None:
    change = plan_promotion(tools.settings.stage(name), None, RolloutOptions(command=(f"promote-{name}",)), tools)
    assert change is not None
    execute_change(change, tools, confirm=lambda *_: None, command="")


def _snapshot(tools: FakeTools) -> object:
    return (
        list(tools.registry.calls),
        list(tools.platform.started_services),
        len(tools.ledger.all_entries),
        tools.scm.head().commit,
        dict(tools.upstream.tags),
    )


@pytest.mark.parametrize(("spoil", "message"), _problems("prod"))
def test_promotion_is_refused_before_the_copy(tools: FakeTools, spoil: Spoil, message: str) -> None:
    spoil(tools)
    before = _snapshot(tools)

    with pytest.raises(Refused, match=message) as refused:
        promote(tools, "prod")

    assert refused.value.state == "nothing has been changed"
    assert refused.value.hint
    assert _snapshot(tools) == before


@pytest.mark.parametrize(("spoil", "message"), _problems("staging"))
def test_release_is_refused_before_the_commit(spoil: Spoil, message: str) -> None:
    tools = FakeTools()
    spoil(tools)
    before = _snapshot(tools)

    with pytest.raises(Refused, match=message):
        release(tools)

    assert _snapshot(tools) == before
    assert tools.builder.build_count == 0


def test_rollback_is_refused_before_the_ledger_is_written(tools: FakeTools) -> None:
    tools.ledger.all_entries.insert(0, evolve(tools.ledger.all_entries[-1], version="v0.1.0", digest="sha256:0"))
    tools.registry.repositories["staging-web-app"].images["sha256:0"] = tools.registry.repositories[
        "staging-web-app"
    ].images[tools.ledger.all_entries[-1].digest]
    _service("staging", status=ServiceStatus.PAUSED, native_status="PAUSED")(tools)
    change = plan_rollback((tools.settings.environments["staging"],), None, reason="", tools=tools)
    before = _snapshot(tools)

    with pytest.raises(Refused, match="staging-web-service is PAUSED"):
        execute_change(change, tools, confirm=lambda *_: None, command="")

    assert _snapshot(tools) == before


def test_refusal_lists_the_problems_of_every_environment(tools: FakeTools) -> None:
    promote(tools, "prod")
    for name in ("mark", "dom"):
        _service(name, status=ServiceStatus.PAUSED, native_status="PAUSED")(tools)

    with pytest.raises(Refused) as refused:
        promote(tools, "beta")

    assert refused.value.message == "mark-web-service is PAUSED"
    assert refused.value.state == "also: dom-web-service is PAUSED; nothing has been changed"


def test_held_environment_may_be_paused(tools: FakeTools) -> None:
    promote(tools, "prod")
    _service("mark", status=ServiceStatus.PAUSED, native_status="PAUSED")(tools)
    tools.holds.add(Hold(environment="mark", reason="race day", actor="ada@laptop", since=tools.clock.now()))

    with pytest.raises(RolloutFailed, match="mark"):
        promote(tools, "beta")

    assert (tools.running_versions["shane"], tools.running_versions["dom"]) == ("v0.2.0", "v0.2.0")


def test_image_for_another_processor_is_refused(tools: FakeTools) -> None:
    images = tools.registry.repositories["staging-web-app"].images
    images.update({digest: evolve(image, platform="linux/arm64") for digest, image in images.items()})

    with pytest.raises(Refused, match=r"v0\.2\.0 is built for linux/arm64, and prod-web-service runs linux/amd64"):
        promote(tools, "prod")


def test_build_for_another_processor_is_refused() -> None:
    tools = FakeTools(settings=settings(build={"platform": "linux/arm64"}))

    with pytest.raises(Refused, match="images are built for linux/arm64"):
        release(tools)


def test_deployment_of_a_first_stage_checks_its_own_image(tools: FakeTools) -> None:
    images = tools.registry.repositories["staging-web-app"].images
    images.update({digest: evolve(image, platform="linux/arm64") for digest, image in images.items()})
    options = RolloutOptions(command=("deploy",))
    change = plan_deployment(tools.settings.stage("staging"), RELEASE, options, tools)

    with pytest.raises(Refused, match="linux/arm64"):
        execute_change(change, tools, confirm=lambda *_: None, command="")


def test_verification_asks_nothing_of_the_platform(tools: FakeTools) -> None:
    """It deploys nothing: a paused service answers or does not."""
    _service("staging", status=ServiceStatus.PAUSED, native_status="PAUSED")(tools)
    options = RolloutOptions(command=("verify",))
    change = plan_verification(tools.settings.stage("staging"), RELEASE, options, tools)

    execute_change(change, tools, confirm=lambda *_: None, command="")

    assert "verify staging" in tools.reporter.labels_with("done")


@pytest.mark.parametrize(
    ("spoil", "warning"),
    [
        (_service("prod", auto_deploys=True), "prod-web-service deploys by itself"),
        (lambda tools: setattr(tools.account, "skew_seconds", 90.0), "is 1m 30s ahead of the clock of AWS"),
        (
            lambda tools: tools.account.rules.update({"prod-web-app": TagMutability(mutability="MUTABLE")}),
            "tags of prod-web-app are mutable",
        ),
        (_denied("ecr:PutImage", certain=False), "IAM's simulator does not allow ecr:PutImage"),
    ],
)
def test_warning_is_shown_and_stops_nothing(tools: FakeTools, spoil: Spoil, warning: str) -> None:
    spoil(tools)

    promote(tools, "prod")

    assert [note for note in tools.reporter.lines if note.startswith("  warning: ") and warning in note]
    assert tools.running_versions["prod"] == "v0.2.0"


def test_lifecycle_rule_that_expires_the_way_back_is_a_warning(tools: FakeTools) -> None:
    """A promotion does not make that worse, and may be the fix."""
    promote(tools, "prod")
    digest = tools.ledger.all_entries[-1].digest
    stored = StoredImage(digest=digest, tags=("v0.2.0",), pushed_at=tools.clock.now() - timedelta(days=40))
    tools.account.images_by_repository["prod-web-app"] = (stored,)
    tools.account.policies["prod-web-app"] = (LifecycleRule(priority=1, tag_status="any", max_age_days=30),)
    tools.next_command()

    promote(tools, "prod")

    assert any("warning: prod: lifecycle rule 1 expires v0.2.0" in note for note in tools.reporter.lines)


def test_warnings_beyond_the_third_are_counted(tools: FakeTools) -> None:
    promote(tools, "prod")
    for name in ("mark", "shane", "dom"):
        tools.account.rules[f"{name}-web-app"] = TagMutability(mutability="MUTABLE")
    tools.account.skew_seconds = 90.0

    promote(tools, "beta")

    warnings = [line for line in tools.reporter.lines if "warning" in line]
    assert len(warnings) == 4
    assert warnings[-1] == "  and 1 more warning: inv doctor"


def test_question_that_is_not_answered_stops_nothing(tools: FakeTools) -> None:
    tools.account.failures.update({name: Denied("not allowed") for name in ("lifecycle_rules", "denied_changes")})

    promote(tools, "prod")

    assert tools.running_versions["prod"] == "v0.2.0"


def test_busy_service_is_waited_for(tools: FakeTools) -> None:
    """Its own deployment, which a killed run began, or another one that ends."""
    _busy("prod", OperationKind.UPDATE)(tools)

    promote(tools, "prod")

    assert tools.running_versions["prod"] == "v0.2.0"
