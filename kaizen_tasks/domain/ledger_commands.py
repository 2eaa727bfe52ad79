"""What the ledger of an environment says of the commands before its deployments; entries are newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kaizen_tasks.domain.ledger import Event, LedgerEntry


def latest_attempt(entries: Iterable[LedgerEntry], *, digest: str, command: str) -> LedgerEntry | None:
    """Return the newest entry of a command that was to run in an image; None if it was never started.

    `command-started` means that its outcome is not known yet, or was lost.
    """
    own_entries = (entry for entry in entries if entry.event is not Event.RAN and entry.event.concerns_command)
    return next((entry for entry in own_entries if entry.digest == digest and entry.command == command), None)


def last_intent(entries: Iterable[LedgerEntry], *, digest: str, command: str) -> LedgerEntry | None:
    """Return the newest entry `command-started` of a command in an image, whatever came after it, or None."""
    starts = (entry for entry in entries if entry.event is Event.COMMAND_STARTED)
    return next((entry for entry in starts if entry.digest == digest and entry.command == command), None)


def irreversible_since(entries: Sequence[LedgerEntry], digest: str) -> LedgerEntry | None:
    """Return the entry of the newest irreversible command that a return to a release would go behind, or None.

    That is one of another release which has run, or may have run, since the release was last verified here: a release
    that was verified afterwards runs with what the command has changed.

    Args:
        entries: newest first.
        digest: digest of the release to return to.
    """
    for entry in _since_verification(entries, digest):
        if not entry.irreversible or entry.digest == digest or entry.event is Event.COMMAND_FAILED:
            continue
        latest = latest_attempt(entries, digest=entry.digest, command=entry.command)
        if latest is not None and latest.event is not Event.COMMAND_FAILED:
            return latest
    return None


def _since_verification(entries: Iterable[LedgerEntry], digest: str) -> Iterator[LedgerEntry]:
    for entry in entries:
        if entry.event is Event.VERIFIED and entry.digest == digest:
            return
        yield entry
