"""The landscape that a rehearsal starts from: services on a local cloud, as if earlier releases ran there."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from attrs import frozen
from semver import Version

from kaizen_tasks.domain.environment import distinct_repositories
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.flows.deploy.image import image_reference, move_followed_tag
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.release import files, last_release, tags
from kaizen_tasks.flows.steps.build import build_spec, upload_image
from kaizen_tasks.flows.steps.copy import copy_image
from kaizen_tasks.rehearsal.services import provision

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.rehearsal.services.service_input import ServiceDescription
    from kaizen_tasks.wiring import Toolbox


@frozen(kw_only=True)
class EarlierReleases:
    """Two releases that are taken to have been verified.

    Attributes:
        previous: the one to roll back to; all environments have had it.
        newest: the last one.
        newest_in: names of the environments that have the newest too.
    """

    previous: Version
    newest: Version
    newest_in: Collection[str]

    def describe(self, environments: Collection[str]) -> str:
        """Return what runs where: `v1.2.2 runs in prod, v1.2.3 in staging`."""
        others = [name for name in environments if name not in self.newest_in]
        parts = [f"{image_tag(self.previous)} runs in {', '.join(others)}"] if others else []
        if self.newest_in:
            parts.append(f"{image_tag(self.newest)} runs in {', '.join(self.newest_in)}")
        return "; ".join(parts)


def choose_releases(tools: Toolbox) -> tuple[Version, Version]:
    """Return the last two releases on the line of HEAD; those that are missing are made up, below the others.

    Args:
        tools: of the scratch clone.

    Raises:
        Refused: the app has no VERSION.
    """
    tagged = tags.tagged_versions(tools)
    newest = last_release.last_released_version(tools) or _version_below(files.read_version(tools), tagged)
    earlier = tags.versions_from_tags(tools, tools.scm.tags(merged_into=tools.scm.head().commit))
    previous = max((version for version in earlier if version < newest), default=None)
    return previous or _version_below(newest, tagged), newest


def _version_below(version: Version, taken: Collection[Version]) -> Version:
    """Return a version below another one that is not taken; the nearest of round ones."""
    candidates = [
        *(Version(version.major, version.minor, patch) for patch in reversed(range(version.patch))),
        *(Version(version.major, minor, 0) for minor in reversed(range(version.minor))),
        *(Version(major, 0, 0) for major in reversed(range(version.major))),
        *(Version(0, 0, 0, prerelease=f"rc.{number}") for number in reversed(range(10))),
    ]
    return next(candidate for candidate in candidates if candidate < version and candidate not in taken)


def create_landscape(
    tools: Toolbox, earlier: EarlierReleases | None, *, like: ServiceDescription | None = None
) -> None:
    """Create all services of an app; let them run earlier releases, which the ledger calls verified.

    Args:
        tools: of the scratch clone, pointed at a local cloud, with an engine that builds stand-in images.
        earlier: the releases, which are tagged; None leaves the ledger empty, as before a first release.
        like: a real service that the services are like.

    Raises:
        KaizenError: something could not be created.
    """
    provision.provision(tools, earlier.previous if earlier else provision.INITIAL_VERSION, like=like)
    if earlier is None:
        return
    environments = tuple(tools.settings.environments.values())
    _record(earlier.previous, environments, tools)
    updated = tuple(environment for environment in environments if environment.name in earlier.newest_in)
    if updated:
        _publish(earlier.newest, updated, tools)
        _record(earlier.newest, updated, tools)


def _publish(version: Version, environments: tuple[Environment, ...], tools: Toolbox) -> None:
    """Push an image of a tagged release, and deploy it."""
    release = Release(version=version, commit=tags.tag_commit(version, tools))
    first, *others = distinct_repositories(environments)
    tools.builder.build(build_spec(release, tools), tools.settings.root)  # a stand-in has nothing of that folder
    upload_image(release, first, tools)
    digest = _digest(release.name, first, tools)
    for other in others:
        copy_image(digest, first, other, tag=release.name, tools=tools)
    for environment in environments:
        platform, image = tools.at(environment).platform, image_reference(environment, digest, tools)
        move_followed_tag(environment, digest, tools)
        platform.start_deployment(platform.get_service(environment.service), image)
    provision.wait_until_running(environments, tools)


def _record(version: Version, environments: tuple[Environment, ...], tools: Toolbox) -> None:
    """Write into the ledger that a release was deployed and verified."""
    commit = tags.tag_commit(version, tools)
    for environment in environments:
        digest = _digest(image_tag(version), environment, tools)
        release = Release(version=version, commit=commit, digest=digest)
        for event in (Event.DEPLOYED, Event.VERIFIED):
            entries.append(event, environment, release, tools)


def _digest(name: str, environment: Environment, tools: Toolbox) -> str:
    image = tools.at(environment).registry.find_image(environment.repository, name)
    assert image is not None
    return image.digest
