"""The configuration of git as it counts in the repository, read in one command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

_TRUE, _FALSE = {"true", "yes", "on"}, {"", "false", "no", "off"}


class GitConfig(NamedTuple):
    """Names and values, in the order in which git reads them; of several values the last one counts.

    Section and key of a name are in lower case, as `git config --list` prints them: `branch.Main.pushremote`.
    """

    entries: tuple[tuple[str, str], ...]

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a name."""
        return tuple(value for entry, value in self.entries if entry == name)

    def value(self, name: str) -> str:
        """Return the value of a name, or an empty string."""
        return next((value for entry, value in reversed(self.entries) if entry == name), "")

    def is_true(self, name: str) -> bool:
        """Return whether a switch is on, as https://git-scm.com/docs/git-config#Documentation/git-config.txt-boolean."""
        text = self.value(name).lower()
        return text in _TRUE or (text not in _FALSE and text.strip("0") != "")

    def section(self, *prefixes: str) -> tuple[tuple[str, str], ...]:
        """Return the entries whose names begin with one of some prefixes."""
        return tuple(entry for entry in self.entries if entry[0].startswith(prefixes))

    @property
    def last_values(self) -> Mapping[str, str]:
        """The value that counts, by name."""
        return dict(self.entries)

    @property
    def remotes(self) -> tuple[str, ...]:
        """The names of the remotes that have a URL, each once."""
        keys = (name.removeprefix("remote.").rpartition(".") for name, _ in self.section("remote."))
        return tuple(dict.fromkeys(remote for remote, _, key in keys if key in {"url", "pushurl"} and remote))

    def fetch_url(self, remote: str) -> str:
        """Return the URL from which a remote is read, or an empty string without such a remote."""
        urls = self.values(f"remote.{remote}.url") or self.values(f"remote.{remote}.pushurl")
        return self._replace_prefix(urls[0], "insteadof") if urls else ""

    def push_urls(self, remote: str) -> tuple[str, ...]:
        """Return the URLs that git pushes to; one that only `pushInsteadOf` replaces leads to the same repository."""
        urls = self.values(f"remote.{remote}.pushurl") or self.values(f"remote.{remote}.url")
        return tuple(dict.fromkeys(self._replace_prefix(url, "insteadof") for url in urls))

    def rewritten_push_url(self, remote: str) -> str:
        """Return the URL of a remote after `pushInsteadOf`, or an empty string without such a remote."""
        urls = self.values(f"remote.{remote}.url")
        return self._replace_prefix(urls[0], "pushinsteadof") if urls else ""

    def _replace_prefix(self, url: str, key: str) -> str:
        """Return a URL after `url.<base>.insteadOf`, of which the longest match counts."""
        pairs = ((name, value) for name, value in self.section("url.") if name.endswith(f".{key}"))
        matches = [(value, name) for name, value in pairs if value and url.startswith(value)]
        if not matches:
            return url
        prefix, name = max(matches, key=lambda match: len(match[0]))
        return name.removeprefix("url.").removesuffix(f".{key}") + url.removeprefix(prefix)


def parse_config(output: bytes) -> GitConfig:
    """Return what `git config --null --list` prints; a name without a value is a switch that is on."""
    items = os.fsdecode(output).removesuffix("\0").split("\0") if output else []
    pairs = (item.partition("\n") for item in items)
    return GitConfig(tuple((name, value if separator else "true") for name, separator, value in pairs))
