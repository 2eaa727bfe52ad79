"""Builds that fail for want of something outside of the repository, and those that do not."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.build.failure import is_unavailable


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: failed to solve: python:3.12-slim: failed to resolve source metadata for docker.io/library/python:3.12",
        "pull access denied for coach-base, repository does not exist or may require 'docker login'",
        "manifest for python:9.9 not found: manifest unknown: manifest unknown",
        "dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: no such host",
        'Error: creating build container: short-name "python:3.12" did not resolve to an alias',
        "toomanyrequests: You have reached your pull rate limit.",
        "W: Failed to fetch http://deb.example/x  Temporary failure resolving 'deb.example'",
        "wget: bad address 'example.com'",
        "npm error code EAI_AGAIN",
        "WARNING: fetching https://apk.example: DNS lookup error",
        "NewConnectionError: Failed to establish a new connection: [Errno 101] Network is unreachable",
        "Could not reach host index.example. Check your network connection and try again.",
        "x509: certificate signed by unknown authority",
        "exec /bin/sh: exec format error",
    ],
)
def test_missing_base_images_and_networks_are_told_apart(line: str) -> None:
    assert is_unavailable(("#5 [1/4] FROM x", line, "exit code: 1"))


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN",
        'ERROR: failed to solve: failed to compute cache key: "/requirements.txt": not found',
        "SyntaxError: invalid syntax",
        "/bin/sh: 1: pipp: not found",
        "error: could not compile `web` (bin) due to 1 previous error",
        'failed to solve: process "/bin/sh -c npm run build" did not complete successfully: exit code: 1',
    ],
)
def test_broken_dockerfiles_and_apps_are_failures_of_their_own(line: str) -> None:
    assert not is_unavailable((line,))
