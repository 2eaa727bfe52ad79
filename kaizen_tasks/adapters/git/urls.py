"""The remote's address: as git uses it, and made for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.command import Git

_SCP_LIKE = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]{2,}):(?P<path>[^\s]+)")
_WEB_SCHEMES = {"http": "http", "https": "https", "ssh": "https", "git": "https", "git+ssh": "https"}


def remote_url(git: Git, remote: str) -> str:
    """Return the remote's URL as git uses it, or an empty string when it is not configured."""
    result = git.run("remote", "get-url", "--end-of-options", remote)
    return result.text.split("\n")[0] if result.ok else ""


def web_url(url: str) -> str:
    """Return where a browser finds a repository, without credentials, or an empty string.

    Args:
        url: as git knows it: https, ssh, or `git@host:team/app.git`; a folder has no such address.
    """
    if "://" not in url:
        match = _SCP_LIKE.fullmatch(url)
        return _join_url("https", match["host"], match["path"]) if match else ""
    parts = urlsplit(url)
    scheme = _WEB_SCHEMES.get(parts.scheme)
    if not scheme or not parts.hostname:
        return ""
    return _join_url(scheme, _host(parts.netloc, keep_port=scheme == parts.scheme), parts.path)


def _host(netloc: str, *, keep_port: bool) -> str:
    host = netloc.rpartition("@")[2]
    return host if keep_port else re.sub(r":\d+$", "", host)


def _join_url(scheme: str, host: str, path: str) -> str:
    return f"{scheme}://{host}/{path.strip('/').removesuffix('.git').rstrip('/')}"
