"""The commands that are killed, each in the circumstances that make a difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from tests.crash.libraries import CHAIN, CUT, CUT_AND_PUSH, FILES, Library, establish

SIGNER = """\
cat >/dev/null
printf '[GNUPG:] SIG_CREATED D 22 8 00 1700000000 ABCDEF\\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nstand-in\\n-----END PGP SIGNATURE-----\\n'
"""


@frozen(kw_only=True)
class Scene:
    """A command, and where it is typed.

    Attributes:
        name: what reports call it.
        words: what is typed after `inv`.
        make: prepares the library in an empty folder.
    """

    name: str
    words: tuple[str, ...]
    make: Callable[[Path], Library]


def plain(folder: Path) -> Library:
    """Make a library as it mostly is."""
    return establish(folder)


def alone(folder: Path) -> Library:
    """Make one whose remote is not the one that releases go to."""
    library = establish(folder)
    library.repository.git("remote", "rename", "origin", "elsewhere")
    return library


def with_crlf(folder: Path) -> Library:
    """Make one whose two files end their lines as on Windows."""
    released = {name: FILES[name].replace(b"\n", b"\r\n") for name in ("VERSION", "CHANGELOG.md")}
    return establish(folder, {**FILES, **released})


def with_other_work(folder: Path) -> Library:
    """Make one in which somebody is in the middle of other things."""
    library = establish(folder)
    library.repository.write({"lib.py": b"LEVERS = 2\n", "new.py": b"staged\n"})
    library.repository.git("add", "lib.py", "new.py")
    library.repository.write({"lib.py": b"LEVERS = 3\n", "notes.txt": b"edited\n", "scrap": b"not tracked\n"})
    return library


def signed(folder: Path) -> Library:
    """Make one that signs its tags, with a stand-in for gpg."""
    library = establish(folder, {**FILES, "kaizen.toml": b'app = "lib"\n[tag]\nsign = true\n'})
    library.repository.sign_with(SIGNER)
    return library


SCENES = {
    scene.name: scene
    for scene in (
        Scene(name="cut", words=CUT, make=plain),
        Scene(name="cut and push", words=CUT_AND_PUSH, make=plain),
        Scene(name="cut and push with CRLF", words=CUT_AND_PUSH, make=with_crlf),
        Scene(name="cut and push, signed", words=CUT_AND_PUSH, make=signed),
        Scene(name="chain", words=CHAIN, make=plain),
        Scene(name="chain without a remote", words=CHAIN, make=alone),
        Scene(name="chain with CRLF", words=CHAIN, make=with_crlf),
        Scene(name="chain amid other work", words=CHAIN, make=with_other_work),
        Scene(name="chain, signed", words=CHAIN, make=signed),
    )
}
