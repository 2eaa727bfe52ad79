"""Reads from where the copy of these tasks that runs was installed."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kaizen_tasks import __version__
from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.domain.git.remote_url import web_url
from kaizen_tasks.domain.init.ci.installation import Installation
from kaizen_tasks.errors import KaizenError

DISTRIBUTION = "kaizen-tasks"


def read_installation() -> Installation:
    """Return the version and, as far as they are known, the repository and the commit of this copy.

    An installer records a commit that it has installed; a checkout that is installed as it is has one itself:
    https://packaging.python.org/specifications/direct-url/
    """
    address, commit = _read_origin()
    return Installation(
        version=__version__,
        address=address,
        commit=commit,
        dependencies=_read_data("requirements.lock"),
        notify_dependencies=_read_data("requirements-notify.lock"),
    )


def _read_data(name: str) -> str:
    return (files("kaizen_tasks") / name).read_text(encoding="utf-8")


def _read_origin() -> tuple[str, str]:
    """Return the address of the repository and the commit; empty where unknown."""
    try:
        distribution = Distribution.from_name(DISTRIBUTION)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "", ""
    address = _project_address(distribution)
    origin: dict[str, Any] = json.loads(distribution.read_text("direct_url.json") or "{}")
    url, vcs = urlsplit(str(origin.get("url", ""))), origin.get("vcs_info", {})
    if vcs.get("vcs") == "git":
        return web_url(url.geturl()) or address, str(vcs.get("commit_id", ""))
    if url.scheme == "file" and "dir_info" in origin:
        checkout_address, commit = _read_checkout(Path(unquote(url.path)))
        return (checkout_address or address), commit
    return address, ""


def _project_address(distribution: Distribution) -> str:
    """Return the address of the source that the package names."""
    pairs = (entry.partition(", ") for entry in distribution.metadata.get_all("Project-URL") or ())
    return next((url.rstrip("/") for label, _, url in pairs if label == "Source"), "")


def _read_checkout(folder: Path) -> tuple[str, str]:
    """Return the address of a checkout's remote, and its commit; empty where there is none."""
    try:
        git = Git(folder)
        remote, commit = git.run("remote", "get-url", "origin"), git.run("rev-parse", "--verify", "--quiet", "HEAD")
    except KaizenError:
        return "", ""
    return (web_url(remote.text) if remote.ok else ""), (commit.text if commit.ok else "")
