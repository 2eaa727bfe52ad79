"""Checks the preconditions of a release; every check yields one message for each problem and changes nothing."""

from __future__ import annotations

import fnmatch
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from kaizen_tasks.domain import docs_checklist
from kaizen_tasks.domain.decision import Refuse
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError
from kaizen_tasks.flows.release import claims, files, last_release, optional_files, pending, tags, undated_sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


RUN_AGAIN = "run the same command again"


class Problem(str):
    """A problem and its remedy in one line, which can also be told apart.

    Attributes:
        cause: what is wrong.
        remedy: what to do about it, or empty.
    """

    cause: str
    remedy: str

    def __new__(cls, cause: str, remedy: str = "", *, line: str = "{}: {}") -> Self:
        """Join cause and remedy."""
        problem = super().__new__(cls, line.format(cause, remedy) if remedy else cause)
        problem.cause, problem.remedy = cause, remedy
        return problem


def refusal(problems: tuple[str, ...]) -> Refuse:
    """Return the refusal for problems; a single one has its remedy in the hint."""
    match problems:
        case (Problem(cause=cause, remedy=remedy),) if remedy:
            again = "" if remedy.endswith(RUN_AGAIN) else f", then {RUN_AGAIN}"
            return Refuse(reasons=(cause,), state=NOTHING_CHANGED, hint=f"{remedy}{again}")
    fix = "fix this" if len(problems) == 1 else "fix all of these"
    return Refuse(reasons=problems, state=NOTHING_CHANGED, hint=f"{fix}, then run the same command again")


def check_worktree(branches: tuple[str, ...], tools: Tools) -> Iterator[str]:
    """Check the clone: operations in progress, the branch, and uncommitted changes."""
    for blocker in tools.scm.blockers():
        cause, _, remedy = blocker.partition(": ")
        yield Problem(cause, remedy)
    yield from check_branch(tools.scm.head().branch, branches, find_start=partial(_last_tag, tools))
    yield from check_uncommitted(
        [
            name
            for name in tools.scm.modified_files(tools.settings.build.exported_folder)
            if not files.is_release_file(name, tools)
        ]
    )


def _last_tag(tools: Tools) -> str:
    last_release = tags.last_tagged_version(tools)
    return tags.tag_name(last_release, tools) if last_release else ""


def check_branch(branch: str, branches: Sequence[str], *, find_start: Callable[[], str] = str) -> Iterator[str]:
    """Check that releases are allowed from a branch.

    Args:
        branch: its name; empty for a detached HEAD.
        branches: the names and patterns of those that are allowed.
        find_start: returns the tag from which a new branch may start.
    """
    if not branch:
        yield Problem("HEAD is detached", _switch_command(branches, find_start))
    elif not any(fnmatch.fnmatchcase(branch, pattern) for pattern in branches):
        cause = f"releases are not allowed from branch {branch} (allowed: {', '.join(branches)})"
        yield Problem(cause, _switch_command(branches, find_start))


def _switch_command(branches: Sequence[str], find_start: Callable[[], str]) -> str:
    """Return the command that checks out an allowed branch, or creates one if there are only patterns."""
    name = next((branch for branch in branches if not {*branch} & {*"*?["}), "")
    if name:
        return f"git switch {name}"
    pattern = branches[0] if branches else ""
    if not pattern.endswith("*") or {*pattern[:-1]} & {*"*?["}:
        return "check out such a branch"
    return f"git switch --create {pattern[:-1]}fix {find_start()}".rstrip()


def check_uncommitted(paths: Sequence[str]) -> Iterator[str]:
    """Check that there are no files with uncommitted changes; callers leave out those that a release writes."""
    if paths:
        cause = f"uncommitted changes would not be in the release: {list_names(paths)}"
        yield Problem(cause, "commit them, or set them aside: git stash", line="{} ({})")


def has_pushed_image(release: Release, environment: Environment | None, tools: Tools) -> bool:
    """Return whether a release is unfinished and its image pushed, so that the state of the branch does not matter."""
    if not release.commit or claims.is_tagged(release.version, tools, ask_remote=True):
        return False
    return pending.is_published(release, tools, environment=environment, ask_remote=True)


def check_remote(release: Release, environment: Environment | None, tools: Tools, *, is_fixed: bool) -> Iterator[str]:
    """Check the branch and the tags by asking the remote: its refs in this clone are those of the last fetch.

    Args:
        release: what is to be released.
        environment: where it is released to; None for the first stage, or for a release without deployment.
        tools: the ports.
        is_fixed: whether the branch does not matter, because the release is finished as it is.
    """
    try:
        target = tools.scm.push_target()
        remote = tools.scm.cached_remote_refs(target.branch)
    except KaizenError as error:
        yield Problem(error.message, error.hint)
        return
    if remote is None:
        return
    if clashing_version := _find_clash(remote, release, tools):
        tag = tags.tag_name(clashing_version, tools)
        cause = f"{target.remote} has the tag {tag} on commit {remote.tags[tag][:10]}, and this clone on another"
        yield Problem(cause, own_release_remedy(clashing_version, remote, tools))
        return
    for name in _obstructing_tags(release, remote.tags, tools):
        cause = f"beside the tag {name} {target.remote} cannot have {tags.tag_name(release.version, tools)}"
        yield Problem(cause, f"git push --delete {target.remote} refs/tags/{name}")
    yield from _check_number_is_free(remote, release, environment, tools)
    if is_fixed:
        return
    commits = filter(None, (tools.scm.head().commit, release.commit))
    is_current = any(tools.scm.is_ancestor(remote.branch_commit, commit) for commit in commits)
    if remote.branch_commit and not is_current and not _is_merged(release, remote, tools):
        yield Problem(f"{target} has commits that this clone lacks", target.pull_command)
    yield from _check_no_later_tag(remote, release, tools)


def check_remote_exists(tools: Tools) -> Iterator[str]:
    """Check that there is a remote, which a release without environments is pushed to; one that deploys needs none."""
    with suppress(KaizenError):  # reported by `check_remote`
        if tools.scm.cached_remote_refs(tools.scm.push_target().branch) is None:
            yield Problem("there is no remote to push to", "git remote add origin URL")


def _is_merged(release: Release, remote: RemoteRefs, tools: Tools) -> bool:
    """Return whether the remote's branch ends at the pull request, squashed or not, of a release that is tagged."""
    if not release.commit or remote.tags.get(tools.settings.git_tag(release.version)) != release.commit:
        return False
    if not tools.scm.resolve(remote.branch_commit):
        tools.scm.fetch_branch(tools.scm.push_target().branch)
    return pending.brings_version(remote.branch_commit, release.version, tools)


def _find_clash(remote: RemoteRefs, release: Release, tools: Tools) -> Version | None:
    """Return the version that this clone and the remote have tagged on different commits: this one, or the last one."""
    for version in filter(None, (release.version, last_release.last_released_version(tools))):
        commit = tags.tag_commit(version, tools)
        if commit and remote.tags.get(tags.tag_name(version, tools), commit) != commit:
            return version
    return None


def own_release_remedy(version: Version, remote: RemoteRefs, tools: Tools) -> str:
    """Return the commands that take the remote's release in place of the one of this clone with the same number.

    The commit of the latter is dropped if the remote lacks it and it changes nothing but the files of a release.
    """
    commit, head, drop = tags.tag_commit(version, tools), tools.scm.head().commit, ""
    parent, tip = tools.scm.resolve(f"{commit}^"), tools.scm.resolve(remote.branch_commit)
    changed_files = tools.scm.changed_files(parent, commit) if parent else ()
    is_release_alone = bool(changed_files) and all(files.is_release_file(name, tools) for name in changed_files)
    if is_release_alone and tools.scm.is_ancestor(commit, head) and not (tip and tools.scm.is_ancestor(commit, tip)):
        drop = "git reset --keep HEAD^" if commit == head else f"git rebase --onto {parent[:10]} {commit[:10]}"
    commands = (f"git tag -d {tags.tag_name(version, tools)}", drop, tools.scm.push_target().pull_command)
    return " && ".join(filter(None, commands))


def _check_number_is_free(
    remote: RemoteRefs, release: Release, environment: Environment | None, tools: Tools
) -> Iterator[str]:
    name, tag = tools.scm.push_target().remote, tools.settings.git_tag(release.version)
    remote_commit = remote.tags.get(tag)
    if remote_commit and remote_commit != (release.commit or tags.tag_commit(release.version, tools)):
        cause = f"{name} has the tag {tag} on commit {remote_commit[:10]}"
        yield Problem(cause, "git fetch --tags, and choose another version")
    elif tag in remote.abandoned:
        yield Problem(
            f"{tag} was given up, and its number is not used again", "leave out --to, or give another version"
        )
    elif (
        not release.commit
        and tag in remote.claims
        and pending.is_taken(release.version, tools, environment=environment)
    ):
        cause = f"{tag} is claimed on {name} by another release, on commit {remote.claims[tag][:10]}"
        yield Problem(cause, "choose another version")


def _check_no_later_tag(remote: RemoteRefs, release: Release, tools: Tools) -> Iterator[str]:
    """Check that this clone lacks no tag of a later release on HEAD, or of the line that the version would be of."""
    missing_tags = tags.tags_by_version(tools, tuple(remote.tags.keys() - set(tools.scm.tags())))
    if not missing_tags:
        return
    from kaizen_tasks.domain.line import conflicting_release

    name, head = tools.scm.push_target().remote, tools.scm.head()
    later_version = claims.last_version_on_remote(tools, above=release.version)
    if later_version is not None:
        cause = f"{name} has the tag {missing_tags[later_version]}, which is above {release.version}"
        yield Problem(cause, "git fetch --tags")
        return
    others = missing_tags.keys() - {release.version}
    if conflict := conflicting_release(release.version, last_release.last_released_version(tools), others):
        cause = f"{name} has the tag {missing_tags[conflict]}, which {head.branch} lacks"
        yield Problem(f"{cause}, so that {release.version} is of another line", "git fetch --tags")


def check_versions(release: Release, tools: Tools) -> Iterator[str]:
    """Compare the changelog headings and the tags that HEAD descends from with the version to be released.

    Headings and tags of other lines are ignored: their releases are on other branches, as those of hotfixes are.
    """
    latest_heading = files.latest_heading(files.read_changelog(tools))
    if latest_heading is not None and latest_heading > release.version:
        latest_heading = _latest_heading_of_line(tools)
    if latest_heading is not None and latest_heading > release.version:
        place = f"{files.changelog_file(tools)} has [{latest_heading}]"
        cause = f"{place}, which is above the {release.version} to be released"
        yield Problem(cause, f"--to {latest_heading}, or remove that section")
    tagged_version = _tagged_version_above(latest_heading, tools) if latest_heading is not None else None
    if tagged_version is not None and tagged_version != release.version:
        tag = tags.tag_name(tagged_version, tools)
        changelog_file = files.changelog_file(tools)
        cause = f"the tag {tag} has no heading in {changelog_file}, which ends at [{latest_heading}]"
        yield Problem(cause, f"write its section, or if it was a mistake: git tag -d {tag}", line="{} ({})")
    tag_commit = tags.tag_commit(release.version, tools)
    if tag_commit and release.commit != tag_commit:
        yield f"the tag {tags.tag_name(release.version, tools)} exists already, on commit {tag_commit[:10]}"
    for name in _obstructing_tags(release, tools.scm.tags(), tools):
        cause = f"beside the tag {name} git cannot have {tags.tag_name(release.version, tools)}"
        yield Problem(cause, f"git tag -d {name}")


def _obstructing_tags(release: Release, names: Iterable[str], tools: Tools) -> list[str]:
    """Return the tags beside which git cannot have that of a release: one name would be a folder of the other."""
    tag = tags.tag_name(release.version, tools)
    return [name for name in names if name.startswith(f"{tag}/") or tag.startswith(f"{name}/")]


def _latest_heading_of_line(tools: Tools) -> Version | None:
    """Return the highest heading that no release of another line has."""
    from kaizen_tasks.flows.release import lines

    elsewhere = lines.releases_elsewhere(tools)
    return files.latest_heading(files.read_changelog(tools), excluding=elsewhere)


def _tagged_version_above(latest_heading: Version, tools: Tools) -> Version | None:
    """Return the highest tagged version that HEAD descends from if it is above the newest heading, else None.

    Finding those tags takes git a walk through the history, so it is skipped when no tag at all is above.
    """
    if max(tags.tagged_versions(tools), default=latest_heading) <= latest_heading:
        return None
    from kaizen_tasks.flows.release import lines

    return max((version for version in lines.released_here(tools) if version > latest_heading), default=None)


def tag_form_note(tools: Tools) -> str:
    """Return a note if the tag of this release will not have the form of the last one's; else an empty text."""
    version = last_release.last_released_version(tools)
    if version is None:
        return ""
    pattern, tag = tools.settings.tag_pattern, tags.tag_name(version, tools)
    pattern_tag, template = pattern.format(version), pattern.other_form.template
    if tag == pattern_tag and tools.scm.tags() and not tags.tagged_versions(tools):
        tag = next((other for other in tools.scm.tags() if other.endswith(str(version))), pattern_tag)
        template = f"{tag.removesuffix(str(version))}{{version}}"
    if tag == pattern_tag:
        return ""
    return (
        f'; {version} is tagged {tag}, and new tags are like {pattern_tag} (release.tag = "{template}" keeps the form)'
    )


def check_release_files(release: Release, tools: Tools) -> Iterator[str]:
    """Check that the files of the release have no uncommitted changes, which it would overwrite."""
    if release.commit:
        return  # they are outdated because an earlier run was stopped
    modified_files, changelog_file = tools.scm.modified_files(), files.changelog_file(tools)
    yield from _check_version_link(tools)
    if files.VERSION_FILE in modified_files and files.read_version(tools) != release.version:
        yield Problem("VERSION is edited and not committed", f"git checkout HEAD -- {files.VERSION_FILE}")
    if changelog_file in modified_files and undated_sections.find_cut_section(release.version, tools) is None:
        remedy = files.commit_command(changelog_file, "Note what changed")
        yield Problem(f"{changelog_file} is edited and not committed", remedy)
    if undated_sections.find_cut_section(release.version, tools) is None:
        yield from check_fragments(tools)
    yield from check_version_files(release.version, tools)


def _check_version_link(tools: Tools) -> Iterator[str]:
    target = tools.release_files.locate(files.VERSION_FILE).path
    if target != files.VERSION_FILE:
        from kaizen_tasks.domain.changelog.location import copy_command

        cause = f"VERSION is a symbolic link to {target}, which [[version_files]] can repeat"
        yield Problem(cause, copy_command(files.VERSION_FILE))


def check_fragments(tools: Tools) -> Iterator[str]:
    """Check that fragments are as in the last commit; else the release could not delete what it has folded in."""
    yield from (Problem(cause, remedy) for cause, remedy in optional_files.uncommitted_fragments(tools))


def check_version_files(version: Version, tools: Tools) -> Iterator[str]:
    """Check that the files which repeat VERSION do so, and can be part of a release commit."""
    if tools.settings.version_files:
        from kaizen_tasks.flows.release import version_files

        yield from (Problem(cause, remedy) for cause, remedy in version_files.problems(version, tools))


def check_docs(tools: Tools) -> Iterator[str]:
    """Check the commits since the last release against the documentation checklist."""
    rules = tools.settings.docs_checklist
    if not rules:
        return
    last_version = last_release.last_released_version(tools)
    last_commit = tags.tag_commit(last_version, tools) if last_version else ""
    names = tools.scm.changed_files(last_commit, tools.scm.head().commit)
    changed_files = tuple(name for name in names if not name.startswith("../"))
    for rule in rules:
        undocumented_files = docs_checklist.undocumented_changes(rule.when, rule.update, changed_files)
        if undocumented_files:
            docs = ", ".join(rule.update)
            remedy = "update it, or add --skip-docs 'reason'"
            yield Problem(f"{undocumented_files[0]} was changed, and none of {docs}", remedy)


def foreign_image_hint(release: Release) -> str:
    """Return what to do when a version's image was built from a commit that nobody has claimed."""
    return f"give that number up: inv release.abandon --release {release.name}"


def tag_conflict(name: str, commit: str, release: Release, tools: Tools) -> Refuse:
    """Return the refusal of a release whose tag is on another commit."""
    reason = f"the tag {name} exists on commit {commit[:10]}, and the release is {release.commit[:10]}"
    return Refuse(reasons=(reason,), hint=next_version_hint(release, tools))


def next_version_hint(release: Release, tools: Tools) -> str:
    """Return the commands that release the next version in place of one that exists with other content."""
    head = tools.scm.head()
    if head.commit == release.commit and not tags.tag_commit(release.version, tools):
        return "begin again, with the next number: git reset --keep HEAD^ && inv bump"
    task = f"release-{tools.settings.first_stage.name}" if tools.settings.pipeline else "cut"
    return f"a released version is never replaced; release the next one: {files.note_command(tools)} && inv {task}"


def error_text(lookup: Callable[[], object]) -> str:
    """Return the error of a lookup with its hint; empty when it succeeds."""
    try:
        lookup()
    except KaizenError as error:
        return Problem(error.message, error.hint, line="{} ({})")
    return ""
