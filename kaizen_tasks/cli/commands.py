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
    "Release a library: bump, changelog, commit and tag, all or nothing.",
    flags.PART,
    flags.TO,
    Flag("push", "push branch and tag too", default=False),
    flags.SKIP_DOCS,
    flags.FORCE,
)
commit = command(
    "steps.commit", "Make the release commit: HEAD plus VERSION, changelog and version files, nothing else."
)
build = command("steps.build", "Build the image of the release commit, from a clean export.")
push = command("push.push", "Upload :vX.Y.Z into an environment's repository; never replace other bytes.", flags.ENV)
tag = command("steps.tag", "Tag the release commit, and push tag and branch atomically.")
propose = command(
    "forge.propose",
    "Keep a branch and a pull request with the next version and its changelog.",
    flags.PART,
    flags.TO,
    flags.SKIP_DOCS,
    flags.FORCE,
    Flag("discard_edits", "replace the branch even if somebody has edited what was proposed", default=False),
)
announce = command(
    "forge.announce",
    "Publish the notes of a pushed release on GitHub or GitLab.",
    Flag("release", f"{flags.RELEASE_HELP} (default: the last one)"),
)

RELEASE_FLAGS = (flags.PART, flags.TO, flags.YES, flags.SKIP_DOCS, flags.FORCE, flags.WAIT, flags.NO_ROLLBACK)


def release_task(stage: str) -> Any:
    """Make the task that releases to the first stage."""
    text = f"Release to {stage}: from the commit to a verified service and a tag."
    return command("release.release_to_stage", text, *RELEASE_FLAGS, name=f"release-{stage}", bound={"stage": stage})


hotfix = command(
    "release.hotfix",
    "Release straight to one environment from a hotfix branch, then hold it.",
    Flag("env", "the environment"),
    Flag("reason", "why, for the hold that it leaves"),
    *RELEASE_FLAGS,
)
deploy = command(
    "deploy.deploy",
    "Bring a release into service: copy by digest if needed, move the followed tag, start, wait.",
    flags.ENV,
    flags.RELEASE,
    flags.YES,
    flags.WAIT,
    flags.WITHOUT_EVIDENCE,
)
verify = command(
    "deploy.verify",
    "Ask the running app until it proves the version, then run the smoke checks.",
    flags.ENV,
    flags.RELEASE,
)

PROMOTE_FLAGS = (
    Flag("release", f"{flags.RELEASE_HELP} (default: the one verified last in the previous stage)"),
    flags.YES,
    flags.WAIT,
    flags.SKIP_HELD,
    flags.NO_ROLLBACK,
    flags.SHARD,
    flags.WITHOUT_EVIDENCE,
)


def promote_task(stage: str) -> Any:
    """Make the task that promotes to a later stage."""
    text = f"Promote to {stage}: the bytes that were verified in the previous stage."
    name = f"promote-{stage}"
    return command("promote.promote", text, *PROMOTE_FLAGS, name=name, bound={"env": [stage], "stage_task": name})


promote = command(
    "promote.promote",
    "Promote to any environments: the bytes that were verified in the previous stage.",
    flags.ENV,
    *PROMOTE_FLAGS,
)
rollback = command(
    "rollback.rollback",
    "Roll back to the last verified release, or to a named one, without a build.",
    flags.ENV,
    Flag("release", f"{flags.RELEASE_HELP} (default: the last verified one before the release that is serving)"),
    flags.REASON,
    Flag("list", "list the releases to choose from, and change nothing", default=False),
    Flag("json", "with --list: print one JSON document on stdout", default=False),
    flags.YES,
    flags.WAIT,
    flags.SHARD,
)
status = command(
    "status.status",
    "Show what runs where, and any drift between registry, ledger and the running app.",
    flags.ENV_OR_ALL,
    Flag("json", f"{flags.JSON_HELP}; with --watch, one line for each refresh", default=False),
    Flag("watch", "refresh until Ctrl-C, which exits 0", default=False),
    Flag("interval", "how long to wait between two refreshes of --watch, e.g. 30s (default: 5s)"),
    read_only=True,
)
history = command(
    "status.history",
    "Show the ledger: who put which release where, and whether it was verified.",
    flags.ENV_OR_ALL,
    Flag("limit", "how many entries of each environment", default="20"),
    flags.JSON,
    read_only=True,
)
doctor = command(
    "doctor.doctor",
    "Check everything that a release needs, and say how to fix what is missing.",
    flags.JSON,
    read_only=True,
)
setup = command(
    "setup.setup",
    "Create what is missing: ledger table, immutable tags, blob mounting; with --create, a service.",
    flags.ENV_OR_ALL,
    Flag("create", "create the repository and the service of the one environment that --env names", default=False),
    Flag("like", "with --create: the environment whose service the new one is like (default: a member of its group)"),
    flags.YES,
    Flag("print_iam", "print the least IAM policy for releasing, and do nothing else", default=False),
    Flag("for_setup", "with --print-iam: the policy for setup itself, instead of that for releasing", default=False),
    Flag("github", "with --print-iam: the role for GitHub Actions of this repository, as owner/name"),
)
init = command(
    "init.init",
    "Write what an app needs to be released: tasks.py, kaizen.toml, VERSION, CHANGELOG.md.",
    Flag("env", "an environment, instead of those that are found; may be repeated", repeatable=True),
    Flag("yes", f"{flags.YES_HELP}: use what was found, and defaults for the rest", default=False),
    Flag("from_aws", "read the account's services and repositories too; changes nothing there", default=False),
    Flag("app", "the app's name"),
    Flag("region", "region of repositories and services, such as eu-west-1"),
    Flag("profile", "profile of your AWS configuration, for --from-aws and for the next commands"),
    Flag("ci", "write workflows that run these tasks: github"),
    Flag("propose", "with --ci: workflows that release by pull request, for a protected branch", default=False),
)
demo = command(
    "local.demo.demo",
    "Release and promote an example app on a local cloud: release-staging, promote-prod, promote-beta.",
    flags.KEEP,
    Flag("engine", f"{flags.ENGINE_HELP}; auto is docker if the base image is there, else bundle", default="auto"),
    flags.JSON,
)
rehearse = command(
    "local.rehearse.rehearse",
    "Test this app's pipeline in a scratch clone on a local cloud, and show what would change on AWS.",
    Flag("flow", "release-staging, promote-prod, 'rollback --env mark' … (default: the release and every promotion)"),
    flags.KEEP,
    Flag("engine", f"{flags.ENGINE_HELP} (default: the configured one)", default="auto"),
    flags.JSON,
)

changelog = Collection(
    "changelog",
    command(
        "changelog.release",
        "Move the entries of [Unreleased] to a section of the version in VERSION.",
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
        "List every problem of the changelog with its place and how to fix it.",
        flags.JSON,
        Flag("sarif", "print a SARIF document, which CI systems show next to the lines", default=False),
        Flag("fix", "fix what can be fixed automatically first", default=False),
    ),
    command(
        "changelog.show",
        "Print the notes of one release, of all releases since another, or of the next one.",
        Flag("release", f"{flags.RELEASE_HELP} (default: the newest)"),
        Flag("since", "every release after this one: v0.1.0"),
        Flag("unreleased", "what is noted for the next release, with the fragments", default=False),
        Flag("format", "md, json or html", default="md"),
        Flag("base_url", "make relative links absolute against this address"),
        read_only=True,
    ),
)

release = Collection(
    "release",
    command(
        "release.abandon",
        "Give up a release that was begun and will not be finished; its number is never used again.",
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
        "Show the names and ages of what is configured, and the values that are no secrets.",
        flags.ENV_OR_ALL,
        flags.JSON,
        read_only=True,
    ),
    command(
        "runtime.diff",
        "Compare what is configured in two environments.",
        Flag("env", "one environment"),
        Flag("against", "the other one"),
        flags.JSON,
        read_only=True,
    ),
    command(
        "runtime.set_values",
        "Change values, then deploy the same release with them and verify it.",
        flags.ENV,
        Flag("set", "KEY=VALUE; may be repeated", repeatable=True),
        Flag("set_file", "KEY=path of a file with the value, for secrets; may be repeated", repeatable=True),
        Flag("set_stdin", "KEY, whose value is read from stdin, for secrets", repeatable=True),
        NO_DEPLOY,
        flags.NO_ROLLBACK,
        flags.YES,
        flags.WAIT,
        name="set",
    ),
    command(
        "runtime.rollback",
        "Restore the previous configuration, and deploy the same release with it.",
        flags.ENV,
        flags.REASON,
        NO_DEPLOY,
        flags.YES,
        flags.WAIT,
    ),
    command(
        "runtime.deploy",
        "Deploy the same release, so that the app reads what was written elsewhere.",
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
        "Remove a lock that was left over; a run that is still alive notices and stops.",
        flags.ENV,
        Flag("force", "remove it although its owner has not released it", default=False),
    ),
)

hold = Collection(
    "hold",
    command(
        "hold.add",
        "Leave an environment as it is until the hold ends or is removed.",
        flags.ENV,
        Flag("reason", "why the environment must be left alone"),
        Flag("until", "how long, e.g. 7d or 12h (default: until removed)"),
    ),
    command("hold.remove", "End a hold: the environment takes part in promotions again.", flags.ENV),
)

STATE = Flag("state", "the cloud's folder (default: one for this checkout of the app)")

local = Collection(
    "local",
    command(
        "local.cloud.up",
        "Start a local cloud with this app's repositories, services and ledger in it.",
        STATE,
        Flag("port", "port on loopback; 0 picks a free one", default="0"),
        Flag("engine", "what runs the services: auto, docker, process, or none, which only answers", default="auto"),
        Flag("first", "version label of the image that new services start with (default: the committed VERSION)"),
        flags.JSON,
    ),
    command(
        "local.cloud.down",
        "Stop the local cloud and everything it runs, and keep its state.",
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

LIBRARY_TASKS = (announce, bump, commit, cut, tag, demo, doctor, init, propose, changelog, local)
DEPLOY_TASKS = (
    *(build, push, deploy, verify, promote, hotfix, rollback),
    *(status, history, setup, rehearse, release, runtime, lock, hold),
)
"""The tasks of an app with environments, beside those of its pipeline's stages."""
