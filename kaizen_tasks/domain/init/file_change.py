"""Files that `kaizen init` writes: new ones, and one line at the end of `.gitignore`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class FileChange:
    """The change of a file.

    Attributes:
        path: the file's path from the app's folder.
        before: the current content; None when there is no such file.
        after: the new content.
        is_generated: whether nobody reads the content.
    """

    path: str
    before: bytes | None = None
    after: bytes
    is_generated: bool = False

    @property
    def diff(self) -> Iterator[str]:
        """The lines of the change's diff, in the format of `git apply`; of generated content, its size."""
        before, after = (_split_lines(content or b"") for content in (self.before, self.after))
        old_path = "/dev/null" if self.before is None else f"a/{self.path}"
        if self.is_generated:
            return iter((f"--- {old_path}", f"+++ b/{self.path}", f"+ ({len(after)} generated lines)"))
        return difflib.unified_diff(before, after, old_path, f"b/{self.path}", lineterm="")


def _split_lines(content: bytes) -> list[str]:
    """Split UTF-8 text at line feeds only; a carriage return is part of its line."""
    return content.decode("utf-8", "replace").removesuffix("\n").split("\n") if content else []
