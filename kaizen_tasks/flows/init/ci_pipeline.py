"""Plans the CI pipeline that `kaizen init --ci` writes for an app, and what a person has to know about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain import proposal
from kaizen_tasks.domain.git.remote_url import code_host_kind, web_url
from kaizen_tasks.domain.init.ci import conflicts, github, gitlab
from kaizen_tasks.domain.init.ci.conflicts import MARK
from kaizen_tasks.domain.init.ci.inputs import AppFolder, PipelineInputs, PipelineStage, locate_app
from kaizen_tasks.domain.init.ci.installation import SOURCE_FLAG, SOURCE_FORM, TASKS_FILE
from kaizen_tasks.domain.init.ci.systems import RENDERERS
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.domain.init.proposal import is_relevant
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release.files import VERSION_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.init.ci.installation import Installation
    from kaizen_tasks.domain.init.ci.systems import CiRequest
    from kaizen_tasks.domain.init.repo_scan import RepoScan

DASHBOARD_COMMAND = "dashboard --out"
"""What a pipeline runs that publishes a dashboard."""

GLOB_CHARACTERS = {*"*?["}


def ci_files(
    settings: Settings, ci: CiRequest, repo_scan: RepoScan, installation: Installation, changelog_file: str
) -> dict[str, bytes]:
    """Return the files of the pipeline, by path from the app's folder.

    Raises:
        Refused: a dashboard is asked for, and the app has no environments.
    """
    if ci.publishes and not settings.pipeline:
        raise Refused(
            f"--dashboard: {settings.app} has no environments that a dashboard could show",
            state=NOTHING_CHANGED,
            hint=f"leave it out: kaizen init --ci {ci.system}{' --propose' * ci.proposes}",
        )
    fragments, build, rules = settings.changelog.fragments, settings.build, settings.release
    branch = next((name for name in rules.branches if not GLOB_CHARACTERS & {*name}), "main")
    folder = locate_app(repo_scan.subfolder, rules.tag)
    needs_apprise = any(target.format == "apprise" for target in settings.notify)
    inputs = PipelineInputs(
        branch=branch,
        region=settings.aws.region,
        stages=tuple(_pipeline_stage(name, settings) for name in settings.pipeline),
        installation=installation.with_apprise() if needs_apprise else installation,
        repository=urlsplit(_page(repo_scan, settings)).path.strip("/"),
        release_paths=(changelog_file, VERSION_FILE, *([f"{fragments}/**"] if fragments else [])),
        version_paths=tuple(dict.fromkeys(rule.path for rule in settings.version_files)),
        proposes=ci.proposes,
        publishes=ci.publishes,
        proposal_branch=proposal.proposal_branch(branch, main_branch=rules.branches[0], tag=rules.tag),
        needs_engine=build.engine != "bundle",
        caches_layers=any("type=gha" in cache for cache in (*build.cache_from, *build.cache_to)),
        folder=folder,
    )
    return {folder.path_from_app(path): text.encode() for path, text in RENDERERS[ci.system](inputs).items()}


def require_source(ci: CiRequest, installation: Installation, new_files: Collection[str]) -> None:
    """Check that the files of a pipeline can say from where it installs these tasks.

    Raises:
        Refused: their repository is unknown. The job that installs them may push and log in to AWS, so it gets no name
            that is free on an index.
    """
    if installation.address or not any(path.endswith(TASKS_FILE) for path in new_files):
        return
    flags = f"--ci {ci.system}{' --propose' * ci.proposes}{' --dashboard' * ci.publishes} {SOURCE_FLAG}"
    raise Refused(
        f"--ci {ci.system}: this copy does not know the repository from which the pipeline can install kaizen_tasks",
        state=NOTHING_CHANGED,
        hint=f"kaizen init {flags} {SOURCE_FORM}",
    )


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
        files: the paths of its files, from the app's folder.
        existing_files: those that exist and are left alone.
    """
    host = code_host_kind(_page(repo_scan, settings))
    if host in RENDERERS and host != ci.system:
        yield Note(f"the remote is on {host}, which does not run this pipeline: kaizen init --ci {host}")
    folder = locate_app(repo_scan.subfolder, settings.release.tag)
    texts = {path: text for path, text in repo_scan.deployment_texts.items() if _is_about(path, text, repo_scan)}
    pipeline_path = folder.path_from_app(gitlab.PIPELINE_PATH)
    for path in sorted({*files} & {*existing_files} - {pipeline_path}):
        if (owner := _other_owner(path, repo_scan.deployment_texts, folder)) is not None:
            yield Note(f"{path} exists and is {owner}: rename or remove it, and run the same command again")
    if pipeline_path in files and not _includes_jobs(repo_scan.deployment_texts.get(pipeline_path), folder):
        yield Note(f"{pipeline_path} exists and is left alone; add to its `include`:", gitlab.INCLUDE_LINES)
    written = frozenset(path for path, text in texts.items() if MARK in text) - {pipeline_path}
    yield from map(Note, conflicts.find_conflicts(texts, written))
    if not installation.is_pinned:
        path = next(path for path in files if path.endswith(TASKS_FILE))
        yield Note(f"{path} says how to pin kaizen_tasks by hash: this copy does not know its commit")
    yield from _setup_notes(settings, ci, folder, {*files} - {*existing_files})
    if ci.publishes:
        yield from _dashboard_notes(ci, folder, repo_scan.deployment_texts, existing_files)


def _dashboard_notes(
    ci: CiRequest, folder: AppFolder, texts: Mapping[str, str], existing_files: Collection[str]
) -> Iterator[Note]:
    """Yield who can read the dashboard, and what keeps it from being published."""
    is_github = ci.system == "github"
    release_path, page_path = (
        folder.path_from_app(github.workflow_path(folder, name) if is_github else gitlab.jobs_path(folder))
        for name in ("release", "dashboard")
    )
    if page_path not in existing_files:
        yield Note(f"a published dashboard may be public, also of a private repository: read the top of {page_path}")
    if release_path in existing_files and "dashboard" not in texts.get(release_path, ""):
        text = "exists and does not publish the dashboard: delete it, and run the same command again"
        yield Note(f"{release_path} {text}")
    for path, text in sorted(texts.items()):
        if DASHBOARD_COMMAND in text and path != page_path and (".github/" in path) == is_github:
            yield Note(f"{path} publishes on the same site, of which a repository has one: keep one of the two")


def _is_about(path: str, text: str, repo_scan: RepoScan) -> bool:
    """Return whether a file may release the app: workflows at the top may be those of other apps."""
    return is_relevant(path, text, repo_scan) or not conflicts.is_workflow(path)


def _other_owner(path: str, texts: Mapping[str, str], folder: AppFolder) -> str | None:
    """Return whose a file of the pipeline's is; None if it is the app's own, or one that all apps share."""
    if path not in texts:  # requirements are not read
        return None
    first_line = texts[path].partition("\n")[0]
    if MARK not in first_line:
        return "not of kaizen_tasks"
    return None if re.search(rf"{MARK}[^`]*`{re.escape(folder.place)}[.:]", first_line) else "of another app"


def _includes_jobs(pipeline: str | None, folder: AppFolder) -> bool:
    """Return whether a pipeline includes the jobs of the app; one that is written now does."""
    return pipeline is None or gitlab.JOBS_PATHS in pipeline or gitlab.jobs_path(folder) in pipeline


def _setup_notes(settings: Settings, ci: CiRequest, folder: AppFolder, new_files: Collection[str]) -> Iterator[Note]:
    """Yield what a person does before the pipeline can release."""
    build = settings.build
    paths = {"github": github.workflow_path(folder, "release"), "gitlab": gitlab.jobs_path(folder)}
    release_file = folder.path_from_app(paths[ci.system])
    if release_file in new_files and settings.pipeline:
        protection = "" if ci.proposes else f"; if {settings.release.branches[0]} is protected, add --propose"
        yield Note(f"nothing is released before what stands at the top of {release_file} is set up{protection}")
    is_built = bool(settings.pipeline) and build.engine != "bundle"
    if ci.system == "github" and is_built and not (build.cache_from or build.cache_to):
        text = f"to keep layers of the image between runs, add to [build], and write {release_file} anew:"
        yield Note(text, github.cache_lines(folder))
