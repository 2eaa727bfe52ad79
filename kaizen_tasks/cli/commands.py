"""The tasks as `inv --list` and `inv --help` show them: names, help, flags. What they do is in `handlers`."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection

from kaizen_tasks.cli import flags
from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flags import Flag

bump = command("steps.bump", "Write the next version into VERSION.", flags.PART, flags.TO, flags.FORCE)
cut = command(
    "steps.cut",
    "Release a library: bump, changelog, commit and tag.\n\nAll of it happens, or nothing.",
    flags.PART,
    flags.TO,
    Flag("push", "push branch and tag too", default=False),
    flags.SKIP_DOCS,
    flags.FORCE,
)
commit = command(
    "steps.commit",
    "Make the release commit.\n\nIt is HEAD plus VERSION, the changelog and version files, and nothing else.",
)
build = command("steps.build", "Build the image of the release commit from a clean export.")
push = command("push.push", "Upload the image as :vX.Y.Z; never replace other bytes.", flags.ENV)
tag = command("steps.tag", "Tag the release commit; push tag and branch together.")
propose = command(
    "forge.propose",
    "Keep a pull request with the next version and its notes.",
    flags.PART,
    flags.TO,
    flags.SKIP_DOCS,
    flags.FORCE,
    Flag("discard_edits", "replace the branch even if somebody has edited what was proposed", default=False),
)
announce = command(
    "forge.announce",
    "Publish the notes of a release on GitHub or GitLab.",
    Flag("release", f"{flags.RELEASE_HELP} (default: the last one)", value=flags.RELEASE_VALUE),
)

RELEASE_FLAGS = (flags.PART, flags.TO, flags.YES, flags.SKIP_DOCS, flags.FORCE, flags.WAIT, flags.NO_ROLLBACK)


def release_task(stage: str) -> Any:
    """Make the task that releases to the first stage."""
    text = f"Release to {stage}: build, push, deploy, verify, tag."
    return command("release.release_to_stage", text, *RELEASE_FLAGS, name=f"release-{stage}", bound={"stage": stage})


next_release = command(
    "release.next_release",
    "Print the next version, if there is anything to release.",
    read_only=True,
)
hotfix = command(
    "release.hotfix",
    "Release a hotfix branch to one environment, then hold it.",
    Flag("env", "the environment"),
    Flag("reason", "why, for the hold that it leaves", value=flags.REASON_VALUE),
    *RELEASE_FLAGS,
)
deploy = command(
    "deploy.deploy",
    "Bring a release into service, and wait for it.\n\n"
    "Copies the image by digest if it is not there yet, moves the followed tag and starts the deployment.",
    flags.ENV,
    flags.RELEASE,
    flags.YES,
    flags.WAIT,
    flags.WITHOUT_EVIDENCE,
)
verify = command(
    "deploy.verify",
    "Ask the app until it proves the version; run smoke checks.",
    flags.ENV,
    Flag(
        "release",
        f"{flags.RELEASE_HELP} (default: the one in VERSION; after the first stage, the one deployed there last)",
        value=flags.RELEASE_VALUE,
    ),
)

PROMOTE_FLAGS = (
    Flag(
        "release",
        f"{flags.RELEASE_HELP} (default: the one verified last in the previous stage)",
        value=flags.RELEASE_VALUE,
    ),
    flags.YES,
    flags.WAIT,
    flags.SKIP_HELD,
    flags.NO_ROLLBACK,
    flags.SHARD,
    flags.WITHOUT_EVIDENCE,
)


def promote_task(stage: str) -> Any:
    """Make the task that promotes to a later stage."""
    text = f"Promote to {stage} what the previous stage has verified."
    name = f"promote-{stage}"
    return command("promote.promote", text, *PROMOTE_FLAGS, name=name, bound={"env": [stage], "stage_task": name})


promote = command(
    "promote.promote",
    "Promote to the environments that you name.",
    flags.ENV,
    *PROMOTE_FLAGS,
)
rollback = command(
    "rollback.rollback",
    "Go back to the last verified release, or to a named one.",
    flags.ENV,
    Flag(
        "release",
        f"{flags.RELEASE_HELP} (default: the last verified one before the release that is serving)",
        value=flags.RELEASE_VALUE,
    ),
    flags.REASON,
    Flag(
        "despite_irreversible",
        "reason to go behind a command that cannot be undone; recorded in the ledger",
        default=None,
        value=flags.REASON_VALUE,
    ),
    Flag("list", "list the releases to choose from, and change nothing", default=False),
    Flag("json", "with --list: print one JSON document on stdout", default=False),
    flags.YES,
    flags.WAIT,
    flags.SHARD,
    read_only=lambda given: bool(given["list"]),
)
run = command(
    "run.run",
    "Run a command in the image that an environment runs.\n\n"
    "The command follows --, and its exit code is that of this task: inv run -e prod -- python manage.py check.",
    Flag("env", "the environment"),
    Flag("timeout", "stop it after this time, e.g. 30m (default: never)", value=flags.DURATION_VALUE),
    flags.YES,
)
logs = command(
    "logs.logs",
    "Print what the app prints, of all its instances.\n\n"
    "Of several environments, each line begins with the name of its own.",
    flags.ENV,
    Flag("follow", "go on with what is printed from now on; Ctrl-C ends it", default=False),
    Flag("since", "from when on, e.g. 2h or 2026-09-01 (default: 10m)", value=flags.SINCE_VALUE),
    Flag("json", "print each line as a JSON document: environment, at, stream, text", default=False),
    read_only=True,
)
command_group = Collection(
    "command",
    command(
        "run.resolve",
        "Record how a command ended, after its task was lost.\n\n"
        "One that has failed runs again with the next deployment of its release, one that has succeeded does not.",
        Flag("env", "the environment"),
        Flag("name", "the command's name in [[before_deploy]]"),
        Flag("outcome", "succeeded or failed"),
        Flag("reason", "how you know, for the ledger", default=None, value=flags.REASON_VALUE),
        Flag(
            "release",
            f"{flags.RELEASE_HELP} (default: the last one that it was started for)",
            value=flags.RELEASE_VALUE,
        ),
        flags.YES,
        flags.WAIT,
    ),
)
status = command(
    "status.status",
    "Show what runs where, and any drift.\n\nDrift is a difference between registry, ledger and the running app.",
    flags.ENV_OR_ALL,
    Flag("json", f"{flags.JSON_HELP}; with --watch, one line for each refresh", default=False),
    Flag("check", "print no table; exit 9 if there is drift, and say in one line what", default=False),
    Flag("watch", "refresh until Ctrl-C, which exits 0", default=False),
    Flag(
        "interval",
        "how long to wait between two refreshes of --watch, e.g. 30s (default: 5s)",
        value=flags.DURATION_VALUE,
    ),
    Flag("since", "only what has changed since then, e.g. 2h or 2026-09-01", value=flags.SINCE_VALUE),
    Flag("release", "where this release is, and what became of it: v1.2.3 or 1.2.3", value=flags.RELEASE_VALUE),
    read_only=True,
)
history = command(
    "status.history",
    "Show who put which release where, and whether it works.",
    flags.ENV_OR_ALL,
    Flag(
        "limit",
        "how many deployments of each environment (--json: entries); default: 20, or all of --since and --release",
        value="NUMBER",
    ),
    Flag("since", "what has ended since then, e.g. 2h or 2026-09-01", value=flags.SINCE_VALUE),
    Flag("release", "what became of this release: v1.2.3 or 1.2.3", value=flags.RELEASE_VALUE),
    flags.JSON,
    read_only=True,
)
metrics = command(
    "metrics.metrics",
    "Show DORA's four metrics of each stage and tenant.\n\n"
    "Deployment frequency, lead time, change failure rate and time to restore, from the ledger and git.",
    flags.ENV_OR_ALL,
    Flag("since", "from when on, e.g. 30d or 2026-09-01 (default: 90d)", value=flags.SINCE_VALUE),
    Flag("format", "table or openmetrics", default="table"),
    flags.JSON,
    read_only=True,
)
dashboard = command(
    "dashboard.dashboard",
    "Write a page of what runs where, and of how it came about.\n\n"
    "One HTML file that requests nothing: the landscape, a timeline of deployments, and what is new in each release.",
    flags.ENV_OR_ALL,
    Flag("since", "when the timeline begins, e.g. 30d or 2026-09-01 (default: 90d)", value=flags.SINCE_VALUE),
    Flag("out", "write the page into this file, in place of an earlier one; - is stdout", value="FILE"),
    Flag(
        "serve", "show the page to browsers of this machine, and refresh it, until Ctrl-C, which exits 0", default=False
    ),
    Flag("port", "with --serve: the port on loopback; 0 picks a free one (default: 8787)", value="NUMBER"),
    flags.JSON,
    read_only=lambda given: given["out"] in {"", "-"},
)
migrate = command(
    "migrate.migrate",
    "Move an environment from App Runner to ECS, step by step.\n\n"
    "Shows what becomes of each setting, creates the new service with the release that serves, and proves it. Once the"
    " address leads there, it changes the configuration. The same command goes on where it was stopped.",
    flags.ENV,
    Flag("to", "where to: ecs-express or ecs", value="PLATFORM"),
    Flag("terraform", "write Terraform for the new service into this new file, and create nothing", value="FILE"),
    Flag(
        "wait",
        "how long to ask the address until it leads to the new service, e.g. 1h (default: ask once)",
        value=flags.DURATION_VALUE,
    ),
    Flag(
        "moved",
        "reason to take it for granted that the address leads to the new service, where neither names nor logs show it",
        default=None,
        value=flags.REASON_VALUE,
    ),
    Flag("retire", "pause the old service; once it is paused, ask whether to delete it", default=False),
    Flag("delete", "with --retire: delete the old service, which is paused", default=False),
    Flag("undo", "go back: let the old service serve alone, and delete the new one", default=False),
    Flag("service", "name of the new service (default: that of the old one)", value="NAME"),
    Flag("cluster", "cluster of the new service (default: default)", value="NAME"),
    Flag(
        "execution_role",
        "role that pulls the image and reads the secrets (default: ecsTaskExecutionRole)",
        value="ROLE",
    ),
    Flag(
        "infrastructure_role",
        "role with which Express Mode manages load balancer and scaling"
        " (default: ecsInfrastructureRoleForExpressServices)",
        value="ROLE",
    ),
    Flag("subnets", "subnets of the tasks, with commas between them", value="ID,ID"),
    Flag("security_groups", "security groups of the tasks (default: those of the VPC connector)", value="ID,ID"),
    Flag("health_path", "path at which the load balancer asks (default: that of the old service, or verify.path)"),
    Flag("target_group", "for ecs: ARN of the load balancer's target group, of the type ip", value="ARN"),
    Flag("address", "for ecs: the load balancer's address, where the new service is proven", value="URL"),
    flags.YES,
)
doctor = command(
    "doctor.doctor",
    "Check what a release needs; say how to fix what is missing.",
    flags.JSON,
    read_only=True,
)
setup = command(
    "setup.setup",
    "Create what is missing on AWS: ledger, immutable tags.\n\n"
    "Also blob mounting and, with --create, a repository and a service.",
    flags.ENV_OR_ALL,
    Flag("create", "create the repository and the service of the one environment that --env names", default=False),
    Flag(
        "like",
        "with --create: the environment whose service the new one is like (default: a member of its group)",
        value="ENV",
    ),
    flags.YES,
    Flag("print_iam", "print the least IAM policy for releasing, and do nothing else", default=False),
    Flag("for_setup", "with --print-iam: the policy for setup itself, instead of that for releasing", default=False),
    Flag("github", "with --print-iam: the role for jobs of this repository on GitHub", value="OWNER/REPOSITORY"),
    Flag("gitlab", "with --print-iam: the role for jobs of this project on GitLab", value="GROUP/PROJECT"),
    read_only=lambda given: bool(given["print_iam"]),
)
init = command(
    "init.init",
    "Write what an app needs: tasks.py, kaizen.toml, changelog.",
    Flag("env", "an environment, instead of those that are found; may be repeated", repeatable=True),
    Flag("yes", f"{flags.YES_HELP}: use what was found, and defaults for the rest", default=False),
    Flag("from_aws", "read the account's services and repositories too; changes nothing there", default=False),
    Flag("app", "the app's name", value="NAME"),
    Flag("region", "region of repositories and services, such as eu-west-1"),
    Flag("platform", "what runs the services: ecs-express, ecs or apprunner"),
    Flag("profile", "profile of your AWS configuration, for --from-aws and for the next commands"),
    Flag("ci", "write a pipeline that runs these tasks: github or gitlab", value="SERVER"),
    Flag(
        "add_version_endpoint",
        "add GET /version to the app's source, and the version to its Dockerfile, where they are missing",
        default=False,
    ),
    Flag("propose", "with --ci: a pipeline that releases by pull request, for a protected branch", default=False),
    Flag("dashboard", "with --ci: publish the dashboard too, on GitHub Pages or GitLab Pages", default=False),
    Flag(
        "kaizen_from",
        "with --ci: the repository from which it installs these tasks, if need be with @COMMIT",
        value="URL",
    ),
)
demo = command(
    "local.demo.demo",
    "Release and promote an example app on a local cloud.",
    flags.KEEP,
    Flag("engine", f"{flags.ENGINE_HELP}; auto is docker if the base image is there, else bundle", default="auto"),
    Flag("platform", "what runs the example app: apprunner, ecs-express or ecs", default="apprunner"),
    Flag("accounts", "with prod and beta in another account and region than staging", default=False),
    flags.JSON,
)
rehearse = command(
    "local.rehearse.rehearse",
    "Test this app's pipeline on a local cloud.\n\nIt runs in a scratch clone, and shows what would change on AWS.",
    Flag(
        "flow",
        "release-staging, promote-prod, 'rollback --env mark' … (default: the release and every promotion)",
        value="TASK",
    ),
    Flag(
        "like",
        "environment whose real service says which variables, secrets and port services have; values are made up",
        value="ENV",
    ),
    flags.KEEP,
    Flag(
        "engine",
        f"{flags.ENGINE_HELP}: insist on it (default: the configured one, or a stand-in where that cannot build)",
        default="auto",
    ),
    flags.JSON,
)

changelog = Collection(
    "changelog",
    command(
        "changelog.release",
        "Move [Unreleased] to a section of the version in VERSION.",
        default=True,  # plain `inv changelog`
    ),
    command(
        "changelog.add",
        "Add an entry to [Unreleased], or a fragment.",
        Flag("type", "added, changed, deprecated, removed, fixed, security or a type of your own"),
        Flag("text", "what changed, for the users"),
        Flag("breaking", "mark it as breaking", default=False),
        Flag("name", "beginning of a fragment's file name, such as 123 (default: the first words)"),
    ),
    command(
        "changelog.check",
        "List every problem of the changelog, and how to fix it.",
        flags.JSON,
        Flag("sarif", "print a SARIF document, which CI systems show next to the lines", default=False),
        Flag("fix", "fix what can be fixed automatically first", default=False),
        read_only=lambda given: not given["fix"],
    ),
    command(
        "changelog.show",
        "Print the notes of one or more releases, or of the next.",
        Flag("release", f"{flags.RELEASE_HELP} (default: the newest)", value=flags.RELEASE_VALUE),
        Flag("since", "every release after this one: v0.1.0", value=flags.RELEASE_VALUE),
        Flag("unreleased", "what is noted for the next release, with the fragments", default=False),
        Flag("format", "md, json, html for a part of a page, or page", default="md"),
        Flag("base_url", "make relative links absolute against this address", value="URL"),
        read_only=True,
    ),
)

config = Collection(
    "config",
    command(
        "config.schema",
        "Print the JSON Schema of kaizen.toml, for editors.",
        read_only=True,
    ),
)

release = Collection(
    "release",
    command(
        "release.abandon",
        "Give up a release that was begun; its number stays unused.",
        flags.RELEASE,
        flags.REASON,
        flags.YES,
        flags.WAIT,
    ),
)

NO_DEPLOY = Flag(
    "no_deploy", "write the values but do not deploy; they take effect with the next deployment", default=False
)

runtime = Collection(
    "runtime",
    command(
        "runtime.show",
        "Show the runtime configuration; no values of secrets.",
        flags.ENV_OR_ALL,
        flags.JSON,
        read_only=True,
    ),
    command(
        "runtime.diff",
        "Compare the runtime configuration of two environments.",
        Flag("env", "one environment"),
        Flag("against", "the other one", value="ENV"),
        flags.JSON,
        read_only=True,
    ),
    command(
        "runtime.set_values",
        "Change values, then deploy the same release with them.",
        flags.ENV,
        Flag("set", "a value to change; may be repeated", repeatable=True, value="KEY=VALUE"),
        Flag("set_file", "file with the value, for secrets; may be repeated", repeatable=True, value="KEY=FILE"),
        Flag("set_stdin", "key whose value is read from stdin, for secrets", repeatable=True, value="KEY"),
        NO_DEPLOY,
        flags.NO_ROLLBACK,
        flags.YES,
        flags.WAIT,
        name="set",
    ),
    command(
        "runtime.rollback",
        "Restore the previous values, and deploy with them.",
        flags.ENV,
        flags.REASON,
        NO_DEPLOY,
        flags.YES,
        flags.WAIT,
    ),
    command(
        "runtime.deploy",
        "Deploy the same release with values written elsewhere.",
        flags.ENV,
        flags.YES,
        flags.WAIT,
    ),
)

lock = Collection(
    "lock",
    command(
        "lock.show", "Show who locks or holds what, since when and why.", flags.ENV_OR_ALL, flags.JSON, read_only=True
    ),
    command(
        "lock.release",
        "Remove a lock that was left over.\n\nA run that is still alive notices it, and stops.",
        flags.ENV,
        Flag("force", "remove it although its owner has not released it", default=False),
    ),
)

hold = Collection(
    "hold",
    command(
        "hold.add",
        "Leave an environment as it is until the hold ends.",
        flags.ENV,
        Flag("reason", "why the environment must be left alone", value=flags.REASON_VALUE),
        Flag("until", "how long, e.g. 7d or 12h (default: until removed)", value=flags.DURATION_VALUE),
    ),
    command("hold.remove", "End a hold: the environment is promoted to again.", flags.ENV),
)

notify = Collection(
    "notify",
    command(
        "notify.test",
        "Send a test message to every target of [[notify]].\n\n"
        "It shows what each target answers, and then sends what waits in the outbox.",
        Flag("name", "send it to this target alone"),
        flags.JSON,
    ),
)

STATE = Flag("state", "the cloud's folder (default: one for this checkout of the app)", value="FOLDER")

local = Collection(
    "local",
    command(
        "local.cloud.up",
        "Start a local cloud with this app's services and ledger.",
        STATE,
        Flag("port", "port on loopback; 0 picks a free one", default="0"),
        Flag("engine", "what runs the services: auto, docker, process, or none, which only answers", default="auto"),
        Flag(
            "first",
            "version label of the image that new services start with (default: the last release, or v0.0.0)",
            value=flags.RELEASE_VALUE,
        ),
        flags.JSON,
    ),
    command(
        "local.cloud.down",
        "Stop the local cloud and all it runs; keep its state.",
        STATE,
        Flag("all", "all local clouds of this user, and what killed ones have left running", default=False),
    ),
    command(
        "local.cloud.status",
        "Show whether the local cloud is running, and where.",
        STATE,
        Flag("all", "all local clouds of this user that are running", default=False),
        flags.JSON,
        read_only=True,
    ),
)

LIBRARY_TASKS = (announce, bump, commit, cut, next_release, tag, demo, doctor, init, propose, changelog, config, local)
DEPLOY_TASKS = (
    *(build, push, deploy, verify, promote, hotfix, rollback),
    *(run, logs, command_group, status, history, metrics, dashboard),
    *(migrate, setup, rehearse, release, runtime, lock, hold),
    notify,
)
"""The tasks of an app with environments, beside those of its pipeline's stages."""
