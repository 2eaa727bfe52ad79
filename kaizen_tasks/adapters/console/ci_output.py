"""How the output of other programs, such as a build, is written into the log of a CI service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from kaizen_tasks.adapters.host.ci_run import is_in_ci

OUTPUT_MARK = "  | "
"""Before each line of another program, so that it is no line of ours."""


class OutputGroup(NamedTuple):
    """The lines before and after an output by which a CI service folds it; braces contain `title`, `id` and `seconds`.

    Attributes:
        begin: the line before the output; empty where nothing is folded.
        end: the line after it.
    """

    begin: str = ""
    end: str = ""

    def first_line(self, title: str, now: datetime) -> str:
        """Return the line before an output."""
        return self._fill(self.begin, title, now)

    def last_line(self, title: str, now: datetime) -> str:
        """Return the line after an output."""
        return self._fill(self.end, title, now)

    def _fill(self, template: str, title: str, now: datetime) -> str:
        identifier = re.sub(r"\W+", "_", title, flags=re.ASCII)
        return template.format(title=title, id=f"kaizen_{identifier}", seconds=int(now.timestamp()))


LINES = OutputGroup()
"""An output that is not folded."""

GROUPS = {
    # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#grouping-log-lines
    "GITHUB_ACTIONS": OutputGroup(begin="::group::{title}", end="::endgroup::"),
    # https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
    "GITLAB_CI": OutputGroup(
        begin="\x1b[0Ksection_start:{seconds}:{id}[collapsed=true]\r\x1b[0K{title}",
        end="\x1b[0Ksection_end:{seconds}:{id}\r\x1b[0K",
    ),
}
"""By a variable that the service sets in every job."""


def find_output_group(environ: Mapping[str, str]) -> OutputGroup | None:
    """Return how the CI service of this process folds an output; None outside of CI, where it is not written."""
    group = next((group for marker, group in GROUPS.items() if environ.get(marker)), LINES)
    return group if is_in_ci(environ) else None
