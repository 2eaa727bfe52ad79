"""What every Secrets does."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import NotFound, Refused
from kaizen_tasks.ports.secrets import Secret

if TYPE_CHECKING:
    from kaizen_tasks.ports.secrets import Secrets

NAME = "staging-coach-app-secrets"
EDITORS = 20


def new() -> str:
    """Return an identifier for a version."""
    return str(uuid.uuid4())


def text(secrets: Secrets) -> str:
    """Return the current content."""
    return secrets.current(NAME).content.reveal()


def write(secrets: Secrets, content: str) -> str:
    """Replace the current version, and return the new identifier."""
    version = new()
    secrets.write(NAME, Secret(content), version=version, expected_current=secrets.current(NAME).version)
    return version


class SecretsContract:
    """Subclasses provide the fixture `secrets`, with a secret NAME whose only version is `{}`."""

    def test_current_returns_the_current_version(self, secrets: Secrets) -> None:
        current = secrets.current(NAME)

        assert current.content.reveal() == "{}"
        assert abs(datetime.now(UTC) - current.created_at) < timedelta(minutes=5)
        assert secrets.previous(NAME) is None

    def test_identifier_contains_the_name(self, secrets: Secrets) -> None:
        assert NAME in secrets.identifier(NAME)
        with pytest.raises(NotFound):
            secrets.identifier("absent")

    def test_missing_secret_is_not_found(self, secrets: Secrets) -> None:
        with pytest.raises(NotFound, match="another"):
            secrets.current("another")
        assert secrets.previous("another") is None

    def test_written_version_is_current(self, secrets: Secrets) -> None:
        before = secrets.current(NAME)

        version = write(secrets, '{"key": "ünïcödé"}')

        assert (secrets.current(NAME).version, text(secrets)) == (version, '{"key": "ünïcödé"}')
        assert secrets.previous(NAME) == before

    def test_lost_response_writes_once(self, secrets: Secrets) -> None:
        over, version = secrets.current(NAME).version, new()
        for _ in range(2):
            secrets.write(NAME, Secret("one"), version=version, expected_current=over)

        assert secrets.current(NAME).version == version
        assert over == getattr(secrets.previous(NAME), "version", "")

    def test_write_is_refused_when_the_current_version_changed(self, secrets: Secrets) -> None:
        seen = secrets.current(NAME)
        theirs = write(secrets, "theirs")

        with pytest.raises(Refused, match="somebody else changed"):
            secrets.write(NAME, Secret("ours"), version=new(), expected_current=seen.version)

        assert (secrets.current(NAME).version, text(secrets)) == (theirs, "theirs")
        assert secrets.previous(NAME) == seen

    def test_restore_swaps_current_and_previous(self, secrets: Secrets) -> None:
        one = secrets.current(NAME)
        two = write(secrets, "two")

        secrets.restore(NAME, version=one.version, expected_current=two)
        assert secrets.current(NAME) == one
        assert getattr(secrets.previous(NAME), "version", "") == two

        three = write(secrets, "three")
        assert secrets.current(NAME).version == three
        assert secrets.previous(NAME) == one

    def test_restore_is_refused_when_the_current_version_changed(self, secrets: Secrets) -> None:
        one = secrets.current(NAME)
        two = write(secrets, "two")
        three = write(secrets, "three")

        with pytest.raises(Refused, match="somebody else changed"):
            secrets.restore(NAME, version=one.version, expected_current=two)

        assert secrets.current(NAME).version == three
        assert getattr(secrets.previous(NAME), "version", "") == two

    def test_lost_response_restores_once(self, secrets: Secrets) -> None:
        one = secrets.current(NAME)
        two = write(secrets, "two")
        for _ in range(2):
            secrets.restore(NAME, version=one.version, expected_current=two)

        assert secrets.current(NAME) == one

    def test_concurrent_edits_are_not_lost(self, secrets: Secrets) -> None:
        def edit(number: int) -> int:
            """Add a key, and retry while others change the secret; return the number of attempts."""
            for attempt in range(1, 100 * EDITORS):
                seen = secrets.current(NAME)
                edited = json.dumps({**json.loads(seen.content.reveal()), f"KEY_{number}": str(number)})
                try:
                    secrets.write(NAME, Secret(edited), version=new(), expected_current=seen.version)
                except Refused:
                    continue
                return attempt
            return 0

        with ThreadPoolExecutor(max_workers=EDITORS) as pool:
            attempts = list(pool.map(edit, range(EDITORS)))

        assert min(attempts) > 0
        assert json.loads(text(secrets)) == {f"KEY_{number}": str(number) for number in range(EDITORS)}
