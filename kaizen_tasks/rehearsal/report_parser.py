"""What a rehearsal has done: the steps with their times, and the calls that would have changed something on AWS."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import frozen

from kaizen_tasks.domain import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LOOKING = ("Get", "Describe", "List", "Batch", "Query", "Scan", "GET", "HEAD")
"""How the names of requests begin that change nothing."""

UPLOAD = re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/")
MANIFEST = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)")
MOUNTED = 201
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository"""

LINE = re.compile(
    r"(?:[\d:]{8}Z)?  (?P<verdict>done|failed|ok|already done) +(?P<label>[a-z]\S*(?: \S+)?) {2,}(?P<text>.*)"
)
TIME = re.compile(r"(?:\(|after )(?P<time>\d[^()]*?)\)?$")


@frozen(kw_only=True)
class Took:
    """A step that has ended.

    Attributes:
        step: its name and environment: `deploy staging`.
        verdict: `done`, `failed`, `ok` or `already done`.
        seconds: how long it acted; 0 when it did not.
    """

    step: str
    verdict: str
    seconds: float


def steps(lines: Iterable[str]) -> tuple[Took, ...]:
    """Read the steps out of what a command says where there is no terminal."""
    return tuple(_took(found) for line in lines if (found := LINE.fullmatch(line)))


def _took(line: re.Match[str]) -> Took:
    time = TIME.search(line["text"]) if line["verdict"] in {"done", "failed"} else None
    return Took(step=line["label"], verdict=line["verdict"], seconds=_seconds(time["time"]) if time else 0)


def _seconds(text: str) -> float:
    """Read what `duration.show` wrote; zero when it is something else that stands in brackets."""
    try:
        return duration.parse(text.replace(" ", ""))
    except ValueError:
        return 0


class RequestLog:
    """What a local cloud writes down of its requests.

    Args:
        state: the cloud's folder.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "requests.jsonl"
        self._read = 0

    def new(self) -> Sequence[Mapping[str, Any]]:
        """Return the requests since the last question, oldest first."""
        with self._path.open(encoding="utf-8") as file:
            file.seek(self._read)
            lines = file.readlines()
            self._read = file.tell()
        return [json.loads(line) for line in lines]


def changes(requests: Iterable[Mapping[str, Any]]) -> Mapping[str, int]:
    """Return what changed something and how often, in the order in which each was done first."""
    named = (_name(each) for each in requests if each["status"] < 400)
    return Counter(name for name in named if name)


def _name(request: Mapping[str, Any]) -> str:
    """Say what a request has changed; nothing for one that has only looked."""
    operation = str(request.get("operation") or request["method"])
    if operation.startswith(LOOKING):
        return ""
    if request["service"] != "registry":
        return f"{request['service']}:{operation}"
    if manifest := MANIFEST.fullmatch(request["path"]):
        return f"put {manifest['repository']}:{manifest['reference']}"
    if operation == "POST" and (upload := UPLOAD.match(request["path"])):
        verb = "mount a layer into" if request["status"] == MOUNTED else "upload a layer to"
        return f"{verb} {upload['repository']}"
    return ""
