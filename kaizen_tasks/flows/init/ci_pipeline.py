"""Plans the CI pipeline that `kaizen init --ci` writes for an app, and what a person has to know about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain.git.remote_url import code_host_kind, web_url
from kaizen_tasks.domain.init.ci import conflicts, github, gitlab
from kaizen_tasks.domain.init.ci.inputs import PipelineInputs, PipelineStage
from kaizen_tasks.domain.init.ci.installation import TASKS_FILE
from kaizen_tasks.domain.init.ci.systems import RENDERERS
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.flows.release.files import VERSION_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.init.ci.installation import Installation
    from kaizen_tasks.domain.init.ci.systems import CiRequest
    from kaizen_tasks.domain.init.repo_scan import RepoScan

GLOB_CHARACTERS = {*"*?["}
MARK = "kaizen init --ci"
"""What each written file says about its origin."""


def ci_files(
    settings: Settings, ci: CiRequest, repo_scan: RepoScan, installation: Installation, changelog_file: str
) -> dict[str, bytes]:
    """Return the files of the pipeline, by path."""
    fragments, build = settings.changelog.fragments, settings.build
    inputs = PipelineInputs(
        branch=next((name for name in settings.release.branches if not GLOB_CHARACTERS & {*name}), "main"),
        region=settings.aws.region,
        stages=tuple(_pipeline_stage(name, settings) for name in settings.pipeline),
        installation=installation,
        repository=urlsplit(_page(repo_scan, settings)).path.strip("/"),
        release_paths=(changelog_file, VERSION_FILE, *([f"{fragments}/**"] if fragments else [])),
        version_paths=tuple(dict.fromkeys(rule.path for rule in settings.version_files)),
        proposes=ci.proposes,
        needs_engine=build.engine != "bundle",
        caches_layers=any("type=gha" in cache for cache in (*build.cache_from, *build.cache_to)),
    )
    return {path: text.encode() for path, text in RENDERERS[ci.system](inputs).items()}


def _pipeline_stage(name: str, settings: Settings) -> PipelineStage:
    environments = settings.stage(name).environments
    protected = any(environment.protected for environment in environments)
    return PipelineStage(name=name, protected=protected, size=len(environments))


def _page(repo_scan: RepoScan, settings: Settings) -> str:
    """Return the address of the repository's page; empty where it has none."""
    remotes = repo_scan.repository.remotes
    return web_url(remotes.get(settings.release.remote or "origin") or next(iter(remotes.values()), ""))


def ci_notes(
    settings: Settings,
    ci: CiRequest,
    repo_scan: RepoScan,
    installation: Installation,
    files: Collection[str],
    existing_files: Collection[str],
) -> Iterator[Note]:
    """Yield notes about what the pipeline needs, and what would release beside it.

    Args:
        settings: the app's configuration.
        ci: which pipeline is asked for.
        repo_scan: what was read in the app's folder.
        installation: what the pipeline installs.
        files: the paths of its files.
        existing_files: those that exist and are left alone.
    """
    host = code_host_kind(_page(repo_scan, settings))
    if host in RENDERERS and host != ci.system:
        yield Note(f"the remote is on {host}, which does not run this pipeline: kaizen init --ci {host}")
    own_files = frozenset(files) - {gitlab.PIPELINE_PATH}
    foreign_files = {path for path in own_files & {*existing_files} if MARK not in repo_scan.texts.get(path, MARK)}
    for path in sorted(foreign_files):
        yield Note(f"{path} exists and is not of kaizen_tasks: rename or remove it, and run the same command again")
    if gitlab.PIPELINE_PATH in files and gitlab.JOBS_PATH not in repo_scan.texts.get(
        gitlab.PIPELINE_PATH, gitlab.JOBS_PATH
    ):
        yield Note(f"{gitlab.PIPELINE_PATH} exists and is left alone; add to its `include`:", gitlab.INCLUDE_LINES)
    yield from map(Note, conflicts.find_conflicts(repo_scan.texts, own_files - foreign_files))
    if not installation.is_pinned:
        path = next(path for path in files if path.endswith(TASKS_FILE))
        yield Note(f"{path} says how to pin kaizen_tasks by hash: this copy does not know where it is from")
    yield from _setup_notes(settings, ci, {*files} - {*existing_files})


def _setup_notes(settings: Settings, ci: CiRequest, new_files: Collection[str]) -> Iterator[Note]:
    """Yield what a person does before the pipeline can release."""
    build = settings.build
    release_file = {"github": github.RELEASE_WORKFLOW_PATH, "gitlab": gitlab.JOBS_PATH}[ci.system]
    if release_file in new_files and settings.pipeline:
        protection = "" if ci.proposes else f"; if {settings.release.branches[0]} is protected, add --propose"
        yield Note(f"nothing is released before what stands at the top of {release_file} is set up{protection}")
    is_built = bool(settings.pipeline) and build.engine != "bundle"
    if ci.system == "github" and is_built and not (build.cache_from or build.cache_to):
        text = f"to keep layers of the image between runs, add to [build], and write {release_file} anew:"
        yield Note(text, github.CACHE_LINES)
