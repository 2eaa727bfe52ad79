"""`kaizen.toml`, as `kaizen init` writes it: what is known, and what is guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming, pipeline
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.evidence import KEYS
from kaizen_tasks.domain.init.proposal import DOCKERFILE, VERSION_ARG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.init.evidence import Sighting
    from kaizen_tasks.domain.init.proposal import Proposal

COLUMN = 40
GUESS = "a guess: correct it if it is wrong"


def configuration(proposal: Proposal) -> str:
    """Return the text of the file."""
    sections = [_head(proposal)]
    if proposal.environments:
        sections += [_aws(proposal), _build(proposal)]
    sections.append(_release(proposal))
    if proposal.environments:
        sections += [_defaults(proposal), *(_environment(each, proposal) for each in proposal.environments)]
        sections.append(_groups(proposal))
    return "\n".join("\n".join(lines) + "\n" for section in sections if (lines := tuple(section)))


def _line(key: str, value: object, comment: str = "") -> str:
    written = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    return f"{written:<{COLUMN}} # {comment}" if comment else written


def _head(proposal: Proposal) -> Iterator[str]:
    yield f"# How {proposal.app} is released. What is left out has a default; the reference explains every key."
    yield _line("app", proposal.app)
    if proposal.environments:
        yield _line("pipeline", proposal.stages.pipeline, "released to the first, promoted along the rest")


def _aws(proposal: Proposal) -> Iterator[str]:
    yield "[aws]"
    yield _line("region", proposal.region, GUESS if "region" in proposal.guessed else "")
    if proposal.account:
        yield _line("account", proposal.account, "credentials of any other account are refused")
    else:
        yield '# account = "…"  say it, and credentials of any other account are refused'
    if proposal.profile:
        yield _line("profile", proposal.profile)


def _build(proposal: Proposal) -> Iterator[str]:
    yield "[build]"
    if proposal.dockerfile not in {"", DOCKERFILE}:
        yield _line("dockerfile", proposal.dockerfile)
    yield _line("version_arg", proposal.image.argument or VERSION_ARG, "the build argument that receives v1.2.3")


def _release(proposal: Proposal) -> Iterator[str]:
    yield "[release]"
    yield _line("branches", [proposal.branch], "nothing is released from anywhere else")
    if proposal.remote != "origin":
        yield _line("remote", proposal.remote)
    if proposal.tag != previous_releases.USUAL_TAG:
        yield _line("tag", proposal.tag, "as releases have been tagged so far")


def _defaults(proposal: Proposal) -> Iterator[str]:
    yield f"{'[defaults]':<{COLUMN}} # every environment starts from these"
    for key in KEYS:
        if proposal.patterns[key]:
            guessed = all(f"{each.environment}.{key}" in proposal.guessed for each in proposal.environments)
            yield _line(key, proposal.patterns[key], GUESS if guessed and key != "url" else "")


def _environment(environment: Sighting, proposal: Proposal) -> Iterator[str]:
    name = environment.environment
    header = f"[environments.{_key(name)}]"
    yield f"{header:<{COLUMN}} # seen in {environment.where}" if environment.where else header
    if name.lower() in pipeline.LIVE:
        yield _line("protected", value=True, comment="asks before it changes anything")
    for key in KEYS:
        value = getattr(environment, key)
        if value and value != naming.fill(proposal.patterns[key], name, proposal.app):
            yield _line(key, value, GUESS if f"{name}.{key}" in proposal.guessed else "")


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _groups(proposal: Proposal) -> Iterator[str]:
    if proposal.stages.groups:
        yield f"{'[groups]':<{COLUMN}} # names that stand for several environments"
    for name, members in proposal.stages.groups.items():
        yield _line(_key(name), members)
