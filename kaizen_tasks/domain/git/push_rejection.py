"""Why a server rejects a push, in its own words, and what to do about it."""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen

_REF = re.compile(r"refs/(?:heads|tags)/[^\s'\",:]*[^\s'\",:.]")
_ABOUT_A_TAG = re.compile(
    r"protected tags?\b|(?:create|update|delete|push) (?:this|a|the)? ?tags?\b|tags? (?:is|are) protected",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^(?:(?:error|fatal|gitlab|gitea|forgejo|remote|denied)\b:?\s*)+(?=\S)", re.IGNORECASE)
_BULLET = re.compile(r"^\s*[-*•] (?=\w)")
_MAX_REASON_LENGTH = 200


class Cause(Enum):
    """Why a server rejects a push; each value is a pattern of what servers print, the first that matches counts."""

    AUTHENTICATION = (
        r"authentication failed|could not read (?:username|password)|publickey|host key verification"
        r"|returned error: 401|invalid (?:credentials|username)|http basic: access denied"
    )
    TAG_EXISTS = r"already exists"
    OUTDATED = r"non-fast-forward|fetch first|stale info|but expected"
    SECRET = (
        r"cannot contain secrets|secret[ -](?:scanning|detection|push protection)|VS403654"  # noqa: S105
        r"|contains? (?:\w+ )*secrets"
    )
    SIGNATURE = (
        r"verified signature|must be signed|(?:un|not )signed\b(?!-off)|signed commits|signature (?:is )?required"
        r"|(?:commit|gpg|tag|requires?|required|missing|invalid) signature|signature (?:is )?(?:missing|invalid)"
    )
    SIZE = (
        r"GH001|large files|size limit|quota|storage limit|over (?:its|the) (?:\w+ )*limit|no space left"
        r"|exceed\w* (?:\S+ )*(?:limit|size)"
    )
    MESSAGE = (
        r"commit(?:'s)? message|message footer|change-id|signed-off-by|commit title|subject line|email privacy"
        r"|(?:author|committer)(?:'s)? (?:\S+ )*(?:is not|does not|must|e-?mail|name)|private e-?mail"
    )
    RULE = (
        r"protected|repository rule|GH006|GH013|TF402455|pull request|merge request|status check|restrict"
        r"|linear history|merge commits|permission denied to (?:update|create) (?:branch|tag)|branch permission"
    )
    PERMISSION = (
        r"permission|not (?:allowed|permitted|authori[sz]ed)|unauthori[sz]ed|prohibited by gerrit|denied by|TF401027"
        r"|access (?:\w+ )*denied|forbidden|returned error: 403|read[ -]only|archived|write access"
    )
    HOOK = r"hook declined"
    OTHER = r""


@frozen(kw_only=True)
class Rejection:
    """A rejected ref.

    Attributes:
        refspec: as it was pushed.
        ref: the full name of the ref that the server has something against.
        reason: git's word for it.
        lines: what the server printed.
    """

    refspec: str
    ref: str
    reason: str
    lines: tuple[str, ...]

    @property
    def cause(self) -> Cause:
        """The cause, by what git and the server say."""
        return find_cause(f"{self.reason}\n" + "\n".join(self.lines))

    @property
    def is_tag(self) -> bool:
        """Whether the server has something against a tag."""
        return self.ref.startswith("refs/tags/")

    @property
    def name(self) -> str:
        """The ref's short name."""
        return self.ref.split("/", 2)[-1]

    @property
    def why(self) -> str:
        """The server's reason in one line: its bullets, else its first line with words, else git's reason."""
        return first_reason(self.lines) or self.reason


def find_cause(text: str) -> Cause:
    """Return why a server does not accept a push, by what git and the server print."""
    return next(cause for cause in Cause if re.search(cause.value, text, re.IGNORECASE))


def first_reason(lines: tuple[str, ...]) -> str:
    """Return a server's reason in one line: its bullets, else its first line that has words; empty without one."""
    bullets = [_BULLET.sub("", line).strip() for line in lines if _BULLET.match(line)]
    sentences = [_PREFIX.sub("", line.strip()) for line in lines if re.search(r"\w", line)]
    reason = " ".join(bullets) or next(iter(sentences), "")
    return reason if len(reason) <= _MAX_REASON_LENGTH else f"{reason[:_MAX_REASON_LENGTH]} …"


def server_lines(stderr: str) -> tuple[str, ...]:
    """Return what a server printed during a push, without the `remote:` that git writes before each line."""
    return tuple(
        line.partition("remote:")[2].removeprefix(" ").rstrip()
        for line in stderr.splitlines()
        if line.startswith("remote:")
    )


def find_rejection(porcelain: str, stderr: str) -> Rejection | None:
    """Return the ref that made `git push --porcelain` fail, not those that failed with it; None if there is none."""
    rows = [line.split("\t") for line in porcelain.splitlines() if line.startswith("!\t")]
    if not rows:
        return None
    own_rows = [row for row in rows if "atomic" not in row[2]] or rows
    lines = server_lines(stderr)
    row = _blamed_row(own_rows, "\n".join(lines))
    return Rejection(
        refspec=row[1],
        ref=_remote_ref(row),
        reason=row[2].partition("(")[2].removesuffix(")") or row[2],
        lines=lines,
    )


def _blamed_row(rows: list[list[str]], text: str) -> list[str]:
    """Return the row of the ref that the server names; a hook that declines one ref declines all of a push."""
    named_refs = set(_REF.findall(text))
    named_rows = [row for row in rows if _remote_ref(row) in named_refs]
    if not named_rows and _ABOUT_A_TAG.search(text):
        named_rows = [row for row in rows if _remote_ref(row).startswith("refs/tags/")]
    return (named_rows or rows)[0]


def _remote_ref(row: list[str]) -> str:
    return row[1].partition(":")[2]
