"""Chooses the adapter for the server of the remote, and the token for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from attrs import frozen

from kaizen_tasks.adapters.forge import github, gitlab
from kaizen_tasks.adapters.forge.api import ForgeApi, Token
from kaizen_tasks.domain.forge import GITHUB_HOSTS, ForgeProject, PullRequest, ReleasePage, find_project
from kaizen_tasks.errors import ConfigurationError, Refused
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.forge import Forge
from kaizen_tasks.ports.platform import Prober
from kaizen_tasks.ports.secrets import Secret

GITHUB_NEEDS = "the permissions “Contents” and “Pull requests” to write"
GITLAB_NEEDS = "the scope “api”, and the role Developer or above"
GITLAB_VARIABLE, JOB_VARIABLE = "GITLAB_TOKEN", "CI_JOB_TOKEN"
"""The token of a job may publish releases, if the project allows it, and open no merge requests."""


@frozen(kw_only=True)
class UnusableForge:
    """A server that cannot be asked; implements the port `Forge`.

    Attributes:
        name: what people call it; empty when its kind is unknown.
        problem: why it cannot be asked.
    """

    name: str
    problem: str

    def server(self) -> str:
        """Return what people call the server, or an empty string."""
        return self.name

    def access_problem(self) -> str:
        """Return why it cannot be asked."""
        return self.problem

    def files_url(self, ref: str) -> str:
        """Refuse."""
        self._refuse()

    def find_pull_request(self, *, source: str, target: str) -> PullRequest | None:
        """Refuse."""
        self._refuse()

    def open_pull_request(self, *, source: str, target: str, title: str, body: str) -> PullRequest:
        """Refuse."""
        self._refuse()

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Refuse."""
        self._refuse()

    def find_release(self, tag: str) -> ReleasePage | None:
        """Refuse."""
        self._refuse()

    def publish_release(self, page: ReleasePage, *, is_latest: bool) -> None:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Refused(self.problem)


def select_forge(repository_url: str, *, kind: str, environ: Mapping[str, str], prober: Prober, clock: Clock) -> Forge:
    """Return the server of a repository.

    Args:
        repository_url: the repository's web page; empty when it has none.
        kind: `github` or `gitlab`; empty to find it out.
        environ: the environment variables.
        prober: sends the requests.
        clock: waits before a failed question is asked again.

    Raises:
        ConfigurationError: the variable that should hold a token holds something else.
    """
    project = find_project(repository_url, kind=kind, environ=environ)
    if project is None:
        host = urlsplit(repository_url).hostname
        problem = f"{host} may be GitHub or GitLab: set release.forge" if host else "the remote has no web page"
        return UnusableForge(name="", problem=problem)
    if not has_token(project, environ):
        variable = "GITHUB_TOKEN" if project.kind == "github" else GITLAB_VARIABLE
        return UnusableForge(name=project.name, problem=f"there is no token for {project.host}: set {variable}")
    needs = GITHUB_NEEDS if project.kind == "github" else GITLAB_NEEDS
    api = connect(project, needs=needs, environ=environ, prober=prober, clock=clock)
    return github.GitHub(api=api) if project.kind == "github" else gitlab.GitLab(api=api)


def connect(project: ForgeProject, *, needs: str, environ: Mapping[str, str], prober: Prober, clock: Clock) -> ForgeApi:
    """Return the API of a repository's server.

    Args:
        project: the repository.
        needs: what the token must be allowed, in words.
        environ: the environment variables, with a token.
        prober: sends the requests.
        clock: waits before a failed question is asked again.

    Raises:
        ConfigurationError: the variable that should hold a token holds something else.
    """
    headers = github.HEADERS if project.kind == "github" else {}
    return ForgeApi(project, _find_token(project, needs, environ), headers=headers, prober=prober, clock=clock)


def has_token(project: ForgeProject, environ: Mapping[str, str]) -> bool:
    """Return whether a variable holds a token for a repository's server."""
    return any(environ.get(variable, "").strip() for variable in _token_variables(project, environ))


def _find_token(project: ForgeProject, needs: str, environ: Mapping[str, str]) -> Token:
    """Return the first token that is set. That of a CI run is never sent to another server than the run's own."""
    variables = _token_variables(project, environ)
    variable = next(name for name in variables if environ.get(name, "").strip())
    value = environ[variable].strip()
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigurationError((f"{variable} holds no token",), hint=f"set {variable} to the token alone")
    if project.kind == "github":
        header, secret, settable = "Authorization", Secret(f"Bearer {value}"), variable
    else:
        header = "JOB-TOKEN" if variable == JOB_VARIABLE else "PRIVATE-TOKEN"
        secret, settable = Secret(value), GITLAB_VARIABLE
    return Token(variable=variable, settable_variable=settable, header=header, value=secret, needs=needs)


def _token_variables(project: ForgeProject, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables with tokens, best first: https://cli.github.com/manual/gh_help_environment."""
    if project.kind == "gitlab":
        is_foreign = bool(environ.get("CI_SERVER_URL")) and not project.is_of_run
        return (GITLAB_VARIABLE,) if is_foreign else (GITLAB_VARIABLE, JOB_VARIABLE)
    is_foreign = bool(environ.get("GITHUB_SERVER_URL")) and not project.is_of_run
    shared = ("GH_TOKEN",) if is_foreign else ("GH_TOKEN", "GITHUB_TOKEN")
    is_enterprise = project.host not in GITHUB_HOSTS
    return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *shared) if is_enterprise else shared
