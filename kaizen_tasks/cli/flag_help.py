"""Help texts of flags that several tasks have."""

from __future__ import annotations

ENV_HELP = "environment or group; may be repeated"
ALL_ENVIRONMENTS_HELP = f"{ENV_HELP} (default: all)"
RELEASE_HELP = "the release: v1.2.3 or 1.2.3"
YES_HELP = "skip confirmations"
JSON_HELP = "print one JSON document on stdout and everything else on stderr"
TO_HELP = "exactly this version"
SKIP_HELD_HELP = "exit 0 even if held environments were skipped"
WAIT_HELP = "how long to wait for another run that has locked the environment, e.g. 10m"
SHARD_HELP = "this machine's share of the environments, such as 2/8"
WITHOUT_EVIDENCE_HELP = "reason to skip the check that the previous stage verified it; recorded in the ledger"
NO_ROLLBACK_HELP = "do not roll back if verification fails"
SKIP_DOCS_HELP = "reason to skip the documentation checklist; recorded in the tag's message"
FORCE_HELP = "allow a lower part than the release notes require"
PART_HELP = "auto, patch, feature, major or rc"
