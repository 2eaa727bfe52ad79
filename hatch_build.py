"""Adds the repository's address to the package: the links of its README, and the links beside it on an index.

The address is that of the remote `origin` of the clone that is built, or of the variable `KAIZEN_REPOSITORY_URL`. An
sdist keeps it; without one, README's links stay relative.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

MARKDOWN_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)")
PICTURE = re.compile(r'(?P<attribute>\b(?:src|srcset)=")(?![a-z]+:)')
PAGES = {"Source": "", "Documentation": "/blob/HEAD/docs/index.md", "Changelog": "/blob/HEAD/CHANGELOG.md"}
"""Pages below the address. GitHub and GitLab have them under the same paths."""


class CustomMetadataHook(MetadataHookInterface):
    """Sets `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set both for the address; only the readme, as it is, without one."""
        root = Path(self.root)
        text = (root / "README.md").read_text(encoding="utf-8")
        if address := repository_address(root):
            text = absolute_links(text, address)
            metadata["urls"] = {name: f"{address}{path}" for name, path in PAGES.items()}
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def repository_address(root: Path) -> str:
    """Return the address of the repository's web page; empty without a remote that has one."""
    sys.path.insert(0, str(root))
    try:
        from kaizen_tasks.domain.git.remote_url import web_url  # noqa: PLC0415 - the clone is not installed
    finally:
        sys.path.remove(str(root))
    words = ("git", "-C", str(root), "remote", "get-url", "origin")
    try:
        remote = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # git is not installed
        remote = ""
    return os.environ.get("KAIZEN_REPOSITORY_URL", "").rstrip("/") or web_url(remote)


def absolute_links(text: str, address: str) -> str:
    """Return Markdown whose relative links lead into the repository, and whose pictures are loaded from there."""
    text = MARKDOWN_LINK.sub(f"{address}/blob/HEAD/", text)
    return PICTURE.sub(rf"\g<attribute>{address}/raw/HEAD/", text)
