"""The choice of the Dockerfile and of its build context."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.image_builds import choose_build
from kaizen_tasks.domain.init.evidence import ImageBuild
from kaizen_tasks.domain.init.repo_scan import RepoScan


def scan(*paths: str, text: str = "FROM scratch\n", subfolder: str = "") -> RepoScan:
    texts = {path: text for path in paths if not path.startswith("../")}
    return RepoScan(name="app", texts=texts, paths=frozenset(paths), subfolder=subfolder)


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        (("Dockerfile", "backend/Dockerfile"), "Dockerfile"),
        (("Dockerfile.apprunner",), "Dockerfile.apprunner"),
        (("Dockerfile.dev", "Dockerfile.prod"), "Dockerfile.prod"),
        (("backend/Dockerfile", ".devcontainer/Dockerfile"), "backend/Dockerfile"),
        (("docker/web.dockerfile",), "docker/web.dockerfile"),
        (("Dockerfile.dockerignore", "Containerfile"), "Containerfile"),
        (("backend/Dockerfile.lambda", "backend/Dockerfile.apprunner"), "backend/Dockerfile.apprunner"),
        (("README.md",), ""),
    ],
)
def test_the_usual_dockerfile_is_chosen(paths: tuple[str, ...], chosen: str) -> None:
    assert choose_build(scan(*paths), (), ()).dockerfile == chosen


def test_the_one_that_a_command_builds_for_the_repository_comes_first() -> None:
    builds = (
        ImageBuild(dockerfile="web/Dockerfile", context="web", repository="shop-web", source="a:1"),
        ImageBuild(dockerfile="api/Dockerfile", context=".", repository="shop-api", target="web", source="a:2"),
    )
    found = choose_build(scan("web/Dockerfile", "api/Dockerfile"), builds, {"shop-api"})

    assert (found.dockerfile, found.context, found.target, found.source) == ("api/Dockerfile", ".", "web", "a:2")
    assert found.others == ("web/Dockerfile",)


def test_one_of_several_is_a_guess() -> None:
    assert choose_build(scan("web/Dockerfile", "api/Dockerfile"), (), ()).is_guess


@pytest.mark.parametrize(
    ("copied", "subfolder", "context"),
    [
        ("requirements.txt", "", "backend"),
        ("backend/app.py", "", "."),
        ("nothing.txt", "", "backend"),
    ],
)
def test_the_context_is_where_the_copied_files_are(copied: str, subfolder: str, context: str) -> None:
    text = f"FROM scratch\nCOPY {copied} .\n"
    files = scan("backend/Dockerfile", "backend/app.py", "backend/requirements.txt", text=text, subfolder=subfolder)
    assert choose_build(files, (), ()).context == context


def test_the_context_of_an_app_in_a_subfolder_can_be_the_top_of_the_repository() -> None:
    text = "FROM scratch\nCOPY backend/app.py .\nCOPY shared ./shared\n"
    paths = ("Dockerfile", "app.py", "../backend/Dockerfile", "../backend/app.py", "../shared/a.py")
    found = choose_build(scan(*paths, text=text, subfolder="backend"), (), ())
    assert (found.dockerfile, found.context) == ("Dockerfile", "..")


def test_the_folder_that_the_repository_is_named_after_counts() -> None:
    found = choose_build(scan("api/Dockerfile", "web/Dockerfile"), (), {"shop-web"})
    assert (found.dockerfile, found.is_guess) == ("web/Dockerfile", False)
