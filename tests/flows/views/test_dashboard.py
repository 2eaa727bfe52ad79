"""What the dashboard is collected from, and what becomes of it when something cannot be read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import define
from semver import Version

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, Unreachable
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.views.dashboard import collect_dashboard
from tests.fakes.clock import START
from tests.fakes.ledger import FakeLedger
from tests.fakes.tools import FakeIdentity, FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from kaizen_tasks.domain.dashboard.model import Candidate, Dashboard
    from kaizen_tasks.domain.ledger import LedgerEntry

SINCE = START - timedelta(days=90)


@define
class HalfDeafLedger(FakeLedger):
    """A ledger that does not answer about prod."""

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Fail for prod."""
        if environment == "prod":
            raise Unreachable("DynamoDB does not answer")
        return super().entries(environment, limit=limit)


def collect(tools: FakeTools, *names: str) -> Dashboard:
    """Return the dashboard of some environments, or of all."""
    environments = [each for name, each in tools.settings.environments.items() if not names or name in names]
    return collect_dashboard(environments, tools, since=SINCE)


def candidates(tools: FakeTools) -> dict[str, Candidate | None]:
    """Return what would be promoted next, by stage."""
    return {stage.name: stage.candidate for stage in collect(tools).stages}


def verify(tools: FakeTools, name: str, version: str) -> None:
    """Record that a release was deployed to an environment and verified there."""
    parsed = Version.parse(version)
    target = Release(version=parsed, commit="c" * 40, digest=f"sha256:{version}")
    for event in (Event.STARTED, Event.VERIFIED):
        entries.append(event, tools.settings.environments[name], target, tools)


def test_stages_are_in_the_order_of_the_pipeline_with_what_serves() -> None:
    tools = FakeTools()
    release(tools)

    board = collect(tools)

    assert [(stage.name, stage.is_group, len(stage.environments)) for stage in board.stages] == [
        ("staging", False, 1),
        ("prod", False, 1),
        ("beta", True, 3),
    ]
    staging = board.stages[0].environments[0]
    assert (staging.version, staging.actor) == ("v0.2.0", "ada@laptop")
    assert staging.since is not None
    assert [metrics.name for metrics in board.metrics] == ["staging", "prod", "beta"]
    assert tools.cached_environments == ()


def test_next_promotion_is_what_the_stage_before_has_verified_last() -> None:
    tools = FakeTools()
    release(tools)

    found = candidates(tools)

    assert found["staging"] is None
    prod, beta = found["prod"], found["beta"]
    assert prod is not None
    assert (prod.task, prod.source, prod.release, prod.environments) == ("promote-prod", "staging", "v0.2.0", ("prod",))
    assert prod.is_ready
    assert beta is not None
    assert (beta.release, beta.obstacle) == ("", "no release was verified in prod")
    assert not beta.is_ready


def test_held_environments_are_no_reason_to_promote() -> None:
    tools = FakeTools()
    release(tools)
    tools.holds.add(Hold(environment="prod", reason="busy", actor="eve", since=START))

    prod = candidates(tools)["prod"]

    assert prod is not None
    assert (prod.environments, prod.held, prod.is_ready) == (("prod",), ("prod",), False)


def test_environments_that_have_the_release_are_left_out() -> None:
    tools = FakeTools()
    for name in ("prod", "mark"):
        verify(tools, name, "1.0.0")

    beta = candidates(tools)["beta"]

    assert beta is not None
    assert (beta.release, beta.environments) == ("v1.0.0", ("shane", "dom"))


def test_a_promotion_that_would_go_back_says_from_where() -> None:
    tools = FakeTools()
    verify(tools, "prod", "1.0.0")
    verify(tools, "mark", "1.10.0")
    verify(tools, "dom", "1.9.0")

    beta = candidates(tools)["beta"]

    assert beta is not None
    assert (beta.release, beta.step_back) == ("v1.0.0", "v1.10.0")


def test_what_was_withdrawn_is_not_promoted() -> None:
    tools = FakeTools()
    verify(tools, "staging", "1.0.0")
    failed = Release(version=Version(1), commit="c" * 40, digest="sha256:1.0.0")
    entries.append(Event.FAILED, tools.settings.environments["staging"], failed, tools, reason="too slow")

    prod = candidates(tools)["prod"]

    assert prod is not None
    assert prod.release == ""
    assert prod.obstacle.startswith("v1.0.0 failed in staging ")
    assert prod.obstacle.endswith("too slow")


def test_an_environment_whose_history_cannot_be_read_says_so_and_the_others_are_shown() -> None:
    tools = FakeTools(ledger=HalfDeafLedger())
    release(tools)

    board = collect(tools)

    by_name = {view.name: view for view in board.environments}
    assert by_name["prod"].lane.error == "DynamoDB does not answer"
    assert by_name["prod"].status.errors == ("DynamoDB does not answer",)
    assert by_name["staging"].lane.serving is not None
    assert [metrics.name for metrics in board.metrics] == ["staging", "beta"]
    assert board.metrics_gaps[0] == "without prod, whose history could not be read"
    beta = board.stages[2].candidate
    assert beta is not None
    assert beta.obstacle == "DynamoDB does not answer"


def test_some_environments_only() -> None:
    tools = FakeTools()
    release(tools)

    board = collect(tools, "mark", "prod")

    assert [[view.name for view in stage.environments] for stage in board.stages] == [["prod"], ["mark"]]
    assert board.stages[0].candidate is not None


def test_environments_outside_of_the_pipeline_come_last() -> None:

    tools = FakeTools(settings=settings(pipeline=["staging", "prod"]))

    board = collect(tools)

    assert [(stage.name, stage.title) for stage in board.stages][2] == ("", "outside of the pipeline")
    assert [view.name for view in board.stages[2].environments] == ["mark", "shane", "dom"]
    assert board.stages[2].candidate is None


def test_a_long_history_is_read_as_far_as_the_span_goes() -> None:
    tools = FakeTools()
    for number in range(150):
        verify(tools, "staging", f"1.{number}.0")

    assert len(collect(tools, "staging").environments[0].lane.bars) == 150


def test_notes_are_read_with_what_is_noted_for_the_next_release() -> None:
    board = collect(FakeTools())

    assert board.unreleased is not None
    assert [entry.text for entry in board.unreleased.entries] == ["Weekly plans"]
    assert [each.name for each in board.releases] == ["v0.1.0"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "CHANGELOG.md is deleted and not committed"),
        (b"\xff", "the changelog is not UTF-8 at line 1, column 1"),
    ],
)
def test_dashboard_without_a_readable_changelog_says_so(content: bytes | None, error: str) -> None:
    tools = FakeTools()
    verify(tools, "staging", "0.2.0")
    files = tools.scm.working_tree.files
    if content is None:
        del files["CHANGELOG.md"]
    else:
        files["CHANGELOG.md"] = content

    board = collect(tools)

    assert board.errors == (error,)
    assert (board.changelog, board.unreleased) == (None, None)
    assert [(each.name, each.section) for each in board.releases] == [("v0.2.0", None)]


def test_foreign_credentials_are_an_error() -> None:
    with pytest.raises(Denied):
        collect(FakeTools(identity=FakeIdentity(failure=Denied("these credentials are of 999999999999"))))
