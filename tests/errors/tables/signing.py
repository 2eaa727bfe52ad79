"""Releases are signed, and git, gpg or ssh-keygen cannot."""

from __future__ import annotations

from tests.errors.case import Case

WITHOUT = "; without signatures: git config commit.gpgSign false"
OWN_GPG = "export GNUPGHOME=$(mktemp -d)"
SIGN_AS_ADA = "git config commit.gpgSign true && git config user.signingKey ada@example.com"
WITH_AGENT = (
    "printf '#!/bin/sh\\necho secret\\n' > ../ask && chmod +x ../ask "
    "&& SSH_ASKPASS=$PWD/../ask SSH_ASKPASS_REQUIRE=force ssh-agent sh -c '{}'"
)
"""Runs commands beside an agent, with a program that knows the passphrase."""


def new_key(options: str, expires: str = "never") -> str:
    """Return the line that makes Ada a key of gpg."""
    return f"gpg --batch --quiet {options} --quick-generate-key 'Ada <ada@example.com>' ed25519 sign {expires}"


def sign_by_ssh(passphrase: str = "") -> tuple[str, ...]:
    """Return the lines that make a key of ssh and sign with it."""
    return (
        f"ssh-keygen -q -t ed25519 -N '{passphrase}' -f key && echo 'key*' >> .git/info/exclude",
        "git config commit.gpgSign true && git config gpg.format ssh && git config user.signingKey ./key",
    )


CASES = (
    Case(mistake="a key of gpg that is not here",
         before=(OWN_GPG, "git config commit.gpgSign true"),
         typed="inv cut", code=3, says='the release commit could not be signed: skipped "Ada Author": No secret key',
         hint=f"name a key that is here: git config user.signingKey KEY{WITHOUT}",
         follow=(new_key("--passphrase ''"), "git config user.signingKey ada@example.com"), again=0),
    Case(mistake="a key of gpg that has expired",
         before=(OWN_GPG, new_key("--passphrase '' --faked-system-time 20200101T000000", "1d"), SIGN_AS_ADA),
         typed="inv cut", code=3, says='the release commit could not be signed: skipped "ada@example.com": Unusable',
         hint=f"name another key: git config user.signingKey KEY{WITHOUT}", again=0),
    Case(mistake="a key of gpg with a passphrase and no terminal",
         before=(OWN_GPG, new_key("--passphrase secret"), "gpgconf --kill gpg-agent", SIGN_AS_ADA),
         typed="inv cut", code=3, says="the release commit could not be signed: signing failed: ",
         hint=f"let it ask for the passphrase: export GPG_TTY=$(tty){WITHOUT}", again=0),
    Case(mistake="a key of ssh that is not here",
         before=("git config commit.gpgSign true && git config gpg.format ssh",
                 "git config user.signingKey /nosuch.pub"),
         typed="inv cut", code=3, says="the release commit could not be signed: Couldn't load public key /nosuch.pub",
         hint=f"name a key that is here: git config user.signingKey KEY{WITHOUT}", again=0),
    Case(mistake="a key of ssh that everybody may read",
         before=(*sign_by_ssh(), "chmod 644 key"),
         typed="inv cut", code=3,
         says="the release commit could not be signed: Permissions 0644 for './key' are too open",
         hint=f"chmod 600 ./key{WITHOUT}",
         follow=("chmod 600 ./key",), again=0),
    Case(mistake="a key of ssh with a passphrase and no terminal",
         before=sign_by_ssh("secret"),
         typed="inv cut", code=3, says='the release commit could not be signed: Load key "./key": incorrect passphrase',
         hint=f"let the agent ask for the passphrase: ssh-add ./key{WITHOUT}",
         follow=(WITH_AGENT.format("ssh-add ./key && inv cut"),)),
    Case(mistake="a format of signatures that git does not know",
         before=("git config commit.gpgSign true && git config gpg.format pgp", OWN_GPG,
                 new_key("--passphrase ''")),
         typed="inv cut", code=3, says="the release commit could not be signed: invalid value for 'gpg.format': 'pgp'",
         hint="choose openpgp, ssh or x509: git config gpg.format openpgp",
         follow=("git config gpg.format openpgp", "git config user.signingKey ada@example.com"), again=0),
)  # fmt: skip
