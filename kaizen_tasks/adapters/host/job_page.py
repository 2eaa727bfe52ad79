"""Adds to the page of a CI job: the step's summary on GitHub, Gitea and Forgejo, an annotation on Buildkite.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary and
https://buildkite.com/docs/agent/cli/reference/annotate. Other services show no Markdown of a job.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
BUILDKITE_VARIABLE = "BUILDKITE_AGENT_ACCESS_TOKEN"
PAGE_VARIABLES = (SUMMARY_VARIABLE, BUILDKITE_VARIABLE)
"""One of which is set where a job has a page."""

AGENT = "buildkite-agent"
AGENT_SECONDS = 5.0
MAX_BYTES = 1024 * 1024
"""What both services take; of a step that has written more, GitHub shows nothing."""


def has_job_page(environ: Mapping[str, str]) -> bool:
    """Return whether this process belongs to a job with a page."""
    return any(environ.get(name) for name in PAGE_VARIABLES)


def add_to_job_page(markdown: str, *, is_success: bool, environ: Mapping[str, str]) -> str:
    """Add a text to the job's page, if it has one; return why it cannot be added, or an empty text.

    Args:
        markdown: the text.
        is_success: whether the command has succeeded.
        environ: the environment variables.
    """
    content = f"\n{markdown}".encode()
    if environ.get(SUMMARY_VARIABLE):
        return _append(environ[SUMMARY_VARIABLE], content)
    if environ.get(BUILDKITE_VARIABLE) and shutil.which(AGENT):
        return _annotate(content, is_success=is_success, job=environ.get("BUILDKITE_JOB_ID", ""))
    return ""


def _append(path: str, content: bytes) -> str:
    try:
        with Path(path).open("ab") as file:
            if file.tell() + len(content) > MAX_BYTES:
                return f"the summary of this step is full ({MAX_BYTES // 1024} KiB): inv history has the rest"
            file.write(content)
    except OSError as error:
        return f"the job's summary cannot be written: {path}: {error.strerror}"
    return ""


def _annotate(content: bytes, *, is_success: bool, job: str) -> str:
    from kaizen_tasks.adapters.host import process
    from kaizen_tasks.errors import KaizenError

    style = "success" if is_success else "error"
    options = ("--append", "--context", f"kaizen-{job}", "--style", style)
    try:
        result = process.run((AGENT, "annotate", *options), stdin=content, timeout=AGENT_SECONDS)
    except KaizenError as error:
        return f"the job's annotation cannot be written: {error.message}"
    return "" if result.ok else f"the job's annotation cannot be written: {result.last_line}"
