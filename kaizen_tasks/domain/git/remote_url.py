"""The web page of a git remote, the kind of its code host, and the recognition of this machine's own addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

CodeHostKind: TypeAlias = Literal["azure", "bitbucket", "bitbucket-server", "gitea", "github", "gitiles", "gitlab"]

_SCP_LIKE = r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]{2,}):(?P<path>[^\s]+)"
_WEB_SCHEMES = {"http": "http", "https": "https", "ssh": "https", "git": "https", "git+ssh": "https"}
_SSH_HOSTS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
"""Hosts that serve git over SSH on port 443, and the host of their web pages."""

_AZURE_SSH = r"v3/(?P<organisation>[^/]+)/(?P<project>[^/]+)/(?P<repository>[^/]+)"
"""https://learn.microsoft.com/azure/devops/repos/git/use-ssh-keys-to-authenticate."""

_BITBUCKET_CLONE = r"(?P<context>(?:[^/]+/)*?)(?:scm/)?(?P<project>~?[^/]+)/(?P<repository>[^/]+)"
"""The path of a clone URL: https://confluence.atlassian.com/bitbucketserver/basic-git-commands-776639767.html."""

_PUBLIC_HOSTS: dict[str, CodeHostKind] = {
    "bitbucket.org": "bitbucket",
    "code.videolan.org": "gitlab",
    "dev.azure.com": "azure",
    "framagit.org": "gitlab",
    "gitee.com": "gitea",
    "invent.kde.org": "gitlab",
    "opendev.org": "gitea",
    "salsa.debian.org": "gitlab",
}
_HOST_WORDS: dict[str, CodeHostKind] = {
    "github": "github",
    "gitlab": "gitlab",
    "gitea": "gitea",
    "forgejo": "gitea",
    "codeberg": "gitea",
}
"""What the name of a host of each kind usually contains as a word."""

_PATHS: dict[CodeHostKind, str] = {
    "azure": r"(?:[^/]+/)*_git/[^/]+",
    "bitbucket": r"[^/]+/[^/]+",
    "bitbucket-server": r"(?:[^/]+/)*(?:projects|users)/[^/]+/repos/[^/]+",
    "gitea": r"[^/]+/[^/]+",
    "github": r"[^/]+/[^/]+",
    "gitiles": r".+",
    "gitlab": r"[^/]+(?:/[^/]+)+",
}
"""What the path of a repository's page looks like."""


_PULL_REQUEST_FORMS: dict[CodeHostKind, str] = {
    "azure": "/pullrequestcreate?sourceRef={source}&targetRef={target}",
    "bitbucket": "/pull-requests/new?source={source}&dest={target}",
    "bitbucket-server": "/pull-requests?create&sourceBranch=refs/heads/{source}&targetBranch=refs/heads/{target}",
    "gitea": "/compare/{target}...{source}",
    "github": "/compare/{target}...{source}?expand=1",
    "gitlab": "/-/merge_requests/new?merge_request[source_branch]={source}&merge_request[target_branch]={target}",
}


class _Address(NamedTuple):
    """A remote's address: the scheme of its web page, the host, with the port of a web page, and the path."""

    scheme: str
    host: str
    path: str


def web_url(remote_url: str) -> str:
    """Return the URL of a repository's web page, without credentials, or an empty string.

    Args:
        remote_url: the remote's URL in git: https, ssh, or `git@host:team/app.git`; a folder has no web page.
    """
    address = _parse(remote_url)
    if not address:
        return ""
    host, path = _SSH_HOSTS.get(address.host, address.host), address.path
    azure_match = re.fullmatch(_AZURE_SSH, path)
    if azure_match and host in {"ssh.dev.azure.com", "vs-ssh.visualstudio.com"}:
        host, path = "dev.azure.com", "{organisation}/{project}/_git/{repository}".format(**azure_match.groupdict())
    elif host.endswith(".googlesource.com"):
        path = path.removeprefix("a/")
    elif _has_word(host, "bitbucket|stash") and host != "bitbucket.org":
        path = _bitbucket_page(path)
    if "/_git/" not in f"/{path}":
        path = path.removesuffix(".git")
    return f"{address.scheme}://{host}/{path}".rstrip("/")


def host_name(remote_url: str) -> str:
    """Return the host that git connects to by SSH, which may be a name of the user's SSH configuration, or nothing."""
    match = re.fullmatch(_SCP_LIKE, remote_url) if "://" not in remote_url else None
    if match:
        return match["host"]
    address = _parse(remote_url) if remote_url.startswith(("ssh://", "git+ssh://")) else None
    return address.host if address else ""


def replace_host(remote_url: str, host: str) -> str:
    """Return the URL of a remote with the real name of its host."""
    return remote_url.replace(host_name(remote_url), host, 1) if host_name(remote_url) not in {"", host} else remote_url


def code_host_kind(repository_url: str) -> CodeHostKind | None:
    """Return what serves a repository's web page, as far as its URL tells; None when it might be something else.

    Args:
        repository_url: the repository's web page, as `web_url` returns it.
    """
    parts = urlsplit(repository_url)
    host, path = parts.hostname or "", parts.path.strip("/")
    kind = _kind_of_host(host)
    if re.fullmatch(_PATHS["azure"], path):
        kind = "azure"
    return kind if kind and re.fullmatch(_PATHS[kind], path) else None


def pull_request_url(repository_url: str, *, source: str, target: str) -> str:
    """Return the URL of the page that opens a pull request, or an empty string for an unknown kind of host.

    Args:
        repository_url: the repository's web page, as `web_url` returns it.
        source: the branch to merge.
        target: the branch to merge into.
    """
    kind = code_host_kind(repository_url)
    form = _PULL_REQUEST_FORMS.get(kind, "") if kind else ""
    return form and repository_url + form.format(source=quote(source, safe="/"), target=quote(target, safe="/"))


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is a loopback one; no name server is asked."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _parse(remote_url: str) -> _Address | None:
    if "://" not in remote_url:
        match = re.fullmatch(_SCP_LIKE, remote_url)
        return _Address("https", match["host"].lower(), match["path"].strip("/")) if match else None
    try:
        parts = urlsplit(remote_url)
        scheme = _WEB_SCHEMES.get(parts.scheme, "") if parts.hostname else ""
        parts.port  # noqa: B018 - raises an error for one that is no number
    except ValueError:
        return None
    if not scheme:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    host = host if scheme == parts.scheme else re.sub(r":\d*$", "", host)
    return _Address(scheme, host, parts.path.strip("/"))


def _bitbucket_page(path: str) -> str:
    match = re.fullmatch(_BITBUCKET_CLONE, path.removesuffix(".git"))
    if not match or re.fullmatch(_PATHS["bitbucket-server"], path):
        return path
    project = match["project"]
    folder = f"users/{project[1:]}" if project.startswith("~") else f"projects/{project}"
    return f"{match['context']}{folder}/repos/{match['repository']}"


def _has_word(host: str, words: str) -> bool:
    """Return whether the name of a host contains one of several words, between dots and hyphens.

    An alias of somebody's SSH configuration, such as `github.com-work`, has no top-level domain.
    """
    name = host.partition(":")[0]
    return bool(re.fullmatch(rf"(?:.+[.-])?(?:{words})(?:[.-].+)?\.[a-z]{{2,}}", name))


def _kind_of_host(host: str) -> CodeHostKind | None:
    if host in _PUBLIC_HOSTS:
        return _PUBLIC_HOSTS[host]
    if host.startswith("gist.") or host.endswith((".github.io", ".gitlab.io")):
        return None
    if host.endswith(".visualstudio.com"):
        return "azure"
    if host.endswith(".googlesource.com"):
        return "gitiles"
    if _has_word(host, "bitbucket|stash"):
        return "bitbucket-server"
    return next((kind for word, kind in _HOST_WORDS.items() if _has_word(host, word)), None)
