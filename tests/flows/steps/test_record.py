"""What is recorded of a release that was verified."""

from __future__ import annotations

from attrs import evolve
from semver import Version

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.steps.record import Record
from tests.fakes.tools import FakeTools

RELEASE = Release(version=Version.parse("1.2.3"), commit="4f2a9c81", digest=f"sha256:{'ab' * 32}")


def test_verification_is_recorded_once_and_shown_again() -> None:
    """The run that has written it may have been killed before a forge showed it."""
    tools = FakeTools()
    step = Record(environment=tools.settings.environments["staging"])

    first = step.decide(RELEASE, tools)
    step.act(RELEASE, tools)
    shown_before = len(tools.run_report.entries)
    second = step.decide(RELEASE, tools)

    assert (type(first), type(second)) == (Act, Done)
    (entry,) = tools.ledger.entries("staging")
    assert entry.event is Event.VERIFIED
    assert tools.run_report.entries[shown_before:] == [entry]


def test_verification_of_another_release_is_not_shown() -> None:
    tools = FakeTools()
    environment = tools.settings.environments["staging"]
    entries.append(Event.VERIFIED, environment, evolve(RELEASE, digest=f"sha256:{'cd' * 32}"), tools)
    tools.run_report.entries.clear()

    assert isinstance(Record(environment=environment).decide(RELEASE, tools), Act)
    assert tools.run_report.entries == []
