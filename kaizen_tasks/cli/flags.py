"""The flags that several tasks have. A flag of one task is in `commands`, with its task."""

from __future__ import annotations

from typing import NamedTuple

LETTERS = {"env": "e", "release": "r", "yes": "y", "json": "j", "watch": "w", "wait": "w"}
"""The flags that have a letter: the same one in every task. `-h` is help; every other flag is written out."""


class Flag(NamedTuple):
    """A flag of a task.

    Attributes:
        name: with underscores, as the handler takes it; typed with dashes.
        help: what `--help` says.
        default: its value when it is not given; False makes a flag without a value.
        repeatable: whether it may be given several times; the handler takes a list.
        value: what `--help` calls its value: `X.Y.Z`; empty for the flag's name in capitals.
    """

    name: str
    help: str
    default: str | bool | None = ""
    repeatable: bool = False
    value: str = ""

    @property
    def typed(self) -> str:
        """The flag as it is typed: `--set-file`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def letter(self) -> str:
        """Its letter; empty when it has none."""
        return LETTERS.get(self.name, "")

    @property
    def placeholder(self) -> str:
        """What stands for its value in `--help`; empty for a flag without a value."""
        is_switch = self.default is False and not self.repeatable
        return "" if is_switch else self.value or self.name.replace("_", "-").upper()


ENV_HELP = "environment or group; may be repeated"
JSON_HELP = "print one JSON document on stdout and everything else on stderr"
RELEASE_HELP = "the release: v1.2.3 or 1.2.3"
RELEASE_VALUE = "vX.Y.Z"
VERSION_VALUE = "X.Y.Z"
REASON_VALUE = "TEXT"
DURATION_VALUE = "DURATION"
SINCE_VALUE = "TIME"
YES_HELP = "skip confirmations"

ENV = Flag("env", ENV_HELP, repeatable=True)
ENV_OR_ALL = Flag("env", f"{ENV_HELP} (default: all)", repeatable=True)
RELEASE = Flag("release", RELEASE_HELP, value=RELEASE_VALUE)
YES = Flag("yes", YES_HELP, default=False)
JSON = Flag("json", JSON_HELP, default=False)
WAIT = Flag("wait", "how long to wait for another run that has locked the environment, e.g. 10m", value=DURATION_VALUE)
SHARD = Flag("shard", "this machine's share of the environments, such as 2/8", default=None, value="N/M")
SKIP_HELD = Flag("skip_held", "exit 0 even if held environments were skipped", default=False)
NO_ROLLBACK = Flag("no_rollback", "do not roll back if verification fails", default=False)
WITHOUT_EVIDENCE = Flag(
    "without_evidence",
    "reason to skip the check that the previous stage verified it; recorded in the ledger",
    default=None,
    value=REASON_VALUE,
)
PART = Flag("part", "auto, patch, feature, major or rc", default="auto")
TO = Flag("to", "exactly this version", value=VERSION_VALUE)
FORCE = Flag("force", "allow a lower part than the release notes require", default=False)
SKIP_DOCS = Flag(
    "skip_docs", "reason to skip the documentation checklist; recorded in the tag's message", value=REASON_VALUE
)
REASON = Flag("reason", "why, for the ledger", value=REASON_VALUE)
ENGINE_HELP = "auto, docker, podman, buildah, bundle or stand-in"
KEEP = Flag("keep", "keep everything running, in this new or empty folder", value="FOLDER")
