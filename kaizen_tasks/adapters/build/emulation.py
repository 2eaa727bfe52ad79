"""Says whether this machine runs images of another processor than its own."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

MACHINES = {"amd64": ("x86_64", "AMD64"), "arm64": ("aarch64", "arm64")}
"""What machines with a processor call it, by its name in the platforms of images."""

INTERPRETERS = Path("/proc/sys/fs/binfmt_misc")
"""One file for each kind of program that Linux lets another one run, such as `qemu-aarch64`:
https://docs.kernel.org/admin-guide/binfmt-misc.html."""


def runs_images_for(image_platform: str) -> bool:
    """Return whether a container engine here runs images for a platform; the VM of one beside Linux emulates others."""
    machines = MACHINES.get(image_platform.split("/")[1], ())
    if not machines or platform.machine() in machines or sys.platform != "linux":
        return True
    names = [path.name for path in INTERPRETERS.iterdir()] if INTERPRETERS.is_dir() else []
    return any(machine in name for machine in machines for name in names)
