"""Client request tokens of transactions, which moto ignores.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html: for ten minutes, a repeated
request has no effect, and the same token with other parameters is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.moto.moto_errors import MotoError
from kaizen_tasks.localcloud.server.http_message import HttpResponse

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.moto.journal import JournalRequest

_TOKEN_SECONDS = 600
_OPERATIONS = frozenset({"TransactWriteItems", "ExecuteTransaction"})
_TOKEN = "ClientRequestToken"  # noqa: S105 - the member's name


@attrs.frozen(kw_only=True)
class _Answer:
    """A response, what it answered, and when in seconds since the epoch."""

    at: float
    digest: str
    response: HttpResponse


class IdempotencyTokens:
    """The responses to transactions of the last ten minutes, by token."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], _Answer] = OrderedDict()  # oldest first

    def find(self, request: JournalRequest) -> HttpResponse | None:
        """Return the response that a transaction has had already; None if it is to be executed.

        Raises:
            MotoError: its token was used for another transaction.
        """
        token, digest = _identify(request)
        answer = self._answers.get((request.region, token))
        if answer is None or answer.at + _TOKEN_SECONDS < request.at:
            return None
        if answer.digest != digest:
            message = "The request uses the same client token as a previous, but non-identical request."
            raise MotoError("IdempotentParameterMismatchException", message)
        return answer.response

    def remember(self, request: JournalRequest, response: HttpResponse) -> None:
        """Keep the response to a transaction that was executed, and forget old ones."""
        token, digest = _identify(request)
        if not token:
            return
        while self._answers and next(iter(self._answers.values())).at + _TOKEN_SECONDS < request.at:
            self._answers.popitem(last=False)
        self._answers[request.region, token] = _Answer(at=request.at, digest=digest, response=response)


def _identify(request: JournalRequest) -> tuple[str, str]:
    """Return the token of a request, or an empty string, and the digest of its other parameters."""
    if request.operation not in _OPERATIONS or _TOKEN.encode() not in request.content:
        return "", ""
    try:
        document = json.loads(request.content)
        token = document.pop(_TOKEN, "")
    except (ValueError, AttributeError, TypeError, RecursionError):
        return "", ""
    content = json.dumps(document, sort_keys=True).encode()
    return str(token), hashlib.sha256(content).hexdigest()
