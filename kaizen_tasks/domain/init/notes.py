"""Notes of `kaizen init` for a person: what to know about the proposal, and what only a person can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.changelog.model import find_unreleased
from kaizen_tasks.domain.init import naming, render_toml, tasks_file, version_endpoint
from kaizen_tasks.domain.init.detect import dockerfile, endpoint, other_apps, previous_releases
from kaizen_tasks.domain.init.detect.from_account import AccountScan, missing_resources
from kaizen_tasks.domain.init.evidence import (
    EXAMPLE_ACCOUNTS,
    FACT_KEYS,
    EnvironmentFact,
    Ignored,
    describe_conflicts,
    find_neighbours,
)
from kaizen_tasks.domain.init.proposal import DEFAULT_VERSION_ARG, DOCKERFILE_NAME, Proposal
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.text.listing import list_names

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.init.repo_scan import RepoScan


MAX_IGNORED = 8
"""Lines of the list of what is not used."""


@frozen
class Note:
    """A note about something to know or to do.

    Attributes:
        text: the note, in one line.
        snippet: the lines to add to a file, if any.
        step: the command that carries it out, or a comment, if the commands that are to be typed next need it.
    """

    text: str
    snippet: tuple[str, ...] = ()
    step: str = ""


def tasks_file_notes(path: str, content: bytes | None) -> Iterator[Note]:
    """Yield a note if the existing file of the app's tasks lacks lines."""
    try:
        snippet = tasks_file.missing_lines(content) if content is not None else ""
    except SyntaxError as error:
        step = f"# first, correct {path}: until then Invoke cannot load it"
        yield Note(f"{path}:{error.lineno}: is not Python, so it cannot be checked for these tasks", step=step)
        return
    if snippet:
        text = f"{path} exists and is left alone; add at its end:"
        yield Note(text, tuple(snippet.split("\n")), step=tasks_file.append_command(path, snippet))


def repository_notes(repo_scan: RepoScan, proposal: Proposal) -> Iterator[Note]:
    """Yield notes about what the git repository lacks for a release."""
    if not repo_scan.repository.remotes:
        yield Note("there is no git remote to push releases to; add one: git remote add origin URL")
    if not repo_scan.repository.branch:
        yield Note(f"HEAD is detached; releases are made from {proposal.branch}: git switch {proposal.branch}")


def image_notes(proposal: Proposal) -> Iterator[Note]:
    """Yield notes about what the image lacks for a deployment."""
    if not proposal.environments:
        yield Note(f"there is no {DOCKERFILE_NAME} and no environment: this configuration releases only (inv cut)")
    elif not proposal.build.dockerfile:
        yield Note(f'there is no {DOCKERFILE_NAME}: write one, or set build.engine = "bundle"')
    else:
        yield from _dockerfile_notes(proposal)


def _dockerfile_notes(proposal: Proposal) -> Iterator[Note]:
    path, platform = proposal.build.dockerfile, proposal.parsed_dockerfile.platform
    for kind in dict.fromkeys(PLATFORMS[fact.platform] for fact in proposal.environments):
        if platform and platform not in kind.image_platforms:
            yield Note(
                f"{path} is fixed to {platform}, but {kind.title} runs {' and '.join(kind.image_platforms)} only"
            )
    if others := [
        other for other in proposal.build.others if other.rpartition("/")[0] not in {"", proposal.build.context}
    ]:
        folder = others[0].rpartition("/")[0]
        yield Note(
            f"{list_names(others)} would be another app, with a configuration of its own: cd {folder} && kaizen init"
        )


def version_path_notes(
    repo_scan: RepoScan, proposal: Proposal, changed: Collection[str], *, adds_endpoint: bool
) -> Iterator[Note]:
    """Yield notes on how the app takes its version and answers with it, by which every release is verified.

    Args:
        repo_scan: the app's files.
        proposal: the configuration.
        changed: files that are about to be changed so that it does.
        adds_endpoint: whether a person has asked for these changes.
    """
    path = proposal.build.dockerfile
    if not path:
        return
    is_taken = proposal.parsed_dockerfile.version_arg or path in changed
    is_answered = repo_scan.version_endpoint_files or {*changed} & {*repo_scan.app_sources}
    if not is_taken:
        parsed, snippet = proposal.parsed_dockerfile, dockerfile.version_snippet(DEFAULT_VERSION_ARG)
        above = f"above line {parsed.version_line}" + (f", {parsed.start_keyword}" if parsed.start_keyword else "")
        yield Note(f"{path} does not take the version; add {above if parsed.version_line else 'at its end'}:", snippet)
    if not is_answered:
        reason = version_endpoint.explain_missing_place(repo_scan.app_sources) if adds_endpoint else ""
        yield _endpoint_note(repo_scan, proposal, f" and cannot be changed so that it does: {reason}" if reason else "")
    if not (is_taken and is_answered) and not adds_endpoint:
        can_add = is_answered or version_endpoint.add_version_endpoint(repo_scan.app_sources, "APP_VERSION")
        if can_add:
            yield Note("kaizen init --add-version-endpoint adds that; without it, no release can be verified")


def _endpoint_note(repo_scan: RepoScan, proposal: Proposal, reason: str) -> Note:
    """Return how to answer `/version`, by which releases are verified."""
    variable = proposal.parsed_dockerfile.version_variable or "APP_VERSION"
    if framework := endpoint.detect_framework(repo_scan.texts):
        snippet = endpoint.version_endpoint_snippet(framework, variable=variable).rstrip().split("\n")
        return Note(f"the app does not answer GET /version{reason}; with {framework}:", tuple(snippet))
    text = f"the app does not answer GET /version{reason}; from {variable} and ENVIRONMENT, it must answer:"
    return Note(text, ('{"version": "v1.2.3", "environment": "staging"}',))


def shared_tag_notes(repo_scan: RepoScan, tag: str) -> Iterator[Note]:
    """Yield a note for every other app of the repository with the same tags: a release of one would be the other's."""
    for path, other_tag in other_apps.find_tags(repo_scan.deployment_texts).items():
        if other_tag == tag:
            folder = naming.slugify(repo_scan.subfolder or repo_scan.name)
            yield Note(f'{path} has the same tags, {tag}; change release.tag of one, such as "{folder}-v{{version}}"')


def changelog_notes(changelog: Changelog, path: str, version: str, tags: Collection[str], tag: str) -> Iterator[Note]:
    """Yield a note if the first release would find nothing noted.

    Args:
        changelog: the app's own.
        path: its path.
        version: the content of VERSION.
        tags: every git tag.
        tag: pattern of the tags of releases.
    """
    unreleased = find_unreleased(changelog)
    is_written = any(str(section.version) == version for section in changelog.releases)
    if (unreleased is None or unreleased.is_empty) and not (is_written and tag.format(version=version) not in tags):
        command = 'inv changelog.add --type added --text "What changed"'
        yield Note(
            f"{path} notes nothing for the next release; once the rest is committed, note what changed: {command}"
        )


def conflict_notes(proposal: Proposal) -> Iterator[Note]:
    """Yield notes about values on which files and account disagree."""
    names, facts = {fact.environment for fact in proposal.environments}, proposal.facts
    yield from map(Note, describe_conflicts([fact for fact in facts.environment_facts if fact.environment in names]))
    accounts = {each.value: each.source for each in reversed(facts.accounts) if each.value not in EXAMPLE_ACCOUNTS}
    if len(accounts) > 1 and not proposal.account:
        found = ", ".join(f"{account} in {source}" for account, source in sorted(accounts.items()))
        yield Note(f"several accounts are mentioned ({found}): set aws.account to yours")


def ignored_notes(proposal: Proposal) -> Iterator[Note]:
    """Yield a note that lists what was found and is not used."""
    lines = tuple(str(each) for each in _ignored(proposal))
    if lines:
        more = (f"and {len(lines) - MAX_IGNORED} more",) if len(lines) > MAX_IGNORED else ()
        yield Note("found, and not used:", (*lines[:MAX_IGNORED], *more))


def _ignored(proposal: Proposal) -> Iterator[Ignored]:
    """Yield what was ignored, but for values that are used all the same, and values of keys that are known."""
    used = {proposal.region, proposal.account, *(name for fact in proposal.environments for name in _names(fact))}
    known_keys = {key for fact in proposal.environments for key in FACT_KEYS if fact.source_of(key)}
    names, seen = {fact.environment for fact in proposal.environments}, set()
    of_environments = [fact for fact in proposal.facts.environment_facts if fact.environment in names]
    for each in (*proposal.facts.ignored, *find_neighbours(of_environments)):
        key, _, value = each.what.partition(" ")
        is_unused = value not in used and not (key in known_keys and "$" in value)
        if (is_unused or each.is_serious) and each.what not in seen:
            seen.add(each.what)
            yield each


def _names(fact: EnvironmentFact) -> tuple[str, ...]:
    return tuple(filter(None, (getattr(fact, key) for key in FACT_KEYS)))


def version_notes(repo_scan: RepoScan, proposal: Proposal) -> Iterator[Note]:
    """Yield a note if the app's package has another version than VERSION."""
    version = repo_scan.texts.get("VERSION", "").strip()
    others = (
        previous_releases.other_versions(version, repo_scan.package_texts, proposal.build.context) if version else ()
    )
    for other in others[:1]:
        snippet = render_toml.version_file_lines(other)
        yield Note(
            f"{other.path} has version {other.text}, and VERSION {version}; to keep both equal, correct it and add:",
            snippet,
        )


def guess_notes(proposal: Proposal, account_scan: AccountScan | None) -> Iterator[Note]:
    """Yield notes about what the account lacks or, if the account was not read, about what was guessed."""
    if account_scan is not None:
        yield from map(Note, (*account_scan.unread, *missing_resources(account_scan, proposal.environments)))
    elif guesses := _summarize_guesses(proposal):
        yield Note(f"please check what was guessed: {guesses}; kaizen init --from-aws reads the account instead")


def shared_repository_notes(proposal: Proposal) -> Iterator[Note]:
    """Yield a note if environments share a repository and their services have to be given a tag each."""
    guessed = [fact for fact in proposal.environments if f"{fact.environment}.follow" in proposal.guessed_keys]
    if guessed:
        tags = ", ".join(f"{fact.service} :{fact.follow}" for fact in guessed)
        yield Note(
            f"one repository for several environments needs a tag for each; make each service follow its own: {tags}"
        )


def address_notes(proposal: Proposal) -> Iterator[Note]:
    """Yield a note if environments need an address that no source shows: every release is verified there."""
    guessed = [fact for fact in proposal.environments if f"{fact.environment}.url" in proposal.guessed_keys]
    if guessed:
        names = list_names([fact.environment for fact in guessed])
        urls = list_names([fact.url for fact in guessed])
        yield Note(f"ECS gives a service no address: set the url of {names} (now {urls}) to its own")


_GUESSES = {
    "region": "region",
    "platform": "the platform",
    "environments": "the names of the environments",
    "build": "the Dockerfile",
}


def _summarize_guesses(proposal: Proposal) -> str:
    """Return the guessed keys in words: `services` if guessed for every environment, else `the service of …`."""
    names = [fact.environment for fact in proposal.environments]
    phrases = [_GUESSES[guess] for guess in proposal.guessed_keys if guess in _GUESSES]
    for key, plural in (("repository", "repositories"), ("service", "services"), ("cluster", "clusters")):
        guessed_names = [name for name in names if f"{name}.{key}" in proposal.guessed_keys]
        if guessed_names:
            phrases.append(plural if guessed_names == names else f"the {key} of {', '.join(guessed_names)}")
    return ", ".join(phrases)
