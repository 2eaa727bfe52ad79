"""What a command line may become, for the shells' completion."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaizen_tasks.cli import params
from kaizen_tasks.cli.entry_point import completion
from kaizen_tasks.cli.entry_point.completion import complete
from kaizen_tasks.cli.handlers import changelog
from kaizen_tasks.cli.namespace import build_namespace
from kaizen_tasks.config import checks, load
from kaizen_tasks.domain import version

CONFIG = load.ConfigFile(
    Path("/app"),
    "kaizen.toml",
    {
        "app": "web",
        "pipeline": ["staging", "prod", "beta"],
        "environments": {name: {} for name in ("staging", "prod", "mark", "dom")},
        "groups": {"beta": ["mark", "dom"]},
        "changelog": {"types": {"Docs": "Docs"}},
    },
)


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "find_config_file", lambda: CONFIG)


def completed(line: str) -> tuple[str, ...]:
    return complete(line, build_namespace(CONFIG), ("--list", "--dry", "-l"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("inv promote-", ("promote-prod", "promote-beta")),
        ("kaizen changelog.a", ("changelog.add",)),
        ("inv promote --env ", ("staging", "prod", "mark", "dom", "beta")),
        ("inv promote -e be", ("beta",)),
        ("inv promote --env=be", ("--env=beta",)),
        ("inv promote --env = be", ("beta",)),
        ("inv promote --env =", ("staging", "prod", "mark", "dom", "beta")),
        ("inv promote --env staging --env p", ("prod",)),
        ("inv bump --part ", ("auto", "patch", "feature", "major", "rc")),
        ("inv bump --part patch build push --env st", ("staging",)),
        ("inv rehearse --flow pro", ("promote-prod", "promote-beta")),
        ("inv build --engine ", ()),
        ("inv local.up --engine pro", ("process",)),
        ("inv rehearse --engine b", ("buildah", "bundle")),
        ("inv changelog.add --type d", ("deprecated",)),
        ("inv changelog.add --type D", ("Docs",)),
        ("inv runtime.diff --against m", ("mark",)),
        ("inv changelog.show --format h", ("html",)),
        ("inv status --js", ("--json",)),
        ("inv --l", ("--list",)),
        ("inv -", ("--list", "--dry")),
        ("inv nonsense x", ()),
    ],
)
def test_the_last_word_becomes_what_fits(line: str, expected: tuple[str, ...]) -> None:
    assert completed(line) == expected


def test_behind_a_task_there_are_its_flags() -> None:
    assert {"--env", "--release", "--yes"} <= set(completed("inv rollback "))
    assert all(choice.startswith("--") for choice in completed("inv rollback "))


def test_a_flag_without_a_value_is_not_waited_for() -> None:
    assert "status" in completed("inv status --json st")


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_shell_has_a_script_for_both_programs(shell: str) -> None:
    assert "--complete -- " in completion.completion_script(shell)
    assert "kaizen inv" in completion.completion_script(shell)


def test_what_is_offered_is_accepted() -> None:
    for part in completion.VALUES["part"]():
        version.parse_part(part)
    for engine in completion.VALUES["engine"]():
        assert not checks.engine(engine)
    for platform in completion.VALUES["platform"]():
        params.parse_platform(platform)
    for engine in completion.TASK_VALUES["local.up", "engine"]():
        params.parse_service_engine(engine)
    assert tuple(completion.TASK_VALUES["changelog.show", "format"]()) == changelog.FORMATS
