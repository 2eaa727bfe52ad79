"""What single files say: Dockerfile, manifests, tasks.py, tags."""

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
def test_finds_the_argument_of_the_final_stage(text: str, argument: str, variable: str) -> None:
    """One of another stage, or from above all stages, does not reach the app."""
    found = dockerfile.parse_dockerfile(text)

    assert (found.version_arg, found.version_variable) == (argument, variable)


def test_sees_a_platform_that_is_fixed() -> None:
    """An argument is not fixed."""
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
def test_tells_the_framework_by_what_an_app_depends_on(path: str, text: str, name: str) -> None:
    """A package whose name only begins so is another one."""
    assert endpoint.detect_framework({path: text}) == name


@pytest.mark.parametrize("name", ["Flask", "FastAPI", "Django"])
def test_the_lines_for_an_endpoint_are_python(name: str) -> None:
    """They name the variable that the image sets."""
    written = endpoint.version_endpoint_snippet(name, variable="RELEASE")

    compile(written, name, "exec")
    assert 'os.environ.get("RELEASE", "dev")' in written


def test_the_lines_for_express_are_balanced() -> None:
    """Nothing here runs JavaScript; braces are what filling in could break."""
    written = endpoint.version_endpoint_snippet("Express", variable="APP_VERSION")

    assert "process.env.APP_VERSION" in written
    assert "{{" not in written
    assert written.count("{") == written.count("}")


@pytest.mark.parametrize(
    "text", ["from kaizen_tasks import namespace\n", "import kaizen_tasks\nns = kaizen_tasks.namespace\n"]
)
def test_an_entrance_that_has_our_tasks_needs_nothing(text: str) -> None:
    """However it is written."""
    assert tasks_file.missing_lines(text.encode()) == ""


def test_own_tasks_stay_beside_ours() -> None:
    """Without a collection of its own, each task is added by name."""
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
        ((), {"pyproject.toml": "no TOML", "package.json": '{"version": "next"}'}, "0.1.0"),
        ((), {}, "0.1.0"),
    ],
)
def test_knows_the_version_that_was_released_last(tags: tuple[str, ...], texts: dict[str, str], version: str) -> None:
    """Tags say it best, then the package, then nobody."""
    assert previous_releases.initial_version(tags, texts) == version


@pytest.mark.parametrize(
    ("tags", "pattern"), [(("1.0.0", "old"), "{version}"), (("1.0.0", "v1.1.0"), "v{version}"), ((), "v{version}")]
)
def test_goes_on_tagging_as_before(tags: tuple[str, ...], pattern: str) -> None:
    """Bare versions, when all of them are."""
    assert previous_releases.infer_tag_pattern(tags) == pattern


def test_shows_a_change_as_a_diff() -> None:
    """A new file comes from nowhere; line endings are part of their lines."""
    new = tuple(FileChange(path="VERSION", after=b"0.1.0\n").diff)
    added = tuple(FileChange(path=".gitignore", before=b"a\r\n", after=b"a\r\nb\n").diff)

    assert new == ("--- /dev/null", "+++ b/VERSION", "@@ -0,0 +1 @@", "+0.1.0")
    assert added == ("--- a/.gitignore", "+++ b/.gitignore", "@@ -1 +1,2 @@", " a\r", "+b")
