"""What an image says about its program, for a process of this machine: its paths, its port and its variables.

The files of the image are below a folder, not at `/`, and several services may run at a time, so that no program can
have the port that its image exposes.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.instances.rootfs import resolve_in_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.instances.rootfs import PlatformImage

INHERIT_LABEL = "dev.kaizen.inherit"
"""Label of a bundle with the names of this machine's variables that its program gets, separated by commas."""

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ALL_ADDRESSES = re.compile(r"(?<![\d.])0\.0\.0\.0(?![\d.])")
_ABSOLUTE_PATH = re.compile(r"(?<![\w.~/$}-])/[\w.@+-]+(?:/[\w.@+-]+)*")


def on_this_machine(text: str, root: Path) -> str:
    """Return a text whose absolute paths of files and folders in the image are those of this machine."""
    return _ABSOLUTE_PATH.sub(lambda match: _host_path(match[0], root), text)


def with_address(text: str, image_port: int, port: int) -> str:
    """Return a text such as `--bind 0.0.0.0:8000` with an address of this machine.

    The port is the program's own in place of the one that its image exposes. Where a container listens on all its
    addresses, to be reached from outside, a process of this machine listens on loopback alone.
    """
    on_loopback = _ALL_ADDRESSES.sub("127.0.0.1", text)
    return re.sub(rf"(?<![\d.]){image_port}(?![\d.])", str(port), on_loopback)


def variables(image: PlatformImage, root: Path, *, image_port: int, port: int) -> dict[str, str]:
    """Return the variables of an image, and those of this machine that it inherits."""
    own = {
        name: with_address(on_this_machine(value, root), image_port, port)
        for name, value in image.environment.items()
        if name != "PATH"
    }
    inherited = _inherited(image)
    return {**own, **inherited, "PATH": _search_path(image, root, inherited.get("PATH", ""))}


def _host_path(path: str, root: Path) -> str:
    try:
        host_path = resolve_in_root(root, path)
    except Refused:
        return path
    return str(host_path) if host_path.exists() else path


def _inherited(image: PlatformImage) -> Mapping[str, str]:
    names = image.labels.get(INHERIT_LABEL, "").split(",")
    return {name: os.environ[name] for name in names if name in os.environ}


def _search_path(image: PlatformImage, root: Path, inherited: str) -> str:
    """Return the folders of the image that exist, then those of this machine."""
    candidates = image.environment.get("PATH", STANDARD_PATH).split(":")
    own = (_host_path(folder, root) for folder in candidates if folder.startswith("/"))
    folders = (*(folder for folder in own if folder.startswith(str(root))), inherited, str(Path(sys.executable).parent))
    return os.pathsep.join(filter(None, (*folders, STANDARD_PATH)))
