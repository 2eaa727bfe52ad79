"""The workflows that `init` writes, step by step, as a runner types them, against the local cloud."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import define, evolve, field

from tests.support import workspaces
from tests.support.deployment_server import GitHubDeploymentServer
from tests.support.forge_server import PATH
from tests.support.gitlab_yaml import load_pipeline
from tests.support.workspaces import Workspace, assert_refused, program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.workspaces import CommandResult

pytestmark = pytest.mark.e2e

FURTHER = (
    "[environments.prod]\nprotected = true\n[environments.mark]\n[environments.dom]\n[groups]\nbeta = ['mark', 'dom']\n"
)
EXPRESSION = re.compile(r"\$\{\{ (?:needs|steps)\.(\w+)\.outputs\.(\w+) \}\}")
OUTCOME = re.compile(r"steps\.(\w+)\.outcome (==|!=) '(\w+)'")
INSTALLING = "python -m pip install"


@define(kw_only=True)
class Runner:
    """Runs the steps of jobs as GitHub's runner does: bash, one file for outputs and one for the summary.

    Of conditions it knows those that the workflows have.

    Attributes:
        workspace: where the checkout is.
        folder: for those files.
        api_url: where GitHub's API is; empty for nowhere.
        outputs: what jobs have result, by the step or job that is asked for it.
    """

    workspace: Workspace
    folder: Path
    api_url: str = ""
    outputs: dict[tuple[str, str], str] = field(factory=dict)
    outcomes: dict[str, str] = field(factory=dict)

    def run(self, job: Mapping[str, Any], name: str) -> CommandResult:
        """Run a job's steps, and after a failure those that run nevertheless; return the first failure or the last."""
        typed = [step for step in job["steps"] if "run" in step and not step["run"].startswith(INSTALLING)]
        failure = None
        for step in typed:
            if not self._is_due(step.get("if", ""), has_failed=failure is not None):
                self.outcomes[step.get("id", "")] = "skipped"
                continue
            result = self._step(step)
            self.outcomes[step.get("id", "")] = "failure" if result.code else "success"
            failure = failure or (result if result.code else None)
        for output, value in job.get("outputs", {}).items():
            self.outputs[name, output] = self._filled(value)
        return failure or result

    def _is_due(self, condition: str, *, has_failed: bool) -> bool:
        """Return whether a step runs, after a push."""
        if has_failed and "!cancelled()" not in condition:
            return False
        if condition.startswith("steps.next.outputs.release"):
            return bool(self.outputs["next", "release"])
        outcome = OUTCOME.search(condition)
        return outcome is None or (self.outcomes[outcome[1]] == outcome[3]) == (outcome[2] == "==")

    def _step(self, step: Mapping[str, Any]) -> CommandResult:
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        given = {key: self._filled(value) for key, value in step.get("env", {}).items()}
        words = ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script))
        environ = {**self.workspace.environ, **self._variables(), **given}
        result = workspaces.run(words, cwd=self.workspace.clone, environ=environ)
        for line in output.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self.outputs[step["id"], key] = value
        return result

    def _variables(self) -> dict[str, str]:
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_REPOSITORY": PATH,
            "GITHUB_TRIGGERING_ACTOR": "ada",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "PATH": f"{program('inv').rpartition('/')[0]}:{self.workspace.environ['PATH']}",
        }

    def _filled(self, text: str) -> str:
        filled = EXPRESSION.sub(lambda found: self.outputs.get((found[1], found[2]), ""), text)
        return filled.replace("${{ github.token }}", "t0ken")


SOURCE = ("--kaizen-from", "https://git.example/tools/kaizen_tasks")


@pytest.fixture
def workspace(create_app: Callable[..., Workspace]) -> Workspace:
    """Return an app whose workflows are written and committed, with a change to release."""
    workspace = create_app(further=FURTHER)
    configured = (workspace.clone / "kaizen.toml").read_text(encoding="utf-8")
    (workspace.clone / "kaizen.toml").write_text(configured.replace('"prod"]', '"prod", "beta"]'), encoding="utf-8")
    workspace.kaizen("init", "--yes", "--ci", "github", *SOURCE).expect_success()
    workspace.git("add", "--all")
    workspace.git("commit", "--quiet", "--message", "Release from GitHub")
    workspace.git("push", "--quiet")
    return workspace


def jobs(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    text = (workspace.clone / ".github" / "workflows" / name).read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


@pytest.fixture
def github() -> Iterator[GitHubDeploymentServer]:
    with GitHubDeploymentServer() as server:
        yield server


def test_merge_releases_and_approval_promotes(
    workspace: Workspace, tmp_path: Path, github: GitHubDeploymentServer
) -> None:
    """Without the approval, a job refuses and changes nothing; with it, the very release that was approved goes on."""
    runner = Runner(workspace=workspace, folder=tmp_path, api_url=github.url)
    found = jobs(workspace, "release.yml")

    runner.run(found["release"], "release").expect_success()
    assert (
        runner.outputs["release", "release"] == f"v{(workspace.clone / 'VERSION').read_text(encoding='utf-8').strip()}"
    )
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert ["### ✅ " in summary, "| ✅ verified |" in summary, "```\n" in summary] == [True] * 3

    unapproved = yaml.safe_load(yaml.safe_dump(found["promote-prod"]).replace(" --yes", ""))
    before = workspace.all_files
    assert_refused(runner.run(unapproved, "promote-prod"), 3)
    assert workspace.changed_files(before) == []

    runner.run(found["promote-prod"], "promote-prod").expect_success()
    runner.run(found["promote-beta"], "promote-beta").expect_success()
    status = workspace.inv("status", "--json").document["environments"]
    assert {each["running"]["version"] for each in status.values()} == {runner.outputs["release", "release"]}
    assert {each["ledger"]["event"] for each in status.values()} == {"verified"}
    assert {each["ledger"]["actor"] for each in status.values()} == {"ada"}
    assert sorted(name for name, _ in github.shown) == ["dom", "mark", "prod", "staging"]

    assert release_after_correction(workspace, found["release"], runner) == ""


def release_after_correction(workspace: Workspace, release_job: Mapping[str, Any], runner: Runner) -> str:
    """Correct a section of an old release, run the job, which succeeds, and return the version that it passes on."""
    changelog = workspace.clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text(encoding="utf-8").replace("2026-10-30", "2026-10-29"), encoding="utf-8")
    workspace.git("commit", "--quiet", "--all", "--message", "Correct a date")
    workspace.git("push", "--quiet")
    runner.outputs.clear()
    runner.run(release_job, "release").expect_success()
    return runner.outputs["release", "release"]


def test_a_pipeline_of_gitlab_releases_and_promotes(workspace: Workspace) -> None:
    """Each line is typed by bash, as GitLab's runner does, in a checkout with a detached HEAD."""
    workspace.kaizen("init", "--yes", "--ci", "gitlab", *SOURCE).expect_success()
    text = (workspace.clone / ".gitlab" / "kaizen.gitlab-ci.yml").read_text(encoding="utf-8")
    pipeline = load_pipeline(text)
    workspace.git("checkout", "--quiet", "--detach")

    run_gitlab_job(workspace, pipeline["release"]).expect_success()
    (release,) = (workspace.clone / "release.env").read_text(encoding="utf-8").splitlines()
    run_gitlab_job(workspace, pipeline["promote-prod"], release).expect_success()

    status = workspace.inv("status", "--json").document["environments"]
    assert {status[name]["running"]["version"] for name in ("staging", "prod")} == {release.removeprefix("RELEASE=")}
    run_gitlab_job(workspace, pipeline["release"]).expect_success()
    assert (workspace.clone / "release.env").read_text(encoding="utf-8") == "RELEASE=\n"
    assert "nothing was released" in run_gitlab_job(workspace, pipeline["promote-prod"], "RELEASE=").out


def run_gitlab_job(workspace: Workspace, job: Mapping[str, Any], *variables: str) -> CommandResult:
    """Run the script of a job, with the remote of the workspace in place of the project's."""
    lines = [line.replace('"$CI_PROJECT_URL.git"', f'"{workspace.remote}"') for line in job["script"]]
    script = "\n".join(line for line in lines if not line.startswith("apt-get "))
    environ = {
        **workspace.environ,
        **dict(variable.split("=") for variable in variables),
        "CI": "true",
        "CI_COMMIT_BRANCH": "main",
        "CI_PIPELINE_SOURCE": "push",
        "GITLAB_USER_NAME": "Ada",
        "GITLAB_USER_EMAIL": "ada@example.com",
        "KAIZEN_ID_TOKEN": "token",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(workspace.clone.parent / "token"),
        "PATH": f"{program('inv').rpartition('/')[0]}:{workspace.environ['PATH']}",
    }
    return workspaces.run(("bash", "-eo", "pipefail", "-c", script), cwd=workspace.clone, environ=environ)


CANCELLED_AT = (
    "commit", "build", "claim", "push staging", "fast-forward", "deploy staging", "verify staging", "smoke staging",
    "record staging", "tag",
)  # fmt: skip


def test_second_job_finishes_what_a_cancelled_one_has_begun(workspace: Workspace, tmp_path: Path) -> None:
    """Each job has a fresh clone, as on a runner; the first is cancelled at ten places, one after the other."""
    release_job = jobs(workspace, "release.yml")["release"]
    released = set()
    for place in CANCELLED_AT:
        folder = tmp_path / place.replace(" ", "-")
        workspace.add_changelog_entry(f"Cancelled at {place}")
        workspace.git("push", "--quiet")
        first = fresh_clone(workspace, folder / "first")
        with first.start("release-staging") as command:
            assert command.stdout is not None
            any(line.split()[:2] == ["begin", *place.split()[:1]] for line in command.stdout)
            os.killpg(command.pid, signal.SIGKILL)
        second = fresh_clone(workspace, folder / "second")

        Runner(workspace=second, folder=folder).run(release_job, "release").expect_success()

        version = (second.clone / "VERSION").read_text(encoding="utf-8").strip()
        subjects = second.git("log", "--all", "--format=%s").splitlines()
        assert subjects.count(f"Release v{version}") == 1
        assert "refs/kaizen" not in second.git("ls-remote")
        released.add(version)
        workspace.git("pull", "--quiet", "--tags")
    assert len(released) == len(CANCELLED_AT)


def fresh_clone(workspace: Workspace, folder: Path) -> Workspace:
    """Return a workspace with another clone of the remote."""
    folder.mkdir(parents=True)
    run = workspaces.run(
        ("git", "clone", "--quiet", str(workspace.remote), str(folder / "app")), cwd=folder, environ=workspace.environ
    )
    run.expect_success()
    return evolve(workspace, clone=folder / "app")


def test_a_pull_request_lists_the_problems_of_the_changelog(workspace: Workspace, tmp_path: Path) -> None:
    """As a document for code scanning, and as a failure for people."""
    runner, found = Runner(workspace=workspace, folder=tmp_path), jobs(workspace, "changelog.yml")
    changelog = workspace.clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text(encoding="utf-8").replace("2026-10-30", "2025-10-30"), encoding="utf-8")

    assert runner.run(found["changelog"], "changelog").code == 3
    assert '"date-order"' in (workspace.clone / "changelog.sarif").read_text(encoding="utf-8")

    changelog.write_text(changelog.read_text(encoding="utf-8").replace("2025-10-30", "2026-10-30"), encoding="utf-8")
    runner.run(found["changelog"], "changelog").expect_success()
    assert '"results": []' in (workspace.clone / "changelog.sarif").read_text(encoding="utf-8")
