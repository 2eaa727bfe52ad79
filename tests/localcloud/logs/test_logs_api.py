"""CloudWatch Logs by boto3: App Runner's log groups and all others."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from kaizen_tasks.localcloud.logs.files import LogStore
from kaizen_tasks.localcloud.logs.groups import LogGroups
from kaizen_tasks.localcloud.logs.streams import LogEvent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.local_cloud import Cloud

ID = "0" * 32
GROUP = f"/aws/apprunner/web/{ID}"
EVENTS = {"logGroupName": f"{GROUP}/service", "logStreamName": "events"}


def written(folder: Path) -> LogStore:
    """Write logs as App Runner does: 30 events, a deployment, two instances."""
    logs = LogStore(folder)
    for number in range(30):
        logs.append_event(f"web/{ID}", f"event {number}")
    logs.append_event(f"web/{ID}", "deployed", "6c-7e")
    for name in ("a", "b"):
        path = logs.register_output(f"web/{ID}", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} one\n{name} two\n")
    later = time.time() + 1
    os.utime(folder / "web" / ID / "application" / "instance" / "a", (later, later))
    return logs


@pytest.fixture(scope="module")
def logs(cloud: Cloud) -> Any:
    """Return a client of the cloud's logs."""
    written(cloud.state / "apprunner" / "logs")
    return cloud.client("logs")


def messages(answer: dict[str, Any]) -> list[str]:
    """Return the messages of a response."""
    return [event["message"].removeprefix("[AppRunner] ") for event in answer["events"]]


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    """Return the code and message of a refused request."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


class TestRetention:
    def test_retention_is_described_and_kept(self, logs: Any, cloud: Cloud) -> None:
        group = {"logGroupName": f"{GROUP}/service"}
        logs.put_retention_policy(**group, retentionInDays=14)
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group["logGroupName"])["logGroups"]
        assert found["retentionInDays"] == 14
        assert LogStore(cloud.state / "apprunner" / "logs").retention_days == {group["logGroupName"]: 14}
        logs.delete_retention_policy(**group)
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group["logGroupName"])["logGroups"]
        assert "retentionInDays" not in found

    def test_days_that_aws_does_not_offer_are_refused(self, logs: Any) -> None:
        code, message = refusal(logs.put_retention_policy, logGroupName=f"{GROUP}/service", retentionInDays=2)
        assert (code, "not one of 1, 3, 5" in message) == ("InvalidParameterException", True)

    def test_unknown_group_has_no_retention(self, logs: Any) -> None:
        unknown = {"logGroupName": f"{GROUP}/none"}
        assert refusal(logs.put_retention_policy, **unknown, retentionInDays=1)[0] == "ResourceNotFoundException"
        for call in (logs.delete_retention_policy, logs.list_tags_log_group):
            assert refusal(call, **unknown)[0] == "ResourceNotFoundException"

    def test_group_without_streams_has_a_date(self, logs: Any, cloud: Cloud) -> None:
        LogStore(cloud.state / "apprunner" / "logs").register_output(f"silent/{ID}", "a")
        (found,) = logs.describe_log_groups(logGroupNamePrefix="/aws/apprunner/silent/")["logGroups"]
        assert abs(found["creationTime"] / 1000 - time.time()) < 60

    def test_groups_have_no_tags(self, logs: Any) -> None:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=f"{GROUP}/service")["logGroups"]
        assert logs.list_tags_for_resource(resourceArn=found["logGroupArn"])["tags"] == {}


class TestGroups:
    def test_groups_are_found_by_prefix(self, logs: Any) -> None:
        groups = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]

        assert [each["logGroupName"] for each in groups] == [f"{GROUP}/application", f"{GROUP}/service"]
        assert groups[0]["arn"].endswith(f":log-group:{GROUP}/application:*")
        assert abs(groups[1]["creationTime"] / 1000 - time.time()) < 600

    def test_groups_of_clients_are_listed_with_those_of_app_runner(self, logs: Any) -> None:
        logs.create_log_group(logGroupName="/ours/own")

        pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})

        names = [each["logGroupName"] for page in pages for each in page["logGroups"]]
        assert {f"{GROUP}/application", f"{GROUP}/service", "/ours/own"} <= set(names)
        assert names == sorted(names)

    def test_unknown_names_are_a_resource_not_found_exception(self, logs: Any) -> None:
        missing = ("ResourceNotFoundException", "The specified log group does not exist.")

        assert refusal(logs.describe_log_streams, logGroupName="/aws/apprunner/absent/0/service") == missing
        assert refusal(logs.filter_log_events, logGroupName="/aws/apprunner/absent/0/service") == missing


class TestGroupsOfClients:
    def test_events_of_clients_are_returned(self, logs: Any) -> None:
        stream = {"logGroupName": "/ours/written", "logStreamName": "web/1"}
        logs.create_log_group(logGroupName="/ours/written")
        logs.create_log_stream(**stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now + number, "message": f"event {number}"} for number in range(3)]

        logs.put_log_events(**stream, logEvents=events)

        assert messages(logs.get_log_events(**stream)) == ["event 0", "event 1", "event 2"]
        assert messages(logs.filter_log_events(logGroupName="/ours/written", startTime=now + 1)) == [
            "event 1",
            "event 2",
        ]
        code, message = refusal(logs.put_log_events, **stream, logEvents=events[::-1])
        assert (code, "chronological order" in message) == ("InvalidParameterException", True)

    def test_tags_and_retention_are_kept(self, logs: Any) -> None:
        group = {"logGroupName": "/ours/tagged"}
        logs.create_log_group(**group, tags={"team": "web"})
        (found,) = logs.describe_log_groups(logGroupNamePrefix="/ours/tagged")["logGroups"]
        arn = {"resourceArn": found["logGroupArn"]}
        assert "retentionInDays" not in found

        logs.put_retention_policy(**group, retentionInDays=30)
        logs.tag_resource(**arn, tags={"app": "coach", "team": "api"})
        logs.untag_log_group(**group, tags=["app"])

        (found,) = logs.describe_log_groups(logGroupNamePrefix="/ours/tagged")["logGroups"]
        assert found["retentionInDays"] == 30
        assert logs.list_tags_for_resource(**arn)["tags"] == {"team": "api"}

    def test_groups_and_streams_are_created_and_deleted_once(self, logs: Any) -> None:
        group = {"logGroupName": "/ours/brief"}
        stream = {**group, "logStreamName": "s"}

        logs.create_log_group(**group)
        assert refusal(logs.create_log_group, **group)[0] == "ResourceAlreadyExistsException"
        logs.create_log_stream(**stream)
        assert refusal(logs.create_log_stream, **stream)[0] == "ResourceAlreadyExistsException"
        logs.delete_log_stream(**stream)
        assert refusal(logs.delete_log_stream, **stream)[0] == "ResourceNotFoundException"
        logs.delete_log_group(**group)
        assert refusal(logs.delete_log_group, **group)[0] == "ResourceNotFoundException"

    def test_groups_of_app_runner_are_not_deleted(self, logs: Any) -> None:
        assert refusal(logs.delete_log_group, logGroupName=f"{GROUP}/service")[0] == "InvalidParameterException"

    @pytest.mark.parametrize("name", ["a b", "", "a" * 513])
    def test_names_that_aws_does_not_allow_are_refused(self, logs: Any, name: str) -> None:
        assert refusal(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"


class TestLogGroups:
    def test_what_was_created_is_there_after_a_restart(self, tmp_path: Path) -> None:
        groups = LogGroups(tmp_path)
        groups.create("/ecs/web", {"team": "web"})
        output = groups.output_file("/ecs/web", "web/app/1")
        output.write_text("printed\n")
        groups.append("/ecs/web", "web/app/1", [LogEvent(1, "put")])

        (stream,) = LogGroups(tmp_path).streams("/ecs/web") or ()

        assert stream.name == "web/app/1"
        assert [event.message for event in stream.events] == ["put", "printed"]
        groups.delete("/ecs/web")
        assert (groups.streams("/ecs/web"), output.exists()) == (None, False)

    def test_lines_have_the_time_that_was_noted(self, tmp_path: Path) -> None:
        groups = LogGroups(tmp_path)
        groups.create("/ecs/web", {})
        output = groups.output_file("/ecs/web", "web")
        for second in (1, 2):
            with output.open("a") as file:
                file.write(f"line {second}\n")
            os.utime(output, (second, second))
            groups.note_times()

        (stream,) = groups.streams("/ecs/web") or ()

        assert stream.events == (LogEvent(1000, "line 1"), LogEvent(2000, "line 2"))


class TestStreams:
    def test_streams_have_the_names_of_app_runner(self, logs: Any) -> None:
        def names(group: str, **more: Any) -> list[str]:
            found = logs.describe_log_streams(logGroupName=f"{GROUP}/{group}", **more)["logStreams"]
            return [each["logStreamName"] for each in found]

        assert names("service") == ["deployment/6c7e", "events"]
        assert names("application") == ["instance/a", "instance/b"]
        assert names("service", logStreamNamePrefix="dep") == ["deployment/6c7e"]
        assert names("application", descending=True, limit=1) == ["instance/b"]
        assert names("application", orderBy="LastEventTime", descending=True, limit=1) == ["instance/a"]

    def test_streams_have_creation_and_event_times(self, logs: Any) -> None:
        (stream,) = logs.describe_log_streams(logGroupName=f"{GROUP}/application", limit=1)["logStreams"]

        assert stream["creationTime"] <= stream["firstEventTimestamp"] <= stream["lastEventTimestamp"]

    def test_stream_without_output_has_no_event_times(self, logs: Any, cloud: Cloud) -> None:
        path = cloud.state / "apprunner" / "logs" / "mute" / ID / "application" / "instance" / "c"
        path.parent.mkdir(parents=True)
        path.touch()

        (stream,) = logs.describe_log_streams(logGroupName=f"/aws/apprunner/mute/{ID}/application")["logStreams"]

        assert (stream["logStreamName"], "lastEventTimestamp" in stream) == ("instance/c", False)

    def test_order_by_time_with_a_prefix_is_refused(self, logs: Any) -> None:
        group = {"logGroupName": f"{GROUP}/service", "orderBy": "LastEventTime", "logStreamNamePrefix": "e"}

        assert refusal(logs.describe_log_streams, **group)[0] == "InvalidParameterException"

    def test_unknown_names_are_a_resource_not_found_exception(self, logs: Any) -> None:
        missing = ("ResourceNotFoundException", "The specified log stream does not exist.")

        assert refusal(logs.get_log_events, **{**EVENTS, "logStreamName": "absent"}) == missing


class TestEvents:
    def test_last_events_are_returned_unless_start_from_head(self, logs: Any) -> None:
        assert messages(logs.get_log_events(**EVENTS, limit=2)) == ["event 29", "deployed"]
        assert messages(logs.get_log_events(**EVENTS, limit=2, startFromHead=True)) == ["event 0", "event 1"]

    def test_events_are_paged_in_both_directions(self, logs: Any) -> None:
        page = logs.get_log_events(**EVENTS, limit=10)
        before = logs.get_log_events(**EVENTS, limit=10, nextToken=page["nextBackwardToken"])
        after = logs.get_log_events(**EVENTS, limit=10, nextToken=before["nextForwardToken"])
        end = logs.get_log_events(**EVENTS, limit=10, nextToken=after["nextForwardToken"])

        assert messages(before) == [f"event {number}" for number in range(11, 21)]
        assert messages(after) == messages(page)
        assert end["events"] == []
        assert end["nextForwardToken"] == after["nextForwardToken"]

    def test_group_can_be_identified_by_arn(self, logs: Any) -> None:
        arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{GROUP}/service"

        assert len(logs.get_log_events(logGroupIdentifier=arn, logStreamName="events")["events"]) == 31

    def test_events_are_in_the_requested_time_range(self, logs: Any) -> None:
        future = int(time.time() * 1000) + 60_000

        assert logs.get_log_events(**EVENTS, startTime=future)["events"] == []
        assert len(logs.get_log_events(**EVENTS, endTime=future)["events"]) == 31

    def test_invalid_token_is_refused(self, logs: Any) -> None:
        assert refusal(logs.get_log_events, **EVENTS, nextToken="somebody's")[0] == "InvalidParameterException"


class TestFilter:
    def test_filter_reads_all_streams_in_pages(self, logs: Any) -> None:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"{GROUP}/application", PaginationConfig={"PageSize": 3}
        )
        events = [event for page in pages for event in page["events"]]

        assert {(each["logStreamName"], each["message"]) for each in events} == {
            (f"instance/{name}", f"{name} {word}") for name in "ab" for word in ("one", "two")
        }
        assert len({each["eventId"] for each in events}) == 4

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("one", ["a one", "b one"]),
            ("a one", ["a one"]),
            ('"b two"', ["b two"]),
            ("-one -b", ["a two"]),
            ('?"a one" ?"b two"', ["a one", "b two"]),
            ("One", []),
        ],
    )
    def test_filter_supports_plain_optional_and_excluded_terms(self, logs: Any, pattern: str, found: list[str]) -> None:
        answer = logs.filter_log_events(logGroupName=f"{GROUP}/application", filterPattern=pattern)

        assert sorted(messages(answer)) == found

    @pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[a, b]", '"open'])
    def test_unsupported_patterns_are_refused(self, logs: Any, pattern: str) -> None:
        group = {"logGroupName": f"{GROUP}/application", "filterPattern": pattern}

        assert refusal(logs.filter_log_events, **group)[0] == "InvalidParameterException"

    def test_filter_reads_named_streams(self, logs: Any) -> None:
        answer = logs.filter_log_events(logGroupName=f"{GROUP}/application", logStreamNames=["instance/b"])

        assert messages(answer) == ["b one", "b two"]


def test_line_keeps_the_time_at_which_it_was_first_seen(tmp_path: Path) -> None:
    logs = written(tmp_path)

    def times() -> list[int]:
        streams = logs.streams(f"{GROUP}/application") or ()
        return [event.timestamp for stream in streams for event in stream.events]

    before = times()
    time.sleep(0.02)
    with (tmp_path / "web" / ID / "application" / "instance" / "b").open("a") as file:
        file.write("b three\nhalf a")

    assert times()[:4] == before
    assert len(times()) == 5
    assert times()[4] > before[3]
