"""What a person should know about what was found, and what only a person can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init import tasks_file
from kaizen_tasks.domain.init.detect import dockerfile, endpoint
from kaizen_tasks.domain.init.detect.from_account import missing
from kaizen_tasks.domain.init.evidence import contradictions
from kaizen_tasks.domain.init.proposal import DOCKERFILE, VERSION_ARG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.init.detect.from_account import Found
    from kaizen_tasks.domain.init.evidence import Traces
    from kaizen_tasks.domain.init.proposal import Proposal
    from kaizen_tasks.domain.init.repo_scan import Premises


@frozen(kw_only=True)
class Remark:
    """Something to know or to do.

    Attributes:
        what: one line.
        lines: what to add somewhere, as it is to be typed.
    """

    what: str
    lines: tuple[str, ...] = ()


def of_entrance(content: bytes | None) -> Iterator[Remark]:
    """Look at an existing `tasks.py`."""
    if content is None:
        return
    try:
        added = tasks_file.to_add(content)
    except SyntaxError as error:
        yield Remark(what=f"{tasks_file.FILE}:{error.lineno}: not Python; nothing can be said about it")
        return
    if added:
        yield Remark(what=f"{tasks_file.FILE} is yours; add at its end:", lines=tuple(added.split("\n")))


def of_repository(premises: Premises, proposal: Proposal) -> Iterator[Remark]:
    """Look at git."""
    repository = premises.repository
    if not repository.remotes:
        yield Remark(what="there is no remote; a release pushes its tag: git remote add origin URL")
    if not repository.branch:
        yield Remark(what=f"HEAD is detached; releases are made from {proposal.branch}: git switch {proposal.branch}")


def of_image(premises: Premises, proposal: Proposal) -> Iterator[Remark]:
    """Look at how the image is built; without environments there is none."""
    if not proposal.environments:
        yield Remark(
            what=f"there is no {DOCKERFILE}, and nothing names an environment: this configuration makes releases "
            "(inv cut), and deploys nothing"
        )
    elif not proposal.dockerfile:
        yield Remark(what=f'there is no {DOCKERFILE}: write one, or choose build.engine = "bundle"')
    else:
        yield from _of_dockerfile(proposal)
        yield from _of_endpoint(premises, proposal)


def _of_dockerfile(proposal: Proposal) -> Iterator[Remark]:
    if not proposal.image.argument:
        what = f"{proposal.dockerfile} does not take the version; add at its end:"
        yield Remark(what=what, lines=dockerfile.lines_to_add(VERSION_ARG))
    if proposal.image.platform not in {"", dockerfile.AMD64}:
        what = (
            f"{proposal.dockerfile} is fixed to {proposal.image.platform}, and App Runner runs {dockerfile.AMD64} alone"
        )
        yield Remark(what=what)


def _of_endpoint(premises: Premises, proposal: Proposal) -> Iterator[Remark]:
    """Look whether anything answers `/version`; releases are verified there."""
    if premises.answering:
        return
    variable = proposal.image.variable or "APP_VERSION"
    name = endpoint.framework(premises.texts)
    if name:
        written = endpoint.lines(name, variable=variable).rstrip().split("\n")
        yield Remark(what=f"nothing answers GET /version; with {name}:", lines=tuple(written))
    else:
        answer = '{"version": "v1.2.3", "environment": "staging"}'
        yield Remark(
            what=f"nothing answers GET /version; from {variable} and ENVIRONMENT, it has to say:", lines=(answer,)
        )


def of_witnesses(proposal: Proposal, traces: Traces) -> Iterator[Remark]:
    """Say what two witnesses say differently."""
    names = {each.environment for each in proposal.environments}
    for line in contradictions([each for each in traces.sightings if each.environment in names]):
        yield Remark(what=line)
    accounts = sorted(set(traces.accounts))
    if len(accounts) > 1:
        yield Remark(what=f"several accounts are mentioned ({', '.join(accounts)}): say yours as aws.account")


def of_account(proposal: Proposal, account: Found | None) -> Iterator[Remark]:
    """Say what was guessed; an account that was asked knows what there is."""
    if account is not None:
        yield from (Remark(what=line) for line in missing(account, proposal.environments))
    elif guesses := _guesses(proposal):
        yield Remark(what=f"guessed, so look: {guesses}; kaizen init --from-aws would ask the account")


def _guesses(proposal: Proposal) -> str:
    """Return what was guessed, with one word for what was guessed of every environment."""
    names = [each.environment for each in proposal.environments]
    words = [guess for guess in proposal.guessed if guess in {"region", "environments"}]
    for key, plural in (("repository", "repositories"), ("service", "services")):
        mine = [name for name in names if f"{name}.{key}" in proposal.guessed]
        if mine == names:
            words.append(plural)
        elif mine:
            words.append(f"the {key} of {', '.join(mine)}")
    return ", ".join(words)
