"""What to type first, for somebody who has typed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.config.load import CONFIG_FILE_NAME, find_config_file

if TYPE_CHECKING:
    from invoke.collection import Collection

Row = tuple[str, str]


def first_steps(tasks: Collection, command_name: str) -> tuple[Row, ...]:
    """Return command lines and what they do: the next steps of somebody in this folder.

    Args:
        tasks: the tasks that there are.
        command_name: `inv` or `kaizen`.
    """
    config_file = find_config_file()
    if not config_file.table and not config_file.error.startswith(f"{CONFIG_FILE_NAME}: not found"):
        next_steps = [(f"{command_name} doctor", "say what is wrong with the configuration")]
    elif not config_file.table:
        next_steps = [
            (f"{command_name} init", f"write a {CONFIG_FILE_NAME} from what is found here"),
            (f"{command_name} demo", "release an example app on a local cloud"),
        ]
    else:
        release = next((name for name in tasks.task_names if name.startswith("release-")), "cut")
        next_steps = [
            (f"{command_name} status", "what runs where"),
            (f"{command_name} rehearse", "test this app's pipeline on a local cloud"),
            (f"{command_name} --dry {release}", "the plan of a release; nothing is changed"),
        ]
        next_steps = [(line, text) for line, text in next_steps if line.split()[-1] in tasks.task_names]
    return (
        *next_steps,
        (f"{command_name} --list", "every task"),
        (f"{command_name} --help TASK", "the flags of a task"),
    )
