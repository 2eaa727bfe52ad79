"""Why a signature could not be made, by what gpg, gpgsm, ssh-keygen and git print."""

from __future__ import annotations

import re

_NOISE = re.compile(
    r"\[GNUPG:\]|hint:|(?:error: )?(?:unable to sign the tag|gpg failed to sign the data:?$)|[@\s?]*$|.*@$"
)
_PREFIX = re.compile(r"^(?:(?:error|fatal|gpg|gpgsm): )+")
_HINTS = (
    (
        r"ioctl|\btty|pinentry|passphrase|cancelled",
        "let it ask for the passphrase: export GPG_TTY=$(tty), or ssh-add KEY",
    ),
    (r"cannot run|not installed", "install it, or name another program: git config gpg.program PROGRAM"),
    (r"expired|revoked", "name another key: git config user.signingKey KEY"),
    (r"too open|unprotected", "chmod 600 the key's file"),
    (r"gpg\.format", "git config gpg.format openpgp, ssh or x509"),
)


def signing_problem(text: str) -> str:
    """Return the reason in one line, or an empty string."""
    lines = (_PREFIX.sub("", line.strip()).rstrip("?") for line in text.splitlines() if not _NOISE.match(line.strip()))
    return next(filter(None, lines), "")


def signing_hint(text: str) -> str:
    """Return what to do about it."""
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, text, re.IGNORECASE)), "")
    return hint or "name a key that is here: git config user.signingKey KEY"
