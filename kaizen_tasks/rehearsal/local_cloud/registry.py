"""This user's local clouds, by their state folders, so that forgotten ones are found."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host.user_folders import state_folder
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud

CLEANING_TIMEOUT_SECONDS = 60.0
"""Seconds within which the instances of a killed cloud are removed."""


def start_registered_cloud(state: Path, *, region: str, account: str, engine: str, port: int) -> Cloud:
    """Start a cloud as `start_cloud` does, and remember its folder."""
    _remember(state)
    return clouds.start_cloud(state, region=region, account=account, engine=engine, port=port)


def find_folder_of(endpoint_url: str) -> Path | None:
    """Return the folder of this user's cloud that runs at an address, or that did so last; None if there is none."""
    running = {cloud.endpoint_url: cloud.state for cloud in running_clouds()}
    folders = {
        clouds.read_env_file(state / clouds.ENV_FILE_NAME).get("AWS_ENDPOINT_URL"): state for _, state in _entries()
    }
    return running.get(endpoint_url) or folders.get(endpoint_url)


def running_clouds() -> tuple[Cloud, ...]:
    """Return the clouds of this user that run, and forget folders that have been deleted."""
    found_clouds = []
    for entry, state in _entries():
        cloud = clouds.find_cloud(state)
        if cloud is not None:
            found_clouds.append(cloud)
        elif not state.is_dir():
            entry.unlink(missing_ok=True)
    return tuple(sorted(found_clouds, key=lambda cloud: cloud.state))


def remove_orphaned_instances() -> tuple[Path, ...]:
    """End the instances that killed clouds have left running; return the folders of those clouds.

    Raises:
        KaizenError: they could not be removed.
    """
    states = tuple(state for _, state in _entries() if _has_orphans(state))
    for state in states:
        command = [sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(state), "--remove-orphans"]
        result = subprocess.run(
            command,
            env=clouds.clean_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLEANING_TIMEOUT_SECONDS,
            check=False,
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
            message = f"the instances of the killed local cloud on {state} could not be removed: {lines[0]}"
            raise KaizenError(message, hint=f"start it again: inv local.up --state {state}")
    return states


def _has_orphans(state: Path) -> bool:
    """Return whether a cloud that does not run has instances, in any account and region."""
    instances = (state.glob(f"{place}/instances/*") for place in ("apprunner", "ecs", "accounts/*/*/*"))
    return clouds.find_cloud(state) is None and any(map(any, instances))


def _remember(state: Path) -> None:
    """Write the name of a folder down; a cloud also runs where that is not possible."""
    name = hashlib.sha256(str(state).encode()).hexdigest()[:16]
    with contextlib.suppress(OSError, KaizenError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / name).write_text(str(state), encoding="utf-8")


def _entries() -> tuple[tuple[Path, Path], ...]:
    """Return the files of the registry, and the state folders that they name."""
    with contextlib.suppress(OSError, KaizenError, ValueError):
        return tuple((entry, Path(entry.read_text(encoding="utf-8"))) for entry in sorted(_folder().iterdir()))
    return ()


def _folder() -> Path:
    return state_folder() / "clouds"
