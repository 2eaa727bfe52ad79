from pathlib import Path

import pytest

from docs.generating import checking


@pytest.mark.parametrize(
    "line",
    [
        "$ inv --dry release-staging   # the plan",
        "$ INVOKE_BUILD_ENGINE=bundle inv promote-prod --yes",
        "$ inv bump changelog.release commit build push --env staging",
        "$ cd app && . environ",
        "$ kaizen deploy -e mark -r v1.2.3",
        "inv is what this line of output begins with",
    ],
)
def test_accepts_commands_that_exist(line: str) -> None:
    assert checking.unknown_command(line, has_prompt=True) == ""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("$ inv relase-staging", "relase-staging"),
        ("$ cd app && inv deploy --environment mark", "--environment"),
        ("$ inv push --env staging taag", "taag"),
    ],
)
def test_refuses_commands_that_do_not_exist(line: str, name: str) -> None:
    assert name in checking.unknown_command(line, has_prompt=True)


def test_finds_links_that_lead_nowhere_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A `heading` here\n\n# Twice\n\n# Twice\n")
    good = "[a](there.md#a-heading-here) [b](there.md#twice-1) [c](https://example.org)"
    (tmp_path / "README.md").write_text(f"{good} ![d](gone.svg)\n\n[e](there.md#no)\n")
    expected = ["README.md:1: gone.svg leads nowhere", "README.md:3: there.md#no: there is no such heading"]
    assert expected == list(checking.find_problems(tmp_path))


def test_finds_unknown_commands_in_code_blocks_with_their_lines(tmp_path: Path) -> None:
    console, toml = "```console\n$ inv status\nfine\n$ inv stats\n```", "```toml\ninv = 1\n```"
    (tmp_path / "guide.md").write_text(f"Text.\n\n{console}\n\n{toml}\n")
    assert [problem.split(": ")[0] for problem in checking.find_problems(tmp_path)] == ["guide.md:6"]


def test_looks_into_no_hidden_and_no_built_folder(tmp_path: Path) -> None:
    for folder in (".venv", "dist", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").touch()
    assert [tmp_path / "docs" / "README.md"] == list(checking.markdown_files(tmp_path))
