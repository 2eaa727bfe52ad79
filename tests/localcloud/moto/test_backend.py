"""Services of moto, and their persistence."""

from __future__ import annotations

import json
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.localcloud.moto.backend import COMPACTION_ENTRIES
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

PAYLOAD: dict[str, Any] = {
    "M": {
        "bytes": {"B": b"\x00\xff"},
        "list": {"L": [{"B": b"\x00"}, {"NULL": True}, {"BOOL": False}]},
        "numbers": {"NS": ["1", "2.5"]},
        "more bytes": {"BS": [b"\xff", b"\x00"]},
        "empty": {"S": ""},
    }
}
"""A value with values of all types."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run a cloud that the test can stop and kill."""
    with Cloud(tmp_path / "state") as running:
        yield running


def create_table(cloud: Cloud) -> None:
    cloud.client("dynamodb").create_table(
        TableName="locks",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def take(cloud: Cloud, owner: str) -> None:
    cloud.client("dynamodb").put_item(
        TableName="locks",
        Item={"name": {"S": "prod"}, "owner": {"S": owner}},
        ConditionExpression="attribute_not_exists(#name)",
        ExpressionAttributeNames={"#name": "name"},
    )


def items(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("dynamodb").query(
        TableName="locks",
        KeyConditionExpression="#name = :name",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": "prod"}},
    )["Items"]
    return found


def restart(cloud: Cloud) -> None:
    assert cloud.stop() == 0
    cloud.start()


def crash(cloud: Cloud) -> None:
    cloud.kill()
    cloud.start()


@pytest.mark.parametrize("again", [restart, crash])
def test_tables_survive_restarts_and_crashes(cloud: Cloud, again: Callable[[Cloud], None]) -> None:
    create_table(cloud)
    take(cloud, "me")
    failed = cloud.client("dynamodb").exceptions.ConditionalCheckFailedException
    with pytest.raises(failed):
        take(cloud, "you")
    again(cloud)
    assert items(cloud) == [{"name": {"S": "prod"}, "owner": {"S": "me"}}]
    with pytest.raises(cloud.client("dynamodb").exceptions.ConditionalCheckFailedException):
        take(cloud, "you")


def test_secrets_survive_with_their_arns_and_stages(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="app", SecretString="one")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    restart(cloud)
    secrets = cloud.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"] == "one"


def test_moving_awscurrent_also_moves_awsprevious(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    one = secrets.create_secret(Name="app", SecretString="one")["VersionId"]
    two = "0" * 32
    secrets.put_secret_value(SecretId="app", SecretString="two", ClientRequestToken=two, VersionStages=["ours"])
    move = {"SecretId": "app", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": one}

    with pytest.raises(secrets.exceptions.InvalidParameterException):
        secrets.update_secret_version_stage(**move, MoveToVersionId="1" * 32)
    assert secrets.get_secret_value(SecretId="app")["SecretString"] == "one"

    secrets.update_secret_version_stage(**move, MoveToVersionId=two)
    assert secrets.get_secret_value(SecretId="app")["SecretString"] == "two"

    secrets.put_secret_value(SecretId="app", SecretString="three")
    assert secrets.get_secret_value(SecretId="app", VersionStage="AWSPREVIOUS")["SecretString"] == "two"
    assert secrets.describe_secret(SecretId="app")["VersionIdsToStages"][one] == []


def test_conditional_write_succeeds_for_one_of_many_threads(cloud: Cloud) -> None:
    create_table(cloud)
    cloud.client("dynamodb")  # made before the threads, which share it
    won: list[str] = []
    start = threading.Barrier(8)

    def race(owner: str) -> None:
        start.wait()
        try:
            take(cloud, owner)
        except cloud.client("dynamodb").exceptions.ConditionalCheckFailedException:
            return
        won.append(owner)

    threads = [threading.Thread(target=race, args=(f"owner {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{"name": {"S": "prod"}, "owner": {"S": owner}} for owner in won] == items(cloud)


def test_incomplete_last_line_of_the_journal_is_removed(cloud: Cloud) -> None:
    create_table(cloud)
    cloud.kill()
    journal = cloud.state / "elsewhere.jsonl"
    with journal.open("a") as file:
        file.write('{"service": "dynamodb", "target": "Dyna')
    cloud.start()
    take(cloud, "me")
    restart(cloud)
    assert len(items(cloud)) == 1
    assert [json.loads(line)["service"] for line in journal.read_text().splitlines()] == ["dynamodb"] * 2


def test_journal_has_no_credentials_and_is_private(cloud: Cloud) -> None:
    create_table(cloud)
    journal = cloud.state / "elsewhere.jsonl"
    assert journal.stat().st_mode & 0o077 == 0
    assert json.loads(journal.read_text()).keys() == {"service", "region", "target", "kind", "content", "seed", "at"}


def test_failed_request_is_not_in_the_journal(cloud: Cloud) -> None:
    create_table(cloud)
    with pytest.raises(cloud.client("dynamodb").exceptions.ResourceInUseException):
        create_table(cloud)
    assert len((cloud.state / "elsewhere.jsonl").read_text().splitlines()) == 1


def describe(cloud: Cloud) -> list[Any]:
    """Return what AWS promises to keep of the table `locks` and the secret `app`."""
    secrets, tables = cloud.client("secretsmanager"), cloud.client("dynamodb")
    secret = secrets.describe_secret(SecretId="app")
    table = tables.describe_table(TableName="locks")["Table"]
    values = [
        secrets.get_secret_value(SecretId="app", VersionId=version)["SecretString"]
        for version in sorted(secret["VersionIdsToStages"])
    ]
    for answer in (secret, table):
        answer.pop("ResponseMetadata", None)
    tags = tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    live = tables.describe_time_to_live(TableName="locks")["TimeToLiveDescription"]
    parameter = cloud.client("ssm").get_parameter(Name="/app/key", WithDecryption=True)["Parameter"]
    return [secret, table, values, tags, live, parameter, tables.scan(TableName="locks")["Items"]]


@pytest.mark.parametrize("count", [3, COMPACTION_ENTRIES + 3])
def test_everything_survives_with_its_dates_and_the_journal_stays_short(cloud: Cloud, count: int) -> None:
    create_table(cloud)
    tables, secrets = cloud.client("dynamodb"), cloud.client("secretsmanager")
    arn = tables.describe_table(TableName="locks")["Table"]["TableArn"]
    tables.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "coach"}])
    tables.update_time_to_live(TableName="locks", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    secrets.create_secret(Name="app", SecretString="one", Tags=[{"Key": "a", "Value": "b"}])
    secrets.put_secret_value(SecretId="app", SecretString="two")
    cloud.client("ssm").put_parameter(Name="/app/key", Value="one", Type="SecureString")
    take(cloud, "me")
    for number in range(count):
        tables.update_item(
            TableName="locks",
            Key={"name": {"S": f"env {number % 3}"}},
            UpdateExpression="SET beats = :beats, payload = :payload",
            ExpressionAttributeValues={":beats": {"N": str(number)}, ":payload": PAYLOAD},
        )
    tables.delete_item(TableName="locks", Key={"name": {"S": "env 2"}})
    before = describe(cloud)
    for again in (crash, restart):
        again(cloud)
        assert describe(cloud) == before
    assert len((cloud.state / "elsewhere.jsonl").read_text().splitlines()) < 25
    assert (
        cloud.client("secretsmanager").put_secret_value(SecretId="app", SecretString="three")["ARN"] == before[0]["ARN"]
    )
    assert (
        cloud.client("secretsmanager").get_secret_value(SecretId="app", VersionStage="AWSPREVIOUS")["SecretString"]
        == "two"
    )


def test_table_that_was_deleted_and_created_again_is_restored_as_the_new_one(cloud: Cloud) -> None:
    create_table(cloud)
    take(cloud, "me")
    tables = cloud.client("dynamodb")
    tables.delete_table(TableName="locks")
    create_table(cloud)
    for number in range(COMPACTION_ENTRIES):
        tables.put_item(TableName="locks", Item={"name": {"S": "staging"}, "beats": {"N": str(number)}})
    restart(cloud)
    assert cloud.client("dynamodb").scan(TableName="locks")["Items"] == [
        {"name": {"S": "staging"}, "beats": {"N": str(COMPACTION_ENTRIES - 1)}}
    ]


def test_journal_with_backups_is_kept_as_it_is(cloud: Cloud) -> None:
    create_table(cloud)
    take(cloud, "me")
    tables = cloud.client("dynamodb")
    backup = tables.create_backup(TableName="locks", BackupName="monday")["BackupDetails"]["BackupArn"]
    for number in range(COMPACTION_ENTRIES):
        tables.put_item(TableName="locks", Item={"name": {"S": "prod"}, "owner": {"S": str(number)}})
    restart(cloud)
    cloud.client("dynamodb").restore_table_from_backup(TargetTableName="old", BackupArn=backup)
    assert cloud.client("dynamodb").scan(TableName="old")["Items"] == [{"name": {"S": "prod"}, "owner": {"S": "me"}}]


@pytest.mark.parametrize(
    "entry",
    [
        {"region": "eu-west-1", "table": "missing", "item": {"name": {"S": "prod"}}},
        {"region": "eu-west-1", "table": "locks", "item": {"other": {"S": "prod"}}},
        {"region": "eu-west-1", "secret": {}},
        {"service": "dynamodb", "region": "r", "target": "X.Nonsense", "kind": "", "content": "", "seed": 1},
    ],
)
def test_cloud_does_not_start_on_an_entry_that_cannot_be_restored(cloud: Cloud, entry: dict[str, Any]) -> None:
    create_table(cloud)
    cloud.stop()
    journal = cloud.state / "elsewhere.jsonl"
    good_line = journal.read_text()
    journal.write_text(f"{good_line}{json.dumps(entry)}\n{good_line}")
    with pytest.raises(RuntimeError, match="cannot be read") as caught:
        cloud.start()
    lines = str(caught.value).splitlines()
    assert f"{journal}:2 cannot be read" in lines[0]
    assert lines[-1] == "remove line 2, whose change is then lost, or choose another --state"
    journal.write_text(good_line * 2)  # the second one is refused: it was never answered, and is removed
    cloud.start()
    assert journal.read_text() == good_line
    assert cloud.client("dynamodb").list_tables()["TableNames"] == ["locks"]


def test_items_are_sorted_by_key(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}]
    client.create_table(TableName="log", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    for number in ("10", "9", "-1"):
        for name in ("b", "a"):
            client.put_item(TableName="log", Item={"pk": {"S": name}, "sk": {"N": number}})

    found = client.query(
        TableName="log", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "b"}}
    )
    everything = client.scan(TableName="log")["Items"]

    assert [each["sk"]["N"] for each in found["Items"]] == ["-1", "9", "10"]
    assert [each["pk"]["S"] + each["sk"]["N"] for each in everything] == ["a-1", "a9", "a10", "b-1", "b9", "b10"]


def test_query_reads_one_partition_in_both_directions_and_pages(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    client.create_table(TableName="ledger", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    for partition in ("prod", "staging"):
        for key in ("3", "1", "2"):
            client.put_item(TableName="ledger", Item={"pk": {"S": partition}, "sk": {"S": key}})

    def query(partition: str = "prod", condition: str = "", **asked: Any) -> list[str]:
        pages = client.get_paginator("query").paginate(
            TableName="ledger",
            KeyConditionExpression=f"pk = :pk{condition}",
            ExpressionAttributeValues={":pk": {"S": partition}, **({":least": {"S": "2"}} if condition else {})},
            **asked,
        )
        return [item["sk"]["S"] for page in pages for item in page["Items"]]

    assert query() == ["1", "2", "3"]
    assert query(ScanIndexForward=False, PaginationConfig={"PageSize": 1}) == ["3", "2", "1"]
    assert query(condition=" AND sk >= :least") == ["2", "3"]
    assert query("nobody") == []


def test_values_of_all_types_round_trip(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    create_table(cloud)
    item: dict[str, Any] = {
        "name": {"S": "prod"},
        "empty": {"S": ""},
        "number": {"N": "3.5"},
        "bytes": {"B": b"\x00\xff"},
        "nothing": {"NULL": True},
        "truth": {"BOOL": False},
        "texts": {"SS": ["a", "b"]},
        "many": {"L": [{"S": "a"}, {"M": {"deep": {"N": "1"}}}]},
    }

    client.put_item(TableName="locks", Item=item)

    assert client.get_item(TableName="locks", Key={"name": {"S": "prod"}})["Item"] == item
    assert items(cloud) == [item]


def test_moto_uses_the_account_of_the_cloud(tmp_path: Path) -> None:
    with Cloud(tmp_path / "other", "--account", "210987654321") as cloud:
        for _ in range(2):
            name = uuid.uuid4().hex
            created = cloud.client("secretsmanager").create_secret(Name=name, SecretString="x")
            assert created["ARN"].split(":")[4] == "210987654321"
            assert cloud.client("sts").get_caller_identity()["Account"] == "210987654321"
            restart(cloud)
            assert cloud.client("secretsmanager").get_secret_value(SecretId=name)["ARN"] == created["ARN"]
