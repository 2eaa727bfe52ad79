"""Chooses the Dockerfile of an app, and the folder that it is built in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile
from kaizen_tasks.domain.init.naming import contains_word

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.evidence import ImageBuild
    from kaizen_tasks.domain.init.repo_scan import RepoScan

DOCKERFILE_PATH = re.compile(r"(?:.*/)?(?:(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?|[\w-]+\.[Dd]ockerfile)")
NO_DOCKERFILE = re.compile(r"\.(?:dockerignore|sh|md|txt|j2|tmpl|template|example)$")
DEVELOPMENT = re.compile(
    r"(?i)(?:^|[./_-])(?:dev|develop|development|local|test|tests|ci|debug|lint|devcontainer|example|examples|samples|docs|"
    r"cypress|e2e|base|builder|lambda|eks|celery|worker|cron|migrate|migrations)(?:[./_-]|$)"
)
"""Words in the paths of Dockerfiles that make no image that serves users."""

PREFERRED = ("Dockerfile", "Containerfile", "Dockerfile.apprunner", "Dockerfile.prod", "Dockerfile.production")


@frozen(kw_only=True)
class BuildChoice:
    """How the image of an app is built.

    Attributes:
        dockerfile: the Dockerfile's path, relative to the app's folder; empty when there is none.
        context: folder of the build context, relative to the app's folder.
        target: the stage that is built; empty for the last one.
        source: where the choice was found, or empty for a guess.
        is_guess: whether another choice would be as good.
        others: other Dockerfiles that make images, for other apps.
    """

    dockerfile: str = ""
    context: str = "."
    target: str = ""
    source: str = ""
    is_guess: bool = False
    others: tuple[str, ...] = ()


def choose_build(repo_scan: RepoScan, builds: Sequence[ImageBuild], repositories: Collection[str]) -> BuildChoice:
    """Return how the image is built: as a command of the repository does, else with the most usual Dockerfile.

    Args:
        repo_scan: the app's files.
        builds: commands that build images, the most trustworthy first.
        repositories: the repositories of the app's environments, to tell its image from others.
    """
    candidates = _candidates(repo_scan)
    usable = [each for each in builds if each.dockerfile in candidates and _is_for(repo_scan, each)]
    usable.sort(key=lambda each: (each.repository not in repositories, not each.repository))
    if usable and (usable[0].repository or len(candidates) == 1 or not _preferred(candidates)):
        chosen = usable[0]
        others = tuple(path for path in candidates if path != chosen.dockerfile)
        return BuildChoice(
            dockerfile=chosen.dockerfile,
            context=chosen.context,
            target=chosen.target,
            source=chosen.source,
            is_guess=bool(others) and not chosen.repository,
            others=others,
        )
    namesakes = [path for path in candidates if _is_named_after(path, repositories)]
    path = _preferred(candidates) or next(iter((*namesakes, *candidates)), "")
    if not path:
        return BuildChoice()
    command = next((each for each in usable if each.dockerfile == path), None)
    return BuildChoice(
        dockerfile=path,
        context=command.context if command else _guess_context(repo_scan, path),
        target=command.target if command else "",
        source=command.source if command else "",
        is_guess=len(candidates) > 1 and path not in PREFERRED[:2] and namesakes != [path],
        others=tuple(each for each in candidates if each != path),
    )


def _candidates(repo_scan: RepoScan) -> tuple[str, ...]:
    """Return the Dockerfiles in the app's folder that make images for users, the nearest first."""
    paths = [path for path in repo_scan.texts if DOCKERFILE_PATH.fullmatch(path) and not NO_DOCKERFILE.search(path)]
    usable = [path for path in paths if not DEVELOPMENT.search(path)] or paths
    return tuple(sorted(usable, key=lambda path: (path.count("/"), len(path), path)))


def _is_for(repo_scan: RepoScan, build: ImageBuild) -> bool:
    """Return whether a build's context is in the repository."""
    depth = repo_scan.subfolder.count("/") + 1 if repo_scan.subfolder else 0
    return build.context.split("/").count("..") <= depth


def _preferred(candidates: Sequence[str]) -> str:
    """Return the Dockerfile with the most usual name, or the only one; empty when several folders have one."""
    if len(candidates) == 1:
        return candidates[0]
    by_name = {name: [path for path in candidates if posixpath.basename(path) == name] for name in PREFERRED}
    at_top = (name for name in PREFERRED if name in candidates)
    below = (paths[0] for name, paths in by_name.items() if name == "Dockerfile.apprunner" and len(paths) == 1)
    return next(chain(at_top, below), "")


def _is_named_after(path: str, repositories: Collection[str]) -> bool:
    folder = posixpath.basename(posixpath.dirname(path))
    return bool(folder) and any(contains_word(name.replace("_", "-"), folder) for name in repositories)


def _guess_context(repo_scan: RepoScan, path: str) -> str:
    """Return the folder in which most of what a Dockerfile copies is found: its own, the app's, or the repository's."""
    copied = [
        posixpath.normpath(source).lstrip("/")
        for stage in parse_dockerfile(repo_scan.texts[path]).stages
        for files in stage.copied
        if not files.origin
        for source in files.sources
        if "://" not in source and not {*source} & {*"*?[$"}
    ]
    own = posixpath.dirname(path) or "."
    top = posixpath.normpath("../" * (repo_scan.subfolder.count("/") + 1)) if repo_scan.subfolder else "."
    folders = tuple(dict.fromkeys((own, ".", top)))
    return max(folders, key=lambda folder: sum(_exists(repo_scan, folder, name) for name in copied))


def _exists(repo_scan: RepoScan, folder: str, name: str) -> bool:
    path = posixpath.normpath(posixpath.join(folder, name))
    return path in repo_scan.folders or path in repo_scan.paths
