"""What a clone has is read as git sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.repository import GitRepository

if TYPE_CHECKING:
    from tests.support.git_repository import Repository


@pytest.mark.integration
def test_ignored_and_left_out_files_are_told_apart(repository: Repository) -> None:
    repository.commit({".gitignore": b"*.local.md\n", "notes/a.md": b"", "other/b.md": b""})
    repository.write({"notes/c.local.md": b"", "notes/d.md": b""})
    assert GitRepository(repository.path).ignored_files("notes") == ("notes/c.local.md",)

    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/notes")
    assert dict(GitRepository(repository.path).tracked_files("notes")) == {"notes/a.md": False}
