"""`kaizen.toml`, as `kaizen init` writes it: what is known, and what is guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming, pipeline
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.evidence import FACT_KEYS
from kaizen_tasks.domain.init.proposal import DEFAULT_VERSION_ARG, DOCKERFILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.init.evidence import EnvironmentFact
    from kaizen_tasks.domain.init.proposal import Proposal

COMMENT_COLUMN = 40
GUESS_COMMENT = "a guess: correct it if it is wrong"


def render_config(proposal: Proposal) -> str:
    """Return the text of the file."""
    sections = [_top_level(proposal)]
    if proposal.environments:
        sections += [_aws(proposal), _build(proposal)]
    sections.append(_release(proposal))
    if proposal.environments:
        sections += [
            _defaults(proposal),
            *(_environment(environment, proposal) for environment in proposal.environments),
        ]
        sections.append(_groups(proposal))
    return "\n".join("\n".join(lines) + "\n" for section in sections if (lines := tuple(section)))


def _render_line(key: str, value: object, comment: str = "") -> str:
    assignment = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    return f"{assignment:<{COMMENT_COLUMN}} # {comment}" if comment else assignment


def _top_level(proposal: Proposal) -> Iterator[str]:
    yield f"# How {proposal.app} is released. What is left out has a default; the reference explains every key."
    yield _render_line("app", proposal.app)
    if proposal.environments:
        yield _render_line("pipeline", proposal.pipeline.stages, "released to the first, promoted along the rest")


def _aws(proposal: Proposal) -> Iterator[str]:
    yield "[aws]"
    yield _render_line("region", proposal.region, GUESS_COMMENT if "region" in proposal.guessed_keys else "")
    if proposal.account:
        yield _render_line("account", proposal.account, "credentials of any other account are refused")
    else:
        yield '# account = "…"  say it, and credentials of any other account are refused'
    if proposal.profile:
        yield _render_line("profile", proposal.profile)


def _build(proposal: Proposal) -> Iterator[str]:
    yield "[build]"
    if proposal.dockerfile_path not in {"", DOCKERFILE_NAME}:
        yield _render_line("dockerfile", proposal.dockerfile_path)
    yield _render_line(
        "version_arg",
        proposal.parsed_dockerfile.version_arg or DEFAULT_VERSION_ARG,
        "the build argument that receives v1.2.3",
    )


def _release(proposal: Proposal) -> Iterator[str]:
    yield "[release]"
    yield _render_line("branches", [proposal.branch], "nothing is released from anywhere else")
    if proposal.remote != "origin":
        yield _render_line("remote", proposal.remote)
    if proposal.tag != previous_releases.DEFAULT_TAG_PATTERN:
        yield _render_line("tag", proposal.tag, "as releases have been tagged so far")


def _defaults(proposal: Proposal) -> Iterator[str]:
    yield f"{'[defaults]':<{COMMENT_COLUMN}} # every environment starts from these"
    for key in FACT_KEYS:
        if proposal.patterns[key]:
            is_guessed = all(
                f"{environment.environment}.{key}" in proposal.guessed_keys for environment in proposal.environments
            )
            yield _render_line(key, proposal.patterns[key], GUESS_COMMENT if is_guessed and key != "url" else "")


def _environment(environment: EnvironmentFact, proposal: Proposal) -> Iterator[str]:
    name = environment.environment
    header = f"[environments.{_toml_key(name)}]"
    yield f"{header:<{COMMENT_COLUMN}} # seen in {environment.source}" if environment.source else header
    if name.lower() in pipeline.PRODUCTION_NAMES:
        yield _render_line("protected", value=True, comment="asks before it changes anything")
    for key in FACT_KEYS:
        value = getattr(environment, key)
        if value and value != naming.fill_pattern(proposal.patterns[key], name, proposal.app):
            yield _render_line(key, value, GUESS_COMMENT if f"{name}.{key}" in proposal.guessed_keys else "")


def _toml_key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _groups(proposal: Proposal) -> Iterator[str]:
    if proposal.pipeline.groups:
        yield f"{'[groups]':<{COMMENT_COLUMN}} # names that stand for several environments"
    for name, members in proposal.pipeline.groups.items():
        yield _render_line(_toml_key(name), members)
