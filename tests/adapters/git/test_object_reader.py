"""Objects through one open git process."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git import object_reader
from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.errors import Refused
from tests.support.waiting import wait_for
from tests.support.workspaces import processes_mentioning

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.adapters.git.object_reader import ObjectReader
    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration


@pytest.fixture
def git(repository: Repository) -> Git:
    return Git(repository.path)


@pytest.fixture
def reader(git: Git) -> ObjectReader:
    return git.objects


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the processes that were started, to which each new one is added."""
    children: list[subprocess.Popen[bytes]] = []
    start = Git.start

    def start_and_note(git: Git, *arguments: str) -> subprocess.Popen[bytes]:
        children.append(start(git, *arguments))
        return children[-1]

    monkeypatch.setattr(Git, "start", start_and_note)
    return children


def test_finds_and_reads_objects_by_name(reader: ObjectReader, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")

    assert reader.find("HEAD") == (head, "commit", b"")
    assert reader.find(f"{head[:8]}^{{tree}}") == (repository.git("rev-parse", "HEAD^{tree}"), "tree", b"")
    assert reader.read("HEAD:VERSION", "blob") == repository.git_bytes("cat-file", "blob", "HEAD:VERSION")


@pytest.mark.parametrize("name", ["", "no-such-ref", "f" * 40, "HEAD:no such file", "HEAD 7", "HEAD:a\nb", "HEAD\n"])
def test_finds_nothing_under_other_names(reader: ObjectReader, name: str) -> None:
    assert reader.find(name) is None
    assert reader.read(name, "blob") is None
    assert reader.read("HEAD:VERSION", "tree") is None
    assert reader.find("HEAD") is not None


def test_finds_what_is_written_later(
    reader: ObjectReader, repository: Repository, started: list[subprocess.Popen[bytes]]
) -> None:
    first = reader.find("HEAD")
    assert reader.find("v9.9.9^{commit}") is None

    commit = repository.commit({"VERSION": b"9.9.9\n"})
    repository.git("tag", "--annotate", "--message", "x", "v9.9.9")
    repository.git("repack", "-a", "-d", "--quiet")
    repository.git("pack-refs", "--all")

    assert reader.find("v9.9.9^{commit}") == reader.find("HEAD") == (commit, "commit", b"")
    assert reader.read(f"{commit}:VERSION", "blob") == b"9.9.9\n"
    assert reader.find(f"{commit}^") == first
    assert len(started) == 1


def test_starts_git_again_when_it_was_killed(
    reader: ObjectReader, repository: Repository, started: list[subprocess.Popen[bytes]]
) -> None:
    reader.find("HEAD")
    started[0].send_signal(signal.SIGINT)  # as Ctrl-C does to every process in the terminal
    started[0].wait()

    head = repository.git("rev-parse", "HEAD")
    assert [reader.find("HEAD"), reader.find("HEAD")] == [(head, "commit", b"")] * 2
    assert len(started) == 2


def test_an_interrupted_answer_is_not_taken_for_the_next_one(
    reader: ObjectReader, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    content = reader.read("HEAD:CHANGELOG.md", "blob")

    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(object_reader, "_read_answer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            reader.read("HEAD:VERSION", "blob")

    assert started[0].returncode is not None
    assert reader.read("HEAD:CHANGELOG.md", "blob") == content
    assert len(started) == 2


def test_threads_get_their_own_answers(
    reader: ObjectReader, repository: Repository, started: list[subprocess.Popen[bytes]]
) -> None:
    files = {f"file-{number}": f"{number}\n".encode() * number for number in range(50)}
    repository.commit(files)

    with ThreadPoolExecutor(8) as pool:
        contents = pool.map(lambda name: reader.read(f"HEAD:{name}", "blob"), files)

    assert list(contents) == list(files.values())
    assert len(started) == 1


def test_git_ends_with_the_repository_that_uses_it(
    repository: Repository, started: list[subprocess.Popen[bytes]]
) -> None:
    git = Git(repository.path)
    git.objects.find("HEAD")
    del git
    gc.collect()

    assert started[0].returncode is not None


def test_a_fork_leaves_git_to_its_parent(
    reader: ObjectReader, repository: Repository, started: list[subprocess.Popen[bytes]]
) -> None:
    reader.find("HEAD")
    head = repository.git("rev-parse", "HEAD")
    child = os.fork()
    if not child:
        found = reader.find("HEAD")
        reader._end()
        os._exit(0 if found and found.name == head and len(started) == 2 else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert reader.find("HEAD") == (head, "commit", b"")
    assert len(started) == 1


def test_git_ends_with_a_process_that_is_killed(repository: Repository, tmp_path: Path) -> None:
    clone = shutil.copytree(repository.path, tmp_path / "killed")
    program = (
        "import os, sys; from pathlib import Path; from kaizen_tasks.adapters.git.command import Git\n"
        "git = Git(Path(sys.argv[1])); git.objects.find('HEAD'); os.kill(os.getpid(), 9)"
    )
    subprocess.run(["python", "-c", program, str(clone)], check=False)

    wait_for(lambda: not processes_mentioning(clone))


def test_says_why_git_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is not in a git working tree"):
        Git(tmp_path).objects.find("HEAD")
