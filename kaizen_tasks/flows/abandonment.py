"""Plans `release.abandon`, which gives up a release that was begun and will not be finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import serving_entry
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER, Release
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.release import claims
from kaizen_tasks.flows.runner import run_flow

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools


def plan_abandonment(version: Version, tools: Tools, *, reason: str) -> Change:
    """Return the change that gives up a release.

    Args:
        version: the release's version.
        tools: the ports.
        reason: why, for the ledger.

    Raises:
        Refused: no such release was begun.
    """
    tools.identity.account_id()  # nothing is read from a wrong account
    environment, release = _find_begun_release(version, tools)

    def run(execution: Execution) -> Outcome:
        run_flow(catalogue.abandon(environment, reason=reason), release, tools, execution.execute)
        serving = serving_entry(tools.ledger.entries(environment.name))
        is_serving = serving is not None and serving.version == release.name
        next_step = f"{environment.name} still runs it: inv rollback --env {environment.name}" if is_serving else ""
        return Outcome(text=f"{release.name} is given up", next_step=next_step)

    return Change(
        title=f"give up {release.name}",
        environments=(environment,),
        run=run,
        hold_policy=HoldPolicy.IGNORE,
        question=f"give up {release.name}; its number is never used again",
    )


def _find_begun_release(version: Version, tools: Tools) -> tuple[Environment, Release]:
    """Return a release with its commit and digest, as far as known, and the environment where it was released first."""
    remote, name, tag = claims.read_remote(tools), versions.image_tag(version), tools.settings.git_tag(version)
    commit = {**remote.abandoned, **remote.claims}.get(tag, "") if remote else ""
    for environment in _candidates(commit, tools):
        image = claims.find_image(environment, name, tools)
        if image is not None:
            release = Release(version=version, commit=commit or image.revision, digest=image.digest)
            return environment, release
    if commit:
        return _candidates(commit, tools)[0], Release(version=version, commit=commit)
    raise Refused(
        f"no release {name} was begun: it is not claimed, and no repository has its image",
        state=NOTHING_CHANGED,
        hint="see the releases that were begun: inv doctor",
    )


def _candidates(commit: str, tools: Tools) -> tuple[Environment, ...]:
    """Return the environments to search, the one that the release commit names first, then those of the first stage."""
    environments = tools.settings.environments
    name = tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER) if tools.scm.resolve(commit) else ""
    named = (environments[name],) if name in environments else ()
    return tuple(dict.fromkeys((*named, *tools.settings.first_stage.environments, *environments.values())))
