"""Renders the `kaizen.toml` that `kaizen init` writes, with a comment on each guessed value."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming, pipeline
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.evidence import FACT_KEYS, EnvironmentFact
from kaizen_tasks.domain.init.proposal import DEFAULT_VERSION_ARG, DOCKERFILE_NAME, Proposal

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.detect.packages import PackageVersion

COMMENT_COLUMN = 40
GUESS_COMMENT = "a guess: correct it if it is wrong"


def render_config(proposal: Proposal, build_lines: Sequence[str] = (), *, schema: str = "") -> str:
    """Return a proposed configuration as the text of `kaizen.toml`.

    Args:
        proposal: the configuration.
        build_lines: further lines of `[build]`.
        schema: address or path of the JSON Schema, which editors read: https://taplo.tamasfe.dev/configuration/directives.html.
    """
    directive = f"#:schema {schema}\n" if schema else ""
    sections: list[Iterable[str]] = [
        _top_level(proposal),
        _release(proposal),
        _changelog(proposal),
        _changelog_types(proposal),
    ]
    sections += [version_file_lines(each, "changed with VERSION") for each in proposal.version_files]
    if proposal.environments:
        environments = (_environment(environment, proposal) for environment in proposal.environments)
        sections[1:1] = [_aws(proposal), _build(proposal, build_lines)]
        sections += [_defaults(proposal), *environments, _groups(proposal), _rehearse(proposal)]
    return directive + "\n".join("\n".join(lines) + "\n" for section in sections if (lines := tuple(section)))


def _comment(key: str, source: str, proposal: Proposal) -> str:
    """Return where a value was found, or that it is a guess."""
    return GUESS_COMMENT if key in proposal.guessed_keys else source


def _render_line(key: str, value: object, comment: str = "") -> str:
    return _with_comment(f"{key} = {json.dumps(value, ensure_ascii=False)}", comment)


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<{COMMENT_COLUMN}} # {comment}" if comment else line


def _top_level(proposal: Proposal) -> Iterator[str]:
    yield f"# How {proposal.app} is released. Other keys have defaults; the reference explains every key."
    yield _render_line("app", proposal.app)
    if proposal.environments:
        yield _render_line("pipeline", proposal.pipeline.stages, "released to the first, promoted through the rest")


def _aws(proposal: Proposal) -> Iterator[str]:
    yield "[aws]"
    yield _render_line("region", proposal.region, _comment("region", proposal.region_source, proposal))
    if proposal.account:
        found = f" ({proposal.account_source})" if proposal.account_source else ""
        yield _render_line("account", proposal.account, f"credentials of any other account are refused{found}")
    else:
        yield '# account = "…"  set it to refuse the credentials of any other account'


def _build(proposal: Proposal, further_lines: Sequence[str]) -> Iterator[str]:
    yield "[build]"
    build = proposal.build
    if build.context != ".":
        yield _render_line("context", build.context, _comment("build", build.source, proposal))
    if build.dockerfile and (path := posixpath.relpath(build.dockerfile, build.context)) != DOCKERFILE_NAME:
        yield _render_line("dockerfile", path, _comment("build", build.source, proposal))
    if build.target:
        yield _render_line("target", build.target, build.source)
    if proposal.image_platform:
        yield _render_line("platform", proposal.image_platform.value, proposal.image_platform.source)
    version_arg = proposal.parsed_dockerfile.version_arg or DEFAULT_VERSION_ARG
    yield _render_line("version_arg", version_arg, "the build argument that receives v1.2.3")
    yield from further_lines


def _release(proposal: Proposal) -> Iterator[str]:
    yield "[release]"
    yield _render_line("branches", [proposal.branch], "releases are made from these only")
    if proposal.remote != "origin":
        yield _render_line("remote", proposal.remote)
    if proposal.tag != previous_releases.DEFAULT_TAG_PATTERN:
        yield _render_line("tag", proposal.tag, "the tags of this app's releases")


def _changelog(proposal: Proposal) -> Iterator[str]:
    if proposal.fragments:
        yield "[changelog]"
        yield _render_line("fragments", proposal.fragments.path, f"found in {proposal.fragments.source}")


def _changelog_types(proposal: Proposal) -> Iterator[str]:
    types = proposal.fragments.types if proposal.fragments else {}
    if types:
        yield _with_comment("[changelog.types]", "as fragments are named")
    for name, change_type in types.items():
        yield _render_line(_toml_key(name), change_type)


def version_file_lines(version: PackageVersion, comment: str = "") -> tuple[str, ...]:
    """Return the lines that name a place of the version."""
    key, value = version.place
    place = f"{key} = '{value}'" if '"' in value and "'" not in value else _render_line(key, value)
    return (_with_comment("[[version_files]]", comment), _render_line("path", version.path), place)


def _defaults(proposal: Proposal) -> Iterator[str]:
    if foreign := proposal.facts.foreign_platform:
        yield f"# {foreign} is what this app runs on; these tasks deploy to App Runner and ECS only."
    shown = {key: pattern for key, pattern in proposal.patterns.items() if pattern and _is_written(key, proposal)}
    if shown or any(proposal.patterns.values()):
        yield _with_comment("[defaults]", "every environment starts from these")
    for key, pattern in shown.items():
        is_guessed = all(_is_guessed(key, fact, proposal) for fact in proposal.environments)
        source = _source_of_pattern(key, proposal)
        yield _render_line(key, pattern, GUESS_COMMENT if is_guessed else source)


def _is_written(key: str, proposal: Proposal) -> bool:
    """Return whether a pattern is written: names of repositories and services are, and others than the defaults.

    The default cluster is written where ECS has to be told one, and none was found.
    """
    if key not in {"platform", "follow", "cluster"} or proposal.patterns[key] != naming.DEFAULT_PATTERNS[key]:
        return True
    return key == "cluster" and any(
        f"{fact.environment}.cluster" in proposal.guessed_keys for fact in proposal.environments
    )


def _is_guessed(key: str, fact: EnvironmentFact, proposal: Proposal) -> bool:
    return bool({key, f"{fact.environment}.{key}"} & {*proposal.guessed_keys})


def _source_of_pattern(key: str, proposal: Proposal) -> str:
    """Return where the values of a pattern were found if that is one place, else an empty text."""
    pattern = proposal.patterns[key]
    sources = {
        fact.source_of(key)
        for fact in proposal.environments
        if getattr(fact, key) == naming.fill_pattern(pattern, fact.environment, proposal.app)
    }
    return sources.pop() if len(sources - {""}) == 1 and "" not in sources else ""


def _environment(environment: EnvironmentFact, proposal: Proposal) -> Iterator[str]:
    name = environment.environment
    own = {
        key: value
        for key in FACT_KEYS
        if (value := getattr(environment, key))
        and value != (naming.fill_pattern(proposal.patterns[key], name, proposal.app) or _default(key, name, proposal))
    }
    shown = {"", *map(environment.source_of, own), *(_source_of_pattern(key, proposal) for key in FACT_KEYS)}
    sources = {environment.source_of(key) for key in FACT_KEYS if key not in {"follow", "platform"}} - shown
    is_guess = "environments" in proposal.guessed_keys
    comment = "the name is a guess" if is_guess else f"found in {', '.join(sorted(sources))}" if sources else ""
    yield _with_comment(f"[environments.{_toml_key(name)}]", comment)
    if name.lower() in pipeline.PRODUCTION_NAMES:
        yield _render_line("protected", value=True, comment="asks before anything is changed")
    for key, value in own.items():
        is_guessed = _is_guessed(key, environment, proposal)
        yield _render_line(key, value, GUESS_COMMENT if is_guessed else environment.source_of(key))
    yield from _target(environment)


def _target(environment: EnvironmentFact) -> Iterator[str]:
    """Yield the account, region and role of an environment that is somewhere else than `[aws]` says."""
    account, role = environment.account, environment.role
    if account and not role:
        line = f'# account = "{account}"  of {environment.source_of("account")}; add it with role or profile, whose'
        yield f"{line} credentials it takes"
    elif account:
        yield _render_line("account", account, environment.source_of("account"))
        yield _render_line("role", role, f"{environment.source_of('role')}; its trust must name who releases")
    if environment.region:
        yield _render_line("region", environment.region, environment.source_of("region"))


def _default(key: str, name: str, proposal: Proposal) -> str:
    """Return the value that need not be written; one that was guessed is."""
    is_guess = key == "cluster" and f"{name}.cluster" in proposal.guessed_keys
    return naming.DEFAULT_PATTERNS[key] if key in {"platform", "follow", "cluster"} and not is_guess else ""


def _toml_key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _groups(proposal: Proposal) -> Iterator[str]:
    if proposal.pipeline.groups:
        yield _with_comment("[groups]", "names for several environments")
    for name, members in proposal.pipeline.groups.items():
        yield _render_line(_toml_key(name), members)


def _rehearse(proposal: Proposal) -> Iterator[str]:
    if proposal.port:
        yield "[rehearse]"
        yield _render_line("port", int(proposal.port.value), proposal.port.source)
