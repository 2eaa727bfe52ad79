"""Which jobs of which repository a role trusts: the subjects of the tokens that they show to AWS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from attrs import field, frozen

GITHUB_HOST = "token.actions.githubusercontent.com"
GITLAB_HOST = "gitlab.com"
AUDIENCE = "sts.amazonaws.com"


@frozen(kw_only=True)
class TrustedJobs:
    """The jobs that a role trusts.

    Attributes:
        name: the CI system, as part of a statement's name.
        host: host of the provider of tokens.
        projects: beginnings of a token's subject, of which `*` stands for any text.
        note: what to know about these beginnings; empty when there is nothing.
        has_environments: whether a subject may name an environment in place of a branch.
        branch_form: how a subject names a branch.
    """

    name: str
    host: str
    projects: tuple[str, ...]
    note: str = ""
    has_environments: bool = False
    branch_form: str = field(default="ref:refs/heads/{}")

    def subjects(self, branches: Sequence[str], environments: Sequence[str]) -> tuple[str, ...]:
        """Return the subjects of jobs on one of the branches or in one of the environments."""
        jobs = [self.branch_form.format(branch) for branch in branches]
        if self.has_environments:
            jobs += [f"environment:{environment}" for environment in environments]
        return tuple(f"{project}:{job}" for project in self.projects for job in jobs)


def trust_github(repository: str) -> TrustedJobs | None:
    """Return the jobs of a repository; None when the text names none.

    Repositories that were created, renamed or transferred since 15 July 2026 have ids in their subjects, and older ones
    may opt in, so that nobody who takes over a name is trusted:
    https://docs.github.com/en/actions/concepts/security/openid-connect.

    Args:
        repository: `owner/name`, which trusts both forms, or `owner@id/name@id`, which trusts that form alone.
    """
    match = re.fullmatch(r"([\w.-]+)(@[0-9]+)?/([\w.-]+)(@[0-9]+)?", repository)
    if match is None or bool(match[2]) != bool(match[4]):
        return None
    owner, name = match[1], match[3]
    if match[2]:
        return TrustedJobs(name="GitHub", host=GITHUB_HOST, projects=(f"repo:{repository}",), has_environments=True)
    return TrustedJobs(
        name="GitHub",
        host=GITHUB_HOST,
        projects=(f"repo:{owner}/{name}", f"repo:{owner}@*/{name}@*"),
        note=GITHUB_NOTE.format(repository=f"{owner}/{name}"),
        has_environments=True,
    )


GITHUB_NOTE = (
    "trusts {repository} in both forms of the subject: without ids (repositories until July 2026) and with any ids"
    " (new, renamed and transferred ones). To trust its own ids alone, give --github what this prints:"
    """ gh api repos/{repository} --jq '"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)"'"""
)


def trust_gitlab(project: str) -> TrustedJobs | None:
    """Return the jobs of a project; None when the text names none.

    https://docs.gitlab.com/ci/cloud_services/aws/

    Args:
        project: `group/project`, with subgroups if there are any, or its address on a server of your own.
    """
    address = urlsplit(project)
    path = address.path.strip("/") if address.scheme == "https" else project
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", path) or (address.scheme and not address.netloc):
        return None
    return TrustedJobs(
        name="GitLab",
        host=address.netloc or GITLAB_HOST,
        projects=(f"project_path:{path}",),
        branch_form="ref_type:branch:ref:{}",
    )
