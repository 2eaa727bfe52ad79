"""What CI installs: the dependencies by the hashes of their files, and these tasks by commit or version."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve, frozen

from kaizen_tasks.domain.git.remote_url import web_url
from kaizen_tasks.errors import UsageError

DEPENDENCIES_FILE = "dependencies.txt"
TASKS_FILE = "kaizen.txt"
SOURCE_FLAG = "--kaizen-from"
SOURCE_FORM = "https://HOST/OWNER/REPOSITORY"
SOURCE = re.compile(r"(?P<address>https://\S+?)(?:@(?P<commit>[0-9a-f]{40}))?")


@frozen(kw_only=True)
class Installation:
    """The copy of these tasks that runs, which CI is to install too.

    Attributes:
        version: its version.
        address: https address of its git repository; empty when unknown.
        commit: the commit that it was built from; empty when unknown.
        dependencies: what it needs, as a requirements file with hashes.
        notify_dependencies: the same with Apprise, which targets of `format = "apprise"` need.
    """

    version: str
    address: str = ""
    commit: str = ""
    dependencies: str = ""
    notify_dependencies: str = ""

    @property
    def requirement(self) -> str:
        """The requirement of these tasks, for pip: a commit of the repository, else the tag of the version.

        It is never a name on an index, which whoever registers it there could fill with other code.
        """
        return f"kaizen-tasks @ git+{self.address}@{self.commit or f'v{self.version}'}"

    @property
    def is_pinned(self) -> bool:
        """Whether the requirement can only ever mean the same files."""
        return bool(self.address and self.commit)

    def with_apprise(self) -> Installation:
        """Return this copy with Apprise among its dependencies."""
        return evolve(self, dependencies=self.notify_dependencies)

    def from_source(self, source: str) -> Installation:
        """Return this copy as it is found in a repository, if need be at a commit: `https://HOST/OWNER/REPOSITORY@COMMIT`.

        Raises:
            UsageError: the source has another form.
        """
        match = SOURCE.fullmatch(source.strip())
        address = web_url(match["address"]) if match else ""
        if match is None or not address:
            form = f"{SOURCE_FORM}, or that with @COMMIT"
            raise UsageError(
                f"{SOURCE_FLAG}: expected {form}", hint=f"kaizen init --ci github {SOURCE_FLAG} {SOURCE_FORM}"
            )
        return evolve(self, address=address, commit=match["commit"] or self.commit)


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
    source = "" if installation.is_pinned else UNPINNED_NOTE.replace("ADDRESS", installation.address)
    tasks = (
        f"# kaizen_tasks {installation.version}, written by `{command}`.\n{renewal}{source}{installation.requirement}\n"
    )
    dependencies = (
        f"# What kaizen_tasks {installation.version} needs, pinned by hash; written by `{command}`.\n"
        f"{renewal}{installation.dependencies}"
    )
    return {f"{folder}/{DEPENDENCIES_FILE}": dependencies, f"{folder}/{TASKS_FILE}": tasks}


UNPINNED_NOTE = """\
# This copy does not know its commit. To pin it by hash, write in place of the last line:
# kaizen-tasks @ git+ADDRESS@COMMIT
# The commit is what `git ls-remote ADDRESS 'v*^{}'` prints for the tag of the version.
"""


def install_commands(folder: str) -> tuple[str, ...]:
    """Return the commands that install the tasks: the second one builds with what the first has installed."""
    pip = "python -m pip install --quiet"
    return (
        f"{pip} --require-hashes --requirement {folder}/{DEPENDENCIES_FILE}",
        f"{pip} --no-deps --no-build-isolation --requirement {folder}/{TASKS_FILE}",
    )
