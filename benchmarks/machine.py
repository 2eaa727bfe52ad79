"""Describes the machine and the programs that were measured, for the head of the table."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

VERSION_COMMANDS = {
    "git": ("git", "version"),
    "Docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "skopeo": ("skopeo", "--version"),
}


def describe_machine() -> str:
    """Return processor, cores, load and the versions of programs, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {_version(command)}" for name, command in VERSION_COMMANDS.items())
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    system = f"{platform.system()} {platform.release()}"
    return f"{_processor()}, {cores} cores, {load}; {system}; Python {platform.python_version()}, {versions}"


def _processor() -> str:
    """Return the model's name, which `platform` does not know on Linux."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(command: tuple[str, ...]) -> str:
    if shutil.which(command[0]) is None:
        return "not installed"
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return process.stdout.split()[-1] if process.returncode == 0 and process.stdout.split() else "not running"
