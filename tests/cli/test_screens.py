"""What stands on a terminal of 80 by 24 and of 120 by 40, compared with approved screens.

The real handlers and views run in this process, on the fakes of the ports; `tests/e2e/test_output.py` runs programs.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console.doctor_report import print_findings
from kaizen_tasks.adapters.console.init_diff import print_changes
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.cli import commands
from kaizen_tasks.cli.error_text import error_text
from kaizen_tasks.domain.decision import Act
from kaizen_tasks.domain.doctor import Subject
from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.init.file_change import FileChange
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import ConfigurationError, DeployFailed, KaizenError, Refused
from kaizen_tasks.flows.ledger import entries
from tests.contracts.locks import wanted
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_claims import note
from tests.flows.release.test_release import release
from tests.support.screen import Screen, require_approved

if TYPE_CHECKING:
    from kaizen_tasks.adapters.console.reporter import EventReporter


@pytest.fixture(params=[(80, 24), (120, 40)], ids=lambda size: "x".join(map(str, size)))
def screen(request: pytest.FixtureRequest) -> Screen:
    """A terminal."""
    return Screen(*request.param)


class Team:
    """A team at a terminal.

    Args:
        screen: the terminal.
        monkeypatch: makes every command use the team's tools.
    """

    def __init__(self, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
        self.screen = screen
        self.tools = FakeTools(settings=settings(rollout={"parallel": 1}))
        monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: self.tools)
        monkeypatch.setattr(sys, "argv", ["inv"])

    def run(self, task: Any, *, dry: bool = False, **flags: object) -> int:
        """Run a task on the terminal, and return its exit code."""
        self.tools.next_command()
        self.tools.dry = dry
        names = self.tools.settings.environments
        with self.screen.as_output():
            self.tools.reporter = create_reporter(self.screen, dry=dry, clock=self.tools.clock, environments=names)  # type: ignore[assignment]
            try:
                task.body(Context(Config(overrides={"run": {"dry": dry}})), **flags)
            except Exit as end:
                self.screen.write(f"{end.message}\n")
                return end.code
        return 0


@pytest.fixture
def team(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A team that has released nothing yet."""
    return Team(screen, monkeypatch)


@pytest.fixture
def released(team: Team) -> Team:
    """The team after its first release to staging."""
    release(team.tools)
    return team


RELEASE = commands.release_task("staging")
PROD = commands.promote_task("prod")
BETA = commands.promote_task("beta")


def test_release(team: Team) -> None:
    assert team.run(RELEASE) == 0
    require_approved(team.screen, "release")


def test_release_that_is_run_again(released: Team) -> None:
    assert released.run(RELEASE) == 0
    require_approved(released.screen, "release-again")


def test_dry_promotion(released: Team) -> None:
    assert released.run(PROD, dry=True) == 0
    require_approved(released.screen, "promotion-dry")


def test_promotion_to_a_group(released: Team) -> None:
    released.run(PROD, yes=True)
    released.screen.clear()

    assert released.run(BETA) == 0
    require_approved(released.screen, "promotion-beta")


def test_promotion_that_fails_in_one_environment(released: Team) -> None:
    released.run(PROD, yes=True)
    released.screen.clear()
    released.tools.platform.outcomes["shane-web-service"] = OperationState.FAILED

    assert released.run(BETA) == 9
    require_approved(released.screen, "promotion-failure")


def test_promotion_to_more_environments_than_a_person_follows(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a line, a failure all that is known of it, and the table what failed."""
    team, tenants = Team(screen, monkeypatch), [f"tenant{number:02}" for number in range(1, 13)]
    environments: dict[str, object] = {name: {} for name in ("staging", "prod", *tenants)}
    rollout = {"parallel": 1, "max_failures": 3}
    team.tools = FakeTools(settings=settings(environments=environments, groups={"beta": tenants}, rollout=rollout))
    release(team.tools)
    team.run(PROD, yes=True)
    screen.clear()
    for name in ("tenant03", "tenant07"):
        team.tools.platform.outcomes[f"{name}-web-service"] = OperationState.ROLLED_BACK

    assert team.run(BETA) == 9
    require_approved(screen, "promotion-large")


def test_rollback(released: Team) -> None:
    note(released.tools, "A typo")
    released.run(RELEASE)
    released.screen.clear()

    assert released.run(commands.rollback, env=["staging"], reason="runners see an empty week") == 0
    require_approved(released.screen, "rollback")


def test_hotfix(released: Team) -> None:
    released.run(PROD, yes=True)
    released.run(BETA)
    released.tools.scm.switch("hotfix/pace", start="v0.2.0")
    note(released.tools, "The pace is in minutes per kilometre again")
    released.screen.clear()

    assert released.run(commands.hotfix, env="mark", reason="wrong pace") == 0
    require_approved(released.screen, "hotfix")


def test_new_configuration(released: Team) -> None:
    change = commands.runtime.tasks["set"]

    assert released.run(change, env=["staging"], set=["AI_TEMPERATURE=0.4"]) == 0
    assert released.run(change, env=["staging"], set=["AI_TEMPERATURE=0.5"], no_deploy=True) == 0
    require_approved(released.screen, "runtime-set")


def test_single_steps(released: Team) -> None:
    assert released.run(commands.deploy, release="0.2.0", env=["staging"]) == 0
    assert released.run(commands.verify, release="0.2.0", env=["staging"]) == 0
    require_approved(released.screen, "steps")


def test_interrupted_deployment(released: Team) -> None:
    with released.screen.as_output():
        begin_deployment(released).interrupted(StepLabel("deploy", "prod"), 15)

    require_approved(released.screen, "interrupted")


def test_wait_for_a_deployment(released: Team) -> None:
    with released.screen.as_output():
        reporter = begin_deployment(released)
        released.tools.clock.advance(15)
        reporter.view._live.refresh()  # type: ignore[attr-defined]
        try:
            require_approved(released.screen, "wait")
        finally:
            reporter.failed(StepLabel("deploy", "prod"), 15)


def begin_deployment(team: Team) -> EventReporter:
    """Show a deployment that usually takes 26 seconds, and return the reporter."""
    reporter = create_reporter(team.screen, dry=False, clock=team.tools.clock)
    label = StepLabel("deploy", "prod")
    reporter.heading("web: promote v0.2.0 to prod   (account 123456789012, eu-west-1)")
    reporter.decided(label, Act("point prod-web-app:latest to v0.2.0, deploy prod-web-service", release(team.tools)))
    reporter.progress(label, "prod-web-service is deploying v0.2.0", typical_seconds=26)
    return reporter


@pytest.fixture
def landscape(released: Team) -> Team:
    """The team with a lock, a hold, a rollout at work, a failure and environments to which nothing was released."""
    tools = released.tools
    released.run(PROD, yes=True)
    of_prod = entries.release_from_entry(tools.ledger.entries("prod")[0])
    image = tools.registry.find_image("prod-web-app", "latest")
    assert image is not None
    for environment in (tools.settings.environments[name] for name in ("mark", "shane")):
        tools.registry.put(environment.repository, environment.follow, image)
        entries.append(Event.STARTED, environment, of_prod, tools)
    since = tools.clock.now()
    tools.locks.acquire(evolve(wanted(environment="mark", at=since), expires=since + timedelta(minutes=2)))
    tools.holds.add(Hold(environment="shane", reason="race day, leave it alone", actor="ada@laptop", since=since))
    tools.prober.answers["https://prod.example/version"] = ProbeResponse(status=502)
    tools.clock.advance(90)
    released.screen.clear()
    return released


def test_status(landscape: Team) -> None:
    assert landscape.run(commands.status) == 0
    require_approved(landscape.screen, "status")


def test_status_check(landscape: Team) -> None:
    assert landscape.run(commands.status, check=True) == 9
    require_approved(landscape.screen, "status-check")


def test_history(landscape: Team) -> None:
    assert landscape.run(commands.history) == 0
    require_approved(landscape.screen, "history")


def test_history_of_failures(released: Team) -> None:
    """Each reason is below its row, whole words and all."""
    environment = released.tools.settings.environments["staging"]
    reason = "staging-web-service answers v0.0.1, expected v0.2.0; after 6.0s, see https://staging.example/version"
    of_staging = entries.release_from_entry(released.tools.ledger.entries("staging")[0])
    for event in (Event.STARTED, Event.FAILED):
        entries.append(event, environment, of_staging, released.tools, reason=reason if event is Event.FAILED else "")
    released.screen.clear()

    assert released.run(commands.history, env=["staging"]) == 0
    require_approved(released.screen, "history-failure")


def test_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that matter least are left out; no word is cut, and no command is broken."""
    team = Team(Screen(60, 30), monkeypatch)
    release(team.tools)
    for task in (commands.status, commands.history, commands.lock.tasks["show"]):
        assert team.run(task) == 0
    with team.screen.as_output():
        print_findings(
            [
                Subject("version argument").warning(
                    "Dockerfile has no ARG VERSION", "add it: git add Dockerfile && inv doctor"
                )
            ]
        )
        team.tools.reporter.note("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL  # still points at it")
    require_approved(team.screen, "narrow")


@pytest.mark.parametrize("columns", [40, 60])
def test_release_and_its_history_on_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit as a table is a list; no line is broken by the terminal."""
    team = Team(Screen(columns, 40), monkeypatch)
    release(team.tools)
    team.tools.platform.outcomes["prod-web-service"] = OperationState.FAILED
    team.run(PROD, yes=True)
    team.screen.clear()
    assert team.run(commands.status, since="1h") == 0
    assert team.run(commands.status, release="v0.2.0") == 0
    assert team.run(commands.history, release="v0.2.0") == 0
    require_approved(team.screen, "narrow-release")


def test_locks_and_holds(landscape: Team) -> None:
    landscape.run(commands.lock.tasks["show"])
    require_approved(landscape.screen, "lock-show")


def test_runtime_configuration(released: Team) -> None:
    released.run(commands.runtime.tasks["show"])
    released.run(commands.runtime.tasks["diff"], env="staging", against="prod")
    require_approved(released.screen, "runtime")


def test_rollback_candidates(released: Team) -> None:
    released.run(commands.rollback, env=["staging"], list=True)
    require_approved(released.screen, "rollback-list")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (
            "error",
            Refused(
                "3 files of the working tree are changed, not committed: coach/app.py, coach/templates/week.html, a.md",
                state="nothing has been changed",
                hint="commit or stash them, then run the same command again: inv release-staging --part feature",
            ),
        ),
        (
            "error-configuration",
            ConfigurationError(
                (
                    "kaizen.toml: environments.prod.servce: unknown key; did you mean service?",
                    'kaizen.toml: verify.timeout: 300 should be a duration such as "5m" or "300s", which says its unit',
                ),
                hint="correct every line, then run the same command again",
            ),
        ),
        (
            "error-address",
            DeployFailed(
                "https://console.aws.amazon.com/apprunner/home?region=eu-west-1#/services/my-personal-coach-service/logs",
                state="v0.2.0 is still serving",
            ),
        ),
    ],
)
def test_errors(screen: Screen, name: str, error: KaizenError) -> None:
    with screen.as_output():
        screen.write(f"{error_text(error)}\n")
    require_approved(screen, name)


def test_doctor(screen: Screen) -> None:
    account, repository = Subject("account"), Subject("repository", "prod")
    findings = [
        account.ok("account 123456789012 in eu-west-1, as ada"),
        Subject("engine").warning("docker builds without a cache that is shared with CI", "set build.cache_from"),
        Subject("clock", "prod").ok("the clock is right"),
        Subject("service", "prod").ok("it is RUNNING"),
        repository.problem("there is no image repository my-personal-coach-app", "inv setup --env prod --create"),
    ]
    with screen.as_output():
        print_findings(findings)
    require_approved(screen, "doctor")


def test_difference_that_init_shows(screen: Screen) -> None:
    change = FileChange(path="VERSION", before=None, after=b"0.1.0\n")
    advice = Note(
        text="the Dockerfile has no ARG VERSION: without it the image does not know its version",
        snippet=("ARG VERSION",),
    )
    with screen.as_output():
        print_changes([change], [advice], screen)
    require_approved(screen, "init")
