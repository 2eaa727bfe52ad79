"""The logs of several environments as one: nothing is lost, nothing comes twice."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.log_line import LogLine
from kaizen_tasks.errors import NotFound, Unreachable
from kaizen_tasks.flows.logs import follow_logs, read_logs
from tests.fakes.clock import START
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kaizen_tasks.domain.service import Service


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools()


def printed(tools: FakeTools, environment: str, *lines: tuple[float, str]) -> None:
    """Let an app have printed lines, each some seconds after the start."""
    log = tools.logs.lines.setdefault(f"{environment}-web-service", [])
    for seconds, text in lines:
        at = START + timedelta(seconds=seconds)
        log.append(LogLine(at=at, stream="instance/1", text=text, id=f"{environment}-{len(log)}"))


def read(tools: FakeTools, *names: str) -> list[str]:
    environments = [tools.settings.environments[name] for name in names]
    return [f"{environment.name} {line.text}" for environment, line in read_logs(environments, tools, since=START)]


def follow(tools: FakeTools, count: int, *names: str) -> list[str]:
    """Return the first lines of logs that are followed."""
    environments = [tools.settings.environments[name] for name in names]
    lines = itertools.islice(follow_logs(environments, tools, since=START), count)
    return [f"{environment.name} {line.text}" for environment, line in lines]


def test_lines_of_several_environments_come_in_the_order_of_their_times(tools: FakeTools) -> None:
    printed(tools, "staging", (1, "a"), (3, "c"))
    printed(tools, "prod", (2, "b"), (-1, "before"))

    assert read(tools, "staging", "prod") == ["staging a", "prod b", "staging c"]


def test_followed_logs_go_on_with_new_and_with_late_lines(tools: FakeTools) -> None:
    printed(tools, "staging", (1, "a"), (50, "b"))
    on_sleep(tools, lambda: printed(tools, "staging", (49, "late"), (51, "c")))

    assert follow(tools, 4, "staging") == ["staging a", "staging b", "staging late", "staging c"]


def test_lines_of_a_look_that_failed_half_way_are_neither_lost_nor_doubled(tools: FakeTools) -> None:
    printed(tools, "staging", (1, "a"), (3, "c"), (5, "e"))
    printed(tools, "prod", (2, "b"), (4, "d"), (6, "f"))
    fail_after(tools, 3)

    lines = follow(tools, 6, "staging", "prod")

    assert sorted(lines) == ["prod b", "prod d", "prod f", "staging a", "staging c", "staging e"]
    assert [line for line in tools.reporter.lines if "trying again" in line] == ["no answer; trying again"]


def test_many_environments_are_asked_less_often(tools: FakeTools) -> None:
    names = tuple(tools.settings.environments)
    on_sleep(tools, lambda: printed(tools, "staging", (1, "a")))

    follow(tools, 1, *names * 4)

    assert tools.clock.sleeps[-1] == 5.0


def test_service_that_does_not_exist_is_an_error(tools: FakeTools) -> None:
    del tools.platform.services["prod-web-service"]

    with pytest.raises(NotFound):
        read(tools, "prod")


def test_environment_whose_app_has_printed_nothing_has_an_empty_log(tools: FakeTools) -> None:
    assert read(tools, "staging") == []


def on_sleep(tools: FakeTools, action: object) -> None:
    """Call a function the next time that somebody waits."""
    sleep = tools.clock.sleep

    def sleep_once(seconds: float) -> None:
        tools.clock.sleep = sleep  # type: ignore[method-assign]
        sleep(seconds)
        assert callable(action)
        action()

    tools.clock.sleep = sleep_once  # type: ignore[method-assign]


def fail_after(tools: FakeTools, count: int) -> None:
    """Let the logs of staging fail once, after some lines."""
    read_log = tools.logs.application_log

    def failing_log(service: Service, *, since: datetime) -> Iterator[LogLine]:
        tools.logs.application_log = read_log  # type: ignore[method-assign]
        yield from itertools.islice(read_log(service, since=since), count - 1)
        raise Unreachable("no answer")

    tools.logs.application_log = failing_log  # type: ignore[method-assign]
