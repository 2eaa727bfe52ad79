"""The server of a repository with its web side: pull or merge requests, and the release pages of tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from attrs import frozen

ForgeKind = Literal["github", "gitlab"]

GITHUB_HOSTS = frozenset({"github.com", "www.github.com", "ssh.github.com"})
GITLAB_SSH_HOST = "altssh.gitlab.com"
"""Hosts by which git reaches github.com and gitlab.com through port 443, and which answer no web requests."""

TOKEN_VARIABLES = (
    *("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
    *("GITLAB_TOKEN", "CI_JOB_TOKEN"),
)
"""The variables that may hold a token."""

_NAMES: Mapping[ForgeKind, str] = {"github": "GitHub", "gitlab": "GitLab"}
_SERVER_VARIABLES: Mapping[ForgeKind, str] = {"github": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL"}
_API_VARIABLES: Mapping[ForgeKind, str] = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}
_PATH_VARIABLES: Mapping[ForgeKind, str] = {"github": "GITHUB_REPOSITORY", "gitlab": "CI_PROJECT_PATH"}
_IMITATIONS = ("GITEA_ACTIONS", "FORGEJO_ACTIONS")
"""Set by servers whose runners set the variables of GitHub as well."""


@frozen(kw_only=True)
class ForgeProject:
    """A repository on a server whose API is known.

    Attributes:
        kind: what the server is.
        host: the server's host, and its port if it is not the usual one.
        web_url: the repository's web page.
        api_url: where its API begins.
        path: the repository's path on the server: `team/app`.
        is_of_run: whether this process runs on that server's own CI, whose token is for it.
    """

    kind: ForgeKind
    host: str
    web_url: str
    api_url: str
    path: str
    is_of_run: bool

    @property
    def name(self) -> str:
        """What people call the server."""
        return _NAMES[self.kind]

    def files_url(self, ref: str) -> str:
        """Return the URL below which the server shows the files of a tag or branch."""
        folder = "blob" if self.kind == "github" else "-/blob"
        return f"{self.web_url}/{folder}/{quote(ref)}/"

    def commit_url(self, commit: str) -> str:
        """Return the URL of a commit's page."""
        folder = "commit" if self.kind == "github" else "-/commit"
        return f"{self.web_url}/{folder}/{commit}"


@frozen(kw_only=True)
class PullRequest:
    """An open pull request, or merge request.

    Attributes:
        number: its number.
        url: its web page.
        title: its title.
        body: its description.
    """

    number: int
    url: str
    title: str
    body: str


@frozen(kw_only=True)
class ReleasePage:
    """The page of a release on the server, beside its tag.

    Attributes:
        tag: the release's tag.
        title: what the page is called.
        notes: the release notes, in Markdown.
        is_prerelease: whether it is marked as not meant for everybody.
        is_draft: whether only those see it who may write to the repository.
    """

    tag: str
    title: str
    notes: str
    is_prerelease: bool
    is_draft: bool = False

    def shows(self, other: ReleasePage) -> bool:
        """Return whether this page shows what another one does; servers change line ends."""
        return _essence(self) == _essence(other)


def _essence(page: ReleasePage) -> tuple[object, ...]:
    notes = page.notes.replace("\r\n", "\n").strip()
    return page.tag, page.title.strip(), notes, page.is_prerelease, page.is_draft


def find_project(repository_url: str, *, kind: str, environ: Mapping[str, str]) -> ForgeProject | None:
    """Return the repository on its server; None if the server is of an unknown kind, or there is none.

    Args:
        repository_url: the repository's web page; empty for a remote that has none, as a folder. What a CI job says
            about its repository takes its place then.
        kind: what the server is; empty to find it out.
        environ: the environment variables, by which CI services name their servers.
    """
    if not repository_url:
        return _project_of_run(environ)
    host = urlsplit(repository_url).hostname or ""
    known_kind = next((name for name in _NAMES if name == kind), None) or _detect_kind(host, environ)
    return _project(known_kind, repository_url, environ) if known_kind else None


def _project_of_run(environ: Mapping[str, str]) -> ForgeProject | None:
    for kind in _NAMES:
        api_url, path = environ.get(_API_VARIABLES[kind], ""), environ.get(_PATH_VARIABLES[kind], "")
        if api_url and path:
            server_url = environ.get(_SERVER_VARIABLES[kind]) or api_url
            return ForgeProject(
                kind=kind,
                host=urlsplit(server_url).netloc,
                web_url=f"{server_url.rstrip('/')}/{path}",
                api_url=api_url.rstrip("/"),
                path=path,
                is_of_run=True,
            )
    return None


def _detect_kind(host: str, environ: Mapping[str, str]) -> ForgeKind | None:
    """Return what a server is: by the CI run on it, by its name, or by the API that a variable names alone."""
    if any(environ.get(name) for name in _IMITATIONS) and _is_server_of_run("github", host, environ):
        return None
    for kind in _NAMES:
        if _is_server_of_run(kind, host, environ):
            return kind
    for kind in _NAMES:
        if kind in host:
            return kind
    if host.endswith(".ghe.com"):
        return "github"
    kinds = (kind for kind in _NAMES if environ.get(_API_VARIABLES[kind]) and not environ.get(_SERVER_VARIABLES[kind]))
    return next(kinds, None)


def _is_server_of_run(kind: ForgeKind, host: str, environ: Mapping[str, str]) -> bool:
    return bool(host) and urlsplit(environ.get(_SERVER_VARIABLES[kind], "")).hostname == host


def _project(kind: ForgeKind, repository_url: str, environ: Mapping[str, str]) -> ForgeProject:
    parts, server_url = urlsplit(repository_url), environ.get(_SERVER_VARIABLES[kind], "")
    host, is_of_run = parts.hostname or "", _is_server_of_run(kind, parts.hostname or "", environ)
    api_url = environ.get(_API_VARIABLES[kind], "") if is_of_run or not server_url else ""
    path = parts.path.strip("/")
    if is_of_run:  # GitLab may be in a folder of its server
        path = path.removeprefix(urlsplit(server_url).path.strip("/")).strip("/")
    return ForgeProject(
        kind=kind,
        host=parts.netloc,
        web_url=repository_url,
        api_url=api_url.rstrip("/") or _api_url(kind, parts.scheme, host, parts.netloc),
        path=path,
        is_of_run=is_of_run,
    )


def _api_url(kind: ForgeKind, scheme: str, host: str, netloc: str) -> str:
    """Return where the API of a server begins.

    https://docs.github.com/en/enterprise-server/rest/quickstart and https://docs.gitlab.com/api/rest/
    """
    if kind == "gitlab":
        return "https://gitlab.com/api/v4" if host == GITLAB_SSH_HOST else f"{scheme}://{netloc}/api/v4"
    if host in GITHUB_HOSTS:
        return "https://api.github.com"
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"{scheme}://{netloc}/api/v3"


def shorten(text: str, *, limit: int) -> str:
    """Return a text of at most `limit` characters, which says where the rest is if it was longer."""
    rest = "\n\n… (the rest is in the changelog)\n"
    return text if len(text) <= limit else text[: limit - len(rest)] + rest
