"""Links to code hosts: the right ones, in the style of the file, or none."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.links.code_host import CodeHost, find_code_host
from kaizen_tasks.domain.changelog.links.compare_url import is_tag_of, parse_compare_url
from kaizen_tasks.domain.changelog.lint.fix import fix_changelog
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.git.remote_url import CodeHostKind, code_host_kind
from tests.domain.changelog.documents import cut

NEW = "## [Unreleased]\n\n### Fixed\n\n- A.\n\n## [1.1.0] - 2026-01-01\n\n- x\n"

AZURE = "https://dev.azure.com/acme/shop/_git/app/branchCompare?baseVersion=GT{}&targetVersion={}"
BITBUCKET_SERVER = (
    "https://bitbucket.acme.com/projects/P/repos/app/compare/diff?targetBranch=refs%2Ftags%2F{}&sourceBranch=refs%2F{}"
)


def links(content: bytes) -> dict[str, str]:
    """Return the links of a changelog by their labels."""
    return {link.label: link.url for link in parse_changelog(content).links}


@pytest.mark.parametrize(
    ("remote_url", "unreleased", "version"),
    [
        (
            "git@github.com:team/app.git",
            "https://github.com/team/app/compare/v1.2.0...HEAD",
            "https://github.com/team/app/compare/v1.1.0...v1.2.0",
        ),
        (
            "https://gitlab.com/group/sub/app.git",
            "https://gitlab.com/group/sub/app/-/compare/v1.2.0...HEAD",
            "https://gitlab.com/group/sub/app/-/compare/v1.1.0...v1.2.0",
        ),
        (
            "https://codeberg.org/team/app",
            "https://codeberg.org/team/app/compare/v1.2.0...HEAD",
            "https://codeberg.org/team/app/compare/v1.1.0...v1.2.0",
        ),
        (
            "git@bitbucket.org:team/app.git",
            "https://bitbucket.org/team/app/branches/compare/HEAD..v1.2.0",
            "https://bitbucket.org/team/app/branches/compare/v1.2.0..v1.1.0",
        ),
        (
            "https://chromium.googlesource.com/app",
            "https://chromium.googlesource.com/app/+log/v1.2.0..HEAD",
            "https://chromium.googlesource.com/app/+log/v1.1.0..v1.2.0",
        ),
        ("git@ssh.dev.azure.com:v3/acme/shop/app", None, AZURE.format("v1.1.0", "GTv1.2.0")),
        ("ssh://git@bitbucket.acme.com:7999/P/app.git", None, BITBUCKET_SERVER.format("v1.1.0", "tags%2Fv1.2.0")),
        ("https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/app", None, None),
        ("ssh://ada@review.acme.com:29418/app", None, None),
        ("git@git.sr.ht:~ada/app", None, None),
        ("git@git.acme.com:team/app.git", None, None),
        ("/srv/git/app.git", None, None),
    ],
)
def test_code_host_gets_its_links_or_none(remote_url: str, unreleased: str | None, version: str | None) -> None:
    expected = {"Unreleased": unreleased, "1.2.0": version}
    assert links(cut(NEW.encode(), repository_url=remote_url)) == {k: v for k, v in expected.items() if v}


@pytest.mark.parametrize(
    ("unreleased", "newest", "expected_unreleased", "expected"),
    [
        (
            AZURE.format("v1.1.0", "GBmain"),
            AZURE.format("v1.0.0", "GTv1.1.0"),
            AZURE.format("v1.2.0", "GBmain"),
            AZURE.format("v1.1.0", "GTv1.2.0"),
        ),
        (
            "https://h/r/branchCompare?targetVersion=GBmain&_a=files&baseVersion=GTv1.1.0",
            "https://h/r/branchCompare?targetVersion=GTv1.1.0&_a=files&baseVersion=GTv1.0.0",
            "https://h/r/branchCompare?targetVersion=GBmain&_a=files&baseVersion=GTv1.2.0",
            "https://h/r/branchCompare?targetVersion=GTv1.2.0&_a=files&baseVersion=GTv1.1.0",
        ),
        (
            BITBUCKET_SERVER.format("v1.1.0", "heads%2Fmain"),
            BITBUCKET_SERVER.format("v1.0.0", "tags%2Fv1.1.0"),
            BITBUCKET_SERVER.format("v1.2.0", "heads%2Fmain"),
            BITBUCKET_SERVER.format("v1.1.0", "tags%2Fv1.2.0"),
        ),
        (
            "https://c/app/diff/?id=master&id2=v1.1.0",
            "https://c/app/diff/?id=v1.1.0&id2=v1.0.0",
            "https://c/app/diff/?id=master&id2=v1.2.0",
            "https://c/app/diff/?id=v1.2.0&id2=v1.1.0",
        ),
        (
            "https://h/app/tree/main",
            "https://h/app/releases/tag/v1.1.0",
            "https://h/app/tree/main",
            "https://h/app/releases/tag/v1.2.0",
        ),
        (
            "https://h/changes/from-v1.1.0/to/main",
            "https://h/changes/v1.0.0/to/v1.1.0",
            "https://h/changes/from-v1.1.0/to/main",
            "https://h/changes/v1.1.0/to/v1.2.0",
        ),
        (
            "https://h/o/r/compare/1.1.0...HEAD",
            "https://h/o/r/compare/1.0.0...1.1.0",
            "https://h/o/r/compare/v1.2.0...HEAD",
            "https://h/o/r/compare/1.1.0...v1.2.0",
        ),
    ],
)
def test_style_of_the_file_wins(unreleased: str, newest: str, expected_unreleased: str, expected: str) -> None:
    oldest = newest.replace("1.0.0", "0.9.0").replace("1.1.0", "1.0.0")
    content = (
        f"{NEW}\n## [1.0.0] - 2025-01-01\n\n- y\n\n[Unreleased]: {unreleased}\n[1.1.0]: {newest}\n[1.0.0]: {oldest}\n"
    )
    result = links(cut(content.encode(), repository_url="git@github.com:other/app.git"))
    assert result == {"Unreleased": expected_unreleased, "1.2.0": expected, "1.1.0": newest, "1.0.0": oldest}


def test_tag_as_an_older_link_has_it_is_compared_with() -> None:
    content = f"{NEW}\n[1.1.0]: https://github.com/o/r/releases/tag/1.1.0\n"
    result = links(cut(content.encode(), repository_url=None))
    assert result["1.2.0"] == "https://github.com/o/r/compare/1.1.0...v1.2.0"


def test_missing_links_of_a_host_without_a_name_for_what_is_not_released_are_those_of_the_releases() -> None:
    content = fix_changelog(NEW.encode(), repository_url="git@ssh.dev.azure.com:v3/acme/shop/app")
    assert links(content) == {"1.1.0": "https://dev.azure.com/acme/shop/_git/app?version=GTv1.1.0"}


WORDS = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)
TAGS = st.from_regex(r"(v|app-v|rel/|@a/b@)?[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(-rc\.[0-9]|\+b[0-9])?", fullmatch=True)
KINDS: dict[CodeHostKind, str] = {
    "azure": "https://dev.azure.com/{}/{}/_git/app",
    "bitbucket": "https://bitbucket.org/{}/{}",
    "bitbucket-server": "https://bitbucket.acme.com/projects/{}/repos/{}",
    "gitea": "https://codeberg.org/{}/{}",
    "github": "https://github.com/{}/{}",
    "gitiles": "https://chromium.googlesource.com/{}/{}",
    "gitlab": "https://gitlab.com/{}/sub/{}",
}


@given(st.sampled_from(sorted(KINDS)), WORDS, WORDS, TAGS, TAGS)
def test_comparison_of_any_tags_on_any_host_is_parsed_as_it_is_written(
    kind: CodeHostKind, team: str, name: str, older: str, newer: str
) -> None:
    assume((kind, team) != ("gitiles", "a"))  # the prefix of its authenticated URLs
    host = find_code_host(KINDS[kind].format(team, name))
    assert host == CodeHost(page=KINDS[kind].format(team, name), kind=kind)
    url = host.compare_url.between(older, newer).url
    compare_url = parse_compare_url(url)
    assert compare_url
    assert (is_tag_of(compare_url.older, older), is_tag_of(compare_url.newer, newer)) == (True, True)
    assert compare_url.between(newer, older).between(older, newer).url == url


@given(st.sampled_from(["git@{}:{}/{}.git", "ssh://git@{}:22/{}/{}", "https://ada:s3cret@{}/{}/{}.git"]), WORDS, WORDS)
def test_host_of_an_unknown_kind_gets_no_link(form: str, team: str, name: str) -> None:
    for host in ("git.acme.com", "github.com-work", "work", "10.0.0.1", "review.acme.com"):
        remote_url = form.format(host, team, name)
        assert code_host_kind(remote_url) is None
        assert links(cut(NEW.encode(), repository_url=remote_url)) == {}
