"""The limit of the attempts of a change."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from kaizen_tasks.ports.attempts import attempt_seconds, limit_attempts


def test_nothing_limits_an_attempt_at_first() -> None:
    assert attempt_seconds() == math.inf


def test_attempt_is_limited_while_the_context_lasts() -> None:
    with limit_attempts(lambda: 7.0):
        assert attempt_seconds() == 7.0
        with limit_attempts(lambda: 3.0):
            assert attempt_seconds() == 3.0
        assert attempt_seconds() == 7.0

    assert attempt_seconds() == math.inf


def test_what_the_limit_itself_reads_is_not_limited() -> None:
    with limit_attempts(attempt_seconds):
        assert attempt_seconds() == math.inf


def test_other_threads_are_limited_with_a_copy_of_the_context() -> None:
    with ThreadPoolExecutor(1) as pool, limit_attempts(lambda: 7.0):
        assert pool.submit(attempt_seconds).result() == math.inf
        assert pool.submit(copy_context().run, attempt_seconds).result() == 7.0
