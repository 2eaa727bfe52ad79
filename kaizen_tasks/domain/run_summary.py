"""The summary of a command on the page of its CI job, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from kaizen_tasks.domain.deployments import Deployment, group_deployments
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import short_digest
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.domain.text.markdown import code_block, escape_markdown, markdown_link

MAX_ROWS = 200
MAX_REASON_LENGTH = 200

MARKS: Mapping[Event, str] = {
    Event.VERIFIED: "✅ ",
    Event.FAILED: "❌ ",
    Event.COMMAND_FAILED: "❌ ",
    Event.COMMAND_SUCCEEDED: "✅ ",
}
HEADER = ("Environment", "Release", "Commit", "Outcome", "Took", "Digest", "Why")


@frozen(kw_only=True)
class RunSummary:
    """What a command has done.

    Attributes:
        title: what it does, with the app: `coach: promote v1.2.3 to prod`.
        text: what it has achieved; empty if it has failed.
        next_step: what to type next; empty when nothing follows.
        entries: what it has added to the ledger, oldest first.
        urls: URLs of the environments, by name.
        commits_url: what the URLs of commits' pages begin with; or empty.
        environments: names of those that the command is for, in order; each has a row, also without a deployment.
        holds: why some of them were left out, by name.
    """

    title: str
    text: str = ""
    next_step: str = ""
    entries: tuple[LedgerEntry, ...] = ()
    urls: Mapping[str, str] = field(factory=dict)
    commits_url: str = ""
    environments: Sequence[str] = ()
    holds: Mapping[str, str] = field(factory=dict)

    def as_markdown(self) -> str:
        """Return a heading, a table of deployments, and the end; empty for a command that failed before any."""
        if not self.text and not self.entries:
            return ""
        mark = "✅" if self.text else "❌"
        ends = (escape_markdown(line) for line in (self.text, self.next_step))
        parts = (f"### {mark} {escape_markdown(self.title)}", "\n".join(self._table()), *ends)
        return "\n\n".join(filter(None, parts)) + "\n"

    def _table(self) -> Iterator[str]:
        """Yield the lines of the table, what has failed first; none without a deployment."""
        deployments = sorted(self._deployments(), key=lambda deployment: deployment.last.event is Event.VERIFIED)
        if not deployments and not self.holds:
            return
        rows = [*map(self._cells, deployments[:MAX_ROWS]), *self._other_rows(free=MAX_ROWS - len(deployments))]
        columns = [index for index in range(len(HEADER)) if any(row[index] for row in rows)]
        for row in (HEADER, ("---",) * len(HEADER), *rows):
            yield _row([row[index] for index in columns])
        if len(deployments) > MAX_ROWS:
            yield f"\nand {counted(len(deployments) - MAX_ROWS, 'deployment')} more: see `inv history`"

    def _other_rows(self, *, free: int) -> Iterator[tuple[str, ...]]:
        """Yield the rows of the environments to which nothing was deployed, as far as there is room."""
        deployed = {entry.environment for entry in self.entries}
        others = [name for name in dict.fromkeys((*self.environments, *self.holds)) if name not in deployed]
        for name in others[: max(free, 0)]:
            outcome = "⏸ left out" if name in self.holds else "no deployment"
            link, reason = markdown_link(name, self.urls.get(name, "")), _shorten(self.holds.get(name, ""))
            yield (link, "", "", outcome, "", "", escape_markdown(reason))

    def _deployments(self) -> Sequence[Deployment]:
        names = dict.fromkeys(entry.environment for entry in self.entries)
        by_environment = ([entry for entry in self.entries if entry.environment == name] for name in names)
        return [
            deployment
            for entries in by_environment
            for deployment in reversed(group_deployments(tuple(reversed(entries))))
        ]

    def _cells(self, deployment: Deployment) -> tuple[str, ...]:
        entry, seconds = deployment.last, deployment.seconds
        commit_url = f"{self.commits_url}{entry.commit}" if self.commits_url else ""
        return (
            markdown_link(entry.environment, self.urls.get(entry.environment, "")),
            escape_markdown(entry.version),
            markdown_link(short_digest(entry.commit), commit_url),
            MARKS.get(entry.event, "") + escape_markdown(deployment.outcome),
            "" if seconds is None else duration.format_duration(seconds),
            short_digest(entry.digest),
            escape_markdown(_shorten(deployment.reason)),
        )


def failure_markdown(command: str, text: str, *, code: int, has_title: bool = False) -> str:
    """Return how a command has failed, with its error as it is printed: what is wrong, and what to type next.

    Args:
        command: the command line.
        text: the error.
        code: the exit code.
        has_title: whether the page has the command's title and table already.
    """
    heading = "" if has_title else "### ❌ "
    return f"{heading}{escape_markdown(command)} failed (exit code {code})\n\n{code_block(text)}\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_REASON_LENGTH else f"{text[: MAX_REASON_LENGTH - 1]}…"
