"""Files that may not be read or written, folders of others, and a disk without room."""

from __future__ import annotations

from tests.errors.case import Case
from tests.errors.tables.repository import BEGUN

AS_USER = "$([ $(id -u) != 0 ] || echo setpriv --bounding-set=-dac_override,-dac_read_search)"
"""Runs a command without what root may do beyond the permissions of files."""

ON_A_FULL_DISK = (
    "unshare --map-root-user --mount sh -c 'cp -a . ../copy && mkdir ../small "
    "&& mount -t tmpfs -o size=1M none ../small && cp -a ../copy/. ../small && cd ../small "
    "&& echo full > .git/info/exclude && ! head -c 2M /dev/zero > full 2>&1 && {}'"
)
"""Runs a command in a copy of the app on a small disk that is full."""

CASES = (
    Case(mistake="a changelog that may not be read",
         before=("chmod 000 CHANGELOG.md",),
         typed=f"{AS_USER} inv changelog.check", code=3, says="CHANGELOG.md cannot be read: Permission denied",
         hint="ls -l */web/CHANGELOG.md",
         follow=("ls -l $PWD/CHANGELOG.md", "chmod 644 CHANGELOG.md"), again=0),
    Case(mistake="a changelog of twenty megabytes",
         before=("truncate --size 20M CHANGELOG.md",),
         typed="inv changelog.check", code=3, says="CHANGELOG.md cannot be read: it is larger than 16,384 KiB",
         hint="ls -lL */web/CHANGELOG.md", again=3),
    Case(mistake="a configuration that may not be read",
         before=("chmod 000 kaizen.toml",),
         typed=f"{AS_USER} inv cut", code=2, says="kaizen.toml cannot be read: Permission denied",
         hint="correct the file there, then run the same command again",
         follow=("chmod 644 kaizen.toml",)),
    Case(mistake="a folder in which nothing may be written",
         before=("chmod 555 .",),
         typed=f"{AS_USER} inv bump", code=3, says="VERSION cannot be written: Permission denied",
         hint="see who may write there: ls -la */web, then run the same command again",
         follow=("ls -la .", "chmod 755 .")),
    Case(mistake="a folder in which a file of the release may not be written",
         before=("chmod 555 .",),
         typed=f"{AS_USER} inv cut", code=3, says=" cannot be written: Permission denied",
         hint="see who may write there: ls -la */web, then run the same command again",
         follow=("ls -la .", "chmod 755 ."), leaves="/.git/"),
    Case(mistake="a branch that may not be moved",
         before=("chmod 555 .git/refs/heads",),
         typed=f"{AS_USER} inv cut", code=3, says="main cannot be moved to the release commit: cannot lock ref",
         hint="see who may write there: ls -la */.git/refs/heads, then run the same command again",
         follow=("ls -la .git/refs/heads", "chmod 755 .git/refs/heads"), leaves=BEGUN),
    Case(mistake="a repository to which nothing may be added",
         before=("chmod 555 .git/objects .git/objects/*",),
         typed=f"{AS_USER} inv cut", code=3, says="git rejects the release's files: insufficient permission",
         hint="see who may write there: ls -la .git/objects, then run the same command again",
         follow=("ls -la .git/objects", "chmod 755 .git/objects .git/objects/*")),
    Case(mistake="no room for a file of the release",
         typed=ON_A_FULL_DISK.format("inv bump"), code=3, says="VERSION cannot be written: No space left on device",
         hint="make room: df -h */small, then run the same command again",
         follow=("df -h .", "rm -rf ../copy ../small && inv bump"), again=0),
    Case(mistake="no room for the release commit",
         typed=ON_A_FULL_DISK.format("inv cut"), code=3, says="No space left on device",
         hint="make room: df -h *, then run the same command again",
         follow=("df -h .", "rm -rf ../copy ../small && inv cut"), again=0),
    Case(mistake="the folder of another user",
         before=("chown -R 65534 ../web ../remote.git",),
         typed="inv cut", code=3, says="belongs to nobody (uid 65534), not to you: no file in ",
         hint="if you trust it, set KAIZEN_SAFE_DIRECTORIES=*/web, or: git config --global --add safe.directory */web",
         again=0),
    Case(mistake="the folder of another user, and no home",
         before=("chown -R 65534 ../web ../remote.git", "unset HOME GIT_CONFIG_GLOBAL"),
         typed="inv cut", code=3, says="belongs to nobody (uid 65534), not to you: no file in ",
         hint="if you trust it, set KAIZEN_SAFE_DIRECTORIES=*/web, or: "
              'export HOME="$(mktemp -d)" && git config --global --add safe.directory */web',
         again=0),
    Case(mistake="the folder of another user, and git without a configuration",
         before=("chown -R 65534 ../web ../remote.git", "export GIT_CONFIG_GLOBAL="),
         typed="inv cut", code=3, says="belongs to nobody (uid 65534), not to you: no file in ",
         hint="if you trust it, set KAIZEN_SAFE_DIRECTORIES=*/web, or: "
              'export GIT_CONFIG_GLOBAL="$(mktemp)" && git config --global --add safe.directory */web',
         again=0),
    Case(mistake="the folder of another user, which only git does not trust",
         before=("chown -R 65534 ../web ../remote.git", "export KAIZEN_SAFE_DIRECTORIES=$PWD"),
         typed="inv cut", code=3, says="git does not trust ",
         hint="git config --global --add safe.directory */web", again=0),
)  # fmt: skip
