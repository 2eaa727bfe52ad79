"""A minimal registry client, and minimal images."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.localcloud.registry.manifests import OCI_INDEX, OCI_MANIFEST
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.local_cloud import Cloud

CONFIG = b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}'


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def image(*layers: bytes, **extra: object) -> bytes:
    """Return an OCI manifest with unusual white space."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(CONFIG, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers],
        **extra,
    }
    return json.dumps(document, indent=3).encode()


def index(*children: bytes) -> bytes:
    manifests = [descriptor(child, OCI_MANIFEST) for child in children]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}, indent=3).encode()


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def codes(self) -> list[str]:
        """Return the error codes of the distribution specification."""
        return [error["code"] for error in json.loads(self.content)["errors"]]


class RawRegistry:
    """A client of a cloud's registry with one kept-alive connection.

    Args:
        cloud: the cloud.
        ecr: a client of ECR in the account and region of the registry, if it is not that of the home.
    """

    def __init__(self, cloud: Cloud, ecr: Any = None) -> None:
        data = (ecr or cloud.client("ecr")).get_authorization_token()["authorizationData"][0]
        self.authorization = f"Basic {data['authorizationToken']}"
        self.host = str(data["proxyEndpoint"]).removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.host, timeout=HANG_SECONDS)

    def ask(self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": self.authorization, **named}
        self.connection.request(method, path, body, sent, encode_chunked=not isinstance(body, (bytes, type(None))))
        response = self.connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())

    def upload(self, repository: str, content: bytes) -> str:
        digest = digest_of(content)
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", content)
        assert answer.status == 201, answer
        return digest

    def put(self, repository: str, reference: str, manifest: bytes, media_type: str = OCI_MANIFEST) -> Answer:
        return self.ask("PUT", f"/v2/{repository}/manifests/{reference}", manifest, Content_Type=media_type)

    def push(self, repository: str, tag: str, *layers: bytes) -> str:
        """Push an image and return its digest."""
        for blob in (CONFIG, *layers):
            self.upload(repository, blob)
        answer = self.put(repository, tag, image(*layers))
        assert answer.status == 201, answer
        return answer.headers["Docker-Content-Digest"]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
