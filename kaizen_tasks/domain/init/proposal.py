"""Turns what was found into a proposed configuration; what no source shows is a guess, and marked as one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect import markdown_urls, previous_releases, shell_scripts, terraform
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.evidence import FACT_KEYS, EnvironmentFact, Facts, combine_facts, merge_by_environment
from kaizen_tasks.domain.init.pipeline import Pipeline, infer_pipeline, sort_environments
from kaizen_tasks.domain.init.repo_scan import RepoScan

DEFAULT_REGION = "eu-west-1"
DEFAULT_ENVIRONMENTS = ("staging", "prod")
DOCKERFILE_NAME = "Dockerfile"
DEFAULT_VERSION_ARG = "VERSION"


@frozen(kw_only=True)
class ScanResult:
    """What was found, and where.

    Attributes:
        repo_scan: the app's folder.
        facts: what its files and account show.
        account_scan: the account itself, when it was read.
    """

    repo_scan: RepoScan
    facts: Facts
    account_scan: AccountScan | None = None


@frozen(kw_only=True)
class UserAnswers:
    """What a person has answered; empty where nothing.

    Attributes:
        app: the app's name.
        region: region of repositories and services.
        account: their account.
        environments: their names.
    """

    app: str = ""
    region: str = ""
    account: str = ""
    environments: tuple[str, ...] = ()


@frozen(kw_only=True)
class Proposal:
    """A proposed configuration.

    Attributes:
        app: the app's name.
        region: region of repositories and services; empty without environments.
        profile: profile of the user's AWS configuration, when one was named.
        account: twelve digits, or empty when no source shows it.
        environments: each with repository and service; the URL may be empty.
        pipeline: their order.
        patterns: pattern of the names by key; empty where each environment has its own.
        dockerfile_path: its path; empty when there is none.
        parsed_dockerfile: its content.
        branch: the branch that releases are made from.
        remote: the git remote that they are pushed to.
        tag: how they are tagged.
        guessed_keys: keys that no source shows: `app`, `region`, `environments`, `prod.service`.
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
    """Return what the files show. Terraform, which creates resources, precedes scripts and documents that use them."""
    scripts = sorted(repo_scan.texts_with_suffix(".sh", ".bash").items())
    script_facts = combine_facts(shell_scripts.facts_from_script(path, text) for path, text in scripts)
    terraform_files = repo_scan.texts_with_suffix(".tf", ".tfvars")
    terraform_facts = terraform.facts_from_terraform(terraform_files, script_facts.environments)
    code_facts = combine_facts((terraform_facts, script_facts))
    markdown_facts = markdown_urls.facts_from_markdown(repo_scan.texts_with_suffix(".md"), code_facts.environments)
    return combine_facts((code_facts, markdown_facts))


def propose_config(scan: ScanResult, answers: UserAnswers, *, profile: str = "") -> Proposal:
    """Return the configuration for an app.

    Args:
        scan: what was found.
        answers: what a person has answered.
        profile: profile of the user's AWS configuration.
    """
    repo_scan, facts = scan.repo_scan, scan.facts
    dockerfile_path = _find_dockerfile(repo_scan)
    known_names = answers.environments or facts.environments
    names = known_names or (DEFAULT_ENVIRONMENTS if dockerfile_path else ())
    pipeline = infer_pipeline(names, facts.groups)
    names = sort_environments(names, pipeline)
    merged_facts = merge_by_environment(facts.environment_facts)
    environment_facts = [merged_facts.get(name, EnvironmentFact(environment=name, source="")) for name in names]
    known_app = answers.app or naming.common_app_name(_values("repository", environment_facts))
    app = known_app or _guess_app_name(repo_scan)
    patterns = _infer_patterns(environment_facts, app)
    known_region = answers.region or facts.region or repo_scan.region
    named_keys = itertools.product(environment_facts, ("repository", "service"))
    guessed_names = [f"{fact.environment}.{key}" for fact, key in named_keys if not getattr(fact, key)]
    is_guessed = {"app": not known_app, "region": names and not known_region, "environments": names and not known_names}
    return Proposal(
        app=app,
        region=(known_region or DEFAULT_REGION) if names else "",
        profile=profile,
        account=answers.account or facts.account,
        environments=tuple(_complete_fact(fact, patterns, app) for fact in environment_facts),
        pipeline=pipeline,
        patterns=patterns,
        dockerfile_path=dockerfile_path,
        parsed_dockerfile=dockerfiles.parse_dockerfile(repo_scan.texts.get(dockerfile_path, "")),
        branch=_choose_branch(repo_scan),
        remote=_choose_remote(repo_scan),
        tag=previous_releases.infer_tag_pattern(repo_scan.repository.tags),
        guessed_keys=(*(key for key in is_guessed if is_guessed[key]), *guessed_names),
    )


def _values(key: str, environment_facts: Sequence[EnvironmentFact]) -> dict[str, str]:
    """Return what is known of a key, by environment."""
    return {fact.environment: getattr(fact, key) for fact in environment_facts if getattr(fact, key)}


def _infer_patterns(environment_facts: Sequence[EnvironmentFact], app: str) -> dict[str, str]:
    """Return the pattern of each key; URLs have one only when all are known, since a wrong one would be requested."""
    patterns = {}
    for key in FACT_KEYS:
        values = _values(key, environment_facts)
        pattern = naming.common_pattern(values, "" if key == "url" else app)
        is_usable = key != "url" or len(values) == len(environment_facts)
        patterns[key] = (pattern if is_usable else "") or naming.DEFAULT_PATTERNS[key]
    return patterns


def _complete_fact(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> EnvironmentFact:
    """Return a fact with repository and service, guessed where no source shows them."""
    name, service = fact.environment, fact.service or naming.guess_service_name(fact.repository)
    return evolve(
        fact,
        repository=fact.repository or naming.fill_pattern(patterns["repository"], name, app),
        service=service or naming.fill_pattern(patterns["service"], name, app),
    )


def _find_dockerfile(repo_scan: RepoScan) -> str:
    """Return the Dockerfile at the top, else the only one, else an empty path."""
    paths = [path for path in repo_scan.texts if re.fullmatch(r"(?:.*/)?(?:Dockerfile|Containerfile)", path)]
    if DOCKERFILE_NAME in paths:
        return DOCKERFILE_NAME
    return paths[0] if len(paths) == 1 else ""


def _guess_app_name(repo_scan: RepoScan) -> str:
    """Return the name of the repository, or of the folder when the app is only a part of the repository."""
    remote_url = next(iter(repo_scan.repository.remotes.values()), "")
    match = re.search(r"([^/:]+?)(?:\.git)?/*$", remote_url)
    return naming.slugify(repo_scan.name if repo_scan.subfolder or not match else match[1])


def _choose_branch(repo_scan: RepoScan) -> str:
    """Return the branch to release from: the remote's default, else a conventional one, else the current one."""
    repository = repo_scan.repository
    conventional_names = [name for name in ("main", "master") if name in repository.branches]
    return next(filter(None, (repository.default_branch, *conventional_names, repository.branch)), "main")


def _choose_remote(repo_scan: RepoScan) -> str:
    """Return `origin`, unless the only remote has another name."""
    remotes = tuple(repo_scan.repository.remotes)
    return remotes[0] if len(remotes) == 1 else "origin"
