"""Finds the commands of a release: those of its own commit, whatever the configuration here says by now."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.config import before_deploy, load
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, ConfigurationError, Refused
from kaizen_tasks.flows.release.tags import tag_commit

if TYPE_CHECKING:
    from kaizen_tasks.config.load import ConfigFile
    from kaizen_tasks.domain.command import BeforeDeployCommand
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def find_commands(environment: Environment, release: Release, tools: Tools) -> tuple[BeforeDeployCommand, ...]:
    """Return the commands of a release in an environment; those configured here if its commit is not in this clone.

    Raises:
        Refused: its commit has commands that this version does not understand.
    """
    config_file = _committed_config(release, tools)
    return environment.before_deploy if config_file is None else _parse(environment, config_file, release, tools)


def with_commands(stage: Stage, release: Release, tools: Tools) -> Stage:
    """Return a stage whose environments also have the commands that the release has and the configuration here lacks.

    It says whose commands run if the two differ, and if those of the release cannot be read.

    Raises:
        Refused: its commit has commands that this version does not understand.
    """
    config_file = _committed_config(release, tools)
    configured = {command for member in stage.environments for command in member.before_deploy}
    if config_file is None:
        if configured and release.commit:  # else the step learns the commit from the image
            tools.reporter.note(
                f"the commit of {release.name} cannot be read here, so the commands are those of the configuration here"
            )
        return stage
    released = {member: _parse(member, config_file, release, tools) for member in stage.environments}
    if any(member.before_deploy != commands for member, commands in released.items()):
        names = list_names([str(command) for command in dict.fromkeys(itertools.chain(*released.values()))])
        tools.reporter.note(
            f"commands of {release.name}, which differ from {config_file.name} here: {names}"
            if names
            else f"{release.name} has no commands: those of {config_file.name} here are not its own, and do not run"
        )
    members = (evolve(member, before_deploy=member.before_deploy or commands) for member, commands in released.items())
    return evolve(stage, environments=tuple(members))


def _committed_config(release: Release, tools: Tools) -> ConfigFile | None:
    """Return the configuration of a release, or None where it cannot be read: promotions work without git, too.

    A release that is known by its name alone has the commit that its tag names.
    """
    try:
        commit = release.commit or tag_commit(release.version, tools)
        if not commit:
            return None
        return load.read_committed_config(tools.settings.root, lambda name: tools.scm.read_at(commit, name))
    except Refused:
        return None


def _parse(
    environment: Environment, config_file: ConfigFile, release: Release, tools: Tools
) -> tuple[BeforeDeployCommand, ...]:
    try:
        return before_deploy.committed_commands(environment, config_file, tools.settings.groups)
    except ConfigurationError as error:
        raise Refused(
            f"the commands of {release.name} cannot be read: {'; '.join(error.problems)}",
            state=NOTHING_CHANGED,
            hint="use the version of kaizen_tasks that released it, or make a new release",
        ) from error
