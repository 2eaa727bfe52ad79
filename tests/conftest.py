"""Isolates every test from this machine, and unit tests from processes and sockets as well."""

from __future__ import annotations

import functools
import itertools
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, socket_allow_hosts

from kaizen_tasks.adapters.host.ci_run import IMITATIONS, SERVICES
from kaizen_tasks.adapters.host.job_page import PAGE_VARIABLES
from tests.support.engines import has_docker
from tests.support.failure_list import record_failure
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import NoReturn

    from tests.crash.campaign import RolloutCases
    from tests.crash.cloud_fork_server import CloudForkServer

NUMBERS = itertools.count()
SHARED_CLOUD = pytest.StashKey[Cloud]()
WITH_ROLLOUT_RUNS = ("tests/crash/test_killed_", "tests/crash/test_concurrent_", "tests/e2e/test_faults.py")
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
E2E_MARKS = "docker or e2e"
E2E_MARK = re.compile(r"\bmark\.(docker|e2e)\b")
LARGER_TESTS = ("integration", "e2e", "docker")
"""Markers of the tests that may start processes and open sockets; all others are unit tests."""

# Hypothesis measures examples in wall time, which fails on a busy machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
UNTIMED = settings.get_profile("untimed")
settings.register_profile("dev", UNTIMED, max_examples=25, derandomize=True)
settings.register_profile("ci", UNTIMED, max_examples=200, derandomize=True)
settings.register_profile("nightly", UNTIMED, max_examples=2000)
settings.load_profile(os.environ.get("KAIZEN_TEST_PROFILE", "dev"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hide the machine's own AWS, git, Invoke and network configuration."""
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(NUMBERS))  # `mktemp` would look at all the others
    home.mkdir(parents=True)
    for name in filter(_is_own_setting, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


CI_VARIABLES = {name for service in (*IMITATIONS, *SERVICES) for name in (service.marker, *service.actors)}


def _is_own_setting(name: str) -> bool:
    if name.startswith(("AWS_", "GIT_", "INVOKE_", "KAIZEN_")):
        return not name.startswith("KAIZEN_TEST_")
    if name.startswith(("CI_", "GH_", "GITHUB_", "GITLAB_")):
        return True
    return name.lower().endswith("_proxy") or name in CI_VARIABLES | {
        *PAGE_VARIABLES,
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    }


@pytest.fixture(autouse=True)
def _restrict_effects(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse sockets that leave this machine, and in unit tests every socket and every process."""
    if _is_unit(request.node):
        disable_socket()
        monkeypatch.setattr(subprocess.Popen, "_execute_child", _refuse_process)
        for name in ("fork", "posix_spawn", "system"):
            monkeypatch.setattr(os, name, _refuse_process)
    else:
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


def _refuse_process(*_: object, **__: object) -> NoReturn:
    pytest.fail("a unit test starts a process: mark it with pytest.mark.integration")


def _is_unit(item: pytest.Item) -> bool:
    return not any(item.get_closest_marker(name) for name in LARGER_TESTS)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Cloud]:
    """Run one local cloud for all tests of this worker, which choose names that no other module has."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        pytestconfig.stash[SHARED_CLOUD] = running
        yield running
        del pytestconfig.stash[SHARED_CLOUD]


@pytest.fixture(scope="session")
def fork_server() -> Iterator[CloudForkServer]:
    """Return what starts a local cloud in milliseconds."""
    from tests.crash.cloud_fork_server import CloudForkServer

    with CloudForkServer() as fork_server:
        yield fork_server


@pytest.fixture(scope="session")
def rollout_runs(fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory) -> RolloutCases:
    """Return the rollouts that are killed and disturbed, each with the state before it."""
    from tests.crash.campaign import RolloutCases

    return RolloutCases(folder=tmp_path_factory.mktemp("rollout_runs"), fork_server=fork_server)


@pytest.fixture(scope="module", autouse=True)
def _reset_cloud(pytestconfig: pytest.Config) -> Iterator[None]:
    """Leave no injected fault and no account setting to the next module."""
    yield
    if shared := pytestconfig.stash.get(SHARED_CLOUD, None):
        shared.reset()


def pytest_configure() -> None:
    """React to signals even where a shell (SIGINT, in the background) or `nohup` (SIGHUP) has them ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Run the tests of a file in one worker, and all that use `rollout_runs`, since preparing them takes long."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return "rollout_runs" if nodeid.startswith(WITH_ROLLOUT_RUNS) else super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules without a test for `nox -s e2e`, since importing a thousand others takes seconds."""
    is_module = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_module and config.option.markexpr == E2E_MARKS and not _names_e2e_mark(collection_path) else None


@functools.cache
def _names_e2e_mark(module: Path) -> bool:
    return E2E_MARK.search(module.read_text(encoding="utf-8")) is not None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that talk to a local cloud, and those that are unit tests, for `-m unit`."""
    if any(map(item.get_closest_marker, ("e2e", "docker"))) and not _names_e2e_mark(item.path):
        raise pytest.UsageError(f"{item.path}: write `pytest.mark.e2e` or `pytest.mark.docker` in the module itself")
    if "cloud" in getattr(item, "fixturenames", ()):
        item.add_marker("integration")
    if _is_unit(item):
        item.add_marker("unit")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a Docker engine where there is none; in CI, fail them."""
    if item.get_closest_marker("docker") is None or has_docker():
        return
    if "CI" in os.environ:
        pytest.fail("no Docker engine answers, and in CI that is not a reason to skip", pytrace=False)
    pytest.skip("no Docker engine answers")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI on Linux, fail tests that are skipped because a program is missing: `.ci/run` installs all of them."""
    report = yield
    if "CI" in os.environ and sys.platform == "linux" and report.skipped and "is not installed" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}: in CI that is not a reason to skip"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record a failure for the list with which `.ci/run` ends."""
    record_failure(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Record a module that cannot be imported."""
    record_failure(report)
