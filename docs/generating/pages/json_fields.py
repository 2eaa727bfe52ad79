"""Meaning of every field of every JSON document."""

from __future__ import annotations

from attrs import field, frozen

Fields = dict[str, tuple[str, str]]
"""Type and meaning by path; `NAME` is a placeholder for names, `[]` for list elements."""


@frozen(kw_only=True)
class DocumentFields:
    """One document.

    Attributes:
        task: the task that prints it.
        command: the task with its flags.
        about: a sentence or two.
        fields: its fields.
        like: fields that it shares with an earlier document, which `about` names.
    """

    task: str
    command: str
    about: str
    fields: Fields
    like: Fields = field(factory=dict)


ENTRY: Fields = {
    "environment": ("text", "Name of the environment."),
    "event": (
        "text",
        (
            "`started`, `deployed`, `verified`, `failed`, `abandoned`, `rollback`, `configured`, `restored`, "
            "`withdrawn`, or another."
        ),
    ),
    "version": ("text", "The release, as `v1.2.3`."),
    "commit": ("text", "Full hash of the release commit."),
    "digest": ("text", "Digest of the image's manifest."),
    "at": ("text", "When, in UTC, as ISO 8601."),
    "actor": ("text", "Who: the person whom the CI service or the role's session names, else `user@host`."),
    "run": ("text or null", "Address of the CI run, where there is one."),
    "operation": ("text or null", "The platform's identifier of the deployment, where there is one."),
    "took": ("number or null", "Seconds that a finished deployment took, by the platform's clock."),
    "reason": ("text or null", "Why it failed or was abandoned, or the reason that a person gave."),
    "configuration": ("text or null", "Version of the runtime configuration, if the entry is about one."),
    "command": ("text or null", "Name of the command before a deployment, or program run by hand, if it is about one."),
}
"""A ledger entry."""


def _below(prefix: str, fields: Fields) -> Fields:
    return {f"{prefix}{path}": explained for path, explained in fields.items()}


ENVIRONMENT: Fields = {
    "repository": ("text", "Its image repository."),
    "service": ("text", "The platform's name for it."),
    "url": ("text", "The URL at which its app was asked."),
    "image_tag": (
        "text or null",
        "Version label of the image that `:latest` points to; null without image or label.",
    ),
    "digest": ("text or null", "Digest that `:latest` points to; null when there is no such tag."),
    "running.version": ("text or null", "The version that the app reports; null when it does not answer."),
    "running.environment": ("text or null", "The environment that the app reports."),
    **_below("ledger.", ENTRY),
    "lock": ("object or null", "Who is changing it now; see [a lock](#a-lock)."),
    "hold": ("object or null", "Who holds it, and why; see [`lock.show --json`](#lockshow---json)."),
    "state": (
        "text",
        "`in sync`, `drift`, `deploying` while a run changes it, or `new` when nothing was released to it yet.",
    ),
    "drift": ("list of text", "Every difference between these sources, in words; empty when they agree."),
}
"""State of an environment in all sources; `ledger` is null where this tool has never deployed."""

STATUS: Fields = {
    "app": ("text", "The app's name."),
    "at": ("text", "Time of the check, in UTC, as ISO 8601."),
    **_below("environments.NAME.", ENVIRONMENT),
}

CLOUD: Fields = {
    "running": ("true or false", "Always true here."),
    "endpoint_url": ("text", "URL of all its APIs."),
    "state": ("text", "Its folder."),
    "pid": ("whole number", "Its process ID."),
    "registries.NAME": ("text", "Host and port of a registry; its name is `ACCOUNT/REGION`."),
    "environ.NAME": ("text", "A variable that points AWS clients and these tasks at it."),
}

WORK: Fields = {
    "work.repository": ("text", "The scratch clone of the example app."),
    "work.remote": ("text", "Its bare remote."),
    "work.endpoint_url": ("text", "URL of the local cloud."),
    "work.environ.NAME": ("text", "A variable that points AWS clients and these tasks at it, and names the engine."),
}

PROBLEM: Fields = {
    "file": ("text", "`CHANGELOG.md`."),
    "line": ("whole number", "Where, counted from 1."),
    "column": ("whole number", "Where in the line, counted from 1."),
    "rule": ("text", "The rule's name, which does not change with the wording; see [rules](changelog-rules.md)."),
    "severity": ("text", "`error` or `warning`."),
    "what": ("text", "What is wrong."),
    "fix": ("text", "How to fix it."),
}

SECTION: Fields = {
    "version": ("text or null", "`1.2.3`; null when the heading names none."),
    "title": ("text", "The heading without its date."),
    "date": ("text or null", "`YYYY-MM-DD`."),
    "yanked": ("true or false", "Whether the release was withdrawn."),
    "summary": ("text", "The text above the first group, as Markdown."),
    "groups[].type": ("text", "`Added`, `Changed`, `Deprecated`, `Removed`, `Fixed` or `Security`."),
    "groups[].name": ("text", "The group's heading as written in the file."),
    "groups[].entries[].text": ("text", "What changed, as Markdown."),
    "groups[].entries[].breaking": ("true or false", "Whether it is marked as breaking."),
    "groups[].entries[].line": ("whole number", "Its line in CHANGELOG.md."),
}

DASHBOARD: Fields = {
    "app": ("text", "The app's name."),
    "at": ("text", "Time of the check, in UTC, as ISO 8601."),
    "since": ("text", "When the span of the timeline begins."),
    "stages[].name": ("text or null", "The stages in the order of the pipeline; null: outside of the pipeline."),
    "stages[].environments": ("list of text", "Its environments."),
    "stages[].next": ("object or null", "What would be promoted to it next; null for the first stage."),
    "stages[].next.task": ("text", "The task that promotes."),
    "stages[].next.source": ("text or null", "The stage that the release comes from."),
    "stages[].next.release": ("text or null", "The release, as `v1.2.3`; null when there is none to promote."),
    "stages[].next.digest": ("text or null", "Digest of its image."),
    "stages[].next.environments": ("list of text", "The environments of the stage that do not have it."),
    "stages[].next.held": ("list of text", "Those of them that are held."),
    "stages[].next.back_from": ("text or null", "The highest version that one of them has above the release."),
    "stages[].next.ready": ("true or false", "Whether the promotion would change an environment now."),
    "stages[].next.obstacle": ("text or null", "Why nothing can be promoted."),
    "environments.NAME.serving.version": (
        "text",
        "The release that serves by the ledger. `serving` is null where that is unknown or the app says another.",
    ),
    "environments.NAME.serving.since": ("text", "When its deployment began."),
    "environments.NAME.serving.actor": ("text", "Who deployed it."),
    "environments.NAME.serving.run": ("text or null", "Address of the CI run, where there is one."),
    "environments.NAME.notes": ("list of text", "Lock, hold and second service, in words."),
    "timeline.NAME.error": ("text or null", "Why the history could not be read."),
    "timeline.NAME.deployments[].version": ("text", "A release that was deployed, the newest deployment first."),
    "timeline.NAME.deployments[].commit": ("text", "Full hash of the release commit."),
    "timeline.NAME.deployments[].digest": ("text", "Digest of the image's manifest."),
    "timeline.NAME.deployments[].outcome": (
        "text",
        "`verified`, `deployed`, `started`, `failed`, `abandoned`, or `rolled back` if a rollback replaced it later.",
    ),
    "timeline.NAME.deployments[].start": ("text", "When the deployment began."),
    "timeline.NAME.deployments[].end": ("text or null", "When another release replaced it, or it failed."),
    "timeline.NAME.deployments[].serving": ("true or false", "Whether it serves now."),
    "timeline.NAME.deployments[].took": ("number or null", "Seconds until it was verified or had failed."),
    "timeline.NAME.deployments[].actor": ("text", "Who deployed it."),
    "timeline.NAME.deployments[].run": ("text or null", "Address of the CI run, where there is one."),
    "timeline.NAME.deployments[].reason": ("text or null", "Why it was deployed, and why it failed."),
    "timeline.NAME.deployments[].undone": ("text or null", "Who rolled it back, to what and why."),
    "missing": ("list of text", "What is missing for the metrics, and how to get it."),
    "releases[].version": ("text", "The releases of the span and those that serve, newest first."),
    **_below("releases[].notes.", SECTION),
    "releases[].stages": ("list", "The stages that it has reached."),
    "releases[].stages[].stage": ("text or null", "A stage."),
    "releases[].stages[].first": ("text", "When its first deployment there began."),
    "releases[].stages[].serving": ("whole number", "In how many environments it serves."),
    "releases[].stages[].served": ("whole number", "In how many it serves or has served."),
    "releases[].stages[].failed": ("whole number", "In how many it failed or was abandoned last, and does not serve."),
    "releases[].stages[].rolled_back": ("whole number", "In how many it was rolled back last, and does not serve."),
    "releases[].stages[].environments": ("whole number", "How many environments the stage has."),
    "unreleased": ("object or null", "What is noted for the next release, with the fields of `notes`."),
    "errors": ("list of text", "What could not be read of the app as a whole."),
}

RUNTIME: Fields = {
    "app": ("text", "The app's name."),
    "environments.NAME.secret": ("text", "The secret's name."),
    "environments.NAME.version": ("text", "Identifier of the current version."),
    "environments.NAME.written": ("text", "When that version was written, in UTC, as ISO 8601."),
    "environments.NAME.keys.NAME.value": ("text or null", "The configured value; null when it is a secret."),
    "environments.NAME.keys.NAME.written": (
        "text or null",
        "When it was set; null when the previous version already had it.",
    ),
}

DIFFERENCE: Fields = {
    "app": ("text", "The app's name."),
    "compared": ("list of text", "The two environments."),
    "keys.NAME.same": ("true or false", "Whether both have it with equal values."),
    "keys.NAME.visible": ("true or false", "Whether its values may be shown; those of secrets are not."),
    "keys.NAME.values": ("list of text or null", "The value in each; null when it is a secret or missing."),
}

REHEARSAL: Fields = {
    "app": ("text", "The app's name."),
    "engine": ("text", "The engine that built the images; `stand-in` for images that only answer."),
    "stand_in": ("text or null", "Why stand-ins took the place of the images, if nobody asked for them."),
    "exit_code": ("whole number", "That of the last command, and of the rehearsal."),
    "refusals": ("list of text", "Why the real flow would refuse to start; the rehearsal goes on."),
    "commands[].command": ("text", "What is typed after `inv`."),
    "commands[].exit_code": ("whole number", "Its exit code; the first that is not 0 is the last command."),
    "commands[].error": ("text or null", "What it printed on stderr."),
    "commands[].seconds": ("number", "How long it took."),
    "commands[].steps[].step": ("text", "Name of a step that ended, and its environment."),
    "commands[].steps[].verdict": ("text", "`done`, `already done`, `ok` or `failed`."),
    "commands[].steps[].seconds": ("number", "How long it acted; 0 when it did not."),
    "commands[].changes[].what": (
        "text",
        "What would have changed on AWS: an operation, or a layer or tag of a repository.",
    ),
    "commands[].changes[].times": ("whole number", "How often."),
    "refs": ("list of text", "Branches and tags that would have moved at the remote."),
    "not_proven": ("list of text", "What stand-ins do not prove."),
    "unchanged": ("whole number", "Number of files and refs of the real repository that have not changed."),
    "changed": ("list of text", "Names of those that have: another program may have changed them."),
    "work": ("object or null", "Where the scratch clone and its local cloud are, with `--keep`."),
}

DOCTOR_FINDINGS: Fields = {
    "app": ("text", "The app's name."),
    "problems": ("whole number", "How many findings keep a release from working."),
    "warnings": ("whole number", "How many findings should be looked into, but do not."),
    "findings[].environment": ("text or null", "The environment; null when it is about none."),
    "findings[].check": ("text", "What was checked."),
    "findings[].verdict": ("text", "`ok`, `warning`, `problem` or `skipped`."),
    "findings[].what": ("text", "What was found."),
    "findings[].fix": ("text or null", "What to do about it, if anything."),
}

TEST_MESSAGES: Fields = {
    "app": ("text", "The app's name."),
    "targets.NAME.format": ("text", "`json`, `slack` or `apprise`."),
    "targets.NAME.accepted": ("true or false", "Whether the target has accepted the message."),
    "targets.NAME.took": ("number", "How many seconds that took."),
    "targets.NAME.answer": ("text", "What the target has answered, or why the message could not be sent."),
    "targets.NAME.fix": ("text or null", "What to do about it, if anything."),
    "waiting": (
        "whole number or null",
        "How many messages are still in the outbox, after another attempt; null when it cannot be read.",
    ),
}

METRICS: Fields = {
    "app": ("text", "The app's name."),
    "since": ("text", "When the span begins, in UTC, as ISO 8601."),
    "until": ("text", "When it ends: now."),
    "missing": ("list of text", "What could not be read, and the command that helps; mostly empty."),
    "metrics.NAME.group": ("text or null", "Name of the group, where it is measured as a member of one."),
    "metrics.NAME.environments": ("list of text", "Names of its environments."),
    "metrics.NAME.begin": (
        "text or null",
        "When the span begins here: later than `since` if the first entry was written later; null without entries.",
    ),
    "metrics.NAME.deployments.count": ("whole number or null", "Releases that were verified for the first time."),
    "metrics.NAME.deployments.per_week": ("number or null", "The same, a week; null for less than a week."),
    "metrics.NAME.lead_time.median_seconds": ("number or null", "From a commit to its verification."),
    "metrics.NAME.lead_time.commits": ("whole number or null", "How many commits that is the median of."),
    "metrics.NAME.lead_time.deployments": ("whole number or null", "How many of the deployments have known commits."),
    "metrics.NAME.change_failure.rate": ("number or null", "`failed` as a part of `changes`, from 0 to 1."),
    "metrics.NAME.change_failure.changes": (
        "whole number or null",
        "Releases that were first known to work or to fail in the span.",
    ),
    "metrics.NAME.change_failure.failed": ("whole number or null", "How many of them failed, then or later."),
    "metrics.NAME.change_failure.reasons.verification": (
        "whole number",
        "How many failed verification. `reasons` is null where nothing was ever recorded.",
    ),
    "metrics.NAME.change_failure.reasons.rollback": ("whole number", "How many were rolled back."),
    "metrics.NAME.change_failure.reasons.hotfix": ("whole number", "How many a hotfix followed within a day."),
    "metrics.NAME.change_failure.reasons.deployment": ("whole number", "How many did not come up."),
    "metrics.NAME.restore.median_seconds": ("number or null", "Length of the incidents that ended in the span."),
    "metrics.NAME.restore.incidents": ("whole number or null", "How many incidents that is the median of."),
    "metrics.NAME.restore.open": (
        "list of objects",
        "Those that go on, by `environment`, `version`, `reason`, `since` and `seconds`.",
    ),
    "metrics.NAME.unfinished": (
        "whole number or null",
        "Deployments that began in the span and have no outcome: they go on, or were abandoned.",
    ),
    "metrics.NAME.weeks[].begin": ("text", "A Monday. The first and the last week may be cut by the span."),
    "metrics.NAME.weeks[].deployments": ("whole number", "Releases that were verified for the first time."),
    "metrics.NAME.weeks[].changes": ("whole number", "Releases that were first known to work or to fail."),
    "metrics.NAME.weeks[].failed": ("whole number", "How many of these failed, then or later."),
    "metrics.NAME.weeks[].lead_time_seconds": ("number or null", "Median of the week."),
    "metrics.NAME.weeks[].restore_seconds": ("number or null", "Median of the incidents that ended in the week."),
    "metrics.NAME.releases[].version": ("text", "The release, as `v1.2.3`."),
    "metrics.NAME.releases[].decided": ("text", "When it was first known whether it works."),
    "metrics.NAME.releases[].verified": ("text or null", "When it was verified first; null if it never was."),
    "metrics.NAME.releases[].failure": ("text or null", "Why it counts as failed: one of `reasons`."),
    "metrics.NAME.releases[].lead_time_seconds": ("number or null", "Median of its commits."),
    "metrics.NAME.releases[].restore_seconds": ("number or null", "Length of the longest incident that it caused."),
}

LOCK_STATUS: Fields = {
    "app": ("text", "The app's name."),
    "environments.NAME.lock": ("object or null", "Who is changing it now; null when nobody is."),
    "environments.NAME.hold.actor": ("text", "Who holds it, as in `history`."),
    "environments.NAME.hold.run": ("text or null", "Address of the CI run, where there is one."),
    "environments.NAME.hold.reason": ("text", "Why."),
    "environments.NAME.hold.since": ("text", "Since when, in UTC, as ISO 8601."),
    "environments.NAME.hold.until": ("text or null", "Until when; null when it has no end."),
}

LOCK: Fields = {
    "actor": ("text", "Who, as in `history`."),
    "run": ("text or null", "Address of the CI run, where there is one."),
    "command": ("text or null", "The command of that run."),
    "reason": ("text or null", "Why, if a person gave a reason."),
    "since": ("text", "Since when, in UTC, as ISO 8601."),
    "expires": ("text or null", "When its lease ends unless it is renewed; null for a lock taken by hand."),
    "expired": (
        "true or false",
        "Whether its lease has ended, so that the next run takes over. Not in `status --json`.",
    ),
    "manual": ("true or false", "Whether it was taken by hand. Not in `status --json`."),
    "fence": ("whole number", "Fencing token: how often this environment's lock has been acquired."),
}
"""A lock; no example has one, so a test compares this with the code."""

DOCUMENTS = (
    DocumentFields(
        task="status",
        command="status --json",
        about="What runs where. `ledger` is null in an environment where this tool has never deployed. Where `[lines]` "
        "is configured, `line` is the name of the environment's line, or null. With `--watch`, one document on one "
        "line for each check. With `--since`, only environments that have changed, and the time in `since`. With "
        "`--release`, only those that ever had it, its name in `release`, and in each environment a `release`: "
        "`running`, `outcome` (`verified`, `failed`, `rolled back`, `given up` or an event), and the entries `first`, "
        "`last`, `withdrawal` and `successor`, of which the last two may be null.",
        fields=STATUS,
    ),
    DocumentFields(
        task="demo",
        command="demo --json",
        about="Every field of `status --json`, and where everything is. With `--keep` it keeps running.",
        fields=WORK,
        like=STATUS,
    ),
    DocumentFields(
        task="rehearse",
        command="rehearse --json",
        about="Result of a rehearsal. The exit code is that of the flow.",
        fields=REHEARSAL,
    ),
    DocumentFields(
        task="history",
        command="history --json",
        about="A list of ledger entries, newest first.",
        fields=_below("[].", ENTRY),
    ),
    DocumentFields(
        task="dashboard",
        command="dashboard --json",
        about="Everything that the page shows; each environment has all fields of `status --json` too, and `metrics` "
        "has each stage with the fields of `metrics --json`.",
        fields=DASHBOARD,
        like={
            path: explained
            for path, explained in (STATUS | METRICS).items()
            if path.startswith(("environments.", "metrics."))
        },
    ),
    DocumentFields(
        task="metrics",
        command="metrics --json",
        about="DORA's four metrics, by stage, group and environment; null is unknown. "
        "[What is counted](../how-to/metrics.md).",
        fields=METRICS,
    ),
    DocumentFields(
        task="logs",
        command="logs --json",
        about="One document on one line for each line of a log, oldest first.",
        fields={
            "environment": ("text", "Name of the environment."),
            "at": ("text", "When it was printed, in UTC, as ISO 8601."),
            "stream": ("text", "The log stream, which names the instance."),
            "text": ("text", "The line, without its line end."),
        },
    ),
    DocumentFields(
        task="rollback",
        command="rollback --list --json",
        about="Every release that a rollback can choose: every field of `history --json`, and three more.",
        fields={
            "[].exists": ("true or false", "Whether the repository still holds its image."),
            "[].image_in": (
                "text or null",
                "The environment whose repository holds its image; from another one it is copied back.",
            ),
            "[].behind": (
                "object or null",
                "The irreversible command that a rollback to it would go behind, by `command` and `version`.",
            ),
        },
        like=_below("[].", ENTRY),
    ),
    DocumentFields(
        task="lock.show",
        command="lock.show --json",
        about="Locks and holds of every environment. `hold` is null where there is none.",
        fields=LOCK_STATUS,
    ),
    DocumentFields(
        task="runtime.show",
        command="runtime.show --json",
        about="The runtime configuration, without secrets.",
        fields=RUNTIME,
    ),
    DocumentFields(
        task="runtime.diff",
        command="runtime.diff --json",
        about="Differences between the runtime configurations of two environments.",
        fields=DIFFERENCE,
    ),
    DocumentFields(
        task="doctor",
        command="doctor --json",
        about="Everything that was checked. The exit code is [3](exit-codes.md#3) when there is a problem.",
        fields=DOCTOR_FINDINGS,
    ),
    DocumentFields(
        task="notify.test",
        command="notify.test --json",
        about="The answer of each target. The exit code is [9](exit-codes.md#9) if one has not accepted the message.",
        fields=TEST_MESSAGES,
    ),
    DocumentFields(
        task="changelog.check",
        command="changelog.check --json",
        about="A list of problems; empty when there is none. With an error, the exit code is [3](exit-codes.md#3).",
        fields=_below("[].", PROBLEM),
    ),
    DocumentFields(
        task="changelog.show",
        command="changelog.show --format json",
        about="One section; with `--since`, a list if there are several. `--unreleased` adds the `file` of each entry.",
        fields=SECTION,
    ),
    DocumentFields(
        task="local.up",
        command="local.up --json",
        about="The local cloud that was started, or was already running.",
        fields=CLOUD,
    ),
    DocumentFields(
        task="local.status",
        command="local.status --json",
        about="Every field of `local.up --json`, without starting anything. With `--all`, a list of them in `clouds`.",
        fields={"running": ("true or false", "Whether it is running. If not, this is the only field.")},
        like={path: explained for path, explained in CLOUD.items() if path != "running"},
    ),
)
