"""Files that `kaizen init` writes: new ones, and one line at the end of `.gitignore`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class FileChange:
    """A file before and after.

    Attributes:
        path: below the app's folder.
        before: its content; None when there is no such file.
        after: its new content.
    """

    path: str
    before: bytes | None = None
    after: bytes

    @property
    def diff(self) -> Iterator[str]:
        """The lines of the difference, as `git apply` takes them."""
        before, after = (_split_lines(content or b"") for content in (self.before, self.after))
        old_path = "/dev/null" if self.before is None else f"a/{self.path}"
        return difflib.unified_diff(before, after, old_path, f"b/{self.path}", lineterm="")


def _split_lines(content: bytes) -> list[str]:
    """Split a text at its line feeds only; a carriage return is part of its line."""
    return content.decode("utf-8", "replace").removesuffix("\n").split("\n") if content else []
