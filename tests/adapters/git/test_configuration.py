"""Reading git's configuration."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.git.configuration import GitConfig, parse_config


def config(*entries: str) -> GitConfig:
    """Return a configuration of lines like `name=value`."""
    return parse_config("".join(f"{entry.replace('=', chr(10), 1)}\0" for entry in entries).encode())


def test_the_last_value_counts() -> None:
    read = config("user.name=Ada", "push.default=simple", "user.name=Bob")

    assert read.value("user.name") == "Bob"
    assert read.values("user.name") == ("Ada", "Bob")
    assert read.value("user.email") == ""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        *((entry, True) for entry in ("on", "a=true", "a=Yes", "a=1", "a=-1", "a=on")),
        *((entry, False) for entry in ("a=false", "a=no", "a=off", "a=0", "a=", "b=true")),
    ],
)
def test_switches_are_read_as_git_reads_them(entry: str, expected: bool) -> None:
    assert config("a" if entry == "on" else entry).is_true("a") is expected


def test_remotes_may_have_dots_and_need_a_url() -> None:
    read = config("remote.my.co.url=a", "remote.my.co.fetch=b", "remote.pushdefault=c", "remote.bare.fetch=d")

    assert read.remotes == ("my.co",)


def test_urls_are_pushed_to_in_order_unless_others_are_named() -> None:
    read = config("remote.a.url=1", "remote.a.url=2", "remote.b.url=1", "remote.b.pushurl=3", "remote.b.pushurl=4")

    assert (read.fetch_url("a"), read.push_urls("a")) == ("1", ("1", "2"))
    assert (read.fetch_url("b"), read.push_urls("b")) == ("1", ("3", "4"))


def test_the_longest_prefix_of_a_url_is_replaced() -> None:
    read = config(
        "url.https://github.com/.insteadof=gh:",
        "url.git@host:.insteadof=gh:team/",
        "url.ssh://x/.pushinsteadof=gh:",
        "remote.a.url=gh:team/app.git",
        "remote.b.url=gh:other/app.git",
    )

    assert read.fetch_url("a") == "git@host:app.git"
    assert read.fetch_url("b") == "https://github.com/other/app.git"
    assert read.push_urls("b") == ("https://github.com/other/app.git",)


def test_no_output_is_no_configuration() -> None:
    assert parse_config(b"").remotes == ()
