"""Git repositories of a library before its next patch release, with a configuration for every contestant."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Hides the user's git configuration: a signing key or a template would be measured too.
ENVIRON = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Carl Committer",
    "GIT_COMMITTER_EMAIL": "carl@example.com",
}
NEXT = "1.0.1"
SIGNATURE = "Ada Author <ada@example.com> 1767225600 +0000"
CHANGELOG = """\
# Changelog

## [Unreleased]

### Fixed

- A crash on an empty file

<!-- version list -->
"""
SECTION = """
## [{version}] - 2026-01-01

### Added

- Something that people had asked for
"""
CONFIGURATIONS = {
    "tasks.py": """\
from kaizen_tasks import namespace

__all__ = ["namespace"]
""",
    "kaizen.toml": """\
app = "library"
""",
    ".bumpversion.toml": """\
[tool.bumpversion]
current_version = "1.0.0"
commit = true
tag = true
message = "Release v{new_version}"

[[tool.bumpversion.files]]
filename = "VERSION"

[[tool.bumpversion.files]]
filename = "CHANGELOG.md"
search = "## [Unreleased]"
replace = "## [Unreleased]\\n\\n## [{new_version}] - {now:%Y-%m-%d}"
""",
    ".cz.toml": """\
[tool.commitizen]
name = "cz_conventional_commits"
version = "1.0.0"
version_files = ["VERSION"]
tag_format = "v$version"
annotated_tag = true
update_changelog_on_bump = true
changelog_incremental = true
""",
    "releaserc.toml": """\
[semantic_release]
version_variables = ["VERSION:*:nf"]
commit_message = "Release v{version}"
tag_format = "v{version}"

[semantic_release.changelog]
mode = "update"

[semantic_release.changelog.default_templates]
changelog_file = "CHANGELOG.md"
""",
}


CONFIGURED = {
    "kaizen.toml": """\
app = "library"

[changelog]
fragments = "changelog.d"

[[version_files]]
path = "package.json"
key = "version"
""",
    ".bumpversion.toml": f"""{CONFIGURATIONS[".bumpversion.toml"]}
[[tool.bumpversion.files]]
filename = "package.json"
""",
    ".cz.toml": CONFIGURATIONS[".cz.toml"].replace('["VERSION"]', '["VERSION", "package.json:version"]'),
    "releaserc.toml": CONFIGURATIONS["releaserc.toml"].replace('nf"]', 'nf", "package.json:version"]'),
    "package.json": '{\n  "name": "library",\n  "version": "1.0.0"\n}\n',
    "changelog.d/README.md": "Each change in a file of its own.\n",
    "changelog.d/12.fixed.md": "An empty line at the end of a file is kept.\n",
    "changelog.d/+1a2b3c.fixed.md": "- Two spaces at the end of a line\n  are kept too.\n",
}
"""Files of a library that notes changes in fragments, and whose version is in one more file."""


def make(folder: Path, *, commits: int, tags: int, files: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write a repository whose last release is 1.0.0, with one fix since.

    Args:
        folder: does not exist yet.
        commits: in its history.
        tags: releases in it, evenly spread; the changelog has a section for each.
        files: files of the last commit, by path, beside those that every contestant needs.
    """
    folder.mkdir()
    _git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    _git(folder, "fast-import", "--quiet", stdin="".join(_history(commits, tags, files)))
    _git(folder, "pack-refs", "--all")
    _git(folder, "remote", "add", "origin", "https://github.com/example/library.git")
    _git(folder, "reset", "--quiet", "--hard")


def copies(folder: Path, count: int) -> tuple[Path, ...]:
    """Return identical copies of a repository."""
    return tuple(shutil.copytree(folder, folder.with_name(f"{folder.name}-{number}")) for number in range(count))


def require_release(folder: Path) -> None:
    """Check that a contestant did the whole job; otherwise its time means nothing.

    Raises:
        RuntimeError: version, changelog, commit and tag are not all those of the next release.
    """
    package = folder / "package.json"
    if package.exists() and (NEXT not in package.read_text() or _git(folder, "status", "--porcelain", package.name)):
        raise RuntimeError(f"{package} is not released as {NEXT}")
    version = _git(folder, "show", f"v{NEXT}:VERSION").strip()
    head, tagged = _git(folder, "rev-parse", "HEAD", f"v{NEXT}^{{commit}}").split()
    if version != NEXT or head != tagged or NEXT not in _git(folder, "show", "HEAD:CHANGELOG.md"):
        raise RuntimeError(f"{folder} is not released as {NEXT}")


def _history(commits: int, tags: int, files: Mapping[str, str]) -> Iterator[str]:
    """Write the stream of `git fast-import`: https://git-scm.com/docs/git-fast-import."""
    versions = [*(f"0.{number}.0" for number in range(1, tags)), "1.0.0"]
    version_by_commit = {(position + 1) * (commits - 1) // tags: version for position, version in enumerate(versions)}
    released: list[str] = []
    for number in range(1, commits):
        version = version_by_commit.get(number, "")
        yield _commit(f"feat: change {number}", {"VERSION": f"{version}\n", "module.py": f"{number}\n"})
        if version:
            released.append(version)
            yield f"tag v{version}\nfrom refs/heads/main\ntagger {SIGNATURE}\n{_data(version)}"
    sections = "".join(SECTION.format(version=version) for version in reversed(released))
    last = {"VERSION": "1.0.0\n", "CHANGELOG.md": CHANGELOG + sections, **CONFIGURATIONS, **files}
    yield _commit("fix: a crash on an empty file", last)


def _commit(message: str, files: dict[str, str]) -> str:
    changes = "".join(f"M 100644 inline {name}\n{_data(content)}" for name, content in files.items())
    return f"commit refs/heads/main\ncommitter {SIGNATURE}\n{_data(message)}{changes}\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    environ = {**os.environ, **ENVIRON}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environ, input=stdin, capture_output=True, text=True, check=True
    ).stdout
