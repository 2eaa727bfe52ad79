"""What every field of every JSON document means."""

from __future__ import annotations

from attrs import field, frozen

Fields = dict[str, tuple[str, str]]
"""Type and meaning by path; `NAME` stands for an environment or variable, `[]` for each element."""


@frozen(kw_only=True)
class DocumentFields:
    """One document.

    Attributes:
        task: what prints it.
        command: how.
        about: a sentence or two.
        fields: of the document.
        like: fields that it shares with a document explained before, which `about` names.
    """

    task: str
    command: str
    about: str
    fields: Fields
    like: Fields = field(factory=dict)


ENTRY: Fields = {
    "environment": ("text", "Where."),
    "event": (
        "text",
        "`started`, `deployed`, `verified`, `failed`, `abandoned`, `rollback` (going back), `configured`, `restored`.",
    ),
    "version": ("text", "The release, as `v1.2.3`."),
    "commit": ("text", "Full hash of the release commit."),
    "digest": ("text", "Digest of the image's manifest."),
    "at": ("text", "When, in UTC, as ISO 8601."),
    "actor": ("text", "Who: `user@host`."),
    "operation": ("text or null", "The platform's identifier of the deployment, where there is one."),
    "took": ("number or null", "Seconds that a finished deployment took, by the platform's clock."),
    "reason": ("text or null", "Why it failed or was abandoned, or what a person said."),
    "configuration": ("text or null", "Version of the runtime configuration, when the entry is about one."),
}
"""A ledger entry."""


def _below(prefix: str, fields: Fields) -> Fields:
    return {f"{prefix}{path}": explained for path, explained in fields.items()}


ENVIRONMENT: Fields = {
    "repository": ("text", "Its image repository."),
    "service": ("text", "The platform's name for it."),
    "url": ("text", "Where its app was asked."),
    "image_tag": (
        "text or null",
        "The version that `:latest` names; null when there is none, or its image has no label.",
    ),
    "digest": ("text or null", "Digest that `:latest` names; null when nothing has that tag."),
    "running.version": ("text or null", "The version that the app says; null when it gives no answer."),
    "running.environment": ("text or null", "The environment that the app says."),
    **_below("ledger.", ENTRY),
    "lock": ("object or null", "Who is changing it now; see [a lock](#a-lock)."),
    "hold": ("object or null", "Who wants it left alone, and why; see [`lock.show --json`](#lockshow---json)."),
    "drift": ("list of text", "Every disagreement between these witnesses, in words; empty when all agree."),
}
"""An environment as all of its witnesses see it; `ledger` is null where this tool never deployed."""

STATUS: Fields = {
    "app": ("text", "The app's name."),
    "at": ("text", "When this was so, in UTC, as ISO 8601."),
    **_below("environments.NAME.", ENVIRONMENT),
}

CLOUD: Fields = {
    "running": ("true or false", "Always true here."),
    "endpoint_url": ("text", "Where it answers."),
    "state": ("text", "Its folder."),
    "pid": ("whole number", "Its process."),
    "environ.NAME": ("text", "A variable that points AWS clients and these tasks at it."),
}

WORK: Fields = {
    "work.repository": ("text", "The scratch clone of the example app."),
    "work.remote": ("text", "Its bare remote."),
    "work.endpoint_url": ("text", "Where the local cloud answers."),
    "work.environ.NAME": ("text", "A variable that points AWS clients and these tasks at it, and names the engine."),
}

PROBLEM: Fields = {
    "file": ("text", "`CHANGELOG.md`."),
    "line": ("whole number", "Where, counted from 1."),
    "column": ("whole number", "Where in the line, counted from 1."),
    "rule": ("text", "The rule's name; it stays the same when words change."),
    "what": ("text", "What is wrong."),
    "fix": ("text", "How to mend it."),
}

SECTION: Fields = {
    "version": ("text or null", "`1.2.3`; null when the heading names none."),
    "title": ("text", "The heading without its date."),
    "date": ("text or null", "`YYYY-MM-DD`."),
    "yanked": ("true or false", "Whether the release was withdrawn."),
    "summary": ("text", "What stands above the first group, as Markdown."),
    "groups[].type": ("text", "`Added`, `Changed`, `Deprecated`, `Removed`, `Fixed` or `Security`."),
    "groups[].name": ("text", "The group's heading as it was written."),
    "groups[].entries[].text": ("text", "What changed, as Markdown."),
    "groups[].entries[].breaking": ("true or false", "Whether it is marked as breaking."),
    "groups[].entries[].line": ("whole number", "Its line in CHANGELOG.md."),
}

RUNTIME: Fields = {
    "app": ("text", "The app's name."),
    "environments.NAME.secret": ("text", "The secret's name."),
    "environments.NAME.version": ("text", "Identifier of the version that counts."),
    "environments.NAME.written": ("text", "When that was written, in UTC, as ISO 8601."),
    "environments.NAME.keys.NAME.value": ("text or null", "What is configured; null when it is a secret."),
    "environments.NAME.keys.NAME.written": ("text or null", "Since when; null when it was so in the version before."),
}

DIFFERENCE: Fields = {
    "app": ("text", "The app's name."),
    "compared": ("list of text", "The two environments."),
    "keys.NAME.same": ("true or false", "Whether both have it, with values that mean the same."),
    "keys.NAME.visible": ("true or false", "Whether its values are no secrets."),
    "keys.NAME.values": ("list of text or null", "What each says; null when it is a secret, or not there."),
}

REHEARSAL: Fields = {
    "app": ("text", "The app's name."),
    "engine": ("text", "What has built the images."),
    "exit_code": ("whole number", "That of the last command, and of the rehearsal."),
    "refusals": ("list of text", "Why the real flow would not begin, although the rehearsal has gone on."),
    "commands[].command": ("text", "What was typed after `inv`."),
    "commands[].exit_code": ("whole number", "Its exit code; after one that is not 0 there is no further command."),
    "commands[].error": ("text or null", "What it said on stderr."),
    "commands[].seconds": ("number", "How long it took."),
    "commands[].steps[].step": ("text", "A step, and its environment."),
    "commands[].steps[].verdict": ("text", "`done`, `already done`, `ok` or `failed`."),
    "commands[].steps[].seconds": ("number", "How long it has acted."),
    "commands[].changes[].what": (
        "text",
        "What would have changed on AWS: an operation, or a layer or tag of a repository.",
    ),
    "commands[].changes[].times": ("whole number", "How often."),
    "refs": ("list of text", "Branches and tags that would have moved at the remote."),
    "unchanged": ("whole number", "How many files and folders of the real repository are as they were: all of them."),
    "work": ("object or null", "Where the scratch clone and its local cloud are, when `--keep` lets them go on."),
}

DOCTOR_FINDINGS: Fields = {
    "app": ("text", "The app's name."),
    "problems": ("whole number", "How many findings keep a release from working."),
    "warnings": ("whole number", "How many do not, but want attention."),
    "findings[].environment": ("text or null", "Which environment it is about; null when it is about none."),
    "findings[].check": ("text", "What was looked at."),
    "findings[].verdict": ("text", "`ok`, `warning`, `problem` or `skipped`."),
    "findings[].what": ("text", "What was found."),
    "findings[].fix": ("text or null", "What to do about it, where something is to be done."),
}

LOCK_STATUS: Fields = {
    "app": ("text", "The app's name."),
    "environments.NAME.lock": ("object or null", "Who is changing it now; null when nobody is."),
    "environments.NAME.hold.actor": ("text", "Who wants it left alone: `user@host`."),
    "environments.NAME.hold.reason": ("text", "Why."),
    "environments.NAME.hold.since": ("text", "Since when, in UTC, as ISO 8601."),
    "environments.NAME.hold.until": ("text or null", "Until when; null for as long as nobody removes it."),
}

LOCK: Fields = {
    "actor": ("text", "Who: `user@host`."),
    "command": ("text or null", "What that run was started with."),
    "reason": ("text or null", "Why, where a person said."),
    "since": ("text", "Since when, in UTC, as ISO 8601."),
    "expires": ("text or null", "When its lease ends unless it is renewed; null when a person has taken it by hand."),
    "expired": ("true or false", "Whether that run has died, so that the next one takes over. Not in `status --json`."),
    "manual": ("true or false", "Whether a person has taken it by hand. Not in `status --json`."),
    "fence": ("whole number", "How often this environment's lock had been taken by then."),
}
"""A lock; no scene is long enough to have one, so a test holds this against the code."""

DOCUMENTS = (
    DocumentFields(
        task="status",
        command="status --json",
        about="What runs where. `ledger` as a whole is null in an environment where this tool never deployed. With "
        "`--watch`, such a document on one line for each look.",
        fields=STATUS,
    ),
    DocumentFields(
        task="demo",
        command="demo --json",
        about="Every field of `status --json`, and where everything is. With `--keep` it goes on existing.",
        fields=WORK,
        like=STATUS,
    ),
    DocumentFields(
        task="rehearse",
        command="rehearse --json",
        about="What the rehearsal of a flow has found. The exit code is that of the flow.",
        fields=REHEARSAL,
    ),
    DocumentFields(
        task="history",
        command="history --json",
        about="A list of ledger entries, newest first.",
        fields=_below("[].", ENTRY),
    ),
    DocumentFields(
        task="rollback",
        command="rollback --list --json",
        about="Every release that can be gone back to: every field of `history --json`, and one more.",
        fields={"[].exists": ("true or false", "Whether the repository still holds its image.")},
        like=_below("[].", ENTRY),
    ),
    DocumentFields(
        task="lock.show",
        command="lock.show --json",
        about="Who changes what, and what is to be left as it is. `hold` is null where nothing is held.",
        fields=LOCK_STATUS,
    ),
    DocumentFields(
        task="runtime.show",
        command="runtime.show --json",
        about="What is configured, and since when. No secret is in it.",
        fields=RUNTIME,
    ),
    DocumentFields(
        task="runtime.diff",
        command="runtime.diff --json",
        about="What is configured in two environments.",
        fields=DIFFERENCE,
    ),
    DocumentFields(
        task="doctor",
        command="doctor --json",
        about="Everything that was looked at. The exit code is [3](exit-codes.md#3) when there is a problem.",
        fields=DOCTOR_FINDINGS,
    ),
    DocumentFields(
        task="changelog.check",
        command="changelog.check --json",
        about="A list of problems; empty when there is none. The exit code is [3](exit-codes.md#3) when there is one.",
        fields=_below("[].", PROBLEM),
    ),
    DocumentFields(
        task="changelog.show",
        command="changelog.show --format json",
        about="One section. With `--since` that finds several, a list of them.",
        fields=SECTION,
    ),
    DocumentFields(
        task="local.up",
        command="local.up --json",
        about="The local cloud that was started, or ran already.",
        fields=CLOUD,
    ),
    DocumentFields(
        task="local.status",
        command="local.status --json",
        about="Every field of `local.up --json`, without starting anything.",
        fields={"running": ("true or false", "Whether it runs. When it does not, this is the only field.")},
        like={path: explained for path, explained in CLOUD.items() if path != "running"},
    ),
)
