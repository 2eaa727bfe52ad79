"""Detection in single files: Dockerfile, manifests, tasks.py; and in tags."""

from __future__ import annotations

import json

import pytest

from kaizen_tasks.domain.init import tasks_file
from kaizen_tasks.domain.init.detect import dockerfile, endpoint, previous_releases
from kaizen_tasks.domain.init.file_change import FileChange
from tests.domain.init.samples import DOCKERFILE


@pytest.mark.parametrize(
    ("text", "argument", "variable"),
    [
        (DOCKERFILE, "VERSION", "APP_VERSION"),
        ("FROM a\nARG RELEASE\nENV APP_VERSION=$RELEASE\n", "RELEASE", "APP_VERSION"),
        ("FROM a\nARG APP_VERSION=dev\n", "APP_VERSION", "APP_VERSION"),
        ("ARG VERSION=3.12\nFROM python:${VERSION}\n", "", ""),
        ("FROM a\nARG VERSION\nFROM b\n", "", ""),
        ("FROM a\nARG PYTHON_VERSION=3\n", "", ""),
    ],
)
def test_version_argument_is_that_of_the_final_stage(text: str, argument: str, variable: str) -> None:
    """An argument of another stage, or above all stages, does not reach the app."""
    found = dockerfile.parse_dockerfile(text)

    assert (found.version_arg, found.version_variable) == (argument, variable)


def test_platform_of_the_final_stage_is_found_when_it_is_fixed() -> None:
    assert dockerfile.parse_dockerfile("FROM --platform=linux/arm64 a\n").platform == "linux/arm64"
    assert dockerfile.parse_dockerfile("FROM --platform=$BUILDPLATFORM a\n").platform == ""


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("requirements.txt", "requests\nFlask==3.1  # the app\n", "Flask"),
        ("requirements.txt", "flask-login\nfastapi[standard]>=0.115\n", "FastAPI"),
        ("pyproject.toml", '[project]\ndependencies = ["django>=5", "psycopg"]\n', "Django"),
        ("web/package.json", json.dumps({"dependencies": {"express": "^5"}}), "Express"),
        ("package.json", json.dumps({"devDependencies": {"tailwindcss": "^4"}}), ""),
        ("package.json", "no JSON", ""),
        ("requirements.txt", "bottle\n", ""),
    ],
)
def test_framework_is_detected_from_dependencies(path: str, text: str, name: str) -> None:
    """A package whose name only begins like a framework is another one."""
    assert endpoint.detect_framework({path: text}) == name


@pytest.mark.parametrize("name", ["Flask", "FastAPI", "Django"])
def test_endpoint_snippets_are_valid_python(name: str) -> None:
    """They name the variable that the image sets."""
    written = endpoint.version_endpoint_snippet(name, variable="RELEASE")

    compile(written, name, "exec")
    assert 'os.environ.get("RELEASE", "dev")' in written


def test_endpoint_snippet_for_express_has_balanced_braces() -> None:
    """Formatting could break them."""
    written = endpoint.version_endpoint_snippet("Express", variable="APP_VERSION")

    assert "process.env.APP_VERSION" in written
    assert "{{" not in written
    assert written.count("{") == written.count("}")


@pytest.mark.parametrize(
    "text", ["from kaizen_tasks import namespace\n", "import kaizen_tasks\nns = kaizen_tasks.namespace\n"]
)
def test_a_tasks_file_with_our_tasks_lacks_nothing(text: str) -> None:
    assert tasks_file.missing_lines(text.encode()) == ""


def test_a_tasks_file_without_collection_lacks_a_line_for_each_task() -> None:
    text = (
        "from invoke import task\n\n@task\ndef test(c): ...\n\n@task(help={})\ndef lint(c): ...\n\ndef other(): ...\n"
    )

    assert tasks_file.missing_lines(text.encode()).splitlines() == [
        "from kaizen_tasks import namespace",
        "",
        "namespace.add_task(test)",
        "namespace.add_task(lint)",
    ]


@pytest.mark.parametrize(
    ("tags", "texts", "version"),
    [
        (("v1.2.3", "v1.10.0", "nightly"), {"package.json": '{"version": "9.0.0"}'}, "1.10.0"),
        ((), {"pyproject.toml": '[project]\nversion = "2.1.0"\n'}, "2.1.0"),
        ((), {"package.json": '{"version": "3.0.1"}'}, "3.0.1"),
        ((), {"package.json": '{"version": "1.0.0"}', "docs/changes.md": "# C\n\n## [2.4.0] - 2026-01-01\n"}, "2.4.0"),
        ((), {"pyproject.toml": "no TOML", "package.json": '{"version": "next"}'}, "0.1.0"),
        ((), {}, "0.1.0"),
    ],
)
def test_initial_version_is_the_newest_tag_or_that_of_the_package(
    tags: tuple[str, ...], texts: dict[str, str], version: str
) -> None:
    assert previous_releases.initial_version(tags, texts) == version


@pytest.mark.parametrize(
    ("tags", "pattern"), [(("1.0.0", "old"), "{version}"), (("1.0.0", "v1.1.0"), "v{version}"), ((), "v{version}")]
)
def test_tag_pattern_is_that_of_previous_releases(tags: tuple[str, ...], pattern: str) -> None:
    """Bare versions only when all tags are bare."""
    assert previous_releases.infer_tag_pattern(tags) == pattern


def test_a_change_is_shown_as_a_diff() -> None:
    """A carriage return is part of its line."""
    new = tuple(FileChange(path="VERSION", after=b"0.1.0\n").diff)
    added = tuple(FileChange(path=".gitignore", before=b"a\r\n", after=b"a\r\nb\n").diff)

    assert new == ("--- /dev/null", "+++ b/VERSION", "@@ -0,0 +1 @@", "+0.1.0")
    assert added == ("--- a/.gitignore", "+++ b/.gitignore", "@@ -1 +1,2 @@", " a\r", "+b")


def test_the_version_argument_is_that_of_the_stage_that_is_built() -> None:
    text = "FROM a AS web\nARG VERSION\nENV APP_VERSION=$VERSION\nFROM web AS test\nFROM b AS other\n"

    assert dockerfile.parse_dockerfile(text).version_arg == ""
    assert dockerfile.parse_dockerfile(text, "web") == dockerfile.Dockerfile(
        version_arg="VERSION", version_variable="APP_VERSION", version_line=4
    )
