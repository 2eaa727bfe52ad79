"""Who is told of an entry and of a hold: notifications are written with them, and nothing is read for nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from semver import Version

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, Unreachable
from kaizen_tasks.flows.holds import add_hold, remove_hold
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.news import stage_of
from tests.fakes.holds import FakeHolds
from tests.fakes.outbox import FakeOutbox
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from kaizen_tasks.domain.notification.notification import Notification

RELEASE = Release(version=Version.parse("1.2.3"), commit="4f2a9c81", digest="sha256:" + "ab" * 32)
ALL = [str(topic) for topic in Topic if topic is not Topic.TEST]


def tools(*rules: dict[str, object]) -> FakeTools:
    """Return tools with targets."""
    return FakeTools(
        settings=settings(notify=[{"webhook_secret": "kaizen/slack", "name": "team", **rule} for rule in rules])
    )


def record(tools: FakeTools, *events: Event, environment: str = "prod", is_hotfix: bool = False) -> None:
    """Append entries about a release."""
    for event in events:
        entries.append(event, tools.settings.environments[environment], RELEASE, tools, is_hotfix=is_hotfix)
        tools.clock.advance(60)


def told(tools: FakeTools) -> tuple[Notification, ...]:
    """Return what is in the outbox."""
    return tools.outbox.content().notifications


def test_release_that_is_verified_is_told_with_all_that_is_known() -> None:
    run = tools({"on": ["promoted"]})
    run.run_url = "https://ci.example/7"

    record(run, Event.STARTED, Event.DEPLOYED, Event.VERIFIED)

    (news,) = told(run)
    assert (news.target, news.thread, news.stage, news.stage_size) == ("team", "v1.2.3", "prod", 1)
    assert (news.commit, news.next_step) == (RELEASE.commit, "inv promote-beta")
    change = news.change
    assert (change.environment, change.topic, change.version) == ("prod", Topic.PROMOTED, "v1.2.3")
    assert (change.actor, change.seconds, change.run_url) == ("ada@laptop", 120.0, "https://ci.example/7")


def test_reason_does_not_repeat_the_environment() -> None:
    run = tools({"on": ["failed"]})
    environment = run.settings.environments["prod"]
    entries.append(Event.FAILED, environment, RELEASE, run, reason="prod: it answers v1.2.2")

    assert [news.change.reason for news in told(run)] == ["it answers v1.2.2"]


def test_first_stage_releases_and_hotfix_is_told_apart() -> None:
    run = tools({"on": ALL})
    record(run, Event.VERIFIED, environment="staging")
    record(run, Event.VERIFIED, environment="mark", is_hotfix=True)

    assert [news.change.topic for news in told(run)] == [Topic.RELEASED, Topic.HOTFIXED]
    assert [news.next_step for news in told(run)] == ["inv promote-prod", "inv hold.remove --env mark"]


def test_every_target_that_wants_it_gets_a_notification_of_its_own() -> None:
    run = tools({"on": ["failed"]}, {"on": ["failed"], "name": "ops"}, {"on": ["held"], "name": "others"})

    record(run, Event.FAILED)

    assert [news.target for news in told(run)] == ["team", "ops"]


def test_target_is_not_told_of_other_stages() -> None:
    run = tools({"on": ["failed"], "stages": ["beta"]})
    for environment in ("prod", "mark"):
        record(run, Event.FAILED, environment=environment)

    assert [news.change.environment for news in told(run)] == ["mark"]


def test_tenant_is_told_as_one_of_its_stage() -> None:
    run = tools({"on": ["promoted"]})

    record(run, Event.VERIFIED, environment="mark")

    (news,) = told(run)
    assert (news.stage, news.stage_size, news.is_progress) == ("beta", 3, True)


def test_environment_outside_the_pipeline_is_a_stage_of_its_own() -> None:
    configured = settings(pipeline=["staging", "prod"])

    assert stage_of("mark", configured).name == "mark"


def test_nothing_is_read_when_nobody_wants_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tools({"on": ["failed"], "stages": ["prod"]})

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the ledger was read")

    monkeypatch.setattr(type(run.ledger), "entries", fail)
    record(run, Event.STARTED, Event.DEPLOYED, Event.VERIFIED)
    record(run, Event.FAILED, environment="mark")

    assert told(run) == ()


def test_entry_is_written_although_the_entries_before_it_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tools({"on": ["promoted"]})
    read = type(run.ledger).entries

    def fail(*_: object, **__: object) -> None:
        raise Unreachable("no answer")

    monkeypatch.setattr(type(run.ledger), "entries", fail)
    record(run, Event.VERIFIED)
    monkeypatch.setattr(type(run.ledger), "entries", read)

    assert [entry.event for entry in run.ledger.entries("prod")] == [Event.VERIFIED]
    assert [news.change.seconds for news in told(run)] == [0.0]


def test_abandoned_deployment_is_told() -> None:
    run = tools({"on": ALL})
    record(run, Event.STARTED)
    entries.record_outcome(run.ledger.entries("prod")[0], Event.ABANDONED, run, reason="another one was started")

    assert [news.change.topic for news in told(run)] == [Topic.STARTED, Topic.ABANDONED]
    assert told(run)[-1].change.reason == "another one was started"


def test_hold_is_told_with_its_reason_and_its_end() -> None:
    run = tools({"on": ["held", "hold-removed"]})
    now = run.clock.now()
    hold = Hold(environment="prod", reason="a fair", actor="ada", since=now, until=now + timedelta(days=7))

    add_hold(hold, run)
    run.actor = "bob@laptop"
    remove_hold("prod", run)

    held, removed = told(run)
    assert (held.change.reason, held.next_step) == ("a fair (until 2026-11-27 12:00 UTC)", "inv hold.remove --env prod")
    assert (removed.change.topic, removed.change.reason) == (Topic.HOLD_REMOVED, "it was held: a fair")
    assert [held.change.actor, removed.change.actor] == ["ada", "bob@laptop"]
    assert held.thread == removed.thread


def test_environments_that_are_held_together_share_a_thread() -> None:
    run = tools({"on": ["held"]})
    for name in ("mark", "dom"):
        add_hold(Hold(environment=name, reason="a fair", actor="ada", since=run.clock.now()), run)

    assert len({news.thread for news in told(run)}) == 1


def test_hold_that_is_there_already_is_not_told_again() -> None:
    run = tools({"on": ["held"]})
    for reason in ("a fair", "another"):
        add_hold(Hold(environment="mark", reason=reason, actor="ada", since=run.clock.now()), run)

    assert len(told(run)) == 1
    assert remove_hold("dom", run) is None
    assert len(told(run)) == 1


def test_entry_is_written_by_credentials_that_may_not_write_to_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tools({"on": ["failed", "held"]})
    attempts: list[int] = []

    def deny(notifications: Sequence[Notification]) -> None:
        attempts.append(len(notifications))
        if notifications:
            raise Denied("cannot write to the ledger: AccessDeniedException")

    monkeypatch.setattr(FakeOutbox, "write", lambda _, notifications: deny(notifications))
    record(run, Event.FAILED, Event.FAILED)
    hold = Hold(environment="prod", reason="a fair", actor="ada", since=run.clock.now())

    assert add_hold(hold, run) == hold
    assert attempts == [1, 0, 0, 0]
    assert [entry.event for entry in run.ledger.entries("prod")] == [Event.FAILED, Event.FAILED]
    assert run.outbox.problem == "cannot write to the ledger: AccessDeniedException"


def test_hold_is_removed_by_credentials_that_may_not_write_to_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tools({"on": ["hold-removed"]})
    hold = Hold(environment="prod", reason="a fair", actor="ada", since=run.clock.now())
    add_hold(hold, run)
    remove = FakeHolds.remove

    def deny(self: FakeHolds, environment: str, *, notify: object = None) -> Hold | None:
        if notify is not None:
            raise Denied("cannot remove the hold")
        return remove(self, environment)

    monkeypatch.setattr(FakeHolds, "remove", deny)

    assert remove_hold("prod", run) == hold
    assert run.outbox.problem == "cannot remove the hold"
