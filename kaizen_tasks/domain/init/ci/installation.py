"""What CI installs: the dependencies by the hashes of their files, and these tasks by commit or version."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

DEPENDENCIES_FILE = "dependencies.txt"
TASKS_FILE = "kaizen.txt"


@frozen(kw_only=True)
class Installation:
    """The copy of these tasks that runs, which CI is to install too.

    Attributes:
        version: its version.
        address: https address of its git repository; empty when unknown.
        commit: the commit that it was built from; empty when unknown.
        dependencies: what it needs, as a requirements file with hashes.
    """

    version: str
    address: str = ""
    commit: str = ""
    dependencies: str = ""

    @property
    def requirement(self) -> str:
        """The requirement of these tasks, for pip: a commit of the repository, else a version on an index."""
        if self.address and self.commit:
            return f"kaizen-tasks @ git+{self.address}@{self.commit}"
        if self.address:
            return f"kaizen-tasks @ git+{self.address}@v{self.version}"
        return f"kaizen-tasks=={self.version}"

    @property
    def is_pinned(self) -> bool:
        """Whether the requirement can only ever mean the same files."""
        return bool(self.address and self.commit)


SCHEMA_FILE = "kaizen.schema.json"


def schema_reference(installation: Installation) -> str:
    """Return where editors find the JSON Schema of `kaizen.toml`: in the repository, or beside the file."""
    if not installation.address:
        return f"./{SCHEMA_FILE}"
    return f"{installation.address}/raw/{installation.commit or f'v{installation.version}'}/kaizen_tasks/{SCHEMA_FILE}"


def requirement_files(installation: Installation, folder: str, command: str) -> Mapping[str, str]:
    """Return the files that CI installs from, by path.

    There are two, because pip takes no hashes in the same file as a commit.

    Args:
        installation: what is installed.
        folder: the folder of the files.
        command: the command that writes them.
    """
    renewal = f"# To renew both files: upgrade kaizen_tasks, delete {folder}, and run {command}.\n"
    source = "" if installation.is_pinned else UNPINNED_NOTE.replace("COMMIT", installation.commit or "COMMIT")
    tasks = (
        f"# kaizen_tasks {installation.version}, written by `{command}`.\n{renewal}{source}{installation.requirement}\n"
    )
    dependencies = (
        f"# What kaizen_tasks {installation.version} needs, pinned by hash; written by `{command}`.\n"
        f"{renewal}{installation.dependencies}"
    )
    return {f"{folder}/{DEPENDENCIES_FILE}": dependencies, f"{folder}/{TASKS_FILE}": tasks}


UNPINNED_NOTE = """\
# This copy does not know its repository or its commit. To pin it by hash, write in place of the last line:
# kaizen-tasks @ git+https://HOST/OWNER/REPOSITORY@COMMIT
# The commit is what `git ls-remote https://HOST/OWNER/REPOSITORY 'v*^{}'` prints for the tag of the version.
"""


def install_commands(folder: str) -> tuple[str, ...]:
    """Return the commands that install the tasks: the second one builds with what the first has installed."""
    pip = "python -m pip install --quiet"
    return (
        f"{pip} --require-hashes --requirement {folder}/{DEPENDENCIES_FILE}",
        f"{pip} --no-deps --no-build-isolation --requirement {folder}/{TASKS_FILE}",
    )
