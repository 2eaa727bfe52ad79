"""Evidence before a promotion, the record after it, and rollbacks in the ledger."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import Evidence, Record
from kaizen_tasks.flows.steps.record import MarkRollback
from tests.fakes.tools import FakeTools

RELEASE = Release(version=Version.parse("1.2.3"), commit="4f2a9c81", digest="sha256:" + "ab" * 32)
OTHER = Release(version=Version.parse("1.2.2"), commit="0b1c2d3e", digest="sha256:" + "cd" * 32)


@pytest.fixture
def tools() -> FakeTools:
    """Tools with an empty ledger."""
    return FakeTools()


def write(tools: FakeTools, environment: str, event: Event, release: Release = RELEASE) -> None:
    """Write an entry, a minute after the last."""
    tools.clock.advance(60)
    ledger.append(event, tools.settings.environments[environment], release, tools)


def evidence(tools: FakeTools, stage: str = "staging") -> Evidence:
    """Return the step for a previous stage."""
    return Evidence(environment=tools.settings.environments["prod"], stage=tools.settings.stage(stage))


def test_verified_digest_is_accepted(tools: FakeTools) -> None:
    write(tools, "staging", Event.VERIFIED)
    tools.clock.advance(120)

    decided = evidence(tools).decide(RELEASE, tools)

    assert decided == Done("verified in staging 2m ago by ada@laptop", RELEASE)


def test_older_proof_is_accepted(tools: FakeTools) -> None:
    write(tools, "staging", Event.VERIFIED)
    write(tools, "staging", Event.VERIFIED, OTHER)

    assert isinstance(evidence(tools).decide(RELEASE, tools), Done)


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.VERIFIED])
def test_only_a_verification_is_proof(tools: FakeTools, event: Event) -> None:
    write(tools, "staging", event)

    assert isinstance(evidence(tools).decide(RELEASE, tools), Refuse)


def test_another_digest_of_the_same_version_is_no_proof(tools: FakeTools) -> None:
    write(tools, "staging", Event.VERIFIED, evolve(RELEASE, digest=OTHER.digest))

    decided = evidence(tools).decide(RELEASE, tools)

    assert decided == Refuse(
        reasons=("v1.2.3 (sha256:abababababab) was never verified in staging",),
        hint="verify it there first: inv verify --env staging --release v1.2.3",
    )


def test_every_environment_of_the_stage_must_have_verified_it(tools: FakeTools) -> None:
    write(tools, "mark", Event.VERIFIED)
    write(tools, "dom", Event.VERIFIED)

    missing = evidence(tools, "beta").decide(RELEASE, tools)
    write(tools, "shane", Event.VERIFIED)
    whole = evidence(tools, "beta").decide(RELEASE, tools)

    assert isinstance(missing, Refuse)
    assert missing.reasons[0].endswith("was never verified in shane")
    assert isinstance(whole, Done)
    assert whole.reason.startswith("verified in beta 0.0s ago")


def fail(tools: FakeTools, environment: str, reason: str = "answers HTTP 500") -> None:
    """Record that the release failed in an environment."""
    tools.clock.advance(60)
    ledger.append(Event.FAILED, tools.settings.environments[environment], RELEASE, tools, reason=reason)


def test_release_that_failed_later_is_refused_until_it_is_verified_again(tools: FakeTools) -> None:
    """The refusal says who, when and why."""
    write(tools, "staging", Event.VERIFIED)
    fail(tools, "staging")
    tools.clock.advance(120)
    refused = evidence(tools).decide(RELEASE, tools)
    write(tools, "staging", Event.VERIFIED)

    assert refused == Refuse(
        reasons=("v1.2.3 failed in staging 2m ago by ada@laptop: answers HTTP 500",),
        hint='to go ahead all the same, add --release v1.2.3 --without-evidence "reason"; '
        "else verify it there again: inv verify --env staging --release v1.2.3",
    )
    assert isinstance(evidence(tools).decide(RELEASE, tools), Done)


def test_release_that_was_rolled_back_is_refused(tools: FakeTools) -> None:
    for release in (OTHER, RELEASE):
        write(tools, "staging", Event.VERIFIED, release)
    staging = tools.settings.environments["staging"]
    ledger.append(Event.ROLLBACK, staging, OTHER, tools, reason="the login is broken")
    write(tools, "staging", Event.VERIFIED, OTHER)

    decided = evidence(tools).decide(RELEASE, tools)

    assert decided == Refuse(
        reasons=("v1.2.3 was rolled back in staging 1m ago by ada@laptop: the login is broken",),
        hint='to go ahead all the same, add --release v1.2.3 --without-evidence "reason"; '
        "else release a fix, or promote a release that is verified there",
    )
    assert isinstance(evidence(tools).decide(OTHER, tools), Done)


def hold(tools: FakeTools, environment: str) -> None:
    """Hold an environment."""
    tools.holds.add(Hold(environment=environment, reason="hotfix", actor="ada@laptop", since=tools.clock.now()))


def test_held_environment_without_the_release_proves_nothing_either_way(tools: FakeTools) -> None:
    """A tenant on a hotfix does not stop the promotions of a group, unless nobody else has proven the release."""
    hold(tools, "shane")
    alone = evidence(tools, "beta").decide(RELEASE, tools)
    write(tools, "mark", Event.VERIFIED)
    missing = evidence(tools, "beta").decide(RELEASE, tools)
    write(tools, "dom", Event.VERIFIED)

    assert isinstance(alone, Refuse)
    assert isinstance(missing, Refuse)
    assert missing.reasons[0].endswith("was never verified in dom")
    reason = "verified in beta (without shane: held) 0.0s ago by ada@laptop"
    assert evidence(tools, "beta").decide(RELEASE, tools) == Done(reason, RELEASE)


def test_held_environment_that_withdrew_the_release_refuses_it(tools: FakeTools) -> None:
    """A rollback leaves a hold."""
    for name in ("mark", "shane", "dom"):
        write(tools, name, Event.VERIFIED)
    fail(tools, "shane")
    hold(tools, "shane")

    decided = evidence(tools, "beta").decide(RELEASE, tools)

    assert isinstance(decided, Refuse)
    assert decided.reasons[0].startswith("v1.2.3 failed in shane ")


def test_own_verification_counts_if_it_is_younger_than_a_withdrawal(tools: FakeTools) -> None:
    write(tools, "staging", Event.VERIFIED)
    write(tools, "prod", Event.VERIFIED)
    fail(tools, "staging")
    before = evidence(tools).decide(RELEASE, tools)
    write(tools, "prod", Event.VERIFIED)

    assert isinstance(before, Refuse)
    assert isinstance(evidence(tools).decide(RELEASE, tools), Done)


def test_proof_counts_after_later_attempts(tools: FakeTools) -> None:
    """Seven failed attempts at the next release do not make a proven one unpromotable."""
    write(tools, "staging", Event.VERIFIED)
    for _ in range(7):
        for event in (Event.STARTED, Event.STARTED, Event.FAILED):
            write(tools, "staging", event, OTHER)

    assert isinstance(evidence(tools).decide(RELEASE, tools), Done)


def test_digest_of_a_version_comes_from_the_proof(tools: FakeTools) -> None:
    write(tools, "staging", Event.VERIFIED)

    decided = evidence(tools).decide(Release(version=RELEASE.version), tools)
    unknown = evidence(tools).decide(Release(version=Version.parse("9.0.0")), tools)

    assert isinstance(decided, Done)
    assert decided.release == RELEASE
    assert isinstance(unknown, Refuse)
    assert unknown.reasons == ("v9.0.0 was never verified in staging",)


def test_release_verified_here_may_return(tools: FakeTools) -> None:
    """A hotfix is deployed again, for a secret that was changed."""
    write(tools, "prod", Event.DEPLOYED)
    refused = evidence(tools).decide(RELEASE, tools)
    write(tools, "prod", Event.VERIFIED)

    assert isinstance(refused, Refuse)
    assert evidence(tools).decide(RELEASE, tools) == Done("verified in prod itself 0.0s ago by ada@laptop", RELEASE)


def test_min_age_of_a_proof_is_required(tools: FakeTools) -> None:
    step = evidence(tools)
    step = evolve(step, environment=evolve(step.environment, min_age=Seconds(3600)))
    write(tools, "staging", Event.VERIFIED)
    tools.clock.advance(600)
    early = step.decide(RELEASE, tools)
    tools.clock.advance(3000)
    late = step.decide(RELEASE, tools)

    assert isinstance(late, Done)
    assert early == Refuse(
        reasons=("v1.2.3 was verified in staging 10m ago by ada@laptop, and prod accepts what was verified 1h ago",),
        hint='run the same command again in 50m, or give a reason not to wait: --without-evidence "reason"',
    )


def test_proof_of_a_machine_whose_clock_is_ahead_is_accepted(tools: FakeTools) -> None:
    tools.clock.advance(300)
    ledger.append(Event.VERIFIED, tools.settings.environments["staging"], RELEASE, tools)
    tools.clock.advance(-300)

    assert evidence(tools).decide(RELEASE, tools) == Done("verified in staging 0.0s ago by ada@laptop", RELEASE)


def test_youngest_proof_of_several_environments_counts(tools: FakeTools) -> None:
    step = evidence(tools, "beta")
    step = evolve(step, environment=evolve(step.environment, min_age=Seconds(150)))
    for name in ("mark", "shane", "dom"):
        write(tools, name, Event.VERIFIED)
    tools.clock.advance(100)

    assert isinstance(step.decide(RELEASE, tools), Refuse)


def test_every_entry_has_the_waiver_reason(tools: FakeTools) -> None:
    waived = evolve(RELEASE, waiver="the login is down")
    write(tools, "prod", Event.STARTED, waived)
    ledger.append(Event.FAILED, tools.settings.environments["prod"], waived, tools, reason="HTTP 500")

    assert [entry.reason for entry in tools.ledger.all_entries] == [
        "without evidence: the login is down",
        "HTTP 500; without evidence: the login is down",
    ]


def test_record_is_idempotent(tools: FakeTools) -> None:
    step = Record(environment=tools.settings.environments["staging"])
    write(tools, "staging", Event.DEPLOYED)

    run_flow((step,), RELEASE, tools)
    run_flow((step,), RELEASE, tools)

    written = tools.ledger.entries("staging")
    assert [entry.event for entry in written] == [Event.VERIFIED, Event.DEPLOYED]
    assert (written[0].version, written[0].commit, written[0].digest) == ("v1.2.3", RELEASE.commit, RELEASE.digest)
    assert (written[0].actor, written[0].at) == ("ada@laptop", tools.clock.now())


@pytest.mark.parametrize(("event", "release"), [(Event.VERIFIED, OTHER), (Event.DEPLOYED, RELEASE)])
def test_record_appends_after_another_entry(tools: FakeTools, event: Event, release: Release) -> None:
    write(tools, "staging", Event.VERIFIED)
    write(tools, "staging", event, release)

    assert isinstance(Record(environment=tools.settings.environments["staging"]).decide(RELEASE, tools), Act)


def test_mark_rollback_appends_an_entry_once(tools: FakeTools) -> None:
    step = MarkRollback(environment=tools.settings.environments["staging"], reason="the login is broken")
    write(tools, "staging", Event.VERIFIED, OTHER)
    write(tools, "staging", Event.VERIFIED, RELEASE)

    run_flow((step,), OTHER, tools)
    again = step.decide(OTHER, tools)

    newest = tools.ledger.entries("staging")[0]
    assert (newest.event, newest.digest, newest.reason) == (Event.ROLLBACK, OTHER.digest, "the login is broken")
    assert isinstance(again, Done)


def test_mark_rollback_appends_again_after_another_release(tools: FakeTools) -> None:
    step = MarkRollback(environment=tools.settings.environments["staging"], reason="the login is broken")
    write(tools, "staging", Event.ROLLBACK, OTHER)
    write(tools, "staging", Event.VERIFIED, OTHER)
    write(tools, "staging", Event.VERIFIED, RELEASE)

    assert isinstance(step.decide(OTHER, tools), Act)


@pytest.mark.parametrize(
    ("entries", "digest"),
    [
        ([], None),
        ([(Event.VERIFIED, OTHER), (Event.STARTED, RELEASE)], OTHER.digest),
        ([(Event.VERIFIED, OTHER), (Event.DEPLOYED, RELEASE), (Event.FAILED, RELEASE)], RELEASE.digest),
    ],
)
def test_serving_digest_is_the_last_deployment_that_did_not_fail(
    tools: FakeTools, entries: list[tuple[Event, Release]], digest: str | None
) -> None:
    for event, release in entries:
        write(tools, "staging", event, release)

    assert ledger.read_serving_digest(tools.settings.environments["staging"], tools) == digest


def test_serving_digest_is_the_replaced_one_before_the_first_deployment(tools: FakeTools) -> None:
    """A service that was deployed by hand before goes back to what it ran."""
    staging = tools.settings.environments["staging"]
    for replaced in ("sha256:by-hand", "sha256:ours"):
        ledger.append(Event.STARTED, staging, RELEASE, tools, replaces=replaced)
        ledger.append(Event.FAILED, staging, RELEASE, tools)
        tools.clock.advance(60)

    assert ledger.read_serving_digest(staging, tools) == "sha256:by-hand"
