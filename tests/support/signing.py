"""Signs requests as clients of AWS do, without boto3, which takes a second to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from urllib.request import Request

    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud


def sign(request: Request, cloud: Cloud, service: str, *, session_token: str = "") -> Request:
    """Return the request with a signature by the credentials of a cloud, or of a session in another account."""
    signed = AWSRequest(request.get_method(), request.full_url, dict(request.header_items()), request.data)
    credentials = Credentials(cloud.access_key_id, cloud.secret_access_key, session_token or None)
    SigV4Auth(credentials, service, cloud.region).add_auth(signed)
    for name, value in signed.headers.items():
        request.add_header(name, value)
    return request
