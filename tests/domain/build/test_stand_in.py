"""What stand-in images answer, as the local cloud sends it."""

from __future__ import annotations

from email.parser import BytesParser
from pathlib import Path

import pytest

from kaizen_tasks.domain.build import stand_in
from kaizen_tasks.domain.health import ProbeResponse, VersionFormat, VersionReport, parse_version_response
from kaizen_tasks.domain.smoke import SmokeCheck, Statuses
from kaizen_tasks.localcloud.instances.rootfs import PlatformImage
from kaizen_tasks.localcloud.instances.spec import InstanceSpec
from kaizen_tasks.localcloud.instances.stand_in import Answers


def answer(labels: dict[str, str], request: str) -> ProbeResponse:
    """Return the answer of an image of v1.2.3 in prod to a request such as `GET /version`."""
    image = PlatformImage(
        digest="",
        layers=(),
        entrypoint=(),
        command=(),
        environment={},
        working_directory="/",
        labels={**labels, "org.opencontainers.image.version": "v1.2.3"},
    )
    spec = InstanceSpec(
        instance_id="1",
        repository="app",
        image=image,
        variables={"ENVIRONMENT": "prod"},
        arguments=(),
        port=1,
        output=Path("output"),
    )
    sent = Answers.of_instance(spec).find(f"{request} HTTP/1.1\r\nHost: app\r\n\r\n".encode())
    status_line, _, rest = sent.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    headers = {name.lower(): value for name, value in BytesParser().parsebytes(head).items()}
    if not request.startswith("HEAD "):
        assert headers["content-length"] == str(len(body))
    return ProbeResponse(status=int(status_line.split()[1]), body=body, headers=headers)


@pytest.mark.parametrize(
    "version_format",
    [
        VersionFormat(),
        VersionFormat(version="/app/build/version", environment="/app/stage"),
        VersionFormat(version="", environment=""),
        VersionFormat(version="/version", environment=""),
        VersionFormat(format="text", environment=""),
    ],
    ids=["default", "nested", "the whole document", "no environment", "text"],
)
def test_stand_ins_prove_their_version_in_every_format(version_format: VersionFormat) -> None:
    labels = stand_in.labels("/meta/version?full=1", version_format, ())

    report = parse_version_response(answer(labels, "GET /meta/version?full=1"), version_format)

    assert report == version_format.report("v1.2.3", "prod" if version_format.environment else "")
    assert report != VersionReport()


CHECKS = (
    SmokeCheck(path="/"),
    SmokeCheck(path="/login", status=Statuses((302, 303)), headers={"Location": "/sso"}),
    SmokeCheck(path="/plans", contains='"week 12"'),
    SmokeCheck(path="/plans", contains="week 13", headers={"content-type": "text/html"}),
    SmokeCheck(path="/health", json={"/checks/0/up": True, "/status": "ok"}, contains="checks"),
    SmokeCheck(path="/health", json={"/checks/1/up": True}),
    SmokeCheck(path="/version", contains="v1.2.3"),
    SmokeCheck(path="/old", status=Statuses((410,))),
    SmokeCheck(path="/gone", method="DELETE", status=Statuses((204,))),
    SmokeCheck(path="/gone"),
    SmokeCheck(path="/page", method="HEAD", headers={"ETag": ""}),
)


@pytest.mark.parametrize("check", CHECKS, ids=map(str, range(len(CHECKS))))
def test_stand_ins_pass_every_smoke_check(check: SmokeCheck) -> None:
    labels = stand_in.labels("/version", VersionFormat(), CHECKS)

    assert check.failures(answer(labels, f"{check.method} {check.path}")) == ()
    assert parse_version_response(answer(labels, "GET /version")).version == "v1.2.3"
