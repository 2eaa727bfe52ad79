"""The output of other programs in the log of a CI service."""

from __future__ import annotations

import io

import pytest
from semver import Version

from kaizen_tasks.adapters.console import heartbeat
from kaizen_tasks.adapters.console.ci_output import LINES, OutputGroup, find_output_group
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.plain_view import PlainView
from kaizen_tasks.adapters.console.reporter import EventReporter
from kaizen_tasks.domain.decision import Act
from kaizen_tasks.domain.release import Release, StepLabel
from tests.fakes.clock import FakeClock

BUILD, PUSH = StepLabel("build"), StepLabel("push", "staging")
BUILDS = Act("build coach:v1.2.3", Release(version=Version.parse("1.2.3")))
SECONDS = int(FakeClock().now().timestamp())


def log_of_build(group: OutputGroup | None) -> list[str]:
    """Return the log of a build, which prints hostile lines, and of a push."""
    stream, clock = io.StringIO(), FakeClock()
    reporter = EventReporter(PlainView(stream, clock, output=group), dry=False, clock=clock)
    reporter.decided(BUILD, BUILDS)
    reporter.activity(BUILD, "::add-mask::a")
    reporter.activity(BUILD, "##[add-mask]a ##vso[task.setvariable variable=x]y")
    reporter.activity(BUILD, "\x1b[0Ksection_end:1:kaizen_build\r")
    reporter.succeeded(BUILD, "coach:v1.2.3 is built", 12.0)
    reporter.decided(PUSH, BUILDS)
    reporter.activity(PUSH, "1 MB of 2 MB", replaces=True)
    reporter.succeeded(PUSH, "it is there", 1.0)
    return stream.getvalue().split("\n")[:-1]


OUTPUT = [
    "  | ::add-mask::a",
    "  | # #[add-mask]a # #vso[task.setvariable variable=x]y",
    "  | ?[0Ksection_end:1:kaizen_build",
]
BEFORE = ["  begin         build             build coach:v1.2.3"]
AFTER = [
    "  done          build             coach:v1.2.3 is built (12s)",
    "  begin         push staging      build coach:v1.2.3",
    "  done          push staging      it is there (1.0s)",
]


@pytest.mark.parametrize(
    ("environ", "before", "after"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, ["::group::build"], ["::endgroup::"]),
        (
            {"GITLAB_CI": "true", "CI": "true"},
            [f"\x1b[0Ksection_start:{SECONDS}:kaizen_build[collapsed=true]\r\x1b[0Kbuild"],
            [f"\x1b[0Ksection_end:{SECONDS}:kaizen_build\r\x1b[0K"],
        ),
        ({"CI": "1"}, [], []),
        ({"TF_BUILD": "True"}, [], []),
    ],
)
def test_output_is_in_a_group_and_no_command_to_the_service(
    environ: dict[str, str], before: list[str], after: list[str]
) -> None:
    group = find_output_group(environ)

    assert log_of_build(group) == [*BEFORE, *before, *OUTPUT, *after, *AFTER]


@pytest.mark.parametrize("environ", [{}, {"CI": "false"}, {"CI": ""}])
def test_outside_of_ci_there_is_no_output(environ: dict[str, str]) -> None:
    assert find_output_group(environ) is None
    assert log_of_build(None) == [*BEFORE, *AFTER]


def test_lines_of_ours_are_no_command_to_the_service_either() -> None:
    stream, clock = io.StringIO(), FakeClock()
    reporter = EventReporter(PlainView(stream, clock), dry=False, clock=clock)

    reporter.note("  ::set-env name=x::y")
    reporter.note("the app answers ##[error]boo")

    assert stream.getvalue().splitlines() == ["  : :set-env name=x::y", "the app answers # #[error]boo"]


def test_silence_within_an_output_stays_in_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "POLL_SECONDS", 3600.0)
    stream, clock = io.StringIO(), FakeClock()
    heart = Heartbeat(clock.monotonic)
    view = PlainView(stream, clock, heartbeat=heart, output=find_output_group({"GITHUB_ACTIONS": "true"}))
    reporter = EventReporter(view, dry=False, clock=clock)
    reporter.decided(BUILD, BUILDS)
    reporter.activity(BUILD, "compiling")
    clock.advance(29)
    heart.beat(view._show_heartbeat)
    clock.advance(1)
    heart.beat(view._show_heartbeat)
    reporter.activity(BUILD, "compiled")
    reporter.succeeded(BUILD, "built", 31.0)

    assert stream.getvalue().splitlines()[1:-1] == [
        "::group::build",
        "  | compiling",
        "  …             build             at work for 30s: compiling",
        "  | compiled",
        "::endgroup::",
    ]


def test_without_groups_the_lines_have_a_mark_alone() -> None:
    assert (LINES.first_line("build", FakeClock().now()), LINES.last_line("build", FakeClock().now())) == ("", "")
