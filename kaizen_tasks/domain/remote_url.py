"""The web page of a git remote, and the recognition of this machine's own addresses."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

_SCP_LIKE = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]{2,}):(?P<path>[^\s]+)")
_WEB_SCHEMES = {"http": "http", "https": "https", "ssh": "https", "git": "https", "git+ssh": "https"}


def web_url(remote_url: str) -> str:
    """Return the URL of a repository's web page, without credentials, or an empty string.

    Args:
        remote_url: the remote's URL in git: https, ssh, or `git@host:team/app.git`; a folder has no web page.
    """
    if "://" not in remote_url:
        match = _SCP_LIKE.fullmatch(remote_url)
        return _join("https", match["host"], match["path"]) if match else ""
    try:
        parts = urlsplit(remote_url)
        scheme = _WEB_SCHEMES.get(parts.scheme, "") if parts.hostname else ""
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return scheme and _join(scheme, host if scheme == parts.scheme else re.sub(r":\d+$", "", host), parts.path)


def pull_request_url(repository_url: str, *, source: str, target: str) -> str:
    """Return the URL of the page that opens a pull request, or an empty string for an unknown kind of host.

    Args:
        repository_url: the repository's web page, as `web_url` returns it.
        source: the branch to merge.
        target: the branch to merge into.
    """
    host, source, target = urlsplit(repository_url).hostname or "", quote(source, safe="/"), quote(target, safe="/")
    if "github" in host:
        return f"{repository_url}/compare/{target}...{source}?expand=1"
    if "gitlab" in host:
        query = f"merge_request[source_branch]={source}&merge_request[target_branch]={target}"
        return f"{repository_url}/-/merge_requests/new?{query}"
    if "bitbucket" in host:
        return f"{repository_url}/pull-requests/new?source={source}&dest={target}"
    return ""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is a loopback one; no name server is asked."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _join(scheme: str, host: str, path: str) -> str:
    return f"{scheme}://{host}/{path.strip('/').removesuffix('.git')}".rstrip("/")
