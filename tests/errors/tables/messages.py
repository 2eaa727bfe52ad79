"""Targets of messages that cannot be told."""

from __future__ import annotations

from tests.errors.case import Case

TEST = "inv notify.test"
HOOK = 'name = "team"\\nwebhook = "http://127.0.0.1:9/hook"'
SECRET = 'name = "team"\\nwebhook_secret = "errors/hook"'


def configure(target: str) -> tuple[str, ...]:
    """Return the line that adds a target."""
    return (f"printf '[[notify]]\\n{target}\\n' >> kaizen.toml",)


def store(name: str) -> str:
    """Return the line that creates a secret with an address, as the hints say."""
    return (
        f"printf https://127.0.0.1:9/hush | aws secretsmanager create-secret --name {name}"
        " --secret-string file:///dev/stdin"
    )


CASES = (
    Case(mistake="a test message without a target",
         typed=TEST, code=2, says="no target of messages is configured, so nobody can be told",
         hint='add [[notify]] with webhook_secret = "NAME" to kaizen.toml; the configuration reference has its keys',
         follow=(*configure(HOOK), "inv --dry notify.test")),
    Case(mistake="a test message to a target that there is not",
         before=configure(HOOK),
         typed="inv notify.test --name taem", code=2, says="--name taem: there is no such target",
         hint="inv notify.test --name team", leads_to=9),
    Case(mistake="a target that does not answer",
         before=configure(HOOK),
         typed=TEST, code=9, says="the target has not accepted the message: team",
         lists="team 127.0.0.1:9 refuses the connection",
         hint="check whether it works, then run the same command again", again=9),
    Case(mistake="a target whose secret there is not",
         before=configure(SECRET),
         typed=TEST, code=9, says="the target has not accepted the message: team",
         lists="team there is no secret errors/hook",
         hint="create it, and type its text: aws secretsmanager create-secret --name errors/hook"
              " --secret-string file:///dev/stdin",
         follow=(store("errors/hook"), TEST), leads_to=9),
    Case(mistake="an address with a token in the file",
         before=configure('webhook = "https://hooks.slack.com/services/hush"'),
         typed=TEST, code=2, says="kaizen.toml: notify[1 of 1].webhook has a token in it, which everybody who reads"
                                  " this file could use; store it as a secret, and write the name of that: aws"
                                  " secretsmanager create-secret --name kaizen/notify --secret-string file:///dev/stdin",
         follow=(store("kaizen/notify"), "sed -i 's|^webhook.*|webhook_secret = \"kaizen/notify\"|' kaizen.toml", TEST),
         leads_to=9),
)  # fmt: skip
