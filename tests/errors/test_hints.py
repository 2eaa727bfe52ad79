"""Hints are commands that work: a row types every command in a message of the package, or there is a reason why not."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli.namespace import build_namespace
from kaizen_tasks.config import load
from tests.errors.case import pasted_command
from tests.errors.census import HOLE, Template, templates
from tests.errors.conftest import CONFIGURATION
from tests.errors.test_provoked_errors import CASES

if TYPE_CHECKING:
    from pathlib import Path

FORGES = "needs a server with pull requests; typed with a fake one in tests/adapters/forge and tests/flows/steps"
SIGNING = "needs a key, which signs in tests/adapters/git"
ACCOUNT = "needs a sign-in, a permission or a state that only AWS has; read in tests/adapters/aws and tests/flows"
RACES = "needs another run at the same moment, as in tests/crash and tests/flows"
FAILURES = "needs a deployment that fails, as in tests/e2e/test_failures.py and tests/flows"
NO_HINT = "says what comes next or what is inside, and is not part of an error"
OTHER_STATES = "a state of the release that takes several runs to reach, as in tests/e2e/test_failed_steps.py"
COMMANDS = "needs tasks of ECS; in tests/flows/commands and tests/flows/rollback"
MIGRATIONS = "needs services on two platforms, as in tests/flows/migration"
ECS = "needs a service of ECS in such a state, as in tests/contracts, tests/adapters/aws/ecs and tests/flows/doctor"
LOCAL_CLOUD = "needs a local cloud that is damaged, half installed or just gone, as in tests/rehearsal"

UNTYPED = {
    "adapters/aws/apprunner.py": (2, ACCOUNT),
    "adapters/aws/credentials.py": (3, ACCOUNT),
    "adapters/aws/dynamodb/table.py": (1, ACCOUNT),
    "adapters/aws/ecr.py": (1, ACCOUNT),
    "adapters/aws/migration/ecs_target.py": (1, "typed in tests/adapters/aws/migration"),
    "adapters/aws/ecs/cluster.py": (1, ECS),
    "adapters/aws/ecs/express/platform.py": (2, ECS),
    "adapters/aws/ecs/fargate.py": (1, ECS),
    "adapters/aws/ecs/service_deployments.py": (1, ECS),
    "adapters/aws/endpoint.py": (1, "a server that answers, and is not AWS; in tests/adapters/aws/test_session.py"),
    "adapters/page/server.py": (1, "needs a port in use; in tests/e2e/test_demo.py"),
    "adapters/build/container_engine.py": (2, "needs an engine that breaks; in tests/adapters/build"),
    "adapters/forge/api.py": (1, FORGES),
    "adapters/forge/deployment_queue.py": (1, "needs a forge that fails; in tests/adapters/forge"),
    "adapters/git/push.py": (6, "what servers reject; in tests/adapters/git/test_push.py"),
    "adapters/git/repository.py": (1, OTHER_STATES),
    "adapters/git/scm.py": (1, RACES),
    "adapters/notify/apprise_services.py": (1, "needs an installation without the extra; in tests/adapters/notify"),
    "adapters/host/extras.py": (1, "needs an installation without an extra; in tests/adapters/page, tests/rehearsal"),
    "adapters/host/job_page.py": (1, "needs the page of a job of GitHub that is full; in tests/adapters/host"),
    "adapters/network/failures.py": (1, "needs TLS; in tests/e2e/test_proxy.py"),
    "cli/command.py": (1, "an error of the package itself"),
    "cli/handlers/hold.py": (1, RACES),
    "cli/handlers/init.py": (6, NO_HINT),
    "cli/handlers/local/cloud.py": (1, LOCAL_CLOUD),
    "cli/handlers/local/rehearsal_report.py": (1, NO_HINT),
    "cli/handlers/lock.py": (1, RACES),
    "cli/handlers/migrate.py": (1, NO_HINT),
    "cli/handlers/release.py": (1, "the version is the user's to name"),
    "cli/handlers/status.py": (1, "needs drift; in tests/cli/handlers/test_status.py"),
    "cli/handlers/steps.py": (1, OTHER_STATES),
    "domain/changelog/cut.py": (1, OTHER_STATES),
    "domain/changelog/lint/check_versions.py": (2, "a list of problems; in tests/domain/changelog/lint"),
    "domain/changelog/lint/sarif_report.py": (1, NO_HINT),
    "domain/changelog/model.py": (1, OTHER_STATES),
    "domain/init/detect/cloudformation.py": (1, ACCOUNT),
    "domain/init/ci/installation.py": (1, NO_HINT),
    "domain/init/detect/ecs/cdk.py": (1, NO_HINT),
    "domain/init/detect/from_account.py": (1, ACCOUNT),
    "domain/init/detect/manifests.py": (1, NO_HINT),
    "domain/migration/terraform.py": (1, NO_HINT),
    "domain/status.py": (3, "needs drift, or another checkout that has migrated; in tests/domain and tests/flows"),
    "domain/init/notes.py": (3, NO_HINT),
    "domain/git/signing.py": (1, SIGNING),
    "errors.py": (1, FAILURES),
    "flows/abandonment.py": (1, OTHER_STATES),
    "flows/commands/attempt.py": (1, COMMANDS),
    "flows/commands/irreversible.py": (1, COMMANDS),
    "flows/commands/one_off.py": (2, COMMANDS),
    "flows/create_environment.py": (2, ACCOUNT),
    "flows/deploy/failure.py": (1, RACES),
    "flows/deploy/superseded.py": (2, RACES),
    "flows/doctor/account.py": (3, ACCOUNT),
    "flows/doctor/checkout.py": (2, OTHER_STATES),
    "flows/doctor/ecs.py": (3, ECS),
    "flows/doctor/engine.py": (1, ACCOUNT),
    "flows/doctor/environment.py": (1, MIGRATIONS),
    "flows/doctor/preflight.py": (2, "stands below several problems"),
    "flows/init/plan.py": (1, RACES),
    "flows/ledger/verifications.py": (1, FAILURES),
    "flows/locking/guard.py": (1, RACES),
    "flows/views/metrics.py": (3, "what a clone lacks; in tests/flows/test_metrics.py"),
    "flows/migration/configuration.py": (2, MIGRATIONS),
    "flows/migration/plan.py": (2, "an environment without a release or an image; in tests/flows/migration"),
    "flows/migration/retire.py": (2, MIGRATIONS),
    "flows/migration/undo.py": (2, MIGRATIONS),
    "flows/notification/session.py": (4, "the end of a release, after it; in tests/flows/notification/test_session.py"),
    "flows/outcome.py": (1, NO_HINT),
    "flows/promote/lines.py": (1, OTHER_STATES),
    "flows/promote/select.py": (2, OTHER_STATES),
    "flows/promote/shards.py": (1, OTHER_STATES),
    "flows/release/announcement.py": (1, FORGES),
    "flows/release/environment_preconditions.py": (2, OTHER_STATES),
    "flows/release/fragments.py": (2, OTHER_STATES),
    "flows/release/lines.py": (1, OTHER_STATES),
    "flows/release/preconditions.py": (3, OTHER_STATES),
    "flows/release/publish.py": (1, FORGES),
    "flows/release/version_files.py": (1, "needs a filter of git that changes the file"),
    "flows/rollback/manual.py": (2, OTHER_STATES),
    "flows/runtime_config.py": (2, FAILURES),
    "flows/steps/bump.py": (1, OTHER_STATES),
    "flows/steps/claim.py": (1, OTHER_STATES),
    "flows/steps/copy.py": (1, OTHER_STATES),
    "flows/steps/evidence.py": (1, OTHER_STATES),
    "flows/steps/forge.py": (3, FORGES),
    "flows/steps/record.py": (1, NO_HINT),
    "flows/steps/runtime.py": (2, FAILURES),
    "flows/steps/smoke.py": (1, FAILURES),
    "flows/steps/tag.py": (1, OTHER_STATES),
    "flows/steps/verify.py": (1, OTHER_STATES),
    "localcloud/__main__.py": (2, LOCAL_CLOUD),
    "localcloud/moto/dispatch.py": (1, LOCAL_CLOUD),
    "localcloud/router.py": (1, NO_HINT),
    "localcloud/state/folder.py": (2, LOCAL_CLOUD),
    "rehearsal/clone.py": (2, OTHER_STATES),
    "rehearsal/local_cloud/cloud.py": (2, LOCAL_CLOUD),
    "rehearsal/local_cloud/registry.py": (1, LOCAL_CLOUD),
    "rehearsal/demo.py": (2, NO_HINT),
    "rehearsal/example.py": (1, "needs an installation that is damaged"),
    "rehearsal/flow_check.py": (2, "in tests/rehearsal/test_flow_check.py"),
    "rehearsal/start.py": (1, OTHER_STATES),
}
"""How many commands of a module no row types, and why. Write a row rather than raise a number."""


def untyped() -> dict[str, list[Template]]:
    """Return the commands that no row types or names, by module."""
    printed = [text for case in CASES for text in (f"{case.says}: {case.hint}", case.lists, *case.follow)]
    by_module: dict[str, list[Template]] = {}
    for template in templates():
        if not any(map(template.is_in, printed)):
            by_module.setdefault(template.module, []).append(template)
    return by_module


def test_every_command_in_a_message_is_typed_by_a_row_or_has_a_reason() -> None:
    found = untyped()
    unclaimed = {
        module: [template.text.replace(HOLE, "{}") for template in each]
        for module, each in found.items()
        if len(each) > UNTYPED.get(module, (0, ""))[0]
    }

    assert unclaimed == {}, (
        "a message tells users to type a command, and no row of tests/errors/tables types it: add a row that provokes "
        "the error and follows the hint. Where that takes AWS, a server or a race, raise the number in UNTYPED with why"
    )
    assert {module for module in UNTYPED if module not in found} == set(), "all of these are typed: remove them"


def test_commands_in_messages_have_tasks_and_flags_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["inv"])
    (tmp_path / "kaizen.toml").write_text(CONFIGURATION)
    tasks = build_namespace(load.find_config_file())
    flags = {name: {flag.typed for flag in tasks[name].flags} for name in tasks.task_names}
    flags |= {f"release-{HOLE}": flags["release-staging"], f"promote-{HOLE}": flags["promote-prod"]}
    options = {"--dry", "--debug", "--help", "--list"}

    wrong = [
        f"{template.module}: {template.text}"
        for template in templates()
        for words in template.own_lines
        if (known := [flags[word] for word in words if word in flags])
        and {word for word in words if word.startswith("--")} - options.union(*known)
    ]
    unknown_tasks = [
        f"{template.module}: {template.text}"
        for template in templates()
        for words in template.own_lines
        for name in [word for word in words if re.fullmatch(r"[a-z]+\.(?!html)[a-z-]+", word)]
        if name not in flags
    ]

    assert wrong + unknown_tasks == []


def test_no_command_has_an_ellipsis_to_fill_in() -> None:
    """Pasted, it would be noted in the changelog."""
    commands = [pasted_command(template.text) for template in templates()]

    assert [command for command in commands if "…" in command or "'...'" in command] == []


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("inv bump --to 0.2.0", "inv bump --to 0.2.0"),
        ("create it: inv setup", "inv setup"),
        ("git fetch --tags, then run the same command again", "git fetch --tags"),
        ("install it, or name another: git config a B; without: git config c d", "git config c d"),
        ("choose one of auto, docker", ""),
        ("write it as 1.2.3 or v1.2.3", ""),
    ],
)
def test_command_of_a_hint_is_what_a_user_would_paste(hint: str, command: str) -> None:
    assert pasted_command(hint) == command


def test_template_is_in_what_it_prints() -> None:
    template = Template(module="x.py", text=f"look first: inv verify --env {HOLE} --release {HOLE}")

    assert template.is_in("look first: inv verify --env prod --release v1.2.3, then run the same command again")
    assert not template.is_in("look first: inv deploy --env prod --release v1.2.3")
    assert template.own_lines == [["verify", "--env", HOLE, "--release", HOLE]]


def test_census_finds_commands_in_texts_and_not_in_docstrings() -> None:
    found = {(template.module, template.text) for template in templates()}

    assert ("flows/release/files.py", "inv changelog.check --fix") in found
    assert len(found) > 150
    assert [text for module, text in found if module == "cli/__init__.py"] == []
