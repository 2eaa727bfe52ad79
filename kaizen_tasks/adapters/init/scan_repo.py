"""Looks at an app's folder and at the git repository around it; changes nothing."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.command import Git, redact
from kaizen_tasks.config import load
from kaizen_tasks.domain.init.repo_scan import Premises, Repository
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = re.compile(
    r"(?:.*/)?(?:Dockerfile|Containerfile|[^/]+\.(?:sh|bash|tf|tfvars|md))|"
    r"(?:[^/]+/)?(?:requirements[^/]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:cfg|py)|package\.json)"
)
"""What says something about how an app is built and deployed."""

FOREIGN = re.compile(r"(?:^|/)(?:node_modules|vendor|third_party|site-packages|\.terraform|\.venv|venv)/")
LARGEST = 256 * 1024
"""Bytes; what is larger was not written by hand."""

ANSWERS = r"""['"]/version/?['"]|path\(['"]\^?version/?['"]"""
SOURCES = ("*.py", "*.js", "*.cjs", "*.mjs", "*.ts", "*.go", "*.rb", "*.java", "*.kt", "*.php", "*.cs", "*.ex", "*.rs")
NOTHING = "nothing has been changed"
BYTE_CODE = "__pycache__/"


def locate(here: Path) -> Path:
    """Return the app's folder: this one, or the one above it that is configured already.

    Raises:
        Refused: the folder is in no git repository, or the app is above it.
    """
    top = Git(here).place.top.resolve()
    if _is_app(here):
        return here
    for folder in here.resolve().parents:
        if not folder.is_relative_to(top):
            break
        if load.read(folder) is not None:
            return folder
        if _is_app(folder):
            raise Refused(
                f"{here} is below an app, not one itself", state=NOTHING, hint=f"cd {shlex.quote(str(folder))}"
            )
    return here


def _is_app(folder: Path) -> bool:
    return load.read(folder) is not None or any((folder / name).exists() for name in ("VERSION", "Dockerfile"))


def look(folder: Path) -> Premises:
    """Return what an app's folder shows.

    Args:
        folder: where the app is; it need not be the top of its repository.

    Raises:
        Refused: the folder is in no git repository.
    """
    git = Git(folder)
    within = git.place.prefix.rstrip("/")
    return Premises(
        name=folder.name,
        within=within,
        texts=dict(_texts(folder, git)),
        answering=_answering(git),
        ignored=tuple(name for name in (BYTE_CODE,) if git.run("check-ignore", "--quiet", "--", name).ok),
        repository=_repository(git),
        region=_region(),
    )


def _texts(folder: Path, git: Git) -> Iterator[tuple[str, str]]:
    """Yield every file that is of interest, tracked or not; one that git ignores is not the team's."""
    listed = git.must("ls-files", "--cached", "--others", "--exclude-standard", "-z").items
    for path in sorted(set(listed)):
        if READ.fullmatch(path) and not FOREIGN.search(path):
            text = _text(folder / path)
            if text is not None:
                yield path, text


def _text(path: Path) -> str | None:
    """Return a file's text; None when it is gone, too large, not a file, or leads elsewhere."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", state=NOTHING) from error


def _answering(git: Git) -> tuple[str, ...]:
    """Return the sources that mention the path `/version`."""
    output = git.run("grep", "--untracked", "-l", "-z", "-I", "-E", "-e", ANSWERS, "--", *SOURCES)
    return tuple(path for path in output.items if not FOREIGN.search(path))


def _repository(git: Git) -> Repository:
    remotes = git.must("remote").text.split()
    default = git.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{_chosen(remotes)}/HEAD")
    return Repository(
        branch=git.run("symbolic-ref", "--quiet", "--short", "HEAD").text,
        default_branch=default.text.partition("/")[2],
        branches=tuple(git.must("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").text.split()),
        remotes={name: redact(git.run("remote", "get-url", name).text) for name in remotes},
        tags=tuple(git.must("for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags").text.split()),
    )


def _chosen(remotes: list[str]) -> str:
    return remotes[0] if len(remotes) == 1 else "origin"


def _region() -> str:
    """Return the region that this user's own AWS configuration says, as every AWS client reads it.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    said = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if said:
        return said
    profile = os.environ.get("AWS_PROFILE", "default")
    parser = configparser.RawConfigParser()
    try:
        parser.read(Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return ""
    section = profile if profile == "default" else f"profile {profile}"
    return parser.get(section, "region", fallback="")
