"""Turns findings into a proposed configuration; values that no source shows are guessed and marked as guesses."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile as parse_stages
from kaizen_tasks.domain.init import evidence, naming
from kaizen_tasks.domain.init.ci.conflicts import MARK
from kaizen_tasks.domain.init.detect import (
    cloudformation,
    github_workflows,
    manifests,
    markdown_urls,
    other_apps,
    other_pipelines,
    previous_releases,
    shell_scripts,
)
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.detect.fragments import FragmentFolder, find_fragments
from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.detect.image_builds import BuildChoice, choose_build
from kaizen_tasks.domain.init.detect.terraform import facts as terraform
from kaizen_tasks.domain.init.environments import name_environments
from kaizen_tasks.domain.init.evidence import (
    FACT_KEYS,
    EnvironmentFact,
    Facts,
    ImageBuild,
    Mention,
    combine_facts,
    merge_by_environment,
)
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER
from kaizen_tasks.domain.init.pipeline import Pipeline, infer_pipeline, sort_environments
from kaizen_tasks.domain.init.repo_scan import RepoScan

DEFAULT_REGION = "eu-west-1"
DEFAULT_ENVIRONMENTS = ("staging", "prod")
DOCKERFILE_NAME = "Dockerfile"
DEFAULT_VERSION_ARG = "VERSION"
DEFAULT_PORT = 8080
BUILD_PATHS = ("dockerfile", "context")
NAMELESS_REMOTES = frozenset({"remote", "origin", "upstream", "repo", "repository", "bare", "git", "app"})
"""Names of remotes that do not say what the app is called."""


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
        region_source: where the region was found, or empty.
        account_source: where the account was found, or empty.
        build: how the image is built.
        port: the port that the app listens on, if only it has to be written down.
        facts: the facts that the proposal is made of, each with its environment.
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
    region_source: str = ""
    account_source: str = ""
    build: BuildChoice = field(factory=BuildChoice)
    port: Mention | None = None
    facts: Facts = field(factory=Facts)
    parsed_dockerfile: Dockerfile = field(factory=Dockerfile)
    branch: str = "main"
    fragments: FragmentFolder | None = None
    remote: str = "origin"
    tag: str = previous_releases.DEFAULT_TAG_PATTERN
    version_files: tuple[tuple[str, str], ...] = ()
    guessed_keys: tuple[str, ...] = ()


def detect_environments(repo_scan: RepoScan) -> Facts:
    """Return the facts in the app's files, and in those at the top of its repository that are about it."""
    texts = {
        path: text
        for path, text in repo_scan.deployment_texts.items()
        if is_relevant(path, text, repo_scan) and MARK not in text
    }
    workflows = (
        github_workflows.facts_from_workflow(path, text)
        for path, text in sorted(texts.items())
        if github_workflows.WORKFLOW_PATH.fullmatch(path)
    )
    scripts = (
        shell_scripts.facts_from_script(path, text)
        for path, text in sorted(texts.items())
        if shell_scripts.SCRIPT_PATH.fullmatch(path)
    )
    pipelines = (
        other_pipelines.facts_from_pipeline(path, text)
        for path, text in sorted(texts.items())
        if other_pipelines.PIPELINE_PATH.fullmatch(path)
    )
    command_facts = combine_facts((*workflows, *pipelines, *scripts))
    terraform_files = {path: text for path, text in texts.items() if path.endswith((".tf", ".tfvars"))}
    terraform_facts = (
        terraform.facts_from_terraform(terraform_files, command_facts.environments) if terraform_files else Facts()
    )
    manifest_facts = manifests.facts_from_manifests(texts, tuple(sorted(repo_scan.paths)))
    templates = (
        cloudformation.facts_from_template(path, text)
        for path, text in sorted(texts.items())
        if cloudformation.TEMPLATE_PATH.fullmatch(path)
    )
    code_facts = combine_facts((command_facts, terraform_facts, *templates, manifest_facts))
    markdown_facts = markdown_urls.facts_from_markdown(repo_scan.texts_with_suffix(".md"), code_facts.environments)
    builds = tuple(_from_the_folder(each, repo_scan.subfolder) for each in code_facts.builds)
    return combine_facts((evolve(code_facts, builds=builds), markdown_facts))


def _from_the_folder(build: ImageBuild, subfolder: str) -> ImageBuild:
    """Return a build with its shortest paths: `../backend/Dockerfile` is `Dockerfile` in backend."""
    if not subfolder:
        return build
    paths = {key: posixpath.relpath(posixpath.join(subfolder, getattr(build, key)), subfolder) for key in BUILD_PATHS}
    return evolve(build, dockerfile=paths["dockerfile"], context=paths["context"])


def is_relevant(path: str, text: str, repo_scan: RepoScan) -> bool:
    """Return whether a file can be about the app: any file of its folder, and others that name the folder."""
    if not path.startswith("../") or path.endswith((".tf", ".tfvars")) or "copilot/" in path:
        return True
    return naming.contains_word(evidence.strip_comments(text), repo_scan.subfolder.rpartition("/")[2])


def propose_config(scan: ScanResult, answers: UserAnswers) -> Proposal:
    """Return the proposed configuration for an app.

    Args:
        scan: what the scanners have found.
        answers: the answers of a person.
    """
    repo_scan = scan.repo_scan
    named = name_environments(scan.facts, answers.environments, _words(repo_scan, scan.facts, answers))
    facts = named.facts
    build = choose_build(repo_scan, facts.builds, {fact.repository for fact in facts.environment_facts})
    known_names = answers.environments or facts.environments
    names = known_names or (DEFAULT_ENVIRONMENTS if build.dockerfile else ())
    pipeline = infer_pipeline(names, facts.groups)
    names = sort_environments(names, pipeline)
    merged_facts = merge_by_environment(facts.environment_facts)
    environment_facts = [merged_facts.get(name, EnvironmentFact(environment=name, source="")) for name in names]
    environment_facts = _without_shared_tags(environment_facts)
    repositories, services = (_values(key, environment_facts) for key in ("repository", "service"))
    shared_app = naming.common_app_name(repositories) or naming.common_app_name(services)
    known_app = answers.app or shared_app or naming.shared_name(repositories).rpartition("/")[2]
    app = naming.slugify(known_app) if known_app else _guess_app_name(repo_scan)
    patterns = _infer_patterns(environment_facts, app)
    region = facts.region
    known_region = answers.region or (region.value if region else "") or repo_scan.region
    account = facts.account
    dockerfile = dockerfiles.parse_dockerfile(repo_scan.texts.get(build.dockerfile, ""), build.target)
    tags, tag = repo_scan.repository.tags, _choose_tag(repo_scan)
    is_guessed = {
        "app": not known_app,
        "region": names and not known_region,
        "environments": names and (not known_names or named.guessed),
        "build": build.is_guess,
    }
    return Proposal(
        app=app,
        region=(known_region or DEFAULT_REGION) if names else "",
        region_source=region.source if region and region.value == known_region else "",
        account=answers.account or (account.value if account else ""),
        account_source=account.source if account and not answers.account else "",
        environments=tuple(_complete_fact(fact, patterns, app) for fact in environment_facts),
        pipeline=pipeline,
        patterns=patterns,
        build=build,
        parsed_dockerfile=dockerfile,
        port=_port_to_write(facts, repo_scan.texts.get(build.dockerfile, "")),
        branch=_choose_branch(repo_scan),
        fragments=find_fragments(repo_scan.texts),
        remote=_choose_remote(repo_scan),
        tag=tag,
        version_files=previous_releases.repeated_versions(tags, repo_scan.texts, tag, build.context),
        guessed_keys=(
            *(key for key in is_guessed if is_guessed[key]),
            *_guessed_names(environment_facts, patterns, app),
        ),
        facts=facts,
    )


def _without_shared_tags(environment_facts: Sequence[EnvironmentFact]) -> list[EnvironmentFact]:
    """Return facts without the tags that services of one repository share: each needs a tag of its own."""
    tags = [(fact.repository, fact.follow) for fact in environment_facts]
    return [
        evolve(fact, follow="") if fact.repository and tags.count((fact.repository, fact.follow)) > 1 else fact
        for fact in environment_facts
    ]


def _words(repo_scan: RepoScan, facts: Facts, answers: UserAnswers) -> tuple[str, ...]:
    """Return names of the app by which its services are told from others: of its folder, and of its image."""
    in_app = (each.repository for each in facts.builds if each.repository and each.dockerfile in repo_scan.texts)
    return tuple(filter(None, (answers.app, repo_scan.subfolder.rpartition("/")[2], *in_app)))


def _guessed_names(
    environment_facts: Sequence[EnvironmentFact], patterns: Mapping[str, str], app: str
) -> Iterator[str]:
    """Yield the keys of environments that no source shows, or only one that is out of use."""
    for fact, key in itertools.product(environment_facts, ("repository", "service")):
        if not getattr(fact, key) or fact.is_old(key):
            yield f"{fact.environment}.{key}"
    for fact in environment_facts:
        if _complete_follow(fact, patterns, app) not in {fact.follow, naming.DEFAULT_PATTERNS["follow"]}:
            yield f"{fact.environment}.follow"


def _port_to_write(facts: Facts, dockerfile: str) -> Mention | None:
    """Return the app's port if the Dockerfile, from which it is read otherwise, does not say it."""
    port = facts.port
    exposed = parse_stages(dockerfile).final.exposed_ports
    return None if port is None or not port.value.isdigit() or int(port.value) in {*exposed, DEFAULT_PORT} else port


def _values(key: str, environment_facts: Sequence[EnvironmentFact]) -> dict[str, str]:
    """Return the known values of a key, by environment."""
    return {fact.environment: getattr(fact, key) for fact in environment_facts if getattr(fact, key)}


def _infer_patterns(environment_facts: Sequence[EnvironmentFact], app: str) -> dict[str, str]:
    """Return the pattern of each key; for URLs, only if all are known, since a wrong URL would be requested."""
    if len(environment_facts) == 1:
        return dict.fromkeys(FACT_KEYS, "")  # one name is no pattern
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
        repository=fact.repository or naming.fill_pattern(_pattern("repository", patterns), name, app),
        follow=_complete_follow(fact, patterns, app),
        service=service or naming.fill_pattern(_pattern("service", patterns), name, app),
    )


def _pattern(key: str, patterns: Mapping[str, str]) -> str:
    return patterns[key] or naming.DEFAULT_PATTERNS[key]


def _complete_follow(fact: EnvironmentFact, patterns: Mapping[str, str], app: str) -> str:
    """Return the tag that an environment follows; in a shared repository, another one than its neighbours."""
    is_shared = patterns["follow"] == ENV_PLACEHOLDER
    known = "" if is_shared and fact.follow == naming.DEFAULT_PATTERNS["follow"] else fact.follow
    return known or naming.fill_pattern(_pattern("follow", patterns), fact.environment, app)


def _guess_app_name(repo_scan: RepoScan) -> str:
    """Return the app's name: that of the repository or, if the app is only a part of it, that of the folder."""
    remote_url = next(iter(repo_scan.repository.remotes.values()), "")
    match = re.search(r"([^/:]+?)(?:\.git)?/*$", remote_url)
    is_named = match and match[1] not in NAMELESS_REMOTES and not repo_scan.subfolder
    return naming.slugify(match[1] if match and is_named else repo_scan.name)


def _choose_tag(repo_scan: RepoScan) -> str:
    """Return the pattern of tags; an app in a subfolder is named after it or, if another app is, after its path."""
    tags, folder = repo_scan.repository.tags, repo_scan.subfolder
    names = (naming.slugify(name) for name in (folder.rpartition("/")[2], folder)) if folder else ("",)
    patterns = [previous_releases.infer_tag_pattern(tags, name) for name in names]
    taken = {*other_apps.find_tags(repo_scan.deployment_texts).values()}
    return next((pattern for pattern in patterns if pattern not in taken), patterns[0])


def _choose_branch(repo_scan: RepoScan) -> str:
    """Return the branch to release from: the remote's default, else `main` or `master`, else the current branch."""
    repository = repo_scan.repository
    conventional_names = [name for name in ("main", "master") if name in repository.branches]
    return next(filter(None, (repository.default_branch, *conventional_names, repository.branch)), "main")


def _choose_remote(repo_scan: RepoScan) -> str:
    """Return the name of the only remote; `origin` when there is no remote, or more than one."""
    remotes = tuple(repo_scan.repository.remotes)
    return remotes[0] if len(remotes) == 1 else "origin"
