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

READ_ONLY_PREFIXES = ("Get", "Describe", "List", "Batch", "Query", "Scan", "GET", "HEAD")
"""How the names of requests begin that change nothing."""

UPLOAD_PATH = re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/")
MANIFEST_PATH = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)")
BLOB_MOUNTED_STATUS = 201
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository"""

STEP_LINE = re.compile(
    r"(?:[\d:]{8}Z)?  (?P<verdict>done|failed|ok|already done) +(?P<label>[a-z]\S*(?: \S+){0,2}) {2,}(?P<text>.*)"
)
STEP_DURATION = re.compile(r"(?:\(|after )(?P<time>\d[^()]*?)\)?$")


@frozen(kw_only=True)
class StepTiming:
    """A step that has ended.

    Attributes:
        step: its name and environment: `deploy staging`.
        verdict: `done`, `failed`, `ok` or `already done`.
        seconds: how long it acted; 0 when it did not.
    """

    step: str
    verdict: str
    seconds: float


def parse_step_timings(lines: Iterable[str]) -> tuple[StepTiming, ...]:
    """Read the steps out of what a command says where there is no terminal."""
    return tuple(_parse_step(match) for line in lines if (match := STEP_LINE.fullmatch(line)))


def _parse_step(match: re.Match[str]) -> StepTiming:
    time_match = STEP_DURATION.search(match["text"]) if match["verdict"] in {"done", "failed"} else None
    return StepTiming(
        step=match["label"], verdict=match["verdict"], seconds=_parse_seconds(time_match["time"]) if time_match else 0
    )


def _parse_seconds(text: str) -> float:
    """Read what `duration.show` wrote; zero when it is something else that stands in brackets."""
    try:
        return duration.parse_duration(text.replace(" ", ""))
    except ValueError:
        return 0


class RequestLogReader:
    """What a local cloud writes down of its requests.

    Args:
        state: the cloud's folder.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "requests.jsonl"
        self._offset = 0

    def read_new(self) -> Sequence[Mapping[str, Any]]:
        """Return the requests since the last question, oldest first."""
        with self._path.open(encoding="utf-8") as file:
            file.seek(self._offset)
            lines = file.readlines()
            self._offset = file.tell()
        return [json.loads(line) for line in lines]


def count_changes(requests: Iterable[Mapping[str, Any]]) -> Mapping[str, int]:
    """Return what changed something and how often, in the order in which each was done first."""
    names = (_describe_change(request) for request in requests if request["status"] < 400)
    return Counter(name for name in names if name)


def _describe_change(request: Mapping[str, Any]) -> str:
    """Say what a request has changed; nothing for one that has only looked."""
    operation = str(request.get("operation") or request["method"])
    if operation.startswith(READ_ONLY_PREFIXES):
        return ""
    if request["service"] != "registry":
        return f"{request['service']}:{operation}"
    if manifest := MANIFEST_PATH.fullmatch(request["path"]):
        return f"put {manifest['repository']}:{manifest['reference']}"
    if operation == "POST" and (upload := UPLOAD_PATH.match(request["path"])):
        verb = "mount a layer into" if request["status"] == BLOB_MOUNTED_STATUS else "upload a layer to"
        return f"{verb} {upload['repository']}"
    return ""
