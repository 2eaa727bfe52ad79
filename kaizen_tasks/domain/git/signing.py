"""Why a signature could not be made, by what gpg, gpgsm, ssh-keygen and git print."""

from __future__ import annotations

import re
import shlex

_NOISE = re.compile(
    r"\[GNUPG:\]|hint:|(?:error: )?(?:unable to sign the tag|gpg failed to sign the data:?$)|[@\s?]*$|.*@$"
)
_PREFIX = re.compile(r"^(?:(?:error|fatal|gpg|gpgsm|Enter passphrase[^:]*): )+")
_HINTS = (
    (r'Load key "([^"]+)": .*passphrase', "let the agent ask for the passphrase: ssh-add {}"),
    (r"ioctl|\btty|pinentry|passphrase|cancelled", "let it ask for the passphrase: export GPG_TTY=$(tty)"),
    (r"cannot run|not installed", "install it, or name another program: git config gpg.program PROGRAM"),
    (r"expired|revoked|unusable", "name another key: git config user.signingKey KEY"),
    (r"Permissions \d+ for '([^']+)' are too open", "chmod 600 {}"),
)


def signing_problem(text: str) -> str:
    """Return the reason in one line, or an empty string."""
    lines = (_PREFIX.sub("", line.strip()).rstrip("?") for line in text.splitlines() if not _NOISE.match(line.strip()))
    return next((line for line in lines if not _NOISE.match(line)), "")


def signing_hint(text: str) -> str:
    """Return what to do about it."""
    for pattern, hint in _HINTS:
        if match := re.search(pattern, text, re.IGNORECASE):
            return hint.format(*map(shlex.quote, match.groups()))
    return "name a key that is here: git config user.signingKey KEY"


def is_format_unknown(text: str) -> bool:
    """Return whether git does not know the value of `gpg.format`, without which it does nothing at all."""
    return "gpg.format" in text
