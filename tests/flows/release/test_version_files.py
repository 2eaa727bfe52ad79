"""Files that repeat VERSION, in releases."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.doctor.checkout import checks
from kaizen_tasks.flows.release import changelog_check, files, optional_files, version_files
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FILES, FakeTools, settings

PACKAGE = b'{"name": "web", "version": "0.1.0"}'
README = b"pip install web==0.1.0\n"
RULES = [{"path": "package.json", "key": "version"}, {"path": "README.md", "pattern": "web=={version}"}]


@pytest.fixture
def tools() -> FakeTools:
    """A library whose version is in two more files."""
    library = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[], version_files=RULES))
    library.scm.commit({"package.json": PACKAGE, "README.md": README})
    library.upstream.branches["main"] = library.scm.head().commit
    return library


def cut(tools: FakeTools, *, push: bool = False) -> Release:
    """Run `inv cut`."""
    tools.next_command()
    flow = catalogue.cut(Bump(accept_released=True), push=push)
    return run_flow(flow, Release(version=files.read_version(tools)), tools)


def problems(tools: FakeTools) -> list[str]:
    """Return what is wrong before a release."""
    return [cause for cause, _ in version_files.problems(files.read_version(tools), tools)]


def test_the_release_commit_has_the_version_in_all_files(tools: FakeTools) -> None:
    before = tools.scm.head().commit
    released = cut(tools)
    tree = tools.scm.commits[released.commit].tree

    assert tree["package.json"] == PACKAGE.replace(b"0.1.0", b"0.2.0")
    assert tree["README.md"] == README.replace(b"0.1.0", b"0.2.0")
    assert tools.scm.changed_files(before, released.commit) == ("CHANGELOG.md", "README.md", "VERSION", "package.json")
    assert tools.scm.modified_files() == ()
    assert tools.scm.working_tree.files["package.json"] == tree["package.json"]


def test_a_file_that_disagrees_is_found_before_anything_changes(tools: FakeTools) -> None:
    tools.scm.commit({"package.json": PACKAGE.replace(b"0.1.0", b"0.0.9")})
    before = tools.scm.head()

    with pytest.raises(Refused, match=r"package.json:1: version is 0.0.9, but VERSION is 0.1.0") as refused:
        cut(tools)
    assert "inv changelog.check --fix && git commit" in refused.value.hint
    assert tools.scm.head() == before
    (problem,) = [each for each in changelog_check.changelog_problems(tools) if each.rule == "version-file"]
    assert (problem.path, problem.line, problem.column, problem.severity) == ("package.json", 1, 29, "error")
    findings = [finding for check in checks(tools) for finding in check.run()]
    assert "package.json:1: version is 0.0.9, but VERSION is 0.1.0" in [finding.message for finding in findings]


def test_what_disagrees_can_be_corrected(tools: FakeTools) -> None:
    tools.scm.commit({"package.json": PACKAGE.replace(b"0.1.0", b"0.0.9")})

    assert version_files.fix(tools) == ("package.json",)
    assert tools.release_files.read("package.json") == PACKAGE
    assert version_files.fix(tools) == ()


def test_places_of_a_pattern_that_differ_are_left_to_people(tools: FakeTools) -> None:
    tools.scm.commit({"README.md": README + b"web==0.0.9 was slower\n"})

    assert version_files.fix(tools) == ()
    ((cause, remedy),) = version_files.problems(files.read_version(tools), tools)
    assert cause == "README.md:2: the version in 'web=={version}' is 0.0.9, but VERSION is 0.1.0"
    assert "write a pattern into kaizen.toml that finds only places of this version" in remedy


def test_a_value_that_is_more_than_a_version_is_left_to_people(tools: FakeTools) -> None:
    tools.settings = settings(version_files=[{"path": "compose.yaml", "key": "services.web.image"}])
    tools.scm.commit({"compose.yaml": b"services:\n  web:\n    image: registry.example/web:0.1.0\n"})

    assert problems(tools) == ["compose.yaml:3: services.web.image is registry.example/web:0.1.0, but VERSION is 0.1.0"]
    assert version_files.fix(tools) == ()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda tools: tools.scm.working_tree.files.pop("README.md"), "README.md is deleted"),
        (
            lambda tools: tools.scm.working_tree.files.update({"README.md": README + b"!"}),
            "is edited and not committed",
        ),
        (lambda tools: tools.scm.working_tree.links.update({"README.md": "docs/README.md"}), "is a symbolic link to"),
        (lambda tools: tools.scm.working_tree.repositories.update({"README.md": "docs"}), "is in the submodule docs"),
        (lambda tools: tools.scm.commit({"package.json": b"{}"}), "package.json has no version"),
    ],
)
def test_files_that_no_release_commit_can_change_are_found(tools: FakeTools, edit: object, words: str) -> None:
    assert problems(tools) == []
    edit(tools)  # type: ignore[operator]

    assert words in "; ".join(problems(tools))
    with pytest.raises(Refused):
        version_files.require_no_problems(tools)


def test_a_file_that_git_does_not_track_is_found() -> None:
    tools = FakeTools(settings=settings(version_files=RULES[:1]))
    assert problems(tools) == ["there is no package.json"]

    tools.scm.working_tree.files["package.json"] = PACKAGE
    ((cause, remedy),) = version_files.problems(files.read_version(tools), tools)
    assert cause == "package.json is not tracked by git"
    assert remedy == "git add --force package.json && git commit --message 'Add package.json' -- package.json"


def test_a_file_that_git_does_not_have_is_not_to_be_restored(tools: FakeTools) -> None:
    tools.settings = settings(version_files=[{"path": "nope.json", "key": "version"}])
    with pytest.raises(Refused, match=r"there is no nope\.json") as refused:
        changelog_check.changelog_problems(tools)
    assert refused.value.hint == "correct its path under [[version_files]] in kaizen.toml"


def test_a_name_with_a_wildcard_is_restored_alone(tools: FakeTools) -> None:
    tools.settings = settings(version_files=[{"path": "[ab].json", "key": "version"}])
    tools.scm.commit({"[ab].json": PACKAGE})
    tools.scm.working_tree.delete("[ab].json")
    with pytest.raises(Refused, match="is deleted") as refused:
        changelog_check.changelog_problems(tools)
    assert refused.value.hint == "git checkout HEAD -- ':(literal)[ab].json'"


def test_a_correction_that_is_not_committed_is_found_before_the_release(tools: FakeTools) -> None:
    tools.scm.commit({"package.json": PACKAGE.replace(b"0.1.0", b"0.0.9")})
    assert version_files.fix(tools) == ("package.json",)

    with pytest.raises(Refused, match=r"preflight: package\.json is edited and not committed") as refused:
        cut(tools)
    assert "git commit --message 'Change package.json' -- package.json" in refused.value.hint


def test_a_bump_that_was_stopped_between_two_files_is_finished(tools: FakeTools) -> None:
    tools.scm.working_tree.files["VERSION"] = b"0.2.0\n"
    assert problems(tools) == []

    bumped = run_flow((Bump(),), Release(version=files.read_version(tools)), tools)
    assert str(bumped.version) == "0.2.0"
    assert optional_files.outdated_version_paths(bumped.version, tools) == ()
    assert tools.release_files.read("package.json") == PACKAGE.replace(b"0.1.0", b"0.2.0")


def test_single_steps_refuse_other_edits_of_such_a_file(tools: FakeTools) -> None:
    run_flow((Bump(),), Release(version=files.read_version(tools)), tools)
    tree = tools.scm.working_tree.files
    tree["README.md"] += b"More.\n"
    tree["CHANGELOG.md"] = tree["CHANGELOG.md"].replace(b"[Unreleased]", b"[0.2.0] - 2026-11-20")

    with pytest.raises(KaizenError, match=r"README.md is edited and not committed"):
        run_flow(catalogue.commit(), Release(version=files.read_version(tools)), tools)


def test_a_release_that_is_merged_brings_its_version_into_files_that_have_changed(tools: FakeTools) -> None:
    tip = tools.scm.commit({"package.json": b'{\n  "name": "web",\n  "version": "0.1.0",\n  "private": true\n}\n'})
    next_version = files.read_version(tools).bump_minor()
    merged = optional_files.merged_version_files(tip, next_version, tools)

    assert merged["package.json"] == b'{\n  "name": "web",\n  "version": "0.2.0",\n  "private": true\n}\n'
    assert merged["README.md"] == README.replace(b"0.1.0", b"0.2.0")


def test_without_such_files_nothing_of_them_is_loaded() -> None:
    tools = FakeTools()

    assert files.version_paths(tools) == optional_files.outdated_version_paths(files.read_version(tools), tools) == ()
    assert optional_files.release_contents(tools).keys() == {"VERSION", "CHANGELOG.md"} & FILES.keys()
