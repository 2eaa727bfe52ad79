"""What a person should know about what was found, and what only a person can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init import tasks_file
from kaizen_tasks.domain.init.detect import dockerfile, endpoint
from kaizen_tasks.domain.init.detect.from_account import missing_resources
from kaizen_tasks.domain.init.evidence import describe_conflicts
from kaizen_tasks.domain.init.proposal import DEFAULT_VERSION_ARG, DOCKERFILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.init.detect.from_account import AccountScan
    from kaizen_tasks.domain.init.evidence import Facts
    from kaizen_tasks.domain.init.proposal import Proposal
    from kaizen_tasks.domain.init.repo_scan import RepoScan


@frozen(kw_only=True)
class Note:
    """Something to know or to do.

    Attributes:
        text: one line.
        snippet: what to add somewhere, as it is to be typed.
    """

    text: str
    snippet: tuple[str, ...] = ()


def tasks_file_notes(content: bytes | None) -> Iterator[Note]:
    """Look at an existing `tasks.py`."""
    if content is None:
        return
    try:
        snippet = tasks_file.missing_lines(content)
    except SyntaxError as error:
        yield Note(text=f"{tasks_file.TASKS_FILE_NAME}:{error.lineno}: not Python; nothing can be said about it")
        return
    if snippet:
        yield Note(text=f"{tasks_file.TASKS_FILE_NAME} is yours; add at its end:", snippet=tuple(snippet.split("\n")))


def repository_notes(repo_scan: RepoScan, proposal: Proposal) -> Iterator[Note]:
    """Look at git."""
    repository = repo_scan.repository
    if not repository.remotes:
        yield Note(text="there is no remote; a release pushes its tag: git remote add origin URL")
    if not repository.branch:
        yield Note(text=f"HEAD is detached; releases are made from {proposal.branch}: git switch {proposal.branch}")


def image_notes(repo_scan: RepoScan, proposal: Proposal) -> Iterator[Note]:
    """Look at how the image is built; without environments there is none."""
    if not proposal.environments:
        yield Note(
            text=f"there is no {DOCKERFILE_NAME}, and nothing names an environment: this configuration makes releases "
            "(inv cut), and deploys nothing"
        )
    elif not proposal.dockerfile_path:
        yield Note(text=f'there is no {DOCKERFILE_NAME}: write one, or choose build.engine = "bundle"')
    else:
        yield from _dockerfile_notes(proposal)
        yield from _endpoint_notes(repo_scan, proposal)


def _dockerfile_notes(proposal: Proposal) -> Iterator[Note]:
    if not proposal.parsed_dockerfile.version_arg:
        text = f"{proposal.dockerfile_path} does not take the version; add at its end:"
        yield Note(text=text, snippet=dockerfile.version_snippet(DEFAULT_VERSION_ARG))
    if proposal.parsed_dockerfile.platform not in {"", dockerfile.AMD64}:
        text = f"{proposal.dockerfile_path} is fixed to {proposal.parsed_dockerfile.platform}, and App Runner runs {dockerfile.AMD64} alone"
        yield Note(text=text)


def _endpoint_notes(repo_scan: RepoScan, proposal: Proposal) -> Iterator[Note]:
    """Look whether anything answers `/version`; releases are verified there."""
    if repo_scan.version_endpoint_files:
        return
    variable = proposal.parsed_dockerfile.version_variable or "APP_VERSION"
    framework = endpoint.detect_framework(repo_scan.texts)
    if framework:
        snippet = endpoint.version_endpoint_snippet(framework, variable=variable).rstrip().split("\n")
        yield Note(text=f"nothing answers GET /version; with {framework}:", snippet=tuple(snippet))
    else:
        response = '{"version": "v1.2.3", "environment": "staging"}'
        yield Note(
            text=f"nothing answers GET /version; from {variable} and ENVIRONMENT, it has to say:", snippet=(response,)
        )


def conflict_notes(proposal: Proposal, facts: Facts) -> Iterator[Note]:
    """Say what two witnesses say differently."""
    names = {fact.environment for fact in proposal.environments}
    for line in describe_conflicts([fact for fact in facts.environment_facts if fact.environment in names]):
        yield Note(text=line)
    accounts = sorted(set(facts.accounts))
    if len(accounts) > 1:
        yield Note(text=f"several accounts are mentioned ({', '.join(accounts)}): say yours as aws.account")


def guess_notes(proposal: Proposal, account_scan: AccountScan | None) -> Iterator[Note]:
    """Say what was guessed; an account that was asked knows what there is."""
    if account_scan is not None:
        yield from (Note(text=line) for line in missing_resources(account_scan, proposal.environments))
    elif guesses := _summarize_guesses(proposal):
        yield Note(text=f"guessed, so look: {guesses}; kaizen init --from-aws would ask the account")


def _summarize_guesses(proposal: Proposal) -> str:
    """Return what was guessed, with one word for what was guessed of every environment."""
    names = [fact.environment for fact in proposal.environments]
    phrases = [guess for guess in proposal.guessed_keys if guess in {"region", "environments"}]
    for key, plural in (("repository", "repositories"), ("service", "services")):
        guessed_names = [name for name in names if f"{name}.{key}" in proposal.guessed_keys]
        if guessed_names == names:
            phrases.append(plural)
        elif guessed_names:
            phrases.append(f"the {key} of {', '.join(guessed_names)}")
    return ", ".join(phrases)
