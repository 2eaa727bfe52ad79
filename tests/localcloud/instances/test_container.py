"""Where containers reach this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.instances.container import bridge_gateway

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture
def name_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file with the answer of a `docker` that stands in for one that names addresses in its own way."""
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "answer"


@pytest.mark.parametrize(
    ("answer", "address"),
    [("172.17.0.1", "172.17.0.1"), ("172.26.0.5", "172.26.0.5"), ("172.17.0.0/16", "172.17.0.1")],
)
def test_gateway_is_the_named_one_or_the_first_of_the_subnet(name_network: Path, answer: str, address: str) -> None:
    """An engine in its first run names the subnet alone."""
    name_network.write_text(f"{answer}\n")

    assert bridge_gateway() == address


@pytest.mark.parametrize("answer", ["", "<no value>"])
def test_engine_without_an_address_is_never_taken_for_all_addresses(name_network: Path, answer: str) -> None:
    """An empty address would open the local cloud to the network."""
    name_network.write_text(f"{answer}\n")

    with pytest.raises(OSError, match="has no address"):
        bridge_gateway()
