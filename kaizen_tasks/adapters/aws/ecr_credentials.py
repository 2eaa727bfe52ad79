"""The password of ECR's registry, valid for twelve hours."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from threading import Lock

from attrs import frozen

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret

RENEWAL_MARGIN = timedelta(minutes=30)


@frozen(kw_only=True)
class _Token:
    login: Login
    expires: datetime


class EcrCredentials:
    """Credentials for the registry of one account. Safe to use from several threads.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html

    Args:
        aws: clients of the account.
        clock: tells when a password is about to expire.
    """

    def __init__(self, aws: Aws, *, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock
        self._lock = Lock()
        self._token: _Token | None = None

    def login(self) -> Login:
        """Return a login that is valid for at least half an hour."""
        with self._lock:
            if self._token is None or self._clock.now() >= self._token.expires - RENEWAL_MARGIN:
                self._token = self._request_token()
            return self._token.login

    def renew(self, stale: Login) -> Login:
        """Return a login that replaces a rejected one, requested from AWS only by the first of several threads."""
        with self._lock:
            if self._token is None or self._token.login is stale:
                self._token = self._request_token()
            return self._token.login

    def _request_token(self) -> _Token:
        with aws_errors("log in to the image registry"):
            authorization = self._aws.ecr().get_authorization_token()["authorizationData"][0]
        username, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
        login = Login(url=authorization["proxyEndpoint"], username=username, password=Secret(password))
        return _Token(login=login, expires=authorization["expiresAt"].astimezone(UTC))
