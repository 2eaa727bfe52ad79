"""Turns findings into a proposed configuration; values that no source shows are guessed and marked as guesses."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect import markdown_urls, previous_releases, shell_scripts, terraform
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.detect.fragments import FragmentFolder, find_fragments
from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.evidence import FACT_KEYS, EnvironmentFact, Facts, combine_facts, merge_by_environment
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER
from kaizen_tasks.domain.init.pipeline import Pipeline, infer_pipeline, sort_environments
from kaizen_tasks.domain.init.repo_scan import RepoScan

DEFAULT_REGION = "eu-west-1"
DEFAULT_ENVIRONMENTS = ("staging", "prod")
DOCKERFILE_NAME = "Dockerfile"
DEFAULT_VERSION_ARG = "VERSION"


@frozen(kw_only=True)
class ScanResult:
    """What the scanners have found.

    Attributes:
        repo_scan: what was read in the app's folder.
        facts: what the app's files and account show about environments.
        account_scan: what was read in the account; None if the account was not read.
    """

    repo_scan: RepoScan
    facts: Facts
    account_scan: AccountScan | None = None


@frozen(kw_only=True)
class UserAnswers:
    """The answers of a person; empty where there is no answer.

    Attributes:
        app: the app's name.
        region: region of repositories and services.
        account: account of repositories and services.
        environments: names of the environments.
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
        account: twelve digits, or empty when no source shows it.
        environments: the environments, with repository and service; the URL may be empty.
        pipeline: the order of the environments.
        patterns: pattern of the environments' values, by key; empty when each environment has its own value.
        dockerfile_path: path of the Dockerfile; empty when there is none.
        parsed_dockerfile: the parsed Dockerfile.
        branch: the branch from which releases are made.
        fragments: the folder of changelog fragments, if there is one.
        remote: the git remote to which releases are pushed.
        tag: pattern of the tags of releases.
        version_files: path and key of the files that repeat the version.
        guessed_keys: keys that no source shows: `app`, `region`, `environments`, `prod.service`.
    """

    app: str
    region: str = ""
    account: str = ""
    environments: tuple[EnvironmentFact, ...] = ()
    pipeline: Pipeline
    patterns: Mapping[str, str] = field(factory=dict)
    dockerfile_path: str = ""
    parsed_dockerfile: Dockerfile = field(factory=Dockerfile)
    branch: str = "main"
    fragments: FragmentFolder | None = None
    remote: str = "origin"
    tag: str = previous_releases.DEFAULT_TAG_PATTERN
    version_files: tuple[tuple[str, str], ...] = ()
    guessed_keys: tuple[str, ...] = ()


def detect_environments(repo_scan: RepoScan) -> Facts:
    """Return the facts in the app's files. Terraform, which creates resources, is trusted more than scripts."""
    scripts = sorted(repo_scan.texts_with_suffix(".sh", ".bash").items())
    script_facts = combine_facts(shell_scripts.facts_from_script(path, text) for path, text in scripts)
    terraform_files = repo_scan.texts_with_suffix(".tf", ".tfvars")
    terraform_facts = terraform.facts_from_terraform(terraform_files, script_facts.environments)
    code_facts = combine_facts((terraform_facts, script_facts))
    markdown_facts = markdown_urls.facts_from_markdown(repo_scan.texts_with_suffix(".md"), code_facts.environments)
    return combine_facts((code_facts, markdown_facts))


def propose_config(scan: ScanResult, answers: UserAnswers) -> Proposal:
    """Return the proposed configuration for an app.

    Args:
        scan: what the scanners have found.
        answers: the answers of a person.
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
    guessed_names += [
        f"{fact.environment}.follow"
        for fact in environment_facts
        if _complete_follow(fact, patterns, app) not in {fact.follow, naming.DEFAULT_PATTERNS["follow"]}
    ]
    is_guessed = {"app": not known_app, "region": names and not known_region, "environments": names and not known_names}
    tags, component = repo_scan.repository.tags, repo_scan.subfolder.rpartition("/")[2]
    tag = previous_releases.infer_tag_pattern(tags, naming.slugify(component) if component else "")
    return Proposal(
        app=app,
        region=(known_region or DEFAULT_REGION) if names else "",
        account=answers.account or facts.account,
        environments=tuple(_complete_fact(fact, patterns, app) for fact in environment_facts),
        pipeline=pipeline,
        patterns=patterns,
        dockerfile_path=dockerfile_path,
        parsed_dockerfile=dockerfiles.parse_dockerfile(repo_scan.texts.get(dockerfile_path, "")),
        branch=_choose_branch(repo_scan),
        fragments=find_fragments(repo_scan.texts),
        remote=_choose_remote(repo_scan),
        tag=tag,
        version_files=previous_releases.repeated_versions(tags, repo_scan.texts, tag),
        guessed_keys=(*(key for key in is_guessed if is_guessed[key]), *guessed_names),
    )


def _values(key: str, environment_facts: Sequence[EnvironmentFact]) -> dict[str, str]:
    """Return the known values of a key, by environment."""
    return {fact.environment: getattr(fact, key) for fact in environment_facts if getattr(fact, key)}


def _infer_patterns(environment_facts: Sequence[EnvironmentFact], app: str) -> dict[str, str]:
    """Return the pattern of each key; for URLs, only if all are known, since a wrong URL would be requested."""
    patterns = {}
    for key in FACT_KEYS:
        values = _values(key, environment_facts)
        pattern = naming.common_pattern(values, "" if key in {"url", "follow"} else app)
        is_usable = key != "url" or len(values) == len(environment_facts)
        patterns[key] = (pattern if is_usable else "") or naming.DEFAULT_PATTERNS[key]
    if repository := naming.shared_name(_values("repository", environment_facts)):
        patterns["repository"] = repository
        if ENV_PLACEHOLDER not in patterns["follow"] and len({*_values("follow", environment_facts).values()}) < 2:
            patterns["follow"] = ENV_PLACEHOLDER  # environments that follow one tag cannot share a repository
    return patterns


def _complete_fact(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> EnvironmentFact:
    """Return an environment's fact with repository and service set; those that no source shows are guessed."""
    name, service = fact.environment, fact.service or naming.guess_service_name(fact.repository)
    return evolve(
        fact,
        repository=fact.repository or naming.fill_pattern(patterns["repository"], name, app),
        follow=_complete_follow(fact, patterns, app),
        service=service or naming.fill_pattern(patterns["service"], name, app),
    )


def _complete_follow(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> str:
    """Return the tag that an environment follows; in a shared repository, another one than its neighbours."""
    is_shared = patterns["follow"] == ENV_PLACEHOLDER
    known = "" if is_shared and fact.follow == naming.DEFAULT_PATTERNS["follow"] else fact.follow
    return known or naming.fill_pattern(patterns["follow"], fact.environment, app)


def _find_dockerfile(repo_scan: RepoScan) -> str:
    """Return the path of the Dockerfile in the app's folder, else of the only one below, else an empty path."""
    paths = [path for path in repo_scan.texts if re.fullmatch(r"(?:.*/)?(?:Dockerfile|Containerfile)", path)]
    if DOCKERFILE_NAME in paths:
        return DOCKERFILE_NAME
    return paths[0] if len(paths) == 1 else ""


def _guess_app_name(repo_scan: RepoScan) -> str:
    """Return the app's name: that of the repository or, if the app is only a part of it, that of the folder."""
    remote_url = next(iter(repo_scan.repository.remotes.values()), "")
    match = re.search(r"([^/:]+?)(?:\.git)?/*$", remote_url)
    return naming.slugify(repo_scan.name if repo_scan.subfolder or not match else match[1])


def _choose_branch(repo_scan: RepoScan) -> str:
    """Return the branch to release from: the remote's default, else `main` or `master`, else the current branch."""
    repository = repo_scan.repository
    conventional_names = [name for name in ("main", "master") if name in repository.branches]
    return next(filter(None, (repository.default_branch, *conventional_names, repository.branch)), "main")


def _choose_remote(repo_scan: RepoScan) -> str:
    """Return the name of the only remote; `origin` when there is no remote, or more than one."""
    remotes = tuple(repo_scan.repository.remotes)
    return remotes[0] if len(remotes) == 1 else "origin"
