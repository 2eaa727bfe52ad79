"""The commands that deploy, and the state before each."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from tests.crash import engine
from tests.support.engines import has_docker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.sandbox import TeamSandbox

Prepare = Callable[["TeamSandbox"], None]

DOCKERFILE = f"""\
FROM scratch
ARG VERSION
LABEL {engine.LABEL}=yes
ENV APP_VERSION=$VERSION
COPY web.py /web.py
CMD ["python", "-S", "-E", "/web.py"]
"""


@frozen(kw_only=True)
class RolloutCase:
    """A command that deploys, with its preparation.

    Attributes:
        name: its name in reports.
        words: the arguments of `inv`.
        prepare: what runs before it, after the preparations of the rollouts above it.
        meanwhile: a context manager that is entered while it runs.
        own: prefixes of the kill points that no rollout above it has.
    """

    name: str
    words: tuple[str, ...]
    prepare: Prepare
    meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext
    own: tuple[str, ...] = ("",)


def _release_everywhere(sandbox: TeamSandbox) -> None:
    """Release everywhere, and add a change; two of the services deploy automatically."""
    sandbox.library.inv("local.up", "--state", str(sandbox.state)).expect_success()
    for name in ("staging", "dom"):
        sandbox.enable_auto_deploy(f"{name}-web-service")
    for words in (("release-staging",), ("promote-prod", "--yes"), ("promote-beta",)):
        sandbox.library.inv(*words).expect_success()
    sandbox.add_changelog_entry("A typo")


def _release_to_staging(sandbox: TeamSandbox) -> None:
    sandbox.library.inv("release-staging").expect_success()


def _promote_to_prod(sandbox: TeamSandbox) -> None:
    sandbox.library.inv("promote-prod", "--yes").expect_success()


def _branch_for_hotfix(sandbox: TeamSandbox) -> None:
    sandbox.library.inv("promote-beta").expect_success()
    sandbox.repository.git("switch", "--quiet", "--create", "hotfix/typo")
    sandbox.add_changelog_entry("Another typo")


def _switch_to_docker(sandbox: TeamSandbox) -> None:
    """Switch to building with Docker; the process engine runs the program inside the image."""
    sandbox.repository.git("switch", "--quiet", "main")
    configuration = sandbox.library.path / "kaizen.toml"
    configuration.write_bytes(configuration.read_bytes().replace(b'"bundle"', b'"docker"'))
    (sandbox.library.path / "Dockerfile").write_text(DOCKERFILE)
    sandbox.repository.git("add", "Dockerfile")
    sandbox.add_changelog_entry("A last typo")


def _no_preparation(_landscape: TeamSandbox) -> None:
    """Prepare nothing."""


ROLLOUTS = {
    rollout.name: rollout
    for rollout in (
        RolloutCase(name="release-staging", words=("release-staging",), prepare=_release_everywhere),
        RolloutCase(name="promote-prod", words=("promote-prod", "--yes"), prepare=_release_to_staging),
        RolloutCase(name="promote-beta", words=("promote-beta",), prepare=_promote_to_prod),
        RolloutCase(name="rollback", words=("rollback", "--env", "prod", "--yes"), prepare=_no_preparation),
        RolloutCase(name="hotfix", words=("hotfix", "--env", "mark"), prepare=_branch_for_hotfix),
        RolloutCase(
            name="release-staging-docker",
            words=("release-staging",),
            prepare=_switch_to_docker,
            meanwhile=engine.exclusive_engine,
            own=("docker ", "registry "),
        ),
    )
    if rollout.meanwhile is nullcontext or has_docker() or "CI" in os.environ
}


def prepare(case: RolloutCase, sandbox: TeamSandbox, folder: Path, fork_server: CloudForkServer) -> TeamSandbox:
    """Copy the state before the rollout above to a folder, and return the state before this one."""
    running_sandbox = sandbox.copy_to(folder).start_cloud(fork_server)
    case.prepare(running_sandbox)
    assert running_sandbox.cloud is not None
    clouds.stop_cloud(running_sandbox.cloud)
    return evolve(running_sandbox, cloud=None)
