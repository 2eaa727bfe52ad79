"""What CI installs, as pip's requirements."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.init.ci.installation import Installation, requirement_files, schema_reference
from kaizen_tasks.errors import UsageError
from tests.domain.init.ci.samples import INSTALLATION


@pytest.mark.parametrize(
    ("installation", "requirement", "is_pinned"),
    [
        (INSTALLATION, f"kaizen-tasks @ git+{INSTALLATION.address}@{INSTALLATION.commit}", True),
        (evolve(INSTALLATION, commit=""), f"kaizen-tasks @ git+{INSTALLATION.address}@v1.2.3", False),
    ],
)
def test_a_commit_is_pinned_where_it_is_known(installation: Installation, requirement: str, *, is_pinned: bool) -> None:
    assert (installation.requirement, installation.is_pinned) == (requirement, is_pinned)


def test_a_version_that_is_not_pinned_says_how_to_pin_it() -> None:
    pinned, unpinned = (
        requirement_files(each, "ci", "kaizen init")["ci/kaizen.txt"]
        for each in (INSTALLATION, evolve(INSTALLATION, commit=""))
    )

    assert "git ls-remote" not in pinned
    assert f"git ls-remote {INSTALLATION.address} " in unpinned


@pytest.mark.parametrize(
    ("source", "address", "commit"),
    [
        ("https://git.example/a/b", "https://git.example/a/b", INSTALLATION.commit),
        ("https://git.example/a/b.git", "https://git.example/a/b", INSTALLATION.commit),
        (f"https://token@git.example/a/b@{'ab' * 20}", "https://git.example/a/b", "ab" * 20),
    ],
)
def test_a_person_says_where_these_tasks_are_found(source: str, address: str, commit: str) -> None:
    installation = evolve(INSTALLATION, address="").from_source(source)

    assert (installation.address, installation.commit) == (address, commit)


@pytest.mark.parametrize("source", ["kaizen-tasks", "../kaizen_tasks", "https://", "file:///srv/kaizen", "a b"])
def test_another_source_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="--kaizen-from: expected https://HOST/OWNER/REPOSITORY"):
        INSTALLATION.from_source(source)


def test_the_schema_is_that_of_the_version() -> None:
    """Editors read it at the commit, or beside the file where the address is unknown."""
    address = f"{INSTALLATION.address}/raw/{INSTALLATION.commit}/kaizen_tasks/kaizen.schema.json"

    assert schema_reference(INSTALLATION) == address
    assert schema_reference(evolve(INSTALLATION, commit="")).split("/")[-3] == "v1.2.3"
    assert schema_reference(evolve(INSTALLATION, address="")) == "./kaizen.schema.json"
