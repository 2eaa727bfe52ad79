"""No test sees the machine's own AWS or git configuration, or reaches beyond loopback."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from pytest_socket import socket_allow_hosts

from tests.support.engines import has_docker

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

LOOPBACK = ["127.0.0.1", "::1", "localhost"]


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Blank what a developer's machine would let in."""
    home: Path = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("AWS_", "GIT_", "INVOKE_", "KAIZEN_")) and not name.startswith("KAIZEN_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    """Refuse every socket that leaves this machine."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


def pytest_configure() -> None:
    """Heed Ctrl-C even where a shell has started us in the background and ignores it for us and our children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs an engine where there is none; in CI that is a failure."""
    if item.get_closest_marker("docker") is None or has_docker():
        return
    if "CI" in os.environ:
        pytest.fail("no Docker engine answers, and in CI that is not a reason to skip", pytrace=False)
    pytest.skip("no Docker engine answers")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail in CI for want of any other program: there it is installed, or the installation is broken."""
    report = yield
    if "CI" in os.environ and report.skipped and "is not installed" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}: in CI that is not a reason to skip"
    return report
