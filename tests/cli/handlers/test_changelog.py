"""`changelog.*`, as a developer types it."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host import process
from tests.support import cli_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workspaces import CommandResult

    Kaizen = Callable[..., CommandResult]

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
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with a version, a changelog and nothing else."""
    files = {"VERSION": "0.3.0\n", "CHANGELOG.md": CHANGELOG}
    cli_app.make(tmp_path, cli_app.ALONE, {}, monkeypatch, files=files)
    return tmp_path


@pytest.fixture
def kaizen(capsys: pytest.CaptureFixture[str]) -> Kaizen:
    """Return what types a command."""
    return partial(cli_app.kaizen, capsys=capsys)


def read(app: Path) -> str:
    """Return the changelog as it is now."""
    return (app / "CHANGELOG.md").read_text()


def test_adds_an_entry_and_touches_nothing_else(app: Path, kaizen: Kaizen) -> None:
    """Under its heading, which is made where it is missing."""
    said = kaizen("changelog.add", "--type", "fixed", "--text", "A crash at midnight")

    assert (said.code, said.out) == (0, "added to [Unreleased]: A crash at midnight\n")
    assert "- Weekly plans\n\n### Fixed\n\n- A crash at midnight\n" in read(app)
    assert read(app).partition("## [0.2.0]")[2] == CHANGELOG.partition("## [0.2.0]")[2]


def test_begins_a_changelog_with_its_first_entry(app: Path, kaizen: Kaizen) -> None:
    """A new app has none."""
    (app / "CHANGELOG.md").unlink()

    assert kaizen("changelog.add", "--type", "added", "--text", "Everything").code == 0
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
def test_refuses_an_entry_that_says_too_little(app: Path, kaizen: Kaizen, words: list[str], told: str) -> None:
    """The file stays as it is."""
    said = kaizen("changelog.add", *words)

    assert said.code == 2
    assert told in said.err
    assert read(app) == CHANGELOG


def test_a_dry_run_says_what_it_would_do(app: Path, kaizen: Kaizen) -> None:
    """And does not do it."""
    added = kaizen("--dry", "changelog.add", "--type", "fixed", "--text", "A crash")
    cut = kaizen("--dry", "changelog.release")

    assert added.out == "would add to [Unreleased]: A crash\nnothing was changed; run it without --dry\n"
    assert "would" in cut.out
    assert read(app) == CHANGELOG


def test_plain_changelog_cuts_the_section_of_the_version(app: Path, kaizen: Kaizen) -> None:
    """And says that it is done the second time."""
    first, second = kaizen("changelog"), kaizen("changelog.release")

    assert (first.code, second.code) == (0, 0)
    assert "already done" in second.out
    assert read(app).count("## [0.3.0] - ") == 1


def test_checks_and_says_so_when_all_is_well(app: Path, kaizen: Kaizen) -> None:
    """Exit code 0 is for CI."""
    (app / "VERSION").write_text("0.2.0\n")

    said = kaizen("changelog.check", "--json")

    assert (said.code, json.loads(said.out)) == (0, [])
    assert said.err == "CHANGELOG.md has no problems\n"


def test_every_problem_is_a_line_that_editors_understand(app: Path, kaizen: Kaizen) -> None:
    """A problem has file, line, column, rule, message and fix."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace("### Fixed", "### Fixd"))
    line = CHANGELOG[: CHANGELOG.index("### Fixed")].count("\n") + 1

    plain, document = kaizen("changelog.check"), kaizen("changelog.check", "--json")

    assert (plain.code, document.code) == (3, 3)
    (problem,) = [each for each in json.loads(document.out) if each["line"] == line]
    place = f"CHANGELOG.md:{line}:{problem['column']}"
    words = f"{problem['severity']}: {problem['rule']} {problem['what']}, {problem['fix']}"
    assert f"{place}: {words}\n" in plain.out
    assert plain.err.startswith("error: CHANGELOG.md has 1 problem: 1 error\n")


def test_the_summary_names_the_files_with_problems(app: Path, kaizen: Kaizen) -> None:
    """And not the changelog, if it has none."""
    (app / "VERSION").write_text("0.2.0\n")
    (app / "package.json").write_text('{"version": "0.1.9"}')
    (app / "kaizen.toml").write_text('app = "web"\n[[version_files]]\npath = "package.json"\nkey = "version"\n')

    assert kaizen("changelog.check").err.startswith("error: package.json has 1 problem: 1 error\n")


def test_only_errors_are_a_failure(app: Path, kaizen: Kaizen) -> None:
    """A heading of one's own in a release is a warning, until it is configured as an error."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace("### Fixed", "### Documentation"))
    (app / "VERSION").write_text("0.2.0\n")
    lenient = kaizen("changelog.check")
    (app / "kaizen.toml").write_text('app = "web"\n[changelog.rules]\ntype-unknown = "error"\n')
    strict = kaizen("changelog.check", "--sarif")

    assert (lenient.code, lenient.out.splitlines()[-1]) == (0, "CHANGELOG.md has 1 problem: 1 warning")
    assert (strict.code, json.loads(strict.out)["runs"][0]["results"][0]["level"]) == (3, "error")


@pytest.mark.usefixtures("app")
def test_shows_one_section_in_every_format(kaizen: Kaizen) -> None:
    """The newest one, unless another is named."""
    newest, named = kaizen("changelog.show"), kaizen("changelog.show", "-r", "v0.1.0")
    page = kaizen("changelog.show", "--format", "html", "--base-url", "https://example.com/")
    document = kaizen("changelog.show", "--format", "json")

    assert "A [typo]" in newest.out
    assert "Everything" not in newest.out
    assert "Everything" in named.out
    assert 'href="https://example.com/docs/typos.md"' in page.out
    assert json.loads(document.out)["version"] == "0.2.0"


@pytest.mark.usefixtures("app")
def test_shows_a_page_of_its_own(kaizen: Kaizen) -> None:
    """With the name of the app, and what `html` shows."""
    fragment = kaizen("changelog.show", "--since", "v0.0.1", "--format", "html").out
    page = kaizen("changelog.show", "--since", "v0.0.1", "--format", "page").out

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
def test_offers_to_mend_only_what_it_can(app: Path, kaizen: Kaizen, before: str, after: str, hint: str) -> None:
    """Somebody who types the last line of an error wants it to help."""
    (app / "CHANGELOG.md").write_text(CHANGELOG.replace(before, after))

    said = kaizen("changelog.check")

    assert (said.code, said.err.splitlines()[-1]) == (3, hint)


@pytest.mark.usefixtures("app")
def test_shows_everything_since_a_release(kaizen: Kaizen) -> None:
    """Without that release itself."""
    kaizen("changelog.release")

    said = kaizen("changelog.show", "--since", "v0.1.0", "--format", "json")

    assert [section["version"] for section in json.loads(said.out)] == ["0.3.0", "0.2.0"]


@pytest.mark.usefixtures("app")
def test_what_came_since_a_release_is_a_list_however_much_it_is(kaizen: Kaizen) -> None:
    """A program need not look at the shape first."""
    said = kaizen("changelog.show", "--since", "v0.1.0", "--format", "json")

    assert isinstance(json.loads(said.out), list)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-r", "9.9.9"], 3, "CHANGELOG.md has no section for 9.9.9\nthe newest are 0.2.0, 0.1.0"),
        (["-r", "nine"], 2, "--release: 'nine' is not a version"),
        (["--format", "pdf"], 2, "--format pdf: no such format\nchoose one of md, json, html, page"),
    ],
)
def test_says_what_it_cannot_show(kaizen: Kaizen, words: list[str], code: int, told: str) -> None:
    """And what there is instead; stdout stays empty."""
    said = kaizen("changelog.show", *words)

    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_fragments_are_noted_shown_checked_and_released(app: Path, kaizen: Kaizen) -> None:
    """The release commit of a real repository deletes them."""
    (app / "kaizen.toml").write_text('app = "web"\n\n[changelog]\nfragments = "changelog.d"\n')
    for words in (["--type", "fixed", "--name", "17"], ["--type", "fixed", "--breaking", "--name", "17"]):
        assert kaizen("changelog.add", "--text", "A crash", *words).code == 0
    (app / "changelog.d" / "18.bugfix.md").write_text("A typo\n")

    shown = json.loads(kaizen("changelog.check", "--json").out)
    assert [problem["file"] for problem in shown if problem["severity"] == "error"] == ["changelog.d/18.bugfix.md"]
    (app / "changelog.d" / "18.bugfix.md").unlink()
    document = json.loads(kaizen("changelog.show", "--unreleased", "--format", "json").out)
    places = [(entry["file"], entry["line"]) for group in document["groups"] for entry in group["entries"]]
    assert places == [("CHANGELOG.md", 7), ("changelog.d/17.fixed.md", 1), ("changelog.d/17.fixed.1.md", 1)]

    refused = kaizen("cut")
    assert (refused.code, "changelog.d/17.fixed.1.md, changelog.d/17.fixed.md: not in git" in refused.err) == (
        3,
        True,
    )
    for words in (["add", "-A"], ["commit", "-qm", "b"]):
        assert process.run(("git", *words), cwd=app).ok
    assert kaizen("cut").code == 0
    assert process.run(("git", "status", "--porcelain"), cwd=app).out == ""
    assert process.run(("git", "ls-files", "changelog.d"), cwd=app).out == ""
    assert "- Weekly plans\n\n### Fixed\n\n- A crash\n- **Breaking:** A crash\n" in (app / "CHANGELOG.md").read_text()
