"""The flags that several tasks have. A flag of one task is in `commands`, with its task."""

from __future__ import annotations

from typing import NamedTuple


class Flag(NamedTuple):
    """A flag of a task. Invoke gives it the first letter of its name that the task has not used yet.

    Attributes:
        name: with underscores, as the handler takes it; typed with dashes.
        help: what `--help` says.
        default: its value when it is not given; False makes a flag without a value.
        repeatable: whether it may be given several times; the handler takes a list.
    """

    name: str
    help: str
    default: str | bool | None = ""
    repeatable: bool = False


ENV_HELP = "environment or group; may be repeated"
JSON_HELP = "print one JSON document on stdout and everything else on stderr"
RELEASE_HELP = "the release: v1.2.3 or 1.2.3"
YES_HELP = "skip confirmations"

ENV = Flag("env", ENV_HELP, repeatable=True)
ENV_OR_ALL = Flag("env", f"{ENV_HELP} (default: all)", repeatable=True)
RELEASE = Flag("release", RELEASE_HELP)
YES = Flag("yes", YES_HELP, default=False)
JSON = Flag("json", JSON_HELP, default=False)
WAIT = Flag("wait", "how long to wait for another run that has locked the environment, e.g. 10m")
SHARD = Flag("shard", "this machine's share of the environments, such as 2/8", default=None)
SKIP_HELD = Flag("skip_held", "exit 0 even if held environments were skipped", default=False)
NO_ROLLBACK = Flag("no_rollback", "do not roll back if verification fails", default=False)
WITHOUT_EVIDENCE = Flag(
    "without_evidence",
    "reason to skip the check that the previous stage verified it; recorded in the ledger",
    default=None,
)
PART = Flag("part", "auto, patch, feature, major or rc", default="auto")
TO = Flag("to", "exactly this version")
FORCE = Flag("force", "allow a lower part than the release notes require", default=False)
SKIP_DOCS = Flag("skip_docs", "reason to skip the documentation checklist; recorded in the tag's message")
REASON = Flag("reason", "why, for the ledger")
ENGINE_HELP = "auto, docker, podman, buildah or bundle"
KEEP = Flag("keep", "keep everything running, in this new or empty folder")
