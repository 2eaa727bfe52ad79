"""Builds a base image on this machine, without a registry."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import tempfile
from pathlib import Path

PACKAGES = "libpython3-stdlib,python3-minimal"  # python3-minimal alone lacks http.server
DEAD_WEIGHT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")


def base_image() -> str:
    """Return the name of a local image with `python`, built on first use (half a minute, as root).

    KAIZEN_TEST_BASE names another one, for machines that are not Debian or may not debootstrap.

    Raises:
        subprocess.CalledProcessError: debootstrap or the engine failed.
    """
    if chosen := os.environ.get("KAIZEN_TEST_BASE"):
        return chosen
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    name = f"kaizen-test-base:{suite}"
    with (Path(tempfile.gettempdir()) / f"kaizen-test-base.{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs may start on a new machine at once
        if not _exists(name):
            _make(name, suite)
    return name


def _exists(name: str) -> bool:
    found = _output("docker", "image", "ls", "--quiet", name)
    return bool(found.strip())


def _make(name: str, suite: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kaizen-base-") as folder:
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, folder, _mirror(suite)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (Path(folder) / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        _import(Path(folder), name)


def _import(root: Path, name: str) -> None:
    """Import the tree through a pipe, without a temporary archive."""
    excluded = [f"--exclude=./{path}/*" for path in DEAD_WEIGHT]
    with subprocess.Popen(["tar", "-C", root, *excluded, "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(["docker", "import", "-", name], stdin=tar.stdout, check=True, stdout=subprocess.DEVNULL)
    if tar.returncode:
        raise subprocess.CalledProcessError(tar.returncode, "tar")


def _mirror(suite: str) -> str:
    """Return the mirror that apt uses on this machine."""
    listing = _output("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages")
    mirrors = [line.split()[1] for line in listing.splitlines() if line.split()[0] == suite]
    if not mirrors:
        raise LookupError(f"apt is configured with no mirror for {suite}")
    return mirrors[0]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
