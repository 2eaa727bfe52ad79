"""A release, the labels of its steps, and the messages of its commit and tag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.version import image_tag

if TYPE_CHECKING:
    from semver import Version  # noqa: TC004 - an image has no version, and a process that copies images loads none

    from kaizen_tasks.domain.ledger import LedgerEntry  # noqa: TC004 - a release without environments does not load it

ENVIRONMENT_TRAILER = "Kaizen-Environment"
"""Names the environment of a hotfix in the message of its release commit; other releases are the first stage's."""


@frozen
class StepLabel:
    """The name of a step, and the environment on which the step works, if any."""

    step: str
    environment: str = ""

    def __str__(self) -> str:
        return f"{self.step} {self.environment}".strip()


def short_digest(digest: str) -> str:
    """Return the first characters of a digest or a commit, as git shortens a commit."""
    return digest.removeprefix("sha256:")[:7]


Label = StepLabel  # deprecated name, for steps that an app wrote before 0.2; until 1.0


@frozen(kw_only=True)
class Release:
    """A release: version, commit and image digest, as far as known.

    Attributes:
        version: the version.
        commit: full hash of the release commit; empty until it is written.
        digest: `sha256:…` of the image manifest; empty until it is in a registry.
        verified_steps: labels of the steps that this run has seen succeed and that cannot be checked later.
        configuration: version of the runtime configuration to run with; empty when the release sets none.
        waiver: the reason that a person gave for a promotion without evidence; empty when evidence is required.
        outcome: the entry of the deployment that this run has seen succeed, which is written with that of the
            verification; None once it is written.
    """

    version: Version
    commit: str = ""
    digest: str = ""
    verified_steps: frozenset[StepLabel] = frozenset()
    configuration: str = ""
    waiver: str = ""
    outcome: LedgerEntry | None = None

    @property
    def name(self) -> str:
        """The name of the release in image tags and at `/version`: `v1.2.3`."""
        return image_tag(self.version)

    def matches(self, entry: LedgerEntry) -> bool:
        """Return whether an entry has the release's image and, if the release sets one, its runtime configuration."""
        return entry.digest == self.digest and self.configuration in {"", entry.configuration}

    def with_verified_step(self, label: StepLabel) -> Release:
        """Return the release with one more verified step."""
        return evolve(self, verified_steps=self.verified_steps | {label})


def render_message(template: str, values: Mapping[str, str], *, trailers: tuple[str, ...] = ()) -> str:
    """Return a message: the template filled in, and trailers in its last paragraph.

    Args:
        template: with placeholders in braces; a blank line follows its subject, if it has none.
        values: by placeholder.
        trailers: such as `Signed-off-by: Sam <sam@example.com>`; one that the message has already is not repeated.
    """
    subject, _, body = template.format(**values).strip().partition("\n")
    paragraphs = [subject.strip(), *filter(None, [body.strip()])]
    missing_trailers = [trailer for trailer in trailers if trailer not in body.splitlines()]
    if missing_trailers:
        last_paragraph = body.strip().rpartition("\n\n")[2]
        has_trailers = bool(last_paragraph) and all(map(_is_trailer, last_paragraph.splitlines()))
        text = "\n".join(missing_trailers)
        paragraphs = [*paragraphs[:-1], f"{paragraphs[-1]}\n{text}"] if has_trailers else [*paragraphs, text]
    return "\n\n".join(paragraphs) + "\n"


def _is_trailer(line: str) -> bool:
    """Return whether git reads a line as a trailer: https://git-scm.com/docs/git-interpret-trailers."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*: \S.*", line) is not None
