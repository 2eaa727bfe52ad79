from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, LedgerEntry, latest_deployment_entry, open_rollback
from kaizen_tasks.domain.migration.record import find_migration

OLD_ID = "arn:aws:apprunner:eu-west-1:1:service/mark-coach-service/0123"
NEW_ID = "arn:aws:ecs:eu-west-1:1:service/coach/mark-on-ecs"
MARK = Environment(name="mark", platform="apprunner", repository="mark-coach-app", service="mark-coach-service")


def _entry(event: Event, version: str = "v1.0.0", **fields: str) -> LedgerEntry:
    return LedgerEntry(
        environment="mark",
        event=event,
        version=version,
        commit="c" * 40,
        digest=f"sha256:{version}",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="sam@laptop",
        **fields,  # type: ignore[arg-type]
    )


BEGUN = _entry(Event.MIGRATING, operation=NEW_ID, replaces=OLD_ID, platform="ecs-express")


def test_there_is_none_without_an_entry_or_after_its_end() -> None:
    assert find_migration([_entry(Event.VERIFIED)]) is None
    assert find_migration([_entry(Event.MIGRATED), BEGUN]) is None
    assert find_migration([_entry(Event.UNMIGRATED), BEGUN]) is None


def test_knows_both_services() -> None:
    newer = evolve(BEGUN, digest="sha256:new", url="https://new.example", actor="kim@ci")

    migration = find_migration([newer, _entry(Event.VERIFIED, "v1.1.0"), BEGUN])

    assert migration is not None
    assert (migration.digest, migration.url, migration.actor) == ("sha256:new", "https://new.example", "sam@laptop")
    assert migration.title == "ECS Express Mode"
    new = migration.new_environment(MARK)
    assert (new.platform, new.cluster, new.service) == ("ecs-express", "coach", "mark-on-ecs")
    assert migration.old_environment(new) == MARK
    assert migration.old_environment(MARK) == MARK
    assert (migration.has_moved(MARK), migration.has_moved(new)) == (False, True)


def test_other_decisions_do_not_see_it() -> None:
    deployed = _entry(Event.DEPLOYED, "v1.1.0")
    rollback = _entry(Event.ROLLBACK)

    assert latest_deployment_entry([BEGUN, deployed]) == deployed
    assert open_rollback([evolve(BEGUN, digest="sha256:other"), rollback]) == rollback
