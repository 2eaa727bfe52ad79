"""Everything the configuration names, made in a local cloud, as a team's Terraform makes it on AWS."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.json_document import Configuration
from kaizen_tasks.domain.release import Recipe
from kaizen_tasks.errors import KaizenError, NotFound, Refused
from kaizen_tasks.ports.types import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.wiring import Toolbox

PATIENCE = 60.0
"""Seconds within which the services run."""


def provide(tools: Toolbox, first: Version | None = None) -> None:
    """Create what is missing; every new service runs what is committed.

    Args:
        tools: the app's toolbox, pointed at a local cloud.
        first: what version that is said to be; None for the committed one.

    Raises:
        Refused: HEAD has no VERSION.
        KaizenError: a service did not come up.
    """
    environments = tuple(tools.settings.environments.values())
    lacking = tuple(environment for environment in environments if not _exists(environment, tools))
    if not tools.table.exists():
        tools.table.create()
    if not lacking:
        return
    tools.account.mount_blobs()
    _repositories(lacking, tools)
    _first_image(lacking, first, tools)
    for environment in lacking:
        tools.founder.service(environment, _secrets(environment, tools))
    _wait(lacking, tools)


def _exists(environment: Environment, tools: Toolbox) -> bool:
    try:
        tools.platform.service(environment.service)
    except NotFound:
        return False
    return True


def _repositories(environments: tuple[Environment, ...], tools: Toolbox) -> None:
    for environment in environments:
        try:
            tools.registry.address(environment.repository)
        except NotFound:
            tools.founder.repository(environment.repository)


def _first_image(environments: tuple[Environment, ...], version: Version | None, tools: Toolbox) -> None:
    """Build what is committed, push it once, and copy it to the others."""
    recipe = _recipe(version, tools)
    first, *others = (environment.repository for environment in environments)
    pushed = tools.registry.image(first, recipe.version)
    if pushed is None:
        _build_and_push(recipe, first, tools)
        pushed = tools.registry.image(first, recipe.version)
    assert pushed is not None
    for other in others:
        tools.registry.copy(digest=pushed.digest, source=first, target=other, tag=recipe.version)
    for repository in (first, *others):
        tools.registry.point(repository=repository, tag="latest", digest=pushed.digest)


def _secrets(environment: Environment, tools: Toolbox) -> Mapping[str, str]:
    """Create the runtime configuration that may be set, with a sample of each value."""
    keys = tools.settings.runtime.keys
    if not keys:
        return {}
    sample = Configuration.empty().replaced({name: key.sample for name, key in keys.items()})
    return tools.founder.secret(environment, Secret(sample.text))


def _build_and_push(recipe: Recipe, repository: str, tools: Toolbox) -> None:
    with tempfile.TemporaryDirectory(prefix="kaizen-build-") as folder:
        tools.scm.export(recipe.revision, Path(folder))
        image = tools.builder.find(recipe) or tools.builder.build(recipe, Path(folder))
    address = tools.registry.address(repository)
    tools.builder.push(image, address=address, tag=recipe.version, login=tools.registry.login())


def _recipe(version: Version | None, tools: Toolbox) -> Recipe:
    head = tools.scm.head().commit
    committed = tools.scm.read(head, "VERSION")
    if committed is None:
        raise Refused("HEAD has no VERSION, so there is nothing to run at first", hint="commit a VERSION")
    return Recipe(
        app=tools.settings.app,
        version=versions.image_tag(version or versions.read(committed)),
        revision=head,
        created=tools.scm.committed(head),
        source=tools.scm.source(),
    )


def _wait(environments: tuple[Environment, ...], tools: Toolbox) -> None:
    began, states = tools.clock.elapsed(), dict[str, str]()
    while tools.clock.elapsed() - began < PATIENCE:
        states = {each.service: tools.platform.service(each.service).status for each in environments}
        if set(states.values()) <= {"RUNNING"}:
            return
        if "CREATE_FAILED" in states.values():
            break
        tools.clock.sleep(0.05)
    said = ", ".join(f"{service} is {status}" for service, status in states.items() if status != "RUNNING")
    raise KaizenError(f"not every service came up: {said}", hint="the local cloud's state folder has the logs")
