"""The preconditions of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, Unreachable
from kaizen_tasks.flows.release import environment_preconditions, preconditions
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.scm import FakeScm
from tests.fakes.tools import CHANGELOG, FILES, FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs

NEXT = Release(version=Version.parse("0.2.0"))


@pytest.fixture
def tools() -> FakeTools:
    """Tools with a checkout that can be released."""
    return FakeTools()


class SilentScm(FakeScm):
    """A repository whose remote does not answer."""

    def cached_remote_refs(self, branch: str) -> RemoteRefs | None:
        """Fail."""
        raise Unreachable("origin does not answer")


def of_checkout(tools: FakeTools) -> list[str]:
    """Return the problems of the worktree."""
    return list(preconditions.check_worktree(tools.settings.release.branches, tools))


def of_remote(tools: FakeTools, release: Release = NEXT) -> list[str]:
    """Return the problems of the remote."""
    return list(preconditions.check_remote(release, None, tools, is_fixed=False))


def of_version(tools: FakeTools, release: Release = NEXT) -> list[str]:
    """Return the problems of the versions."""
    return list(preconditions.check_versions(release, tools))


def test_clean_worktree_has_no_problems(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]

    assert of_checkout(tools) == []
    assert of_remote(tools) == []
    assert of_version(tools) == []
    assert list(preconditions.check_release_files(NEXT, tools)) == []
    assert list(preconditions.check_docs(tools)) == []
    assert list(environment_preconditions.check_environment(staging, NEXT, tools)) == []


@pytest.mark.parametrize(
    ("branches", "branch", "allowed"),
    [
        (["main"], "main", True),
        (["main"], "Main", False),
        (["main"], "main-2", False),
        (["main", "release/*"], "release/1.2", True),
        (["release/*"], "main", False),
    ],
)
def test_only_configured_branches_are_allowed(branches: list[str], branch: str, *, allowed: bool) -> None:
    tools = FakeTools(settings=settings(release={"branches": branches}))
    tools.scm.branch = branch

    assert (of_checkout(tools) == []) is allowed


def test_detached_head_is_a_problem(tools: FakeTools) -> None:
    tools.scm.detach()

    assert of_checkout(tools) == ["HEAD is detached: git switch main"]


def test_several_problems_keep_what_to_type(tools: FakeTools) -> None:
    tools.scm.branch = "feature/x"
    tools.scm.reported_blockers = ("this is a shallow clone: git fetch --unshallow",)
    tools.scm.commit({"app.py": b"old"})
    tools.scm.working_tree.files["app.py"] = b"new"

    assert preconditions.refusal(tuple(of_checkout(tools))).reasons == (
        "this is a shallow clone: git fetch --unshallow",
        "releases are not allowed from branch feature/x (allowed: main): git switch main",
        "uncommitted changes would not be in the release: app.py (commit them, or set them aside: git stash)",
    )


def test_uncommitted_files_are_named_up_to_three(tools: FakeTools) -> None:
    """VERSION and CHANGELOG.md are checked elsewhere."""
    files = {f"page{number}.html": b"old" for number in range(5)}
    tools.scm.commit(files)
    tools.scm.working_tree.files.update({**dict.fromkeys(files, b"new"), "VERSION": b"0.2.0\n", "CHANGELOG.md": b"new"})

    assert of_checkout(tools) == [
        (
            "uncommitted changes would not be in the release: page0.html, page1.html, page2.html and 2 more"
            " (commit them, or set them aside: git stash)"
        )
    ]


def test_blockers_of_the_clone_are_problems(tools: FakeTools) -> None:
    tools.scm.reported_blockers = ("a merge is under way", "this is a shallow clone")
    tools.scm.branch = "feature"

    assert of_checkout(tools)[:2] == ["a merge is under way", "this is a shallow clone"]
    assert len(of_checkout(tools)) == 3


def test_commits_missing_from_this_clone_are_a_problem(tools: FakeTools) -> None:
    here = tools.scm.head().commit
    tools.upstream.branches["main"] = tools.scm.commit({"app.py": b""})
    tools.scm._tip = here

    assert len(of_remote(tools)) == 1
    assert of_remote(tools)[0].startswith("origin/main has commits that this clone lacks: git pull")


def test_unpushed_commits_are_no_problem(tools: FakeTools) -> None:
    tools.scm.commit({"app.py": b""})

    assert of_remote(tools) == []


def test_branch_missing_on_the_remote_is_no_problem(tools: FakeTools) -> None:
    tools.upstream.branches.clear()

    assert of_remote(tools) == []


def test_missing_remote_is_no_problem() -> None:
    tools = FakeTools()
    tools.scm = FakeScm(FILES, working_tree=tools.scm.working_tree)

    assert of_remote(tools) == []


def test_unreachable_remote_is_a_problem() -> None:
    tools = FakeTools()
    tools.scm = SilentScm(FILES, working_tree=tools.scm.working_tree, remote=tools.upstream)

    assert of_remote(tools) == ["origin does not answer"]


def test_remote_tag_on_another_commit_is_a_problem(tools: FakeTools) -> None:
    tools.upstream.tags["v0.2.0"] = "0123456789abcdef"

    assert of_remote(tools) == [
        "origin has the tag v0.2.0 on commit 0123456789: git fetch --tags, and choose another version"
    ]


@pytest.mark.parametrize("is_head", [True, False])
def test_release_of_this_clone_gives_way_to_one_that_is_pushed(tools: FakeTools, is_head: bool) -> None:
    parent = tools.scm.head().commit
    commit = tools.scm.commit({"VERSION": b"0.2.0\n"})
    tools.scm.create_tag("v0.2.0", commit, "")
    if not is_head:
        tools.scm.commit({"app.py": b"later\n"})
    tools.upstream.tags["v0.2.0"] = "0123456789abcdef"
    drop = "git reset --keep HEAD^" if is_head else f"git rebase --onto {parent[:10]} {commit[:10]}"

    (problem,) = of_remote(tools, evolve(NEXT, commit=commit))
    assert problem.endswith(f": git tag -d v0.2.0 && {drop} && git pull --no-rebase --tags origin main")


def test_commit_of_one_s_own_under_a_clashing_tag_is_kept(tools: FakeTools) -> None:
    tools.scm.create_tag("v0.2.0", tools.scm.commit({"app.py": b"work\n"}), "")
    tools.upstream.tags["v0.2.0"] = "0123456789abcdef"

    (problem,) = of_remote(tools)
    assert problem.endswith(": git tag -d v0.2.0 && git pull --no-rebase --tags origin main")


def test_remote_tag_of_this_release_is_no_problem(tools: FakeTools) -> None:
    head = tools.scm.head().commit
    tools.upstream.tags["v0.2.0"] = head

    assert of_remote(tools, evolve(NEXT, commit=head)) == []


def test_later_remote_tag_on_head_is_a_problem(tools: FakeTools) -> None:
    tools.upstream.tags.update({"v0.3.0": tools.scm.head().commit, "nightly": "0123456789abcdef"})

    assert of_remote(tools) == ["origin has the tag v0.3.0, which is above 0.2.0: git fetch --tags"]


def test_later_remote_tag_of_another_line_is_no_problem(tools: FakeTools) -> None:
    tools.upstream.tags["v1.0.0"] = "0123456789abcdef"

    assert of_remote(tools) == []


def test_number_of_a_line_that_only_the_remote_has_is_a_problem(tools: FakeTools) -> None:
    tools.upstream.tags["v1.0.0"] = "0123456789abcdef"

    assert of_remote(tools, Release(version=Version.parse("1.0.1"))) == [
        "origin has the tag v1.0.0, which main lacks, so that 1.0.1 is of another line: git fetch --tags"
    ]


def test_heading_above_the_version_is_a_problem(tools: FakeTools) -> None:
    tools.release_files.write("CHANGELOG.md", CHANGELOG.replace(b"[0.1.0]", b"[0.9.0]"))

    [problem] = of_version(tools)
    assert problem == (
        "CHANGELOG.md has [0.9.0], which is above the 0.2.0 to be released: --to 0.9.0, or remove that section"
    )


def test_tag_without_a_heading_is_a_problem(tools: FakeTools) -> None:
    tools.scm.create_tag("v0.1.5", tools.scm.head().commit, "")

    assert of_version(tools) == [
        (
            "the tag v0.1.5 has no heading in CHANGELOG.md, which ends at [0.1.0]"
            " (write its section, or if it was a mistake: git tag -d v0.1.5)"
        )
    ]


@pytest.mark.parametrize(("version", "name"), [("0.2.0", "v0.2.0/x"), ("0.2.0", "v0.2.0/x/y")])
def test_tag_below_the_releases_own_is_a_problem(tools: FakeTools, version: str, name: str) -> None:
    """git keeps tags in files, and a name cannot be a file and a folder."""
    tools.scm.create_tag(name, tools.scm.head().commit, "")

    problems = [*preconditions.check_versions(Release(version=Version.parse(version)), tools)]

    assert problems == [f"beside the tag {name} git cannot have v{version}: git tag -d {name}"]


def test_existing_tag_is_a_problem_unless_it_is_this_release(tools: FakeTools) -> None:
    head = tools.scm.head().commit
    tools.scm.create_tag("v0.1.0", head, "")
    taken = Release(version=Version.parse("0.1.0"))

    assert of_version(tools, taken) == [f"the tag v0.1.0 exists already, on commit {head[:10]}"]
    assert of_version(tools, evolve(taken, commit=head)) == []


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        ({"VERSION": b"0.2.0\n"}, []),
        ({"VERSION": b"0.1.9\n"}, ["VERSION is edited and not committed: git checkout HEAD -- VERSION"]),
        (
            {"CHANGELOG.md": CHANGELOG.replace(b"Weekly", b"Daily")},
            ["CHANGELOG.md is edited and not committed: git commit --message 'Note what changed' -- CHANGELOG.md"],
        ),
        ({"CHANGELOG.md": CHANGELOG.replace(b"[Unreleased]", b"[0.2.0] - 2026-11-20")}, []),
    ],
)
def test_uncommitted_edits_of_release_files_are_a_problem(
    tools: FakeTools, edited: dict[str, bytes], told: list[str]
) -> None:
    tools.scm.working_tree.files.update(edited)

    assert list(preconditions.check_release_files(NEXT, tools)) == told
    assert list(preconditions.check_release_files(evolve(NEXT, commit=tools.scm.head().commit), tools)) == []


RULES = [{"when": ["infra/**"], "update": ["docs/*.md"]}]


@pytest.mark.parametrize(
    ("touched", "told"),
    [
        ({"app.py": b"new"}, []),
        (
            {"infra/main.tf": b"new"},
            ["infra/main.tf was changed, and none of docs/*.md: update it, or add --skip-docs 'reason'"],
        ),
        ({"infra/main.tf": b"new", "docs/versioning.md": b"new"}, []),
    ],
)
def test_commits_since_the_last_release_are_checked_against_the_docs_checklist(
    touched: dict[str, bytes], told: list[str]
) -> None:
    tools = FakeTools(settings=settings(docs_checklist=RULES))
    before = tools.scm.commit({"infra/main.tf": b"old", "docs/versioning.md": b"old"})
    tools.scm.create_tag("v0.1.0", before, "")
    tools.scm.commit(touched)

    assert list(preconditions.check_docs(tools)) == told


def test_first_release_checks_the_whole_history() -> None:
    tools = FakeTools(settings=settings(docs_checklist=RULES))
    tools.scm.commit({"infra/main.tf": b"old"})
    tools.scm.commit({"app.py": b"new"})

    assert len(list(preconditions.check_docs(tools))) == 1


@pytest.mark.parametrize(("revision", "named"), [("0123456789abcdef", "0123456789"), ("", "an unknown commit")])
def test_image_from_another_commit_is_a_problem(tools: FakeTools, revision: str, named: str) -> None:
    """Found before the build, and not at the push."""
    staging = tools.settings.environments["staging"]
    image = Image(digest="sha256:1", media_type=OCI_MANIFEST, revision=revision)
    tools.registry.put(staging.repository, "v0.2.0", image)
    begun = evolve(NEXT, commit=tools.scm.head().commit)

    assert list(environment_preconditions.check_environment(staging, begun, tools)) == [
        (
            f"{staging.repository}:v0.2.0 exists, built from {named}: "
            "give that number up: inv release.abandon --release v0.2.0"
        )
    ]


def test_image_of_this_release_is_no_problem(tools: FakeTools) -> None:
    staging, head = tools.settings.environments["staging"], tools.scm.head().commit
    tools.registry.put(staging.repository, "v0.2.0", Image(digest="d", media_type=OCI_MANIFEST, revision=head))

    assert list(environment_preconditions.check_environment(staging, evolve(NEXT, commit=head), tools)) == []


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (Denied("no credentials", state="nothing was asked", hint="aws login"), "no credentials (aws login)"),
        (Denied("no credentials"), "no credentials"),
    ],
)
def test_error_text_is_one_line_with_the_hint(error: Denied, complaint: str) -> None:
    def look() -> object:
        raise error

    assert preconditions.error_text(look) == complaint
    assert preconditions.error_text(lambda: None) == ""
