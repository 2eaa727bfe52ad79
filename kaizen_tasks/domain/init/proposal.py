"""From what was found to what is proposed; what could not be seen is a guess, and is called one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect import markdown_urls, previous_releases, shell_scripts, terraform
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.evidence import FACT_KEYS, EnvironmentFact, Facts, combine_facts, merge_by_environment
from kaizen_tasks.domain.init.pipeline import Pipeline, infer_pipeline, sort_environments

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.merge_by_environment import ScanResult
    from kaizen_tasks.domain.init.repo_scan import RepoScan

DEFAULT_REGION = "eu-west-1"
DEFAULT_ENVIRONMENTS = ("staging", "prod")
DOCKERFILE_NAME = "Dockerfile"
DEFAULT_VERSION_ARG = "VERSION"


@frozen(kw_only=True)
class UserAnswers:
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
        pipeline: their order.
        patterns: what names are made of, by key; empty where each has its own.
        dockerfile_path: its path, and what it says; the path is empty when there is none.
        branch: from which releases are made.
        remote: where they are pushed to.
        tag: how they are tagged.
        guessed_keys: keys that nobody has shown: `app`, `region`, `environments`, `prod.service`.
    """

    app: str
    region: str = ""
    profile: str = ""
    account: str = ""
    environments: tuple[EnvironmentFact, ...] = ()
    pipeline: Pipeline
    patterns: Mapping[str, str] = field(factory=dict)
    dockerfile_path: str = ""
    parsed_dockerfile: Dockerfile = field(factory=Dockerfile)
    branch: str = "main"
    remote: str = "origin"
    tag: str = previous_releases.DEFAULT_TAG_PATTERN
    guessed_keys: tuple[str, ...] = ()


def detect_environments(repo_scan: RepoScan) -> Facts:
    """Return what the files show: Terraform makes it, scripts use it, documents mention it."""
    script_facts = combine_facts(
        shell_scripts.facts_from_script(path, text)
        for path, text in sorted(repo_scan.texts_with_suffix(".sh", ".bash").items())
    )
    terraform_facts = terraform.facts_from_terraform(
        repo_scan.texts_with_suffix(".tf", ".tfvars"), script_facts.environments
    )
    code_facts = combine_facts((terraform_facts, script_facts))
    return combine_facts(
        (code_facts, markdown_urls.facts_from_markdown(repo_scan.texts_with_suffix(".md"), code_facts.environments))
    )


def propose_config(scan: ScanResult, answers: UserAnswers, *, profile: str = "") -> Proposal:
    """Return the configuration for an app.

    Args:
        scan: what was found.
        answers: what a person has said.
        profile: of the user's AWS configuration.
    """
    repo_scan, facts = scan.repo_scan, scan.facts
    dockerfile_path = _find_dockerfile(repo_scan)
    environment_names = answers.environments or facts.environments
    names = environment_names or (DEFAULT_ENVIRONMENTS if dockerfile_path else ())
    pipeline = infer_pipeline(names, facts.groups)
    names = sort_environments(names, pipeline)
    facts_by_environment = {
        name: fact for name, fact in merge_by_environment(facts.environment_facts).items() if name in names
    }
    app_name = answers.app or naming.common_app_name(_values_by_environment("repository", facts_by_environment))
    app = app_name or _guess_app_name(repo_scan)
    patterns = _infer_patterns(facts_by_environment, names, app)
    region = answers.region or facts.region or repo_scan.region
    environments = tuple(_propose_environment(name, facts_by_environment.get(name), patterns, app) for name in names)
    return Proposal(
        app=app,
        region=(region or DEFAULT_REGION) if names else "",
        profile=profile,
        account=answers.account or facts.account,
        environments=environments,
        pipeline=pipeline,
        patterns=patterns,
        dockerfile_path=dockerfile_path,
        parsed_dockerfile=dockerfiles.parse_dockerfile(repo_scan.texts[dockerfile_path])
        if dockerfile_path
        else Dockerfile(),
        branch=_choose_branch(repo_scan),
        remote=_choose_remote(repo_scan),
        tag=previous_releases.infer_tag_pattern(repo_scan.repository.tags),
        guessed_keys=tuple(
            _guessed_keys(
                names, facts_by_environment, app=not app_name, region=not region, environments=not environment_names
            )
        ),
    )


def _guessed_keys(
    names: tuple[str, ...], facts_by_environment: Mapping[str, EnvironmentFact], **is_guessed_by_key: bool
) -> Iterator[str]:
    """Yield what nobody has shown; without environments there is no region to guess."""
    yield from (key for key, is_guessed in is_guessed_by_key.items() if is_guessed and (names or key == "app"))
    yield from (
        f"{name}.{key}"
        for name in names
        for key in ("repository", "service")
        if not _has_value(facts_by_environment.get(name), key)
    )


def _has_value(fact: EnvironmentFact | None, key: str) -> bool:
    return fact is not None and bool(getattr(fact, key))


def _values_by_environment(key: str, facts_by_environment: Mapping[str, EnvironmentFact]) -> dict[str, str]:
    return {name: getattr(fact, key) for name, fact in facts_by_environment.items() if getattr(fact, key)}


def _infer_patterns(
    facts_by_environment: Mapping[str, EnvironmentFact], names: tuple[str, ...], app: str
) -> dict[str, str]:
    """Return the pattern of each key; addresses have one only when all are known, since a wrong one would be asked."""
    patterns = {
        key: naming.common_pattern(_values_by_environment(key, facts_by_environment), "" if key == "url" else app)
        for key in FACT_KEYS
    }
    patterns = {key: pattern or naming.DEFAULT_PATTERNS[key] for key, pattern in patterns.items()}
    if len(_values_by_environment("url", facts_by_environment)) < len(names):
        patterns["url"] = ""
    return patterns


def _propose_environment(
    name: str, fact: EnvironmentFact | None, patterns: Mapping[str, str], app: str
) -> EnvironmentFact:
    repository = fact.repository if fact else ""
    service = (fact.service if fact else "") or naming.guess_service_name(repository)
    return EnvironmentFact(
        environment=name,
        repository=repository or naming.fill_pattern(patterns["repository"], name, app),
        service=service or naming.fill_pattern(patterns["service"], name, app),
        url=fact.url if fact else "",
        source=fact.source if fact else "",
    )


def _find_dockerfile(repo_scan: RepoScan) -> str:
    """Return the one Dockerfile: the one at the top, else the only one."""
    paths = [path for path in repo_scan.texts if re.fullmatch(r"(?:.*/)?(?:Dockerfile|Containerfile)", path)]
    if DOCKERFILE_NAME in paths:
        return DOCKERFILE_NAME
    return paths[0] if len(paths) == 1 else ""


def _guess_app_name(repo_scan: RepoScan) -> str:
    """Return the app's name: its repository's, when it is the whole of it, else its folder's."""
    remote_url = next(iter(repo_scan.repository.remotes.values()), "")
    match = re.search(r"([^/:]+?)(?:\.git)?/*$", remote_url)
    return naming.slugify(repo_scan.name if repo_scan.subfolder or not match else match[1])


def _choose_branch(repo_scan: RepoScan) -> str:
    """Return the branch that releases are made from: the remote's default, else the usual one, else this one."""
    repository = repo_scan.repository
    conventional_names = [name for name in ("main", "master") if name in repository.branches]
    return next(filter(None, (repository.default_branch, *conventional_names, repository.branch)), "main")


def _choose_remote(repo_scan: RepoScan) -> str:
    """Return `origin`, unless the only remote has another name."""
    remotes = tuple(repo_scan.repository.remotes)
    return remotes[0] if len(remotes) == 1 else "origin"
