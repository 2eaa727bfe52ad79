"""The steps that build and push the image."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import define, evolve, field
from semver import Version

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.image import BuildSpec, Image, LocalImage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import BuildFailed, NotFound, PushFailed
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import Build, Push
from tests.fakes.builder import FakeBuilder
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools

PLANNED = Release(version=Version.parse("0.1.0"))
REPOSITORY = "staging-web-app"


@define(kw_only=True)
class CuriousBuilder(FakeBuilder):
    """A builder that remembers what it was given to build.

    Attributes:
        contexts: the files of each build, by path.
        folders: where they were.
    """

    contexts: list[dict[str, bytes]] = field(factory=list)
    folders: list[Path] = field(factory=list)

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Look, then build."""
        files = (path for path in context.rglob("*") if path.is_file())
        self.contexts.append({str(path.relative_to(context)): path.read_bytes() for path in files})
        self.folders.append(context)
        return super().build(spec, context)


@pytest.fixture
def tools() -> FakeTools:
    """Tools whose HEAD can be built."""
    return FakeTools()


@pytest.fixture
def release(tools: FakeTools) -> Release:
    """The release whose commit is HEAD."""
    return evolve(PLANNED, commit=tools.scm.head().commit)


def steps(tools: FakeTools) -> tuple[Build, Push]:
    """Return both steps, for staging."""
    staging = tools.settings.environments["staging"]
    return Build(environment=staging), Push(environment=staging)


def hold(tools: FakeTools, revision: str) -> None:
    """Add an image of the version, built from this commit, to staging."""
    image = Image(digest="sha256:held", media_type=OCI_MANIFEST, version="v0.1.0", revision=revision)
    tools.registry.put(REPOSITORY, "v0.1.0", image)


def test_build_uses_the_commit_and_not_the_working_tree(tools: FakeTools, release: Release) -> None:
    builder = CuriousBuilder()
    tools.builder = builder
    tools.scm.working_tree.files["Dockerfile"] = b"FROM my-own-experiment\n"
    tools.scm.working_tree.files["secrets.env"] = b"PASSWORD=1\n"

    run_flow((Build(),), release, tools)

    assert builder.contexts == [dict(tools.scm.commits[release.commit].tree)]
    assert [folder.exists() for folder in builder.folders] == [False]


def test_image_has_version_and_revision_labels(tools: FakeTools, release: Release) -> None:
    run_flow((Build(),), release, tools)

    assert tools.builder.built_specs["web:v0.1.0"] == BuildSpec(
        app="web",
        version="v0.1.0",
        revision=release.commit,
        created_at=tools.scm.commit_time(release.commit),
        source="https://github.com/team/app",
    )


def test_build_is_idempotent(tools: FakeTools, release: Release) -> None:
    run_flow((Build(),), release, tools)

    again = Build().decide(release, tools)

    assert isinstance(again, Done)
    assert tools.builder.build_count == 1


def test_another_commit_is_built_again(tools: FakeTools, release: Release) -> None:
    run_flow((Build(),), release, tools)
    moved = evolve(release, commit=tools.scm.commit({"app.py": b"print()\n"}))

    assert isinstance(Build().decide(moved, tools), Act)


def test_image_in_the_repository_is_not_built(tools: FakeTools, release: Release) -> None:
    hold(tools, release.commit)

    for step in steps(tools):
        decided = step.decide(release, tools)
        assert isinstance(decided, Done)
        assert decided.release.digest == "sha256:held"


@pytest.mark.parametrize(("revision", "named"), [("0123456789abcdef", "0123456789"), ("", "an unknown commit")])
def test_version_of_another_commit_is_refused(tools: FakeTools, release: Release, revision: str, named: str) -> None:
    hold(tools, revision)

    for step in steps(tools):
        decided = step.decide(release, tools)
        assert isinstance(decided, Refuse)
        assert decided.reasons[0].startswith(f"{REPOSITORY}:v0.1.0 exists, built from {named} and not from")


def test_build_is_planned_without_a_commit(tools: FakeTools) -> None:
    """In a dry run the release commit does not exist yet, so nothing can be looked up by it."""
    build, push = (step.decide(PLANNED, tools) for step in steps(tools))

    assert build == Act("build web:v0.1.0 with fake, for linux/amd64", PLANNED)
    assert push == Act(f"upload {REPOSITORY}:v0.1.0", PLANNED)


def test_push_moves_only_the_version_tag(tools: FakeTools, release: Release) -> None:
    """`:latest` moves last, with the deployment."""
    pushed = run_flow(steps(tools), release, tools)

    held = tools.registry.find_image(REPOSITORY, "v0.1.0")
    assert held is not None
    assert (pushed.digest, held.revision) == (held.digest, release.commit)
    assert list(tools.registry.repositories[REPOSITORY].tags) == ["v0.1.0"]


def test_push_needs_an_image(tools: FakeTools, release: Release) -> None:
    with pytest.raises(BuildFailed, match=r"push: fake has no image of v0\.1\.0") as failed:
        run_flow((Push(environment=tools.settings.environments["staging"]),), release, tools)

    assert (failed.value.state, failed.value.hint) == ("nothing has been uploaded", "inv build")


def test_denied_push_changes_nothing(tools: FakeTools, release: Release) -> None:
    tools.builder.password = "another"

    with pytest.raises(PushFailed):
        run_flow(steps(tools), release, tools)

    assert tools.registry.repositories[REPOSITORY].tags == {}
    assert isinstance(Build().decide(release, tools), Done)


def test_missing_repository_is_refused(tools: FakeTools, release: Release) -> None:
    tools.registry.repositories.clear()

    with pytest.raises(NotFound, match=REPOSITORY):
        run_flow(steps(tools), release, tools)

    assert tools.builder.build_count == 0


def test_image_of_a_hotfix_is_copied_instead_of_built(tools: FakeTools, release: Release) -> None:
    """Another build of the same commit would be other bytes under the same version."""
    image = Image(digest="sha256:fixed", media_type=OCI_MANIFEST, version="v0.1.0", revision=release.commit)
    tools.registry.put("mark-web-app", "v0.1.0", image)
    del tools.registry.repositories["dom-web-app"]
    tools.scm.create_tag("v0.1.0", release.commit, "v0.1.0")

    after = run_flow(steps(tools), release, tools)

    assert after.digest == "sha256:fixed"
    assert tools.builder.build_count == 0
    assert tools.registry.calls == [f"copy {REPOSITORY}:v0.1.0"]


def test_untagged_release_asks_no_other_repository(tools: FakeTools, release: Release) -> None:
    image = Image(digest="sha256:other", media_type=OCI_MANIFEST, version="v0.1.0", revision=release.commit)
    tools.registry.put("mark-web-app", "v0.1.0", image)
    assert run_flow(steps(tools), release, tools).digest != "sha256:other"


def test_build_context_is_a_folder_of_the_export(tools: FakeTools, release: Release) -> None:
    tools.builder = CuriousBuilder()
    commit = tools.scm.commits[release.commit]
    tools.scm.commits[release.commit] = evolve(commit, tree={**commit.tree, "web/Dockerfile": b"FROM scratch\n"})
    tools.settings = evolve(tools.settings, build=tools.settings.build._replace(context="web"))
    run_flow((Build(),), release, tools)

    assert [folder.name for folder in tools.builder.folders] == ["web"]
