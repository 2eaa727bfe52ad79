"""Turns findings into a proposed configuration; values that no source shows are guessed and marked as guesses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile as parse_stages
from kaizen_tasks.domain.init import evidence, naming, platforms
from kaizen_tasks.domain.init.ci.conflicts import MARK
from kaizen_tasks.domain.init.completion import (
    complete_fact,
    drop_shared_tags,
    guessed_names,
    infer_patterns,
    known_values,
)
from kaizen_tasks.domain.init.detect import (
    cloudformation,
    manifests,
    markdown_urls,
    other_apps,
    other_pipelines,
    previous_releases,
)
from kaizen_tasks.domain.init.detect import dockerfile as dockerfiles
from kaizen_tasks.domain.init.detect.app_folder import AppFolder
from kaizen_tasks.domain.init.detect.dockerfile import Dockerfile
from kaizen_tasks.domain.init.detect.ecs import cdk, task_definitions
from kaizen_tasks.domain.init.detect.fragments import FragmentFolder, find_fragments
from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.detect.github import workflows
from kaizen_tasks.domain.init.detect.image_builds import BuildChoice, choose_build
from kaizen_tasks.domain.init.detect.packages import PackageVersion, package_name
from kaizen_tasks.domain.init.detect.shell import calls as script_calls
from kaizen_tasks.domain.init.detect.shell import scripts as shell_scripts
from kaizen_tasks.domain.init.detect.terraform import facts as terraform
from kaizen_tasks.domain.init.environments import name_environments
from kaizen_tasks.domain.init.evidence import (
    EnvironmentFact,
    Facts,
    Mention,
    combine_facts,
    merge_by_environment,
)
from kaizen_tasks.domain.init.pipeline import Pipeline, infer_pipeline, sort_environments
from kaizen_tasks.domain.init.repo_scan import RepoScan
from kaizen_tasks.domain.init.targets import choose_home, outside
from kaizen_tasks.domain.platform import PLATFORMS

DEFAULT_REGION = "eu-west-1"
DEFAULT_ENVIRONMENTS = ("staging", "prod")
DOCKERFILE_NAME = "Dockerfile"
DEFAULT_VERSION_ARG = "VERSION"
DEFAULT_PORT = 8080
NAMELESS = frozenset(
    {"remote", "origin", "upstream", "repo", "repository", "bare", "git", "app", "my-app", "package", "project", "root"}
)
"""Names of remotes and packages that do not say what the app is called."""


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
        platform: what runs the environments.
        urls: addresses of environments.
    """

    app: str = ""
    region: str = ""
    account: str = ""
    environments: tuple[str, ...] = ()
    platform: str = ""
    urls: Mapping[str, str] = field(factory=dict)


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
        image_platform: what the image is built for, if only it has to be written down.
        guessed_keys: keys that no source shows: `app`, `region`, `platform`, `environments`, `prod.service`.
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
    image_platform: Mention | None = None
    facts: Facts = field(factory=Facts)
    parsed_dockerfile: Dockerfile = field(factory=Dockerfile)
    branch: str = "main"
    fragments: FragmentFolder | None = None
    remote: str = "origin"
    tag: str = previous_releases.DEFAULT_TAG_PATTERN
    version_files: tuple[PackageVersion, ...] = ()
    guessed_keys: tuple[str, ...] = ()


def detect_environments(repo_scan: RepoScan) -> Facts:
    """Return the facts in the app's files, and in those at the top of its repository that are about it."""
    texts = {
        path: text
        for path, text in repo_scan.deployment_texts.items()
        if is_relevant(path, text, repo_scan) and MARK not in text
    }
    app = AppFolder(path=repo_scan.subfolder, has_dockerfile=DOCKERFILE_NAME in repo_scan.texts)
    workflow_facts = (
        workflows.facts_from_workflow(path, text, app)
        for path, text in sorted(texts.items())
        if workflows.WORKFLOW_PATH.fullmatch(path)
    )
    callers = {path: text for path, text in texts.items() if not path.endswith((".md", ".tf", ".tfvars"))}
    scripts = (
        facts
        for path, text in sorted(texts.items())
        if shell_scripts.SCRIPT_PATH.fullmatch(path)
        for facts in script_calls.facts_from_script(path, text, callers, app)
    )
    pipelines = (
        other_pipelines.facts_from_pipeline(path, text, app)
        for path, text in sorted(texts.items())
        if other_pipelines.PIPELINE_PATH.fullmatch(path)
    )
    command_facts = combine_facts((*workflow_facts, *pipelines, *scripts))
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
    definitions = task_definitions.facts_from_definitions(texts, command_facts.environments)
    cdk_facts = cdk.facts_from_cdk(repo_scan.cdk_sources)
    code_facts = combine_facts((command_facts, terraform_facts, *templates, definitions, manifest_facts, cdk_facts))
    if not code_facts.platforms:
        pushes = platforms.mentions_of_pushes(
            {path: text for path, text in texts.items() if not path.endswith((".md", ".tf", ".tfvars"))}
        )
        mentions = tuple(pushes) or platforms.mentions_in_documents(repo_scan.texts)
        code_facts = evolve(code_facts, platforms=mentions)
    markdown_facts = markdown_urls.facts_from_markdown(repo_scan.texts_with_suffix(".md"), code_facts.environments)
    builds = tuple(app.with_short_paths(each) for each in code_facts.builds)
    return combine_facts((evolve(code_facts, builds=builds), markdown_facts))


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
    known_facts = platforms.keep_deployed(scan.facts, answers.platform)
    named = name_environments(known_facts, answers.environments, _words(repo_scan, known_facts, answers))
    facts = named.facts
    build = choose_build(repo_scan, facts.builds, {fact.repository for fact in facts.environment_facts})
    known_names = answers.environments or facts.environments
    names = known_names or (DEFAULT_ENVIRONMENTS if build.dockerfile else ())
    pipeline = infer_pipeline(names, facts.groups)
    names = sort_environments(names, pipeline)
    merged_facts = merge_by_environment(facts.environment_facts)
    environment_facts = [merged_facts.get(name, EnvironmentFact(environment=name, source="")) for name in names]
    environment_facts = [
        evolve(
            fact,
            platform=platforms.choose_platform(fact, facts, answers.platform),
            url=answers.urls.get(fact.environment, fact.url),
        )
        for fact in environment_facts
    ]
    environment_facts = drop_shared_tags(environment_facts)
    repositories, services = (known_values(key, environment_facts) for key in ("repository", "service"))
    shared_app = naming.common_app_name(repositories) or naming.common_app_name(services)
    known_app = answers.app or shared_app or naming.shared_name(repositories).rpartition("/")[2]
    app = naming.slugify(known_app) if known_app else app_names(repo_scan)[0]
    patterns = infer_patterns(environment_facts, app)
    home = choose_home(environment_facts, facts, account=answers.account, region=answers.region)
    known_region = home.region or repo_scan.region
    dockerfile = dockerfiles.parse_dockerfile(repo_scan.texts.get(build.dockerfile, ""), build.target)
    tags, tag = repo_scan.repository.tags, _choose_tag(repo_scan)
    is_guessed = {
        "app": not known_app,
        "region": names and not known_region,
        "platform": names and platforms.is_platform_guessed(facts, answers.platform),
        "environments": names and (not known_names or named.guessed),
        "build": build.is_guess,
    }
    return Proposal(
        app=app,
        region=(known_region or DEFAULT_REGION) if names else "",
        region_source=home.region_source,
        account=home.account,
        account_source=home.account_source,
        environments=tuple(outside(complete_fact(fact, patterns, app), home) for fact in environment_facts),
        pipeline=pipeline,
        patterns=patterns,
        build=build,
        parsed_dockerfile=dockerfile,
        port=_port_to_write(facts, repo_scan.texts.get(build.dockerfile, "")),
        image_platform=_image_platform(facts, environment_facts),
        branch=_choose_branch(repo_scan),
        fragments=find_fragments(repo_scan.texts),
        remote=_choose_remote(repo_scan),
        tag=tag,
        version_files=previous_releases.repeated_versions(tags, repo_scan.package_texts, tag, build.context),
        guessed_keys=(
            *(key for key in is_guessed if is_guessed[key]),
            *guessed_names(environment_facts, patterns, app),
        ),
        facts=facts,
    )


def _image_platform(facts: Facts, environment_facts: Sequence[EnvironmentFact]) -> Mention | None:
    """Return what the image is built for if that is not the usual platform, but one that all environments run."""
    names = {each.value.replace("aarch64", "arm64") for each in facts.architectures}
    name = f"linux/{names.pop()}" if len(names) == 1 else ""
    is_usable = all(name in PLATFORMS[fact.platform].image_platforms for fact in environment_facts)
    usual = PLATFORMS[naming.DEFAULT_PATTERNS["platform"]].image_platforms[0]
    return evolve(facts.architectures[0], value=name) if name != usual and is_usable and environment_facts else None


def _words(repo_scan: RepoScan, facts: Facts, answers: UserAnswers) -> tuple[str, ...]:
    """Return names of the app by which its services are told from others: of its folder, and of its image."""
    in_app = (each.repository for each in facts.builds if each.repository and each.dockerfile in repo_scan.texts)
    return tuple(filter(None, (answers.app, repo_scan.subfolder.rpartition("/")[2], *in_app)))


def _port_to_write(facts: Facts, dockerfile: str) -> Mention | None:
    """Return the app's port if the Dockerfile, from which it is read otherwise, does not say it."""
    port = facts.port
    exposed = parse_stages(dockerfile).final.exposed_ports
    return None if port is None or not port.value.isdigit() or int(port.value) in {*exposed, DEFAULT_PORT} else port


def app_names(repo_scan: RepoScan) -> tuple[str, ...]:
    """Return what the app may be called: as its package, without a scope, as the repository, or as the folder.

    The repository's name is none of an app that is only a part of it.
    """
    remote_url = next(iter(repo_scan.repository.remotes.values()), "")
    match = re.search(r"([^/:]+?)(?:\.git)?/*$", remote_url)
    package = package_name(repo_scan.package_texts).rpartition("/")[2]
    remote = match[1] if match and not repo_scan.subfolder else ""
    names = (naming.slugify(name) for name in (package, remote) if name)
    return (*(name for name in names if name not in NAMELESS), naming.slugify(repo_scan.name))


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
