"""The release commands that are killed, each in several kinds of repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from tests.crash.library import CHAIN, CUT, CUT_AND_PUSH, FILES, Library, create_library

SIGNER = """\
cat >/dev/null
printf '[GNUPG:] SIG_CREATED D 22 8 00 1700000000 ABCDEF\\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nstand-in\\n-----END PGP SIGNATURE-----\\n'
"""


@frozen(kw_only=True)
class ReleaseCase:
    """A command, and the repository it runs in.

    Attributes:
        name: its name in reports.
        words: the arguments of `inv`.
        make: prepares the library in an empty folder.
    """

    name: str
    words: tuple[str, ...]
    make: Callable[[Path], Library]


def default_library(folder: Path) -> Library:
    """Create an ordinary library."""
    return create_library(folder)


def without_origin(folder: Path) -> Library:
    """Create one without the remote `origin`."""
    library = create_library(folder)
    library.repository.git("remote", "rename", "origin", "elsewhere")
    return library


def with_crlf(folder: Path) -> Library:
    """Create one with CRLF line endings in VERSION and CHANGELOG.md."""
    files = {name: FILES[name].replace(b"\n", b"\r\n") for name in ("VERSION", "CHANGELOG.md")}
    return create_library(folder, {**FILES, **files})


def with_uncommitted_work(folder: Path) -> Library:
    """Create one with staged, unstaged and untracked changes."""
    library = create_library(folder)
    library.repository.write({"lib.py": b"LEVERS = 2\n", "new.py": b"staged\n"})
    library.repository.git("add", "lib.py", "new.py")
    library.repository.write({"lib.py": b"LEVERS = 3\n", "notes.txt": b"edited\n", "scrap": b"not tracked\n"})
    return library


def with_signed_tags(folder: Path) -> Library:
    """Create one that signs tags, with a script instead of gpg."""
    library = create_library(folder, {**FILES, "kaizen.toml": b'app = "lib"\n[tag]\nsign = true\n'})
    library.repository.sign_with(SIGNER)
    return library


SCENES = {
    scene.name: scene
    for scene in (
        ReleaseCase(name="cut", words=CUT, make=default_library),
        ReleaseCase(name="cut and push", words=CUT_AND_PUSH, make=default_library),
        ReleaseCase(name="cut and push with CRLF", words=CUT_AND_PUSH, make=with_crlf),
        ReleaseCase(name="cut and push, signed", words=CUT_AND_PUSH, make=with_signed_tags),
        ReleaseCase(name="chain", words=CHAIN, make=default_library),
        ReleaseCase(name="chain without a remote", words=CHAIN, make=without_origin),
        ReleaseCase(name="chain with CRLF", words=CHAIN, make=with_crlf),
        ReleaseCase(name="chain amid other work", words=CHAIN, make=with_uncommitted_work),
        ReleaseCase(name="chain, signed", words=CHAIN, make=with_signed_tags),
    )
}
