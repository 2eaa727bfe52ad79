"""Dispatch a request to moto's handlers without moto's server, which needs Flask, cfn-lint, sympy and many others.

The service's name comes from the request's signature, as in moto's server. The handler is looked up as moto's mock of
botocore does it. Importing this module imports moto and werkzeug, which takes a second: import it at the first request.
"""

from __future__ import annotations

import functools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.request import Request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from kaizen_tasks.localcloud.moto.moto_errors import unknown_operation
from kaizen_tasks.localcloud.server.http_message import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Handler = Callable[[Request, str, Mapping[str, str]], Any]

_STREAMS_TARGET_PREFIX = "DynamoDBStreams_"  # signed as DynamoDB; only the operation tells them apart


def dispatch(service: str, region: str, environment: Mapping[str, Any]) -> HttpResponse:
    """Return moto's response to a request; exceptions of moto are not caught.

    Args:
        service: the signing name in the signature's scope.
        region: the region in the signature's scope.
        environment: the request as a WSGI environment.

    Raises:
        MotoError: moto has no such service, or needs a package that is not installed.
        NotImplementedError: it has no such operation.
    """
    request = Request(environment)
    is_streams = service == "dynamodb" and request.headers.get("X-Amz-Target", "").startswith(_STREAMS_TARGET_PREFIX)
    try:
        handler = _find_handler(f"streams.{service}" if is_streams else service, region, request.raw_path)
        if handler is None:
            raise unknown_operation(service, "")
        return _call_handler(handler, request)
    except ModuleNotFoundError as error:
        raise unknown_operation(service, "", f"moto needs {error.name}: pip install 'moto[all]'") from error


@functools.lru_cache
def _find_handler(service: str, region: str, path: str) -> Handler | None:
    """Return moto's handler for a path of an AWS service, or None."""
    address = f"https://{service}.{region}.amazonaws.com{path}"
    name: Any = next((name for name, pattern in backend_url_patterns if pattern.match(address)), None)
    if name is None:
        return None
    regions: Any = get_backend(name)[DEFAULT_ACCOUNT_ID]
    backend = regions["us-east-1" if "us-east-1" in regions else "aws"]  # every region has the same URLs
    return next((handler for url, handler in backend.urls.items() if re.match(url, address)), None)


def _call_handler(handler: Handler, request: Request) -> HttpResponse:
    try:
        status, headers, content = handler(request, request.raw_url, dict(request.headers))
    except ClientError as error:
        status, headers, content = HTTPStatus.BAD_REQUEST, {}, error.response["Error"]["Message"]
    except HTTPException as error:
        status, headers, content = error.code, dict(error.get_headers()), error.get_body()
    response = Response(content, status, headers)
    return HttpResponse(status=response.status_code, headers=dict(response.headers), body=response.get_data())
