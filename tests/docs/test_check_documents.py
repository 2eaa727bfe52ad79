from pathlib import Path

import pytest

from docs.generating import check_documents


@pytest.mark.parametrize(
    "line",
    [
        "$ inv --dry release-staging   # the plan",
        "$ INVOKE_BUILD_ENGINE=bundle inv promote-prod --yes",
        "$ inv bump changelog.release commit build push --env staging",
        "$ cd app && . environ",
        "$ inv status --json > status.json 2>/dev/null",
        "$ kaizen deploy -e mark -r v1.2.3",
        "inv is what this line of output begins with",
    ],
)
def test_existing_commands_are_no_problem(line: str) -> None:
    assert check_documents.unknown_command(line, has_prompt=True) == ""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("$ inv relase-staging", "relase-staging"),
        ("$ cd app && inv deploy --environment mark", "--environment"),
        ("$ inv push --env staging taag", "taag"),
    ],
)
def test_unknown_commands_and_flags_are_named(line: str, name: str) -> None:
    assert name in check_documents.unknown_command(line, has_prompt=True)


def test_dead_links_are_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A `heading` here\n\n# Twice\n\n# Twice\n")
    good = "[a](there.md#a-heading-here) [b](there.md#twice-1) [c](https://example.org)"
    (tmp_path / "README.md").write_text(f"{good} ![d](gone.svg)\n\n[e](there.md#no)\n")
    expected = ["README.md:1: gone.svg: no such file", "README.md:3: there.md#no: no such heading"]
    assert expected == list(check_documents.find_problems(tmp_path))


def test_unknown_commands_in_console_blocks_are_found_with_their_lines(tmp_path: Path) -> None:
    console, toml = "```console\n$ inv status\nfine\n$ inv stats\n```", "```toml\napp = 'inv'\n```"
    (tmp_path / "guide.md").write_text(f"Text.\n\n{console}\n\n{toml}\n")
    assert [problem.split(": ")[0] for problem in check_documents.find_problems(tmp_path)] == ["guide.md:6"]


def test_unknown_commands_in_text_and_tables_are_found(tmp_path: Path) -> None:
    good = "`inv NAME`, `inv --debug …`, `kaizen init --profile NAME`, `inv cut --part`, `inv pro⇥`, `invent`"
    bad = "| a | b |\n| - | - |\n| `inv stats` | `inv status --wach` |"
    (tmp_path / "guide.md").write_text(f"{good}\n\n{bad}\n")
    (tmp_path / "CHANGELOG.md").write_text("`inv was-removed`\n")
    problems = list(check_documents.find_problems(tmp_path))
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["guide.md:5", "inv stats"],
        ["guide.md:5", "inv status --wach"],
    ]


def test_keys_and_values_of_a_part_of_the_configuration_are_checked(tmp_path: Path) -> None:
    blocks = (
        '[verify]\npath = "/"',
        '[verify]\ntimeout = 300\npahts = "/"',
        '[project]\nname = "web"',
        '[bild]\nengine = "docker"',
    )
    (tmp_path / "guide.md").write_text("\n".join(f"```toml\n{block}\n```\n" for block in blocks))
    problems = list(check_documents.find_problems(tmp_path))
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["guide.md:6", "verify.timeout"],
        ["guide.md:6", "verify.pahts"],
        ["guide.md:17", "bild"],
    ]


def test_hidden_and_build_folders_are_skipped(tmp_path: Path) -> None:
    for folder in (".venv", "dist", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").touch()
    assert [tmp_path / "docs" / "README.md"] == list(check_documents.markdown_files(tmp_path))
