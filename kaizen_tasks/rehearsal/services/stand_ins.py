"""Says whether stand-ins take the place of images that cannot be built or run here, and starts services with them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.build.emulation import runs_images_for
from kaizen_tasks.adapters.build.select import ENGINES_IN_PYTHON, examine_engine
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.errors import BuildFailed, KaizenError, Refused
from kaizen_tasks.flows.steps.build import Build
from kaizen_tasks.rehearsal.services import provision
from kaizen_tasks.wiring import Toolbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from semver import Version

    from kaizen_tasks.config.settings import Settings

ENGINE_VARIABLE = "INVOKE_BUILD_ENGINE"
"""The variable that insists on an engine; in the file of a local cloud, what its images are built with."""


def find_obstacle(settings: Settings) -> str:
    """Return why the image cannot be built or run here, as far as that is known before; else an empty text.

    The images of engines in Python run on any processor, since the programs in them are those of this machine.
    """
    try:
        engine = examine_engine(settings.build, settings.root)
    except Refused as error:
        return error.message
    if engine.name in ENGINES_IN_PYTHON or runs_images_for(settings.build.platform):
        return next((obstacle.message for obstacle in engine.obstacles), "")
    return f"this machine cannot run images for {settings.build.platform}"


def can_bundle(tools: Toolbox, first_version: Version) -> bool:
    """Return whether the image can be built here as a bundle, without base image and `RUN`, by building it."""
    settings = evolve(tools.settings, build=tools.settings.build._replace(engine="bundle"))
    bundle_tools = Toolbox(settings, dry=False, draft=False, stream=sys.stderr)
    try:
        Build().act(provision.head_release(first_version, bundle_tools), bundle_tools)
    except KaizenError:
        return False
    return True


def insists_on_engine(environ: Mapping[str, str]) -> bool:
    """Return whether the variables of a shell say what builds images."""
    return bool(environ.get(ENGINE_VARIABLE))


def provision_with_stand_ins(tools: Toolbox, first_version: Version, *, reason: str, stream: TextIO) -> str:
    """Create what a local cloud lacks; return why its first image is a stand-in, or an empty text.

    Args:
        tools: the app's toolbox, pointed at a local cloud.
        first_version: see `provision.provision`.
        reason: why the image cannot be built here, if that is known; it is found out otherwise.
        stream: where it is said.

    Raises:
        KaizenError: see `provision.provision`.
    """
    if not reason:
        try:
            provision.provision(tools, first_version)
        except BuildFailed as error:
            if error.hint != UNAVAILABLE_HINT:
                raise
            reason = error.message
        else:
            return ""
    tools.reporter.note(f"going on with stand-in images, which only answer: {reason}")
    settings = evolve(tools.settings, build=tools.settings.build._replace(engine=STAND_IN))
    provision.provision(Toolbox(settings, dry=False, draft=False, stream=stream), first_version)
    return reason
