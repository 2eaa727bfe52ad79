"""Calls that were recorded can be made again, without the cloud that answered them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from attrs import evolve
from botocore.credentials import Credentials

from benchmarks import rollout_floor
from benchmarks.recorder import RecordedCall, recording, replaying

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

CREDENTIALS = Credentials("id", "secret")
CALL = RecordedCall(
    at=0.0,
    target="DynamoDB_20120810.ListTables",
    body=b'{"Limit": 1}',
    status=200,
    headers=(("Content-Type", "application/x-amz-json-1.0"),),
    response=b'{"TableNames": ["first"]}',
)
LATER_CALL = evolve(CALL, response=b'{"TableNames": ["second"]}')


def _list_tables(url: str) -> list[str]:
    client: Any = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id=CREDENTIALS.access_key,
        aws_secret_access_key=CREDENTIALS.secret_key,
    )
    names: list[str] = client.list_tables(Limit=1)["TableNames"]
    client.close()
    return names


def test_recorded_responses_are_replayed_in_their_order() -> None:
    """The last one for a call is given to all further ones."""
    with replaying([CALL, LATER_CALL]) as url:
        assert [_list_tables(url) for _ in range(3)] == [["first"], ["second"], ["second"]]


def test_recorder_forwards_calls_and_keeps_them_with_their_responses() -> None:
    """What it has recorded can be replayed."""
    with replaying([CALL]) as upstream, recording(upstream, CREDENTIALS) as recorder:
        assert _list_tables(recorder.url) == ["first"]
    (call,) = recorder.calls
    assert (call.target, call.body, call.response) == (CALL.target, CALL.body, CALL.response)
    with replaying(recorder.calls) as url:
        assert _list_tables(url) == ["first"]


def test_floor_makes_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of AWS get the response that was recorded, those of the registry the status."""
    for name, value in {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "a-b-1"}.items():
        monkeypatch.setenv(name, value)
    key = {"TableName": "kaizen-app", "Key": {"pk": {"B": "AAEC"}}}
    read = evolve(CALL, target="DynamoDB_20120810.GetItem", body=json.dumps(key).encode(), response=b"{}")
    calls = [
        *([[0.0, "aws", "dynamodb", "list_tables", {"Limit": 1}]] * 2),
        [0.0, "aws", "dynamodb", "get_item", key],
        [0.0, "registry", "HEAD", "/v2/", 0, 404],
    ]
    with replaying([CALL, read]) as upstream, recording(upstream, CREDENTIALS) as recorder:
        path = tmp_path / "calls.json"
        path.write_text(json.dumps({"url": recorder.url, "threads": 1, "calls": calls[:3]}))
        rollout_floor.main(str(path))
        path.write_text(json.dumps({"url": upstream, "threads": 2, "calls": calls}))
        rollout_floor.main(str(path))
    assert [call.target.partition(".")[2] for call in recorder.calls] == ["ListTables", "ListTables", "GetItem"]
