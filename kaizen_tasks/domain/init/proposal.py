"""From what was found to what is proposed; what could not be seen is a guess, and is called one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.init import naming, pipeline
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect import markdown_urls, previous_releases, shell_scripts, terraform
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.evidence import KEYS, Sighting, Traces, merged, together
from kaizen_tasks.domain.init.pipeline import Stages

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.merge_by_environment import Evidence
    from kaizen_tasks.domain.init.repo_scan import Premises

REGION = "eu-west-1"
ENVIRONMENTS = ("staging", "prod")
DOCKERFILE = "Dockerfile"
VERSION_ARG = "VERSION"


@frozen(kw_only=True)
class Answers:
    """What a person has said; empty where nothing was.

    Attributes:
        app: the app's name.
        region: of repositories and services.
        account: whose they are.
        environments: their names.
    """

    app: str = ""
    region: str = ""
    account: str = ""
    environments: tuple[str, ...] = ()


@frozen(kw_only=True)
class Proposal:
    """A configuration that is proposed.

    Attributes:
        app: the app's name.
        region: of repositories and services; empty without environments.
        profile: of the user's AWS configuration, when one was named.
        account: twelve digits, or empty when it was not seen.
        environments: names and what is known of each; nothing is empty but a URL, which can be asked for.
        stages: their order.
        patterns: what names are made of, by key; empty where each has its own.
        dockerfile: its path, and what it says; the path is empty when there is none.
        branch: from which releases are made.
        remote: where they are pushed to.
        tag: how they are tagged.
        guessed: keys that nobody has shown: `app`, `region`, `environments`, `prod.service`.
    """

    app: str
    region: str = ""
    profile: str = ""
    account: str = ""
    environments: tuple[Sighting, ...] = ()
    stages: Stages
    patterns: Mapping[str, str] = field(factory=dict)
    dockerfile: str = ""
    image: Dockerfile = field(factory=Dockerfile)
    branch: str = "main"
    remote: str = "origin"
    tag: str = previous_releases.USUAL_TAG
    guessed: tuple[str, ...] = ()


def look(premises: Premises) -> Traces:
    """Return what the files show: Terraform makes it, scripts use it, documents mention it."""
    scripts = together(shell_scripts.read(path, text) for path, text in sorted(premises.having(".sh", ".bash").items()))
    made = terraform.read(premises.having(".tf", ".tfvars"), scripts.environments)
    known = together((made, scripts))
    return together((known, markdown_urls.read(premises.having(".md"), known.environments)))


def propose(evidence: Evidence, answers: Answers, *, profile: str = "") -> Proposal:
    """Return the configuration for an app.

    Args:
        evidence: what was found.
        answers: what a person has said.
        profile: of the user's AWS configuration.
    """
    premises, traces = evidence.premises, evidence.traces
    path = _dockerfile(premises)
    shown = answers.environments or traces.environments
    names = shown or (ENVIRONMENTS if path else ())
    arranged = pipeline.arrange(names, traces.groups)
    names = pipeline.ordered(names, arranged)
    seen = {name: each for name, each in merged(traces.sightings).items() if name in names}
    shared = answers.app or naming.app_of(_named("repository", seen))
    app = shared or _name(premises)
    patterns = _patterns(seen, names, app)
    region = answers.region or traces.region or premises.region
    environments = tuple(_environment(name, seen.get(name), patterns, app) for name in names)
    return Proposal(
        app=app,
        region=(region or REGION) if names else "",
        profile=profile,
        account=answers.account or traces.account,
        environments=environments,
        stages=arranged,
        patterns=patterns,
        dockerfile=path,
        image=dockerfiles.read(premises.texts[path]) if path else Dockerfile(),
        branch=_branch(premises),
        remote=_remote(premises),
        tag=previous_releases.tag_pattern(premises.repository.tags),
        guessed=tuple(_guessed(names, seen, app=not shared, region=not region, environments=not shown)),
    )


def _guessed(names: tuple[str, ...], seen: Mapping[str, Sighting], **settled: bool) -> Iterator[str]:
    """Yield what nobody has shown; without environments there is no region to guess."""
    yield from (key for key, guessed in settled.items() if guessed and (names or key == "app"))
    yield from (
        f"{name}.{key}" for name in names for key in ("repository", "service") if not _shown(seen.get(name), key)
    )


def _shown(sighting: Sighting | None, key: str) -> bool:
    return sighting is not None and bool(getattr(sighting, key))


def _named(key: str, seen: Mapping[str, Sighting]) -> dict[str, str]:
    return {name: getattr(each, key) for name, each in seen.items() if getattr(each, key)}


def _patterns(seen: Mapping[str, Sighting], names: tuple[str, ...], app: str) -> dict[str, str]:
    """Return the pattern of each key; addresses have one only when all are known, since a wrong one would be asked."""
    patterns = {key: naming.pattern(_named(key, seen), "" if key == "url" else app) for key in KEYS}
    patterns = {key: found or naming.USUAL[key] for key, found in patterns.items()}
    if len(_named("url", seen)) < len(names):
        patterns["url"] = ""
    return patterns


def _environment(name: str, seen: Sighting | None, patterns: Mapping[str, str], app: str) -> Sighting:
    repository = seen.repository if seen else ""
    service = (seen.service if seen else "") or naming.beside(repository)
    return Sighting(
        environment=name,
        repository=repository or naming.fill(patterns["repository"], name, app),
        service=service or naming.fill(patterns["service"], name, app),
        url=seen.url if seen else "",
        where=seen.where if seen else "",
    )


def _dockerfile(premises: Premises) -> str:
    """Return the one Dockerfile: the one at the top, else the only one."""
    found = [path for path in premises.texts if re.fullmatch(r"(?:.*/)?(?:Dockerfile|Containerfile)", path)]
    if DOCKERFILE in found:
        return DOCKERFILE
    return found[0] if len(found) == 1 else ""


def _name(premises: Premises) -> str:
    """Return the app's name: its repository's, when it is the whole of it, else its folder's."""
    address = next(iter(premises.repository.remotes.values()), "")
    project = re.search(r"([^/:]+?)(?:\.git)?/*$", address)
    return naming.slug(premises.name if premises.within or not project else project[1])


def _branch(premises: Premises) -> str:
    """Return the branch that releases are made from: the remote's default, else the usual one, else this one."""
    repository = premises.repository
    usual = [name for name in ("main", "master") if name in repository.branches]
    return next(filter(None, (repository.default_branch, *usual, repository.branch)), "main")


def _remote(premises: Premises) -> str:
    """Return `origin`, unless the only remote has another name."""
    remotes = tuple(premises.repository.remotes)
    return remotes[0] if len(remotes) == 1 else "origin"
