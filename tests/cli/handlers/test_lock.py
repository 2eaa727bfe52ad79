"""`lock.*` and `hold.*` as they are typed, on the local cloud."""

from __future__ import annotations

import json
import secrets
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from attrs import evolve, frozen

from kaizen_tasks import program, wiring
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.cli.command import DRY_RUN_END
from tests.contracts.locks import by_hand, wanted
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.local_cloud import Cloud

CONFIGURATION = """\
app = "{app}"
pipeline = ["staging", "beta"]
aws.region = "eu-west-1"

[environments]
staging = {{}}
mark = {{}}
dom = {{}}

[groups]
beta = ["mark", "dom"]
"""


@frozen(kw_only=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What people read after the heading."""
        return self.out.splitlines()[1:]


class App:
    """An app in whose folder commands are typed."""

    def __init__(self, name: str) -> None:
        aws = Aws(region="eu-west-1", profile="", account="")
        DynamoLedger(aws, app=name, clock=FakeClock()).create()
        self.locks = DynamoLocks(aws, app=name, environ={})

    def type(self, *words: str) -> Said:
        """Type a command."""
        kaizen = program.KaizenProgram(program.namespace())
        out, err, code = StringIO(), StringIO(), 0
        defaults = wiring.toolbox.__kwdefaults__ or {}
        typed = patch.object(sys, "argv", ["kaizen", *words])
        with typed, redirect_stdout(out), redirect_stderr(err), patch.dict(defaults, stream=out):
            try:
                kaizen.run(["kaizen", *words])
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

    def shown(self, environment: str) -> Any:
        """Return what `lock.show --json` says of an environment."""
        return json.loads(self.type("lock.show", "--json").out)["environments"][environment]


@pytest.fixture
def app(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COLUMNS", raising=False)  # which the workers of pytest-xdist have
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as Invoke does before it loads `tasks.py`
    name = f"coach-{secrets.token_hex(4)}"
    (tmp_path / "kaizen.toml").write_text(CONFIGURATION.format(app=name))
    return App(name)


def now() -> datetime:
    return datetime.now(UTC)


class TestShow:
    def test_says_what_is_free(self, app: App) -> None:
        assert [line.split() for line in app.type("lock.show").out.splitlines()] == [
            ["staging", "free"],
            ["mark", "free"],
            ["dom", "free"],
        ]

    def test_says_who_and_why(self, app: App) -> None:
        lock = app.locks.acquire(wanted("a1", "mark", at=now()))
        app.type("hold.add", "--env", "mark", "--reason", "a hotfix")

        (line,) = app.type("lock.show", "--env", "mark").out.splitlines()

        assert str(lock) in line
        assert line.endswith(": a hotfix")

    def test_says_that_a_run_has_died(self, app: App) -> None:
        app.locks.acquire(wanted("a1", at=now() - timedelta(hours=1)))

        assert "that run has died" in app.type("lock.show", "--env", "staging").out
        assert app.shown("staging")["lock"]["expired"]

    def test_gives_programs_everything_but_the_token(self, app: App) -> None:
        lock = app.locks.acquire(wanted("5ec2e7", at=now()))

        said = app.type("lock.show", "--json")

        assert "5ec2e7" not in said.out.replace(lock.actor, "")
        assert json.loads(said.out)["environments"]["staging"] == {
            "lock": {
                "actor": lock.actor,
                "run": None,
                "command": "promote-prod",
                "reason": lock.reason,
                "since": lock.since.isoformat(),
                "expires": lock.expires.isoformat() if lock.expires else None,
                "expired": False,
                "manual": False,
                "fence": 1,
            },
            "hold": None,
        }

    def test_knows_what_was_locked_by_hand(self, app: App) -> None:
        app.locks.acquire(by_hand())

        lock = app.shown("staging")["lock"]

        assert (lock["manual"], lock["expires"], lock["command"], lock["reason"]) == (True, None, None, None)


class TestRelease:
    def test_needs_force(self, app: App) -> None:
        lock = app.locks.acquire(wanted(at=now()))

        said = app.type("lock.release", "--env", "staging")

        assert said.code == 3
        assert said.err.splitlines() == [
            f"error: staging is {lock}",
            "nothing has been changed",
            "if no run is active there: kaizen lock.release --env staging --force",
        ]
        assert app.locks.get("staging") == lock

    def test_says_what_it_removed(self, app: App) -> None:
        lock = app.locks.acquire(wanted(at=now()))

        said = app.type("lock.release", "--env", "staging", "--force")

        assert (said.code, said.lines) == (0, [f"removed the lock: staging was {lock}"])
        assert app.locks.get("staging") is None

    def test_is_already_done_where_nobody_is(self, app: App) -> None:
        said = app.type("lock.release", "--env", "staging")

        assert (said.code, said.lines) == (0, ["already done: staging is not locked"])

    def test_changes_nothing_in_a_dry_run(self, app: App) -> None:
        lock = app.locks.acquire(wanted(at=now()))

        said = app.type("--dry", "lock.release", "--env", "staging", "--force")

        assert (said.code, said.lines) == (0, [f"would remove the lock: staging was {lock}", DRY_RUN_END])
        assert app.locks.get("staging") == lock

    def test_needs_an_environment(self, app: App) -> None:
        assert app.type("lock.release", "--force").code == 2


class TestHold:
    def test_is_added_to_every_environment_of_a_group(self, app: App) -> None:
        said = app.type("hold.add", "--env", "beta", "--reason", "  until\nMonday ", "--until", "7d")

        assert said.code == 0
        assert [line.split(" is held by ")[0] for line in said.lines] == ["mark", "dom"]
        hold = app.shown("dom")["hold"]
        assert hold["reason"] == "until Monday"
        assert datetime.fromisoformat(hold["until"]) - datetime.fromisoformat(hold["since"]) == timedelta(days=7)
        assert app.shown("staging")["hold"] is None

    def test_is_already_done_for_the_same_reason(self, app: App) -> None:
        app.type("hold.add", "--env", "mark", "--reason", "a hotfix")
        before = app.shown("mark")

        said = app.type("hold.add", "--env", "mark", "--reason", "a hotfix", "--until", "7d")

        assert said.code == 0
        assert said.lines[0].startswith("already done: mark is held by")
        assert app.shown("mark") == before

    def test_is_refused_for_another_reason(self, app: App) -> None:
        app.type("hold.add", "--env", "dom", "--reason", "a hotfix")

        said = app.type("hold.add", "--env", "beta", "--reason", "holidays")

        what, state, hint = said.err.splitlines()
        assert said.code == 3
        assert what.startswith("error: dom is already held by")
        assert what.endswith(": a hotfix")
        assert (state, hint) == ("nothing has been changed", "to replace it: inv hold.remove --env dom")
        assert app.shown("mark")["hold"] is None

    @pytest.mark.parametrize(
        "words",
        [("--reason", "  "), (), ("--reason", "a hotfix", "--until", "soon")],
        ids=["blank reason", "no reason", "no length"],
    )
    def test_is_refused_when_it_says_too_little(self, app: App, words: tuple[str, ...]) -> None:
        assert app.type("hold.add", "--env", "mark", *words).code == 2
        assert app.shown("mark")["hold"] is None

    def test_is_removed_and_named(self, app: App) -> None:
        app.type("hold.add", "--env", "mark", "--reason", "a hotfix")

        said = app.type("hold.remove", "--env", "mark")

        assert said.code == 0
        assert said.lines[0].startswith("removed the hold: mark was held by")
        assert app.shown("mark")["hold"] is None

    def test_is_already_removed(self, app: App) -> None:
        said = app.type("hold.remove", "--env", "mark")

        assert (said.code, said.lines) == (0, ["already done: mark is not held"])

    def test_stays_as_it_is_in_a_dry_run(self, app: App) -> None:
        said = app.type("--dry", "hold.add", "--env", "mark", "--reason", "a hotfix")
        assert said.lines[0].startswith("would add: mark is held by")
        assert app.shown("mark")["hold"] is None

        app.type("hold.add", "--env", "mark", "--reason", "a hotfix")
        said = app.type("--dry", "hold.remove", "--env", "mark")
        assert said.lines[0].startswith("would remove the hold: mark was held by")
        assert app.shown("mark")["hold"] is not None


def test_says_the_account_before_it_changes_anything(app: App) -> None:
    said = app.type("hold.add", "--env", "beta", "--reason", "a hotfix")

    assert ": hold mark, dom   (account 123456789012, eu-west-1)" in said.out.splitlines()[0]


def test_lets_a_live_run_keep_a_lock_that_has_changed_hands(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = app.locks.acquire(wanted(at=now()))
    monkeypatch.setattr(DynamoLocks, "get_many", lambda *_: {"staging": evolve(lock, token="gone")})

    said = app.type("lock.release", "--env", "staging", "--force")

    monkeypatch.undo()
    assert said.code == 3
    assert app.locks.get("staging") == lock
