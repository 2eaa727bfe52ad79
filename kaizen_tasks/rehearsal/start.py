"""Prepares what a rehearsal starts from: tags of earlier releases, something to release, and services that run them."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.release import files, last_release, optional_files, pending, tags
from kaizen_tasks.flows.release.undated_sections import find_waiting_release
from kaizen_tasks.rehearsal.clone import ScratchClone
from kaizen_tasks.rehearsal.commands import print_line, run_git, run_task
from kaizen_tasks.rehearsal.local_cloud.cloud import clean_environ
from kaizen_tasks.rehearsal.plan import RehearsalPlan
from kaizen_tasks.rehearsal.services import landscape, provision
from kaizen_tasks.rehearsal.services.landscape import EarlierReleases
from kaizen_tasks.rehearsal.services.service_input import ServiceDescription
from kaizen_tasks.wiring import Toolbox

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud

SAMPLE_ENTRY = "a sample change, so that there is something to rehearse"


@frozen(kw_only=True)
class Start:
    """Where a rehearsal starts from.

    Attributes:
        plan: what is rehearsed.
        clone: the repository, with the tags of the earlier releases.
        earlier: those releases; None for a pipeline, which begins with a release.
        like: the real service that the services are like, if there is one.
    """

    plan: RehearsalPlan
    clone: ScratchClone
    earlier: EarlierReleases | None
    like: ServiceDescription | None = None

    def create_landscape(self, cloud: Cloud) -> None:
        """Create the services in a cloud, and let them run the earlier releases.

        Raises:
            KaizenError: something could not be created.
        """
        if self.earlier is not None:
            print_line(
                self.plan.out, f"as if released before: {self.earlier.describe(self.plan.settings.environments)}"
            )
        if self.like is not None:
            print_line(self.plan.out, _describe(self.like))
        with _only_environ({**clean_environ(), **self.plan.overrides, **cloud.environ}):
            landscape.create_landscape(clone_tools(self.plan, self.clone), self.earlier, like=self.like)


def prepare_start(plan: RehearsalPlan, clone: ScratchClone) -> Start:
    """Tag the earlier releases that a flow needs, or note a change for one that releases.

    Raises:
        KaizenError: the app has no VERSION, git failed, or the real service cannot be described.
    """
    tools = clone_tools(plan, clone)
    earlier = None if plan.is_pipeline else _tag_earlier_releases(plan, clone, tools)
    if (plan.is_pipeline or plan.is_hotfix) and _lacks_notes(plan, tools):
        clone = _add_sample_entry(clone, tools)
    like = _describe_real_service(plan.like, plan.settings) if plan.like else None
    return Start(plan=plan, clone=clone, earlier=earlier, like=like)


def _describe_real_service(environment: Environment, settings: Settings) -> ServiceDescription:
    return provision.describe_service(environment, Toolbox(settings, dry=True, draft=True, stream=io.StringIO()))


def _describe(like: ServiceDescription) -> str:
    counts = f"{counted(len(like.variables), 'variable')}, {counted(len(like.secrets), 'secret')}"
    return f"services are like {like.service}: {counts}, port {like.port}; the values are made up"


def _tag_earlier_releases(plan: RehearsalPlan, clone: ScratchClone, tools: Toolbox) -> EarlierReleases:
    previous, newest = landscape.choose_releases(tools)
    for version in (previous, newest):
        if not tags.tag_commit(version, tools):
            _tag(version, clone, tools)
    return EarlierReleases(previous=previous, newest=newest, newest_in=plan.environments_with_newest)


def _tag(version: Version, clone: ScratchClone, tools: Toolbox) -> None:
    name = tools.settings.git_tag(version)
    run_git(clone.app_folder, "tag", "--annotate", "--message", f"Release {image_tag(version)}", name)
    if clone.remote:
        run_git(clone.app_folder, "push", "--quiet", clone.remote_name, f"refs/tags/{name}")


def _lacks_notes(plan: RehearsalPlan, tools: Toolbox) -> bool:
    """Return whether a release would stop because nothing is noted for it."""
    try:
        if not plan.is_hotfix and _is_released_again(tools):
            return False
        changelog, version = optional_files.read_noted_changelog(tools), files.read_version(tools)
    except KaizenError:
        return False  # the flow says why
    is_tagged = version in tags.tagged_versions(tools)
    is_written = changelog.find_section(version) is not None and not (plan.is_hotfix or is_tagged)
    return not files.has_unreleased_entries(changelog) and not is_written


def _is_released_again(tools: Toolbox) -> bool:
    """Return whether a release takes up the last one, since nothing is noted after it, or asks for `--to`."""
    version, last_version = files.read_version(tools), last_release.last_released_version(tools)
    if find_waiting_release(version, tools) is not None:
        return True
    completed = pending.find_completed_release(version, last_version, tools)
    return (completed or pending.find_release_before_head(version, last_version, tools)) is not None


def _add_sample_entry(clone: ScratchClone, tools: Toolbox) -> ScratchClone:
    command = f"changelog.add --type fixed --text {shlex.quote(SAMPLE_ENTRY)}"
    result = run_task(command, clone.app_folder, {}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if result.returncode:
        return clone  # the flow says why
    noted_path = tools.settings.changelog.fragments or files.changelog_file(tools)
    run_git(clone.app_folder, "add", "--force", "--", noted_path)
    run_git(clone.app_folder, "commit", "--quiet", "--no-verify", "--message", "Note a sample change")
    refusal = 'nothing is noted for a release: inv changelog.add --type fixed --text "What changed"'
    return evolve(clone, refusals=(*clone.refusals, refusal))


def clone_tools(plan: RehearsalPlan, clone: ScratchClone) -> Toolbox:
    """Return the app's toolbox for the scratch clone, which builds stand-in images and reports nothing."""
    settings = evolve(plan.landscape_settings, root=clone.app_folder)
    return Toolbox(settings, dry=False, draft=True, stream=io.StringIO())


@contextmanager
def _only_environ(variables: Mapping[str, str]) -> Iterator[None]:
    """Let this process have these variables alone: SDKs read them, and must not find those of a real account."""
    saved = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
