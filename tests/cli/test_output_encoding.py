"""What is printed where the encoding of stdout lacks characters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli import json_output, stopped
from tests.support import cli_app
from tests.support.git_repository import Repository
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *, errors: str = "strict") -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
    monkeypatch.setattr(sys, "stdout", stream)
    stopped.replace_unencodable_output()
    return stream


def written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


@pytest.mark.parametrize(
    ("encoding", "errors", "expected"),
    [
        ("ascii", "strict", b"na?ve ? 1.2.4"),
        ("ascii", "surrogateescape", b"na?ve ? 1.2.4"),
        ("latin-1", "strict", b"na\xefve ? 1.2.4"),
        ("cp1252", "strict", b"na\xefve ? 1.2.4"),
        ("ascii", "backslashreplace", b"na\\xefve \\u2192 1.2.4"),
        ("utf-8", "strict", "naïve → 1.2.4".encode()),
    ],
)
def test_characters_that_an_encoding_lacks_are_replaced(
    monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str, expected: bytes
) -> None:
    stream = printed(monkeypatch, encoding, errors=errors)
    stream.write("naïve → 1.2.4")

    assert written(stream) == expected


def test_an_output_that_is_no_file_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    stopped.replace_unencodable_output()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_the_same_document_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    document = {"what": "naïve → 日本 👩\u200d🚀"}
    stream = printed(monkeypatch, encoding)
    json_output.print_json(document)

    assert json.loads(written(stream).decode(encoding)) == document


def run_in_ascii(*arguments: str) -> None:
    """Run `kaizen …` in the working directory, in a locale that has no encoding but ASCII."""
    environ = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-m", "kaizen_tasks", *arguments], env=environ, check=True, timeout=HANG_SECONDS)


@pytest.mark.integration
def test_a_locale_without_an_encoding_changes_no_name_and_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"GIT_COMMITTER_NAME": "Jörg", "GIT_COMMITTER_EMAIL": "j@example.com"}
    configuration = '[release]\nsignoff = true\nmessage = "Release {tag}\\n\\n{notes}"\n'
    cli_app.make(tmp_path, cli_app.ALONE + configuration, environ, monkeypatch)
    repository = Repository(tmp_path, tmp_path)
    run_in_ascii("changelog.add", "--type", "fixed", "--text", "naïve → 日本")
    repository.git("commit", "--all", "--quiet", "--message", "Note")
    run_in_ascii("cut", "--part", "patch")

    assert "- naïve → 日本\n\nSigned-off-by: Jörg <j@example.com>" in repository.git("log", "-1", "--format=%B")
    assert "tagger Jörg <j@example.com>" in repository.git("cat-file", "-p", "v0.1.1")
