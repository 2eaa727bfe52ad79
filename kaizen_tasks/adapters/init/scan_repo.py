"""Reads an app's folder and the git repository around it; changes nothing."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from kaizen_tasks.adapters.git.command import Git, redact_urls
from kaizen_tasks.config import load
from kaizen_tasks.domain.init.detect.cloudformation import TEMPLATE_PATH
from kaizen_tasks.domain.init.detect.ecs.cdk import CDK_FILE, CDK_SERVICE
from kaizen_tasks.domain.init.detect.packages import PACKAGE_FILES
from kaizen_tasks.domain.init.repo_scan import GitRepository, RepoScan
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

RELEASE_TOOL_FILES = (
    r"\.changeset/config\.json|\.?(?:cz|cliff|goreleaser|release-please|release-it|bumpversion|versionrc|releaserc|czrc)"
    r"[\w.-]*|release\.config\.[cm]?[jt]s"
)
SCANNED_PATHS = re.compile(
    r"VERSION|package-lock\.json|\.circleci/[\w-]+\.ya?ml|(?:bitbucket|azure)-pipelines\.ya?ml|(?:.*/)?buildspec[\w.-]*\.ya?ml|"
    r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml|\.gitlab/.*\.ya?ml|"
    rf"{RELEASE_TOOL_FILES}|(?:.*/)?kaizen\.toml|(?:.*/)?(?:(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?|[^/]+\.dockerfile|"
    r"[^/]+\.(?:sh|bash|tf|tfvars|md)|Makefile|apprunner\.ya?ml|copilot/.*manifest\.ya?ml|copilot/pipeline\.ya?ml|copilot/\.workspace)|"
    r"(?:[^/]+/)?(?:requirements[^/]*\.(?:txt|in)|pyproject\.toml|towncrier\.toml|Pipfile|setup\.(?:cfg|py)|"
    r"package(?:-lock)?\.json)"
)
"""Files that may show how an app is built and deployed."""

OUTER_PATHS = re.compile(
    r"(?:(?:\.circleci|scripts?|bin|ci|deploy(?:ment)?|infra(?:structure)?|terraform|tf|iac|ops|devops|aws|cloud|tools)/.*)?"
    r"(?:[^/]+\.(?:sh|bash|tf|tfvars)|Makefile)|\.github/workflows/[^/]+\.ya?ml|copilot/.*|"
    r"\.gitlab-ci\.ya?ml|\.gitlab/.*\.ya?ml|\.circleci/[\w-]+\.ya?ml|(?:bitbucket|azure)-pipelines\.ya?ml|"
    rf"buildspec[\w.-]*\.ya?ml|{RELEASE_TOOL_FILES}|package\.json|pyproject\.toml|setup\.cfg"
)
"""Files at the top of a repository that may deploy an app in a subfolder; other folders are other apps."""

VENDORED_PATHS = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party|site-packages|\.terraform|\.venv|venv|cdk\.out|\.devcontainer|testdata|"
    r"fixtures|examples?|samples?)/"
)
MAX_FILE_BYTES = 256 * 1024  # larger files were not written by hand
FILE_BYTES = dict.fromkeys(("package-lock.json", "uv.lock", "Cargo.lock"), 32 * 1024 * 1024)  # tools write them
VERSION_ROUTE = r"""['"]/version/?['"]|path\(['"]\^?version/?['"]"""
APP_CREATION = r"= *(flask\.)?Flask\(|= *(fastapi\.)?FastAPI\(|= *(express|require\(.express.\))\(\)"
APP_SOURCE = re.compile(r"(?!(?:.*/)?(?:tests?|docs)/)(?!(?:.*/)?(?:test_|conftest)).*\.(?:py|[cm]?js|ts)")
"""Source files of an app, but for its tests."""

CDK_SOURCE = re.compile(r"(?!(?:.*/)?(?:tests?|__tests__|docs)/).*\.(?:ts|js|py|java|cs|go)")
SOURCE_SUFFIXES = ("py", "js", "cjs", "mjs", "ts", "go", "rb", "java", "kt", "php", "cs", "ex", "rs")
TEMPLATE_SUFFIXES = ("yaml", "yml", "json", "jsonnet", "template")
TEMPLATE_RESOURCE = (
    r"AWS::(AppRunner::Service|ECR::Repository|ECS::(Service|ExpressGatewayService))|"
    r"containerDefinitions|task_definition|targetGroupArn"
)
BYTECODE_FOLDER = "__pycache__/"
WRITTEN_FILES = (load.CONFIG_FILE_NAME, "tasks.py", "VERSION", "CHANGELOG.md", "kaizen.schema.json")
"""What `kaizen init` may write, which git must not ignore."""


def find_app_folder(start: Path) -> Path:
    """Return the app's folder: `start`, if it is an app or no folder above is one, else the nearest configured folder.

    Raises:
        Refused: `start` is in no git repository, or inside an app that is not configured yet.
    """
    repository_root = Git(start).repo.toplevel.resolve()
    if _is_app(start):
        return start
    for folder in start.resolve().parents:
        if not folder.is_relative_to(repository_root):
            break
        if load.read_config_file(folder) is not None:
            return folder
        if _is_app(folder):
            hint = f"cd {shlex.quote(str(folder))}"
            raise Refused(f"{start} is inside an app, not an app itself", state=NOTHING_CHANGED, hint=hint)
    return start


def _is_app(folder: Path) -> bool:
    files = (folder / name for name in ("VERSION", "Dockerfile", "Dockerfile.apprunner"))
    return load.read_config_file(folder) is not None or any(file.exists() for file in files)


def scan_repo(folder: Path) -> RepoScan:
    """Return what the files of an app's folder, at any depth of a git repository, and the repository show.

    Raises:
        Refused: the folder is in no git repository.
    """
    git = Git(folder)
    subfolder = git.repo.prefix.rstrip("/")
    paths = _list_paths(git)
    return RepoScan(
        name=folder.name,
        subfolder=subfolder,
        texts={
            **dict(_read_texts(folder, (path for path in paths if not path.startswith("../")), SCANNED_PATHS)),
            **dict(_read_texts(folder, _files_with(git, TEMPLATE_RESOURCE, TEMPLATE_SUFFIXES), TEMPLATE_PATH)),
            **dict(_read_texts(folder, _synthesized_templates(folder, paths), TEMPLATE_PATH)),
        },
        outer_texts=dict(_read_outer_texts(folder, git, paths)),
        paths=frozenset(paths),
        cdk_sources=dict(_read_texts(folder, _cdk_sources(git, paths), CDK_SOURCE)),
        app_sources=dict(_read_texts(folder, _sources_with(git, APP_CREATION), APP_SOURCE)),
        package_files=dict(_read_texts(folder, paths, PACKAGE_FILES)),
        version_endpoint_files=_sources_with(git, VERSION_ROUTE),
        ignored_names=_ignored_names(git),
        repository=_scan_git(git),
        region=_aws_region(),
    )


def _ignored_names(git: Git) -> tuple[str, ...]:
    names = "\0".join((BYTECODE_FOLDER, *WRITTEN_FILES)).encode()
    return tuple(git.run("check-ignore", "--stdin", "-z", stdin=names).items)


def _list_paths(git: Git) -> list[str]:
    """Return the paths of all files of the repository from the app's folder, tracked or not, but for ignored ones."""
    command = ("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = git.run_checked(*command, "--", (git.repo.prefix and ":/") or ".").items
    return sorted(path for path in set(names) if not VENDORED_PATHS.search(path))


def _read_outer_texts(folder: Path, git: Git, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files that may deploy an app in a subfolder, and of other apps' configurations."""
    top = "../" * git.repo.prefix.count("/")
    if top:
        outer = re.compile(rf"{re.escape(top)}(?:{OUTER_PATHS.pattern})|(?:\.\./)+(?:.*/)?kaizen\.toml")
        yield from _read_texts(folder, (path for path in paths if path.startswith("../")), outer)


def _read_texts(folder: Path, paths: Iterable[str], pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of every file whose path matches."""
    for path in paths:
        if pattern.fullmatch(path):
            text = _read_text(folder / path)
            if text is not None:
                yield path, text


def _read_text(path: Path) -> str | None:
    """Return a file's text, or None when the file is missing, too large or no regular file."""
    if not path.is_file() or path.stat().st_size > FILE_BYTES.get(path.name, MAX_FILE_BYTES):
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", state=NOTHING_CHANGED) from error


def _sources_with(git: Git, pattern: str) -> tuple[str, ...]:
    """Return the paths of the source files in which a pattern is found."""
    return _files_with(git, pattern, SOURCE_SUFFIXES)


def _files_with(git: Git, pattern: str, suffixes: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the files with one of some suffixes in which a pattern is found."""
    globs = (f"*.{suffix}" for suffix in suffixes)
    output = git.run("grep", "--untracked", "-l", "-z", "-I", "-E", "-e", pattern, "--", *globs)
    return tuple(path for path in output.items if not VENDORED_PATHS.search(path))


def _synthesized_templates(folder: Path, paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the templates that the CDK made, which git ignores: https://docs.aws.amazon.com/cdk/v2/guide/configure-synth.html."""
    for path in paths:
        if CDK_FILE.fullmatch(path) and not path.startswith("../"):
            output = (folder / path).parent / "cdk.out"
            yield from (str(each.relative_to(folder)) for each in sorted(output.glob("*.template.json")))


def _cdk_sources(git: Git, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the sources that create services with the CDK."""
    return _sources_with(git, CDK_SERVICE) if any(map(CDK_FILE.fullmatch, paths)) else ()


def _scan_git(git: Git) -> GitRepository:
    remotes = git.run_checked("remote").text.split()
    remote = remotes[0] if len(remotes) == 1 else "origin"
    remote_head = git.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    return GitRepository(
        branch=git.run("symbolic-ref", "--quiet", "--short", "HEAD").text,
        default_branch=remote_head.text.partition("/")[2],
        branches=tuple(git.run_checked("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").text.split()),
        remotes={name: redact_urls(git.run("remote", "get-url", name).text) for name in remotes},
        tags=tuple(git.run_checked("for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags").text.split()),
    )


def _aws_region() -> str:
    """Return the region of `AWS_REGION`, which botocore does not read, or of this user's AWS configuration, or empty.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        return os.environ.get("AWS_REGION") or str(Session().get_config_variable("region") or "")
    except BotoCoreError:  # the profile does not exist, or the file cannot be read
        return ""
