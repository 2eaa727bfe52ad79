"""The commands that move an environment to another platform and back, and the state before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.rollout_cases import RolloutCase

if TYPE_CHECKING:
    from tests.crash.sandbox import TeamSandbox

MOVE = ("migrate", "--env", "shane", "--to", "ecs-express", "--yes")
RETIRE = ("migrate", "--env", "shane", "--retire", "--yes")
MOVE_ANOTHER = ("migrate", "--env", "dom", "--to", "ecs-express", "--yes")


def _create_roles(sandbox: TeamSandbox) -> None:
    sandbox.create_role("ecsTaskExecutionRole", "ecs-tasks.amazonaws.com")
    sandbox.create_role("ecsInfrastructureRoleForExpressServices", "ecs.amazonaws.com")


def _move(sandbox: TeamSandbox) -> None:
    sandbox.library.inv(*MOVE).expect_success()
    sandbox.library.repository.git("commit", "--quiet", "--message=Move shane", "kaizen.toml")
    sandbox.library.repository.git("push", "--quiet", sandbox.library.repository.git("remote"), "HEAD")


def _retire(sandbox: TeamSandbox) -> None:
    sandbox.library.inv(*RETIRE).expect_success()


def _move_another(sandbox: TeamSandbox) -> None:
    sandbox.library.inv(*MOVE_ANOTHER).expect_success()


MIGRATIONS = {
    case.name: case
    for case in (
        RolloutCase(name="migrate", words=MOVE, prepare=_create_roles),
        RolloutCase(name="migrate-retire", words=RETIRE, prepare=_move),
        RolloutCase(name="migrate-delete", words=(*RETIRE, "--delete"), prepare=_retire),
        RolloutCase(name="migrate-undo", words=("migrate", "--env", "dom", "--undo", "--yes"), prepare=_move_another),
    )
}
