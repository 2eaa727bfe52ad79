"""The places where files repeat VERSION."""

# ruff: noqa: E501 - documents in one line

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from kaizen_tasks.domain.version_files.field import VersionField
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = Version.parse("1.3.0")
CANDIDATE = Version.parse("1.3.0-rc.1")


def replaced(path: str, key: str, content: str, version: Version = NEW) -> str:
    """Return a file with another version."""
    return VersionField(path=path, key=key).replace(content.encode(), version).decode()


@pytest.mark.parametrize(
    ("path", "key", "before"),
    [
        ("package.json", "version", '{\n\t"name": "web",\n\t"version": "1.2.3"\n}'),
        ("package.json", "/version", '{"dependencies": {"a": "1.2.3"}, "version":"1.2.3"}\r\n'),
        ("package.json", "$.version", '\ufeff{"version" : "1.2.3"}\n'),
        ("manifest.json", "browser.version", '{"version": 2, "browser": {"version": "1.2.3"}}'),
        ("a.json", "apps.1.version", '{"apps": [{"version": "0.9.0"}, {"version": "1.2.3"}]}'),
        ("a.json", "apps.web.version", '{"apps": [{"name": "api", "version": "0.1.2"}, {"name": "web", "version": "1.2.3"}]}'),
        ("composer.json", 'extra."web.app".version', '{"extra": {"web.app": {"version": "1.2.3"}}}'),
        ("pyproject.toml", "project.version", "# 1.2.3\n[project]\nversion = '1.2.3' # \"1.2.3\"\ndependencies = ['a==1.2.3']\n"),
        ("pyproject.toml", "tool.poetry.version", '[tool.poetry]\r\nname = "web"\r\nversion="1.2.3"\r\n'),
        ("pyproject.toml", "project.version", 'project = { name = "web", version = "1.2.3" }'),
        ("pyproject.toml", "project.version", 'project."version" = """1.2.3"""'),
        ("pyproject.toml", "project.version", 'project.version = """\n1.2.3"""'),
        ("Cargo.toml", "package.version", '[package]\nname = "web"\nversion = "1.2.3"\n\n[dependencies]\nserde = "1.2.3"\n'),
        ("Cargo.lock", "package.web.version", '[[package]]\nname = "a"\nversion = "0.9.0"\n\n[[package]]\nname = "web"\nversion = "1.2.3"\n'),
        ("Chart.yaml", "appVersion", "apiVersion: v2\nversion: 0.4.0\nappVersion: 1.2.3 # 1.2.3\n"),
        ("Chart.yaml", "appVersion", 'appVersion: "1.2.3"\n# the end'),
        ("Chart.yaml", "appVersion", "appVersion:   'v1.2.3'\r\nname: web\r\n"),
        ("kustomization.yaml", "images.web.newTag", "images:\n- name: db\n  newTag: 0.2.3\n- name: web\n  newTag: 1.2.3"),
        ("pubspec.yaml", "version", "name: web\nversion: 1.2.3+45\n"),
        ("values.yml", "image.tag", "image: {repository: web, tag: 1.2.3}\n---\nimage: {tag: 9.9.9}\n"),
        ("openapi.yaml", "info.version", "info:\n  version: &version 1.2.3\nx-version: *version\n"),
        ("setup.cfg", "metadata.version", "[metadata]\nname = web\nversion = 1.2.3\n[options]\nx = 1.2.3.4\n"),
        ("tox.ini", "tool:web.version", "[tool:web]\nversion: 1.2.3\n"),
        ("a.json", "version", '{"name": "kaizen0", "version": "1.2.3"}'),
        ("gradle.properties", "app.version", "# 1.2.3\nkotlin_version=1.2.3\napp.version=1.2.3\n"),
    ],
)  # fmt: skip
def test_only_the_value_of_the_key_changes(path: str, key: str, before: str) -> None:
    """Whatever else has the same text: comments, dependencies, other keys."""
    after = replaced(path, key, before)
    (place,) = VersionField(path=path, key=key).find(before.encode())

    assert after.encode() == before.encode()[: place.start] + b"1.3.0" + before.encode()[place.end :]
    assert replaced(path, key, after, Version.parse("1.2.3")) == before
    assert [each.text for each in VersionField(path=path, key=key).find(after.encode())] == ["1.3.0"]


def test_the_lock_file_of_npm_has_the_version_twice() -> None:
    before = '{"name": "web", "version": "1.2.3", "lockfileVersion": 3, "packages": {"": {"name": "web", "version": "1.2.3"}, "node_modules/a": {"version": "1.2.3"}}}'
    after = replaced("ui/package-lock.json", "version", before)

    assert after == before.replace('"version": "1.2.3"', '"version": "1.3.0"', 2)


def test_old_lock_files_of_npm_have_it_once() -> None:
    before = '{"version": "1.2.3", "lockfileVersion": 1, "dependencies": {"a": {"version": "1.2.3"}}}'

    assert replaced("npm-shrinkwrap.json", "version", before) == before.replace("1.2.3", "1.3.0", 1)


def test_the_last_of_two_equal_keys_is_the_one_that_counts() -> None:
    before = '{"version": "1.2.3", "version": "1.2.3"}'

    assert replaced("package.json", "version", before) == '{"version": "1.2.3", "version": "1.3.0"}'


@pytest.mark.parametrize(
    ("path", "key", "text"),
    [
        ("pyproject.toml", "project.version", "1.3.0rc1"),
        ("Cargo.toml", "project.version", "1.3.0-rc.1"),
    ],
)
def test_release_candidates_are_spelled_as_the_tools_of_the_file_do(path: str, key: str, text: str) -> None:
    field, before = VersionField(path=path, key=key), b'[project]\nversion = "1.2.3"\n'
    after = field.replace(before, CANDIDATE)

    assert after == before.replace(b"1.2.3", text.encode())
    assert all(field.has(CANDIDATE, place) for place in field.find(after))
    assert field.replace(after, NEW) == before.replace(b"1.2.3", b"1.3.0")


def test_a_spelling_that_is_configured_wins() -> None:
    field = VersionField(path="pyproject.toml", key="project.version", spelling="semver")

    assert field.replace(b'project.version = "1.2.3"', CANDIDATE) == b'project.version = "1.3.0-rc.1"'


@pytest.mark.parametrize(
    ("pattern", "before", "count"),
    [
        ("__version__ = '{version}'", "__version__ = '1.2.3'\n", 1),
        ("coach=={version}", "pip install coach==1.2.3, or coach==1.2.3.\n", 2),
        ("coach:{version}-slim", "image: coach:1.2.3-slim\nimage: other:1.2.3\n", 1),
        ("<artifactId>web</artifactId>\n  <version>{version}</version>",
         "<artifactId>web</artifactId>\r\n  <version>1.2.3</version>\r\n<version>4.0.0</version>", 1),
        ("project(web VERSION {version})", "project(web VERSION 1.2.3)", 1),
        ("{version}", "1.2.3", 1),
        ("v{version}", "\ufeffsee v1.2.3\n", 1),
        ("[app-{version}]", "[app-1.2.3] $^*", 1),
    ],
)  # fmt: skip
def test_a_pattern_is_plain_text_around_the_version(pattern: str, before: str, count: int) -> None:
    """Every place is replaced."""
    field = VersionField(path="README.md", pattern=pattern)

    assert [place.text for place in field.find(before.encode())] == ["1.2.3"] * count
    after = field.replace(before.encode(), CANDIDATE)
    assert [place.text for place in field.find(after)] == ["1.3.0-rc.1"] * count
    assert field.replace(after, Version.parse("1.2.3")) == before.encode()


def test_a_pattern_needs_no_encoding() -> None:
    field = VersionField(path="a.rc", pattern='"{version}"')

    assert field.replace(b'\xa9 2026 "1.2.3"', NEW) == b'\xa9 2026 "1.3.0"'


@pytest.mark.parametrize(
    ("field", "content", "words"),
    [
        (VersionField(path="package.json", key="verison"), b'{"version": "1.2.3"}', "has no verison; did you mean version"),
        (VersionField(path="pyproject.toml", key="version"), b'[project]\nversion = "1.2.3"', "has no version; did you mean project.version?"),
        (VersionField(path="package.json", key="version"), b'{"version": 1}', "version is no text"),
        (VersionField(path="package.json", key="version"), b'{"version": "1\\u002e2.3"}', "without escapes"),
        (VersionField(path="a.json", key="apps.web.version"), b'{"apps": [{"name": "api"}]}', "has no apps.web.version"),
        (VersionField(path="package.json", key="version"), b'// {"version": "1.2.3"}', "cannot be parsed"),
        (VersionField(path="Chart.yaml", key="version"), b"{{ version }}: [", "cannot be parsed"),
        (VersionField(path="setup.cfg", key="version"), b"version = 1.2.3", "cannot be parsed"),
        (VersionField(path="package.json", key="version"), b'{"\xff": "1.2.3"}', "is not UTF-8 at byte 2"),
        (VersionField(path="README.md", pattern="coach=={version}"), b"coach>=1.2.3", "has nothing like"),
    ],
)  # fmt: skip
def test_a_file_without_the_version_is_refused(field: VersionField, content: bytes, words: str) -> None:
    with pytest.raises(Refused) as error:
        field.find(content)
    assert words in f"{error.value.message} {error.value.hint}"


def test_a_candidate_that_python_cannot_spell_is_refused() -> None:
    field = VersionField(path="pyproject.toml", key="project.version")
    with pytest.raises(Refused, match="PEP 440 has no pre-release like"):
        field.replace(b'project.version = "1.2.3"', Version.parse("1.3.0-pr.5.1"))


TEXTS = st.one_of(st.just("1.2.3"), st.text(max_size=8).filter(str.isprintable))
DOCUMENTS = st.recursive(
    TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXTS.filter(bool), children, max_size=3),
    max_leaves=12,
)
WRITERS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "a.json": (lambda document: json.dumps(document, ensure_ascii=False, indent=1), json.loads),
    "a.yaml": (lambda document: yaml.safe_dump(document, allow_unicode=True), yaml.safe_load),
    "a.toml": (lambda document: "\n".join(f"{json.dumps(name, ensure_ascii=False)} = {_toml(value)}" for name, value in document.items()), tomllib.loads),
}  # fmt: skip


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(name, ensure_ascii=False)} = {_toml(item)}" for name, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(
    path=st.sampled_from(sorted(WRITERS)),
    document=st.dictionaries(TEXTS.filter(bool), DOCUMENTS, max_size=4),
    newline=st.sampled_from(["\n", "\r\n"]),
    bom=st.sampled_from(["", "\ufeff"]),
)
def test_any_document_changes_at_its_key_alone(path: str, document: dict[str, Any], newline: str, bom: str) -> None:
    """As its own parser sees it, and byte for byte."""
    write, parse = WRITERS[path]
    document = {**document, "app": {"version": "1.2.3"}}
    before = bom + write(document).replace("\n", newline)
    field = VersionField(path=path, key="app.version")
    after = field.replace(before.encode(), NEW).decode()

    assert parse(after.removeprefix(bom)) == {**document, "app": {"version": "1.3.0"}}
    assert field.replace(after.encode(), Version.parse("1.2.3")).decode() == before
