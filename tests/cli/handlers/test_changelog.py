"""`changelog.*`, as a developer types it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host import process
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Weekly plans

## [0.2.0] - 2026-11-02

### Fixed

- A [typo](docs/typos.md)

## [0.1.0] - 2026-11-01

### Added

- Everything
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Make a repository with a version, a changelog and nothing else."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    (tmp_path / "VERSION").write_text("0.3.0\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        assert process.run(("git", *words), cwd=tmp_path).ok
    return tmp_path


def kaizen(app: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    return subprocess.run(
        [sys.executable, "-m", "kaizen_tasks", *words],
        cwd=app,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=HANG_SECONDS,
    )


def read(app: Path) -> str:
    """Return the changelog as it is now."""
    return (app / "CHANGELOG.md").read_text()


def test_adds_an_entry_and_touches_nothing_else(app: Path) -> None:
    """Under its heading, which is made where it is missing."""
    said = kaizen(app, "changelog.add", "--type", "fixed", "--text", "A crash at midnight")

    assert (said.returncode, said.stdout) == (0, "added to [Unreleased]: A crash at midnight\n")
    assert "- Weekly plans\n\n### Fixed\n\n- A crash at midnight\n" in read(app)
    assert read(app).partition("## [0.2.0]")[2] == CHANGELOG.partition("## [0.2.0]")[2]


def test_begins_a_changelog_with_its_first_entry(app: Path) -> None:
    """A new app has none."""
    (app / "CHANGELOG.md").unlink()

    assert kaizen(app, "changelog.add", "--type", "added", "--text", "Everything").returncode == 0
    assert "## [Unreleased]\n\n### Added\n\n- Everything\n" in read(app)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--text", "A crash"], "an entry needs --type and --text"),
        (["--type", "fixed"], "an entry needs --type and --text"),
        (["--type", "fixed", "--text", "  "], "an entry needs --type and --text"),
        (["--type", "fxied", "--text", "A crash"], "fxied"),
    ],
)
def test_refuses_an_entry_that_says_too_little(app: Path, words: list[str], told: str) -> None:
    """The file stays as it is."""
    said = kaizen(app, "changelog.add", *words)

    assert said.returncode == 2
    assert told in said.stderr
    assert read(app) == CHANGELOG


def test_a_dry_run_says_what_it_would_do(app: Path) -> None:
    """And does not do it."""
    added = kaizen(app, "--dry", "changelog.add", "--type", "fixed", "--text", "A crash")
    cut = kaizen(app, "--dry", "changelog.release")

    assert added.stdout == "would add to [Unreleased]: A crash\nnothing was changed; run it without --dry\n"
    assert "would" in cut.stdout
    assert read(app) == CHANGELOG


def test_plain_changelog_cuts_the_section_of_the_version(app: Path) -> None:
    """And says that it is done the second time."""
    first, second = kaizen(app, "changelog"), kaizen(app, "changelog.release")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "already done" in second.stdout
    assert read(app).count("## [0.3.0] - ") == 1


def test_checks_and_says_so_when_all_is_well(app: Path) -> None:
    """Exit code 0 is for CI."""
    (app / "VERSION").write_text("0.2.0\n")

    said = kaizen(app, "changelog.check", "--json")

    assert (said.returncode, json.loads(said.stdout)) == (0, [])
    assert said.stderr == "CHANGELOG.md has no problems\n"


def test_every_problem_is_a_line_that_editors_understand(app: Path) -> None:
    """A problem has file, line, column, rule, message and fix."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace("### Fixed", "### Fixd"))
    line = CHANGELOG[: CHANGELOG.index("### Fixed")].count("\n") + 1

    plain, document = kaizen(app, "changelog.check"), kaizen(app, "changelog.check", "--json")

    assert (plain.returncode, document.returncode) == (3, 3)
    (problem,) = [each for each in json.loads(document.stdout) if each["line"] == line]
    place = f"CHANGELOG.md:{line}:{problem['column']}"
    words = f"{problem['severity']}: {problem['rule']} {problem['what']}, {problem['fix']}"
    assert f"{place}: {words}\n" in plain.stdout
    assert plain.stderr.startswith("error: CHANGELOG.md has 1 problem: 1 error\n")


def test_the_summary_names_the_files_with_problems(app: Path) -> None:
    """And not the changelog, if it has none."""
    (app / "VERSION").write_text("0.2.0\n")
    (app / "package.json").write_text('{"version": "0.1.9"}')
    (app / "kaizen.toml").write_text('app = "web"\n[[version_files]]\npath = "package.json"\nkey = "version"\n')

    assert kaizen(app, "changelog.check").stderr.startswith("error: package.json has 1 problem: 1 error\n")


def test_only_errors_are_a_failure(app: Path) -> None:
    """A heading of one's own in a release is a warning, until it is configured as an error."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace("### Fixed", "### Documentation"))
    (app / "VERSION").write_text("0.2.0\n")
    lenient = kaizen(app, "changelog.check")
    (app / "kaizen.toml").write_text('app = "web"\n[changelog.rules]\ntype-unknown = "error"\n')
    strict = kaizen(app, "changelog.check", "--sarif")

    assert (lenient.returncode, lenient.stdout.splitlines()[-1]) == (0, "CHANGELOG.md has 1 problem: 1 warning")
    assert (strict.returncode, json.loads(strict.stdout)["runs"][0]["results"][0]["level"]) == (3, "error")


def test_shows_one_section_in_every_format(app: Path) -> None:
    """The newest one, unless another is named."""
    newest, named = kaizen(app, "changelog.show"), kaizen(app, "changelog.show", "-r", "v0.1.0")
    page = kaizen(app, "changelog.show", "--format", "html", "--base-url", "https://example.com/")
    document = kaizen(app, "changelog.show", "--format", "json")

    assert "A [typo]" in newest.stdout
    assert "Everything" not in newest.stdout
    assert "Everything" in named.stdout
    assert 'href="https://example.com/docs/typos.md"' in page.stdout
    assert json.loads(document.stdout)["version"] == "0.2.0"


def test_shows_a_page_of_its_own(app: Path) -> None:
    """With the name of the app, and what `html` shows."""
    fragment = kaizen(app, "changelog.show", "--since", "v0.0.1", "--format", "html").stdout
    page = kaizen(app, "changelog.show", "--since", "v0.0.1", "--format", "page").stdout

    assert page.startswith("<!doctype html>\n")
    assert fragment in page
    assert '<p class="eyebrow">web</p>' in page


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("### Fixed", "### Fixd", "fix what can be fixed automatically: inv changelog.check --fix"),
        ("2026-11-02", "2026-13-02", "edit CHANGELOG.md: this cannot be fixed automatically"),
        ("# Changelog", "<!-- never closed", "edit CHANGELOG.md: this cannot be fixed automatically"),
    ],
    ids=("a spelling", "a judgement", "no changelog at all"),
)
def test_offers_to_mend_only_what_it_can(app: Path, before: str, after: str, hint: str) -> None:
    """Somebody who types the last line of an error wants it to help."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace(before, after))

    said = kaizen(app, "changelog.check")

    assert (said.returncode, said.stderr.splitlines()[-1]) == (3, hint)


def test_shows_everything_since_a_release(app: Path) -> None:
    """Without that release itself."""
    kaizen(app, "changelog.release")

    said = kaizen(app, "changelog.show", "--since", "v0.1.0", "--format", "json")

    assert [section["version"] for section in json.loads(said.stdout)] == ["0.3.0", "0.2.0"]


def test_what_came_since_a_release_is_a_list_however_much_it_is(app: Path) -> None:
    """A program need not look at the shape first."""
    said = kaizen(app, "changelog.show", "--since", "v0.1.0", "--format", "json")

    assert isinstance(json.loads(said.stdout), list)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-r", "9.9.9"], 3, "CHANGELOG.md has no section for 9.9.9\nthe newest are 0.2.0, 0.1.0"),
        (["-r", "nine"], 2, "--release: 'nine' is not a version"),
        (["--format", "pdf"], 2, "--format pdf: no such format\nchoose one of md, json, html, page"),
    ],
)
def test_says_what_it_cannot_show(app: Path, words: list[str], code: int, told: str) -> None:
    """And what there is instead; stdout stays empty."""
    said = kaizen(app, "changelog.show", *words)

    assert (said.returncode, said.stdout) == (code, "")
    assert told in said.stderr


def test_fragments_are_noted_shown_checked_and_released(app: Path) -> None:
    """The release commit of a real repository deletes them."""
    (app / "kaizen.toml").write_text('app = "web"\n\n[changelog]\nfragments = "changelog.d"\n')
    for words in (["--type", "fixed", "--name", "17"], ["--type", "fixed", "--breaking", "--name", "17"]):
        assert kaizen(app, "changelog.add", "--text", "A crash", *words).returncode == 0
    (app / "changelog.d" / "18.bugfix.md").write_text("A typo\n")

    shown = json.loads(kaizen(app, "changelog.check", "--json").stdout)
    assert [problem["file"] for problem in shown if problem["severity"] == "error"] == ["changelog.d/18.bugfix.md"]
    (app / "changelog.d" / "18.bugfix.md").unlink()
    document = json.loads(kaizen(app, "changelog.show", "--unreleased", "--format", "json").stdout)
    places = [(entry["file"], entry["line"]) for group in document["groups"] for entry in group["entries"]]
    assert places == [("CHANGELOG.md", 7), ("changelog.d/17.fixed.md", 1), ("changelog.d/17.fixed.1.md", 1)]

    refused = kaizen(app, "cut")
    assert (refused.returncode, "changelog.d/17.fixed.1.md, changelog.d/17.fixed.md: not in git" in refused.stderr) == (
        3,
        True,
    )
    for words in (
        *(["config", "user.name", "a"], ["config", "user.email", "a@b"], ["branch", "--move", "main"]),
        *(["add", "-A"], ["commit", "-qm", "b"]),
    ):
        assert process.run(("git", *words), cwd=app).ok
    assert kaizen(app, "cut").returncode == 0
    assert process.run(("git", "status", "--porcelain"), cwd=app).out == ""
    assert process.run(("git", "ls-files", "changelog.d"), cwd=app).out == ""
    assert "- Weekly plans\n\n### Fixed\n\n- A crash\n- **Breaking:** A crash\n" in (app / "CHANGELOG.md").read_text()
