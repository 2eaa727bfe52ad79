"""The web page of a remote's URL."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.remote_url import web_url


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
    ],
)
def test_web_url_has_no_credentials_and_is_empty_for_folders(remote_url: str, expected: str) -> None:
    assert web_url(remote_url) == expected
