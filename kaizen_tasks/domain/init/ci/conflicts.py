"""Finds what releases already, and would go on beside the new pipeline: other release tools, other workflows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attrs import frozen


@frozen
class ReleaseTool:
    """Another tool that makes versions, tags or changelogs.

    Attributes:
        name: its name.
        files: pattern of the paths of its configuration.
        setting: pattern of its configuration inside `package.json`, `pyproject.toml` or a workflow.
    """

    name: str
    files: str
    setting: str


RELEASE_TOOLS = (
    ReleaseTool(
        "semantic-release", r"\.releaserc(\.\w+)?|release\.config\.[cm]?[jt]s", r'"semantic-release"|semantic-release\b'
    ),
    ReleaseTool("python-semantic-release", r"^$", r"\[tool\.semantic_release\b|python-semantic-release"),
    ReleaseTool(
        "release-please", r"\.?release-please-(config|manifest)\.json", r"release-please-action|release-please\b"
    ),
    ReleaseTool("changesets", r"\.changeset/.*", r'"@changesets/cli"|changesets/action'),
    ReleaseTool("commitizen", r"\.?cz\.(toml|yaml|json)|\.czrc", r"\[tool\.commitizen\]|commitizen-action|\bcz bump\b"),
    ReleaseTool("release-it", r"\.release-it\.\w+", r'"release-it"\s*:'),
    ReleaseTool("standard-version", r"\.versionrc(\.\w+)?", r'"standard-version"|"commit-and-tag-version"'),
    ReleaseTool("bump2version", r"\.bumpversion\.(cfg|toml)", r"\[tool\.bumpversion\]|\[bumpversion\]"),
    ReleaseTool("GoReleaser", r"\.?goreleaser\.ya?ml", r"goreleaser/goreleaser-action"),
    ReleaseTool("git-cliff", r"cliff\.toml", r"git-cliff-action|\[tool\.git-cliff"),
)
SETTINGS_FILES = re.compile(r"package\.json|pyproject\.toml|setup\.cfg")
MARK = "kaizen init --ci"
"""What the first line of each written file says about its origin."""

WORKFLOW_FILES = re.compile(r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml|\.gitlab/.*\.ya?ml")

DEPLOYING = {
    "deploys to App Runner": r"amazon-app-runner-deploy|\baws apprunner (start-deployment|(update|create)-service)",
    "pushes images": r"\bdocker (buildx |image )?(push|build[^\n]*--push)\b|docker/build-push-action|amazon-ecr-login",
    "deploys to ECS": (
        r"amazon-ecs-deploy-(task-definition|express-service)|\becspresso deploy\b|\bcopilot( \w+)? deploy\b"
        r"|\baws ecs ((update|create)-service|deploy|(update|create)-express-gateway-service)"
    ),
    "runs a deploy script": r"(?:\./|bash |sh |scripts/|bin/)[\w./-]*(?:deploy|release)[\w-]*(?:\.sh)?\b",
    "tags versions": r"\bgit tag (-a |-s )?[\"']?v?\$|action-gh-release|create-release|\bgh release create\b",
}
"""What a workflow does that a release does too, and how to recognise it."""


def find_conflicts(texts: Mapping[str, str], own_paths: frozenset[str]) -> Iterator[str]:
    """Yield what would release beside the new pipeline, and what to remove, one line each.

    Args:
        texts: texts of files, by path from the app's folder.
        own_paths: files that these tasks have written.
    """
    for tool in RELEASE_TOOLS:
        if places := [path for path, text in texts.items() if path not in own_paths and _configures(tool, path, text)]:
            yield f"{tool.name} makes releases too; remove it, or there are two versions: {', '.join(places)}"
    for path, text in texts.items():
        if is_workflow(path) and path not in own_paths:
            code = _without_comments(text)
            deeds = [deed for deed, pattern in DEPLOYING.items() if re.search(pattern, code)]
            if deeds:
                yield f"{path} {' and '.join(deeds)}; remove those jobs, whose deployments no ledger would show"


def is_workflow(path: str) -> bool:
    """Return whether a file is a workflow, in the app's folder or at the top of its repository."""
    return WORKFLOW_FILES.fullmatch(_name(path)) is not None


def _name(path: str) -> str:
    """Return the path without the way to the top of the repository."""
    return re.sub(r"^(\.\./)+", "", path)


def _configures(tool: ReleaseTool, path: str, text: str) -> bool:
    """Return whether a file configures a tool, or runs it in a workflow."""
    if re.fullmatch(tool.files, _name(path)):
        return True
    is_setting = SETTINGS_FILES.fullmatch(_name(path)) or is_workflow(path)
    return bool(is_setting and re.search(tool.setting, _without_comments(text)))


def _without_comments(text: str) -> str:
    """Return a text without the lines that are comments."""
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
