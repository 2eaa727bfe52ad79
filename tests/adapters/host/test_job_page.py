"""What is added to the page of a CI job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host.job_page import MAX_BYTES, add_to_job_page, has_job_page

if TYPE_CHECKING:
    from pathlib import Path


BUILDKITE = {"BUILDKITE_AGENT_ACCESS_TOKEN": "x", "BUILDKITE_JOB_ID": "0190-job"}


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    return tmp_path / "summary.md"


def add(markdown: str, path: Path) -> str:
    return add_to_job_page(markdown, is_success=True, environ={"GITHUB_STEP_SUMMARY": str(path)})


def test_commands_of_a_step_append_to_its_summary(summary: Path) -> None:
    summary.write_text("somebody's line without an end", encoding="utf-8")

    assert (add("### ✅ one\n", summary), add("### two\n", summary)) == ("", "")

    assert summary.read_text(encoding="utf-8") == "somebody's line without an end\n### ✅ one\n\n### two\n"


def test_summary_is_created(summary: Path) -> None:
    add("x", summary)

    assert summary.read_text(encoding="utf-8") == "\nx"


def test_summary_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "summary.md"

    assert add("x", path) == f"the job's summary cannot be written: {path}: No such file or directory"


def test_summary_never_gets_larger_than_what_is_shown(summary: Path) -> None:
    """GitHub shows nothing of a larger one."""
    summary.write_bytes(b"x" * (MAX_BYTES - 10))

    assert add("y" * 10, summary) == "the summary of this step is full (1024 KiB): inv history has the rest"
    assert add("y" * 9, summary) == ""
    assert summary.stat().st_size == MAX_BYTES


@pytest.mark.parametrize(
    ("variable", "expected"), [("GITHUB_STEP_SUMMARY", True), ("BUILDKITE_AGENT_ACCESS_TOKEN", True), ("CI", False)]
)
def test_only_some_services_have_a_page(variable: str, expected: bool) -> None:
    assert has_job_page({variable: "x"}) is expected
    assert has_job_page({variable: ""}) is False


def test_other_services_get_nothing() -> None:
    assert add_to_job_page("x", is_success=True, environ={"GITLAB_CI": "true"}) == ""


@pytest.mark.integration
class TestBuildkite:
    def install_agent(self, folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make a program that stands in for the agent."""
        agent = folder / "buildkite-agent"
        agent.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        agent.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    @pytest.mark.parametrize(("is_success", "style"), [(True, "success"), (False, "error")])
    def test_annotation_of_the_job_grows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_success: bool, style: str
    ) -> None:
        self.install_agent(tmp_path, f'echo "$@" > {tmp_path}/argv; cat > {tmp_path}/body', monkeypatch)

        assert add_to_job_page("### ✅ x\n", is_success=is_success, environ=BUILDKITE) == ""

        expected = f"annotate --append --context kaizen-0190-job --style {style}\n"
        assert (tmp_path / "argv").read_text(encoding="utf-8") == expected
        assert (tmp_path / "body").read_text(encoding="utf-8") == "\n### ✅ x\n"

    def test_agent_that_fails_is_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install_agent(tmp_path, "echo no session >&2; exit 1", monkeypatch)

        problem = add_to_job_page("x", is_success=True, environ=BUILDKITE)

        assert problem == "the job's annotation cannot be written: no session"

    def test_container_without_the_agent_has_no_page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        assert add_to_job_page("x", is_success=True, environ=BUILDKITE) == ""
