"""The commands that document each task: run in the example app after a demo, and in a small library."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from docs.generating.example_tasks import ROOT


class Purpose(Enum):
    """What a command is run for."""

    SETUP = "a preparation"
    EXAMPLE = "an example"
    DOCUMENT = "its --json"
    ERROR = "a typical error"


@frozen
class ExampleCommand:
    """One command to run.

    Attributes:
        line: as it is typed.
        purpose: what it is run for.
        task: the task that it documents; empty for a preparation.
    """

    line: str
    purpose: Purpose = Purpose.SETUP
    task: str = ""


def _example(task: str, line: str) -> ExampleCommand:
    return ExampleCommand(line, Purpose.EXAMPLE, task)


def _document(task: str, line: str) -> ExampleCommand:
    return ExampleCommand(line, Purpose.DOCUMENT, task)


def _error(task: str, line: str) -> ExampleCommand:
    return ExampleCommand(line, Purpose.ERROR, task)


DEMO_COMMAND = "inv demo --engine bundle --json"
"""Run with `--keep`, so that the other examples can follow in its workspace."""

DEMO_TASKS = ("local.up", "release-staging", "promote-prod", "promote-beta")
"""Tasks that the demo runs itself: what they print there is their example."""

RECEIVER = f"python {ROOT / 'docs/generating/receiver.py'} > /dev/null 2>&1 & sleep 1"
"""A receiver of two messages."""

APP_EXAMPLES = (
    _error("demo", "inv demo --keep ."),
    _example("logs", "inv logs --env staging --since 1h | head -2"),
    _document("logs", "inv logs --env staging --since 1h --json | head -1"),
    _error("logs", "inv logs --env staging --since yesterday"),
    ExampleCommand("""sed -i 's/^.defaults.*/[defaults]\\ntask = "commands"\\nsubnets = ["subnet-1"]/' kaizen.toml"""),
    _example("run", "inv --dry run --env staging -- python -V"),
    ExampleCommand("git checkout --quiet kaizen.toml"),
    _error("run", "inv run --env staging python -V"),
    _example("command.resolve", "inv --help command.resolve"),
    _error("command.resolve", "inv command.resolve --env staging --name migrate --outcome failed --reason unsure"),
    _example("status", "inv status"),
    _document("status", "inv status --json"),
    _error("status", "INVOKE_AWS_ACCOUNT=210987654321 inv status"),
    _example("history", "inv history --env mark"),
    _document("history", "inv history --env mark --limit 2 --json"),
    _error("history", "inv history --env marc"),
    _example("metrics", "inv metrics"),
    _document("metrics", "inv metrics --env prod --json"),
    _error("metrics", "inv metrics --since last-month"),
    _example("dashboard", "inv dashboard --out ../dashboard.html"),
    _document("dashboard", "inv dashboard --since 2026-01-01 --json"),
    _error("dashboard", "inv dashboard --out README.md"),
    _example("migrate", "inv migrate --env dom --to ecs-express --terraform ../dom.tf"),
    _error("migrate", "inv migrate --env dom --to ecs-expres"),
    _error("setup", "INVOKE_AWS_ACCOUNT=210987654321 inv setup"),
    _example("setup", "inv setup --yes"),
    _example("doctor", "inv doctor"),
    _document("doctor", "inv doctor --json"),
    _error("doctor", "INVOKE_ENVIRONMENTS_PROD_REPOSITORY=coach inv doctor"),
    ExampleCommand(RECEIVER),
    ExampleCommand("""printf '\\n[[notify]]\\nname = "team"\\nwebhook = "http://127.0.0.1:8079/"\\n' >> kaizen.toml"""),
    _example("notify.test", "inv notify.test"),
    _document("notify.test", "inv notify.test --json"),
    _error("notify.test", "inv notify.test --name taem"),
    ExampleCommand("git checkout --quiet kaizen.toml"),
    _example("rehearse", "inv rehearse --flow release-staging --engine bundle"),
    _document("rehearse", "inv rehearse --flow release-staging --engine bundle --json"),
    _error("rehearse", "inv rehearse --flow relase-staging --engine bundle"),
    _example("runtime.show", "inv runtime.show --env staging"),
    _document("runtime.show", "inv runtime.show --env staging --json"),
    _error("runtime.show", "inv runtime.show --env stagging"),
    _example("runtime.set", "inv runtime.set --env staging --set AI_TEMPERATURE=0.4"),
    _error("runtime.set", "inv runtime.set --env staging --set CALENDAR_TOKEN=1234"),
    _example("runtime.diff", "inv runtime.diff --env staging --against prod"),
    _document("runtime.diff", "inv runtime.diff --env staging --against prod --json"),
    _error("runtime.diff", "inv runtime.diff --env staging"),
    _example("runtime.deploy", "inv runtime.deploy --env staging"),
    _error("runtime.deploy", "inv runtime.deploy --env prod"),
    _example("runtime.rollback", "inv runtime.rollback --env staging --reason 'Too lively.'"),
    _error("runtime.rollback", "inv runtime.rollback --env mark"),
    _example("local.status", "inv local.status --state ../cloud"),
    _document("local.status", "inv local.status --state ../cloud --json"),
    _document("local.up", "inv local.up --state ../cloud --json"),
    _error("local.up", "INVOKE_AWS_ACCOUNT=1234 inv local.up"),
    _error("local.status", "inv local.status --all --state ../cloud"),
    _error("local.down", "inv local.down --all --state ../cloud"),
    _error("promote-prod", "inv promote-prod"),
    _error("promote-beta", "inv promote-beta --release v0.1.7"),
    _error("promote", "inv promote --env staging"),
    _error("deploy", "inv deploy --env staging --release v0.3.0"),
    _error("verify", "INVOKE_VERIFY_TIMEOUT=1s inv verify --env staging --release v0.1.7"),
    ExampleCommand("git switch --quiet --create try"),
    ExampleCommand("git mv README.md READ.md"),
    _error("release-staging", "inv release-staging"),
    ExampleCommand("git reset --quiet --hard"),
    ExampleCommand("git switch --quiet main"),
    _error("changelog.add", "inv changelog.add --type fix --text 'The pace is in minutes per kilometre again.'"),
    _example("changelog.add", "inv changelog.add --type fixed --text 'The pace is in minutes per kilometre again.'"),
    ExampleCommand("git commit --quiet --all --message 'Fix the pace'"),
    _example("bump", "inv bump"),
    _error("commit", "inv commit"),
    _error("build", "inv build"),
    _error("push", "inv push --env staging"),
    _error("tag", "inv tag"),
    _example("changelog.release", "inv changelog.release"),
    _example("commit", "inv commit"),
    _example("build", "inv build"),
    _example("push", "inv push --env staging"),
    _example("deploy", "inv deploy --env staging"),
    _example("verify", "inv verify --env staging"),
    _example("tag", "inv tag"),
    ExampleCommand("inv promote --env prod --yes"),
    _example("promote", "inv promote --env mark"),
    _document("rollback", "inv rollback --env mark --list --json"),
    _error("rollback", "inv rollback --env dom"),
    _example("rollback", "inv rollback --env mark --reason 'Paces are wrong.'"),
    _example("lock.show", "inv lock.show"),
    _document("lock.show", "inv lock.show --env mark --json"),
    _error("lock.show", "inv lock.show --env marc"),
    _example("lock.release", "inv lock.release --env mark"),
    _error("lock.release", "inv lock.release"),
    _error("hold.add", "inv hold.add --env mark --reason 'Race day.'"),
    _example("hold.remove", "inv hold.remove --env mark"),
    _example("hold.add", "inv hold.add --env mark --reason 'Race day.'"),
    _error("hold.remove", "inv hold.remove"),
    _error("hotfix", "inv hotfix --env shane --reason 'Rounding of paces.'"),
    ExampleCommand("git switch --quiet --create hotfix/rounding"),
    ExampleCommand("inv changelog.add --type fixed --text 'Paces are rounded.'"),
    ExampleCommand("git commit --quiet --all --message 'Round paces'"),
    _example("hotfix", "inv hotfix --env shane --reason 'Rounding of paces.'"),
    _error("release.abandon", "inv release.abandon --release v0.2.0 --yes"),
    ExampleCommand("git switch --quiet main"),
    ExampleCommand("git push --quiet origin HEAD:refs/kaizen/release/v9.9.9"),
    _example("release.abandon", "inv release.abandon --release v9.9.9 --reason 'It was a test.' --yes"),
    _example("local.down", "inv local.down --state ../cloud"),
)

LIBRARY_EXAMPLES = (
    ExampleCommand("git init --quiet --initial-branch=main ../shop"),
    ExampleCommand("cp Dockerfile ../shop/Dockerfile"),
    _error("init", "inv init --ci jenkins"),
    _example("init", "env --chdir ../shop kaizen init --yes"),
    ExampleCommand("inv changelog.add --type fixed --text 'A pace below zero is an error.'"),
    ExampleCommand("sed -i.bak s/Fixed/Fixd/ CHANGELOG.md"),
    _document("changelog.check", "inv changelog.check --json"),
    _error("changelog.check", "inv changelog.check"),
    _example("changelog.check", "inv changelog.check --fix"),
    ExampleCommand("git restore CHANGELOG.md"),
    ExampleCommand("inv bump --to 2.0.0"),
    _error("changelog.release", "inv changelog.release"),
    ExampleCommand("git restore VERSION"),
    ExampleCommand("inv changelog.add --type added --text '`kmh()` converts a pace into a speed.'"),
    ExampleCommand("git commit --quiet --all --message 'Add kmh'"),
    _example("next-release", "inv next-release"),
    _example("config.schema", "inv config.schema > ../kaizen.schema.json"),
    _error("config.schema", "inv config.schema --out kaizen.schema.json"),
    ExampleCommand("rm VERSION"),
    _error("next-release", "inv next-release"),
    ExampleCommand("git restore VERSION"),
    _error("bump", "inv bump --part patch"),
    _example("changelog.show", "inv changelog.show --unreleased"),
    ExampleCommand("git switch --quiet --create try"),
    _error("cut", "inv cut"),
    ExampleCommand("git switch --quiet main"),
    _error("propose", "inv propose"),
    ExampleCommand("git push --quiet origin main"),
    _example("propose", "inv propose"),
    _error("announce", "inv announce --release v9.9.9"),
    _example("cut", "inv cut --push"),
    _example("announce", "inv announce"),
    _example("changelog.show", "inv changelog.show"),
    _document("changelog.show", "inv changelog.show --format json"),
    _error("changelog.show", "inv changelog.show --release v1.1.0"),
)

LIBRARY_FILES = {
    "tasks.py": 'from kaizen_tasks import namespace\n\n__all__ = ["namespace"]\n',
    "kaizen.toml": 'app = "pace"\n',
    "VERSION": "1.2.0\n",
    "CHANGELOG.md": """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-01-12

### Fixed

- A pace of zero no longer divides by it.
""",
    ".gitignore": "*.bak\n__pycache__/\n",
    "Dockerfile": "FROM python:3.12-slim\nCOPY . .\nARG VERSION=dev\nENV APP_VERSION=$VERSION\n",
}

LIBRARY_SETUP = (
    ExampleCommand("git init --quiet --bare --initial-branch=main ../pace.git"),
    ExampleCommand("git init --quiet --initial-branch=main"),
    ExampleCommand("git config user.name Sam"),
    ExampleCommand("git config user.email sam@pace.example"),
    ExampleCommand("git remote add origin ../pace.git"),
    ExampleCommand("git add --all"),
    ExampleCommand("git commit --quiet --message 'A library that converts paces'"),
    ExampleCommand("git tag --annotate --message v1.2.0 v1.2.0"),
    ExampleCommand("git push --quiet --set-upstream origin main v1.2.0"),
)
"""Creates the library's repository and its first release."""
