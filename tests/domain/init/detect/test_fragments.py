"""Finding changelog fragments."""

import pytest

from kaizen_tasks.domain.init.detect.fragments import FragmentFolder, find_fragments


@pytest.mark.parametrize(
    ("texts", "folder"),
    [
        ({}, None),
        ({"docs/a.md": "", "changelog.md": ""}, None),
        ({"changelog.d/README.md": ""}, FragmentFolder(path="changelog.d", source="changelog.d/README.md")),
        (
            {"src/app/newsfragments/1.fixed.md": ""},
            FragmentFolder(path="src/app/newsfragments", source="src/app/newsfragments/1.fixed.md"),
        ),
        ({"changelog.d/1.fixed.md": "", "newsfragments/2.fixed.md": ""}, None),
        (
            {"pyproject.toml": '[tool.towncrier]\ndirectory = "news/"\n'},
            FragmentFolder(path="news", source="pyproject.toml"),
        ),
        (
            {"towncrier.toml": '[tool.towncrier]\ndirectory = "news"\n'},
            FragmentFolder(path="news", source="towncrier.toml"),
        ),
        (
            {"pyproject.toml": '[tool.scriv]\nfragment_directory = "scriv.d"\n'},
            FragmentFolder(path="scriv.d", source="pyproject.toml"),
        ),
        ({"pyproject.toml": "[tool.towncrier]\ndirectory = 1\n"}, None),
        ({"pyproject.toml": "tool = 1\n"}, None),
        ({"pyproject.toml": "[tool\n"}, None),
    ],
)
def test_folder_is_found(texts: dict[str, str], folder: FragmentFolder | None) -> None:
    assert find_fragments(texts) == folder


def test_types_of_other_tools_are_translated() -> None:
    names = ["1.bugfix.md", "2.feature.md", "3.fixed.md", "4.docs.md", "README.md", "template.misc.md"]
    folder = find_fragments({f"changelog.d/{name}": "" for name in names})
    assert folder
    assert folder.types == {"bugfix": "Fixed", "feature": "Added"}
