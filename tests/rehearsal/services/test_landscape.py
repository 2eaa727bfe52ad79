"""The releases that a landscape starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.rehearsal.services.landscape import EarlierReleases, choose_releases
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from kaizen_tasks.wiring import Toolbox

EMPTY = b"# Changelog\n\n## [Unreleased]\n"


@pytest.mark.parametrize(
    ("version", "tags", "chosen"),
    [
        ("1.2.3", ["v1.2.2", "v1.2.3", "v1.1.9"], ("1.2.2", "1.2.3")),
        ("1.2.4", ["v1.2.3", "v1.0.0"], ("1.0.0", "1.2.3")),
        ("1.2.3", ["v1.2.3"], ("1.2.2", "1.2.3")),
        ("0.1.7", [], ("0.1.5", "0.1.6")),
        ("1.0.0", [], ("0.0.0-rc.9", "0.0.0")),
        ("0.1.0", [], ("0.0.0-rc.9", "0.0.0")),
        ("0.0.1", [], ("0.0.0-rc.9", "0.0.0")),
        ("0.0.0", [], ("0.0.0-rc.8", "0.0.0-rc.9")),
    ],
)
def test_the_last_two_releases_are_chosen_or_made_up(version: str, tags: list[str], chosen: tuple[str, str]) -> None:
    tools = FakeTools()
    tools.scm.commit({"VERSION": f"{version}\n".encode(), "CHANGELOG.md": EMPTY})
    for tag in tags:
        tools.scm.create_tag(tag, tools.scm.head().commit, "Release")

    previous, newest = choose_releases(cast("Toolbox", tools))

    assert (str(previous), str(newest)) == chosen


def test_what_runs_where_is_described() -> None:
    earlier = EarlierReleases(
        previous=parse_version("v1.2.2"), newest=parse_version("v1.2.3"), newest_in=("staging", "prod")
    )

    assert earlier.describe(["staging", "prod", "mark"]) == "v1.2.2 runs in mark; v1.2.3 runs in staging, prod"
