"""Checks of what images are built with, and what they are built for."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.flows.doctor import account
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.ports.tools import Tools


SECRET_NAME = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIALS?|(API|ACCESS|PRIVATE)_?KEY)(_|$)", re.IGNORECASE
)
"""Names of build arguments that are probably secrets."""

ENGINES_OF_LOCAL_CLOUDS = ("bundle", STAND_IN)


def checks(tools: Tools) -> Iterator[Check]:
    """Return the checks of the engine, of what the build needs, and of the images' platform."""
    is_stand_in = tools.settings.build.engine == STAND_IN
    before_changes = Verdict.PROBLEM if is_stand_in else None  # engines that do not work refuse the build themselves
    yield Check(subject=Subject("engine"), probe=partial(_check_engine, tools), before_changes=before_changes)
    if tools.settings.build.needs_support:
        yield Check(subject=Subject("build"), probe=partial(_check_inputs, tools), before_changes=Verdict.PROBLEM)
    if any(map(SECRET_NAME.search, tools.settings.build.args)):
        yield Check(subject=Subject("build arguments"), probe=partial(_check_arguments, tools))
    yield Check(subject=Subject("platform"), probe=partial(_check_platform, tools), before_changes=Verdict.PROBLEM)


def _check_platform(tools: Tools, subject: Subject) -> Iterator[Finding]:
    platform = tools.settings.build.platform
    misfits = [each for each in tools.settings.environments.values() if not each.runs(platform)]
    if misfits:
        required = ", ".join(dict.fromkeys(each.image_platforms[0] for each in misfits))
        message = f"images are built for {platform}, and {', '.join(each.name for each in misfits)} runs {required}"
        yield subject.problem(message, f'write platform = "{required}" in [build]')
    else:
        yield subject.ok(f"images are built for {platform}")


def _check_inputs(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Check that the engine supports what the build is configured with, and that its secrets have values."""
    engine = tools.host.build_engine()
    for obstacle in engine.obstacles:
        yield subject.problem(obstacle.message, obstacle.fix)
    if engine.ignored_keys:
        keys = ", ".join(f"build.{key}" for key in engine.ignored_keys)
        yield subject.warning(f"{engine.name} ignores {keys}", "use docker with buildx for images that serve users")
    if not engine.obstacles and not engine.ignored_keys:
        yield subject.ok(f"{engine.name} supports what [build] asks for")


def _check_arguments(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Warn of build arguments that seem to be secrets."""
    for name in filter(SECRET_NAME.search, tools.settings.build.args):
        fix = f'write it in [build.secrets]: {name.lower()} = {{ env = "{name}" }}'
        yield subject.warning(f"everybody who has the image can read the build argument {name}", fix)


def _check_engine(tools: Tools, subject: Subject) -> Iterator[Finding]:
    engine = tools.host.build_engine()
    if engine.name in ENGINES_OF_LOCAL_CLOUDS and account.is_local_cloud(tools):
        yield subject.ok(f"{engine.name} builds images for the local cloud")
    elif engine.name == STAND_IN:
        yield subject.problem(
            "stand-in images are for local clouds alone", 'unset INVOKE_BUILD_ENGINE, or set build.engine = "auto"'
        )
    elif engine.warning:
        yield subject.warning(engine.warning, engine.fix)
    else:
        yield subject.ok(f"{engine.name} answers")
