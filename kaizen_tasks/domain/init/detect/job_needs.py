"""Which jobs of a pipeline run before another one, by its `needs`: those of GitHub and GitLab are alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, text, text_at

if TYPE_CHECKING:
    from yaml.nodes import Node


def needed_jobs(name: str, jobs: Mapping[str, Node]) -> list[str]:
    """Return the names of the jobs that run before a job."""
    found, queue = [], [name]
    while queue:
        node = child(jobs[queue.pop()], "needs")
        names = [text(each) or text_at(each, "job") for each in items(node)] or [text(node)]
        new = [each for each in names if each in jobs and each not in found]
        found += new
        queue += new
    return found
