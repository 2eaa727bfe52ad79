"""The targets of messages: what each `[[notify]]` table asks for."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.notification.topic import Topic

FORMATS = ("json", "slack", "apprise")
"""How messages are sent: signed JSON, Slack's (and Mattermost's) incoming webhooks or API, whatever Apprise knows."""


@frozen(kw_only=True)
class NotifyTarget:
    """A receiver of messages.

    Attributes:
        name: its name, by which the outbox knows it.
        format: one of `FORMATS`.
        topics: what it is told.
        environments: names of the environments about which it is told; empty for all.
        webhook: the address, if it is no secret; else empty.
        webhook_secret: name of the secret of the home account with the address; else empty.
        signing_secret: name of the secret with the key that signs a JSON body; empty for none.
        token_secret: name of the secret with a token of Slack's API, with which messages are edited; else empty.
        channel: the channel of Slack's API; empty without a token.
        private_host: the host that may be in a private network, or this machine; empty for none.
    """

    name: str
    format: str = "json"
    topics: frozenset[Topic] = frozenset()
    environments: frozenset[str] = frozenset()
    webhook: str = ""
    webhook_secret: str = ""
    signing_secret: str = ""
    token_secret: str = ""
    channel: str = ""
    private_host: str = ""

    @property
    def edits(self) -> bool:
        """Whether a message can be edited, so that a rollout is one message that grows; else it is told at its end."""
        return bool(self.token_secret)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The names of the secrets that a message to the target needs."""
        return tuple(filter(None, (self.webhook_secret, self.signing_secret, self.token_secret)))

    def wants(self, topic: Topic, environment: str) -> bool:
        """Return whether the target is told of a topic in an environment."""
        return topic in self.topics and (not self.environments or environment in self.environments)
