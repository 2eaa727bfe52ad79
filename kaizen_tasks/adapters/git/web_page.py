"""The web page of a remote: names of git's `insteadOf` and of the SSH configuration are replaced by real ones."""

from __future__ import annotations

import os
import pwd
import shlex
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host import process
from kaizen_tasks.domain.git.remote_url import code_host_kind, host_name, replace_host, web_url
from kaizen_tasks.errors import KaizenError

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.configuration import GitConfig

_SSH_OPTIONS = ("-G", "-o", "CanonicalizeHostname=no")  # print the configuration of a host; ask no name server


def find_web_page(config: GitConfig, remote: str) -> str:
    """Return the web page of a remote, or an empty string.

    It is that of the URL that is fetched from, else of the one that is pushed to, since `pushInsteadOf` may be what
    names the host; else of the URL as configured, for which a folder may stand in. A known kind of code host is first.
    """
    pushed_urls = *config.push_urls(remote), config.rewritten_push_url(remote)
    urls = (config.fetch_url(remote), *pushed_urls, config.value(f"remote.{remote}.url"))
    pages = []
    for url in urls:
        page = _resolve(config, url)
        if code_host_kind(page):
            return page
        pages.append(page)
    return next(filter(None, pages), "")


def _resolve(config: GitConfig, url: str) -> str:
    page, host = web_url(url), host_name(url)
    if not host or host.startswith("-") or code_host_kind(page):
        return page
    return web_url(replace_host(url, _real_host(_ssh_command(config), host)))


def _ssh_command(config: GitConfig) -> tuple[str, ...]:
    """Return the command that git runs ssh with, unless it is another program."""
    configured = os.environ.get("GIT_SSH_COMMAND") or config.value("core.sshcommand")
    try:
        words = tuple(shlex.split(configured))
    except ValueError:
        words = ()
    return words if words and Path(words[0]).name == "ssh" else ("ssh",)


@lru_cache(maxsize=8)
def _real_host(command: tuple[str, ...], host: str) -> str:
    """Return the `HostName` of a `Host`; the same name when ssh is not installed, or knows no other."""
    home, config = Path(pwd.getpwuid(os.getuid()).pw_dir), Path.home() / ".ssh" / "config"
    real_host = _ask_ssh(command, host)
    if real_host == host and Path.home() != home and config.is_file():  # ssh does not read the variable HOME
        return _ask_ssh((*command, "-F", str(config)), host)
    return real_host


def _ask_ssh(command: tuple[str, ...], host: str) -> str:
    try:
        result = process.run((*command, *_SSH_OPTIONS, host), cwd=Path.cwd())
    except KaizenError:
        return host
    lines = (line.partition(" ") for line in result.out.splitlines())
    return next((value for key, _, value in lines if key == "hostname"), host) if result.ok else host
