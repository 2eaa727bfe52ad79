"""The web page of a remote's URL."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.git.remote_url import code_host_kind, host_name, pull_request_url, replace_host, web_url


@pytest.mark.parametrize(
    ("remote_url", "expected"),
    [
        ("git@github.com:team/app.git", "https://github.com/team/app"),
        ("github.com:team/app", "https://github.com/team/app"),
        ("ssh://git@git.example.com:2222/team/app.git/", "https://git.example.com/team/app"),
        ("https://ada:s3cret@git.example.com:8443/team/app.git", "https://git.example.com:8443/team/app"),
        ("https://github.com/team/app?tab=readme#top", "https://github.com/team/app"),
        ("http://token@localhost:3000/team/app", "http://localhost:3000/team/app"),
        ("git://git.example.com/app", "https://git.example.com/app"),
        ("https://git.example.com/", "https://git.example.com"),
        ("https://[git.example.com/app", ""),
        ("/srv/git/app.git", ""),
        ("../app.git", ""),
        ("C:/git/app.git", ""),
        ("file:///srv/git/app.git", ""),
        ("codecommit::eu-west-1://app", ""),
        ("", ""),
        ("ssh://git@ssh.github.com:443/team/app.git", "https://github.com/team/app"),
        ("git@altssh.bitbucket.org:team/app.git", "https://bitbucket.org/team/app"),
        ("git@ssh.dev.azure.com:v3/acme/My%20Shop/app.git", "https://dev.azure.com/acme/My%20Shop/_git/app.git"),
        ("acme@vs-ssh.visualstudio.com:v3/acme/shop/app", "https://dev.azure.com/acme/shop/_git/app"),
        ("https://acme@dev.azure.com/acme/shop/_git/app", "https://dev.azure.com/acme/shop/_git/app"),
        ("https://bitbucket.acme.com/scm/PROJ/app.git", "https://bitbucket.acme.com/projects/PROJ/repos/app"),
        ("https://git.acme.com/bitbucket/scm/PROJ/app.git", "https://git.acme.com/bitbucket/scm/PROJ/app"),
        ("https://stash.acme.com/x/scm/~ada/app.git", "https://stash.acme.com/x/users/ada/repos/app"),
        ("ssh://git@bitbucket.acme.com:7999/proj/app.git", "https://bitbucket.acme.com/projects/proj/repos/app"),
        ("https://chromium.googlesource.com/a/chromium/src.git", "https://chromium.googlesource.com/chromium/src"),
        ("git@git.sr.ht:~ada/app", "https://git.sr.ht/~ada/app"),
        ("git@GitHub.com:team/app", "https://github.com/team/app"),
        ("ssh://git@host:port/app", ""),
    ],
)
def test_web_url_has_no_credentials_and_is_empty_for_folders(remote_url: str, expected: str) -> None:
    assert web_url(remote_url) == expected


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("https://github.com/team/app", "github"),
        ("https://github.acme.com/team/app", "github"),
        ("http://acme-github.example:8080/team/app", "github"),
        ("https://github.com/team", None),
        ("https://gist.github.com/ada/123", None),
        ("https://notgithub.com/team/app", None),
        ("https://github.com-work/team/app", None),
        ("https://github/team/app", None),
        ("https://gitlab.com/group/sub/group/app", "gitlab"),
        ("https://salsa.debian.org/team/app", "gitlab"),
        ("https://codeberg.org/team/app", "gitea"),
        ("https://forgejo.acme.com/team/app", "gitea"),
        ("https://bitbucket.org/team/app", "bitbucket"),
        ("https://bitbucket.acme.com/projects/P/repos/app", "bitbucket-server"),
        ("https://bitbucket.acme.com/team/app", None),
        ("https://dev.azure.com/acme/shop/_git/app", "azure"),
        ("https://acme.visualstudio.com/shop/_git/app", "azure"),
        ("https://tfs.acme.com/tfs/Main/_git/app", "azure"),
        ("https://chromium.googlesource.com/chromium/src", "gitiles"),
        ("https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/app", None),
        ("https://git.sr.ht/~ada/app", None),
        ("https://review.acme.com/app", None),
        ("https://git.acme.com/team/app", None),
        ("https://10.0.0.1/team/app", None),
        ("", None),
    ],
)
def test_kind_of_a_code_host_is_known_or_none(page: str, kind: str | None) -> None:
    assert code_host_kind(page) == kind


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("https://github.com/o/r", "/compare/main...fix/a?expand=1"),
        ("https://codeberg.org/o/r", "/compare/main...fix/a"),
        (
            "https://gitlab.com/o/r",
            "/-/merge_requests/new?merge_request[source_branch]=fix/a&merge_request[target_branch]=main",
        ),
        ("https://bitbucket.org/o/r", "/pull-requests/new?source=fix/a&dest=main"),
        (
            "https://bitbucket.acme.com/projects/P/repos/r",
            "/pull-requests?create&sourceBranch=refs/heads/fix/a&targetBranch=refs/heads/main",
        ),
        ("https://dev.azure.com/a/p/_git/r", "/pullrequestcreate?sourceRef=fix/a&targetRef=main"),
        ("https://git.acme.com/o/r", ""),
    ],
)
def test_page_for_a_pull_request(page: str, expected: str) -> None:
    assert pull_request_url(page, source="fix/a", target="main") == (expected and page + expected)


@pytest.mark.parametrize(
    ("remote_url", "host", "resolved"),
    [
        ("work:team/app.git", "work", "github.com:team/app.git"),
        ("git@work:team/app.git", "work", "git@github.com:team/app.git"),
        ("ssh://git@work:2222/team/app.git", "work:2222", "ssh://git@github.com/team/app.git"),
        ("https://work/team/app.git", "", "https://work/team/app.git"),
        ("/srv/work/app.git", "", "/srv/work/app.git"),
    ],
)
def test_name_of_a_host_in_an_ssh_configuration_is_replaced(remote_url: str, host: str, resolved: str) -> None:
    assert host_name(remote_url) == host.partition(":")[0]
    assert web_url(replace_host(remote_url, "github.com")) == web_url(resolved)
