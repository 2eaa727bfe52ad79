"""What every Account does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import NotFound

if TYPE_CHECKING:
    from kaizen_tasks.ports.cloud import AccountAdmin

REPOSITORY = "staging-web-app"


class AccountAdminContract:
    """Subclasses provide the fixture `account`.

    It has an empty repository `staging-web-app` with mutable tags, no table, and does not mount blobs.
    """

    def test_says_whose_credentials_these_are(self, account: AccountAdmin) -> None:
        caller = account.caller()

        assert caller.account_id == "123456789012"
        assert caller.principal.startswith("arn:aws:")

    def test_knows_regions(self, account: AccountAdmin) -> None:
        assert "eu-west-1" in account.supported_regions("apprunner")
        assert "eu-west-1" in account.supported_regions("ecs-express")

    def test_clock_skew_is_small(self, account: AccountAdmin) -> None:
        assert abs(account.clock_skew()) < 2

    def test_created_table_is_recoverable(self, account: AccountAdmin) -> None:
        before = account.ledger_table()

        account.create_table()
        account.create_table()

        after = account.ledger_table()
        assert (before.exists, before.point_in_time_recovery) == (False, False)
        assert (after.exists, after.point_in_time_recovery) == (True, True)
        assert before.name == after.name == "kaizen-web"

    def test_changes_which_tags_may_move(self, account: AccountAdmin) -> None:
        wanted = account.tag_mutability(REPOSITORY).with_versions_protected(("latest",))

        account.set_tag_mutability(REPOSITORY, wanted)

        assert account.tag_mutability(REPOSITORY) == wanted
        assert wanted == TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))

    def test_creates_a_repository_with_its_own_rules(self, account: AccountAdmin) -> None:
        rules = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))

        account.create_repository("eve-web-app", rules)

        assert account.tag_mutability("eve-web-app") == rules
        assert account.lifecycle_rules("eve-web-app") == ()

    def test_reads_the_rules_of_several_repositories_of_which_some_are_missing(self, account: AccountAdmin) -> None:
        rules = account.tag_mutability(REPOSITORY)

        assert account.tag_mutabilities([REPOSITORY, REPOSITORY]) == {REPOSITORY: rules}
        assert account.tag_mutabilities(["absent", REPOSITORY]) == {REPOSITORY: rules}
        assert account.tag_mutabilities([]) == {}

    def test_creates_a_repository_like_another(self, account: AccountAdmin) -> None:
        rules = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))

        account.create_repository_like(REPOSITORY, "ann-web-app", rules)

        assert account.tag_mutability("ann-web-app") == rules
        with pytest.raises(NotFound):
            account.create_repository_like("absent", "dom-web-app", rules)

    def test_has_no_rules_for_a_repository_that_is_missing(self, account: AccountAdmin) -> None:
        with pytest.raises(NotFound):
            account.tag_mutability("absent")

    def test_repository_without_policy_has_no_rules(self, account: AccountAdmin) -> None:
        assert account.lifecycle_rules(REPOSITORY) == ()
        assert account.list_images(REPOSITORY) == ()

    def test_turns_blob_mounting_on(self, account: AccountAdmin) -> None:
        before = account.is_blob_mounting_enabled()

        account.enable_blob_mounting()

        assert not before
        assert account.is_blob_mounting_enabled()

    def test_permissions_name_every_task(self, account: AccountAdmin) -> None:
        tasks = [permission.task for permission in account.permissions()]

        assert {"push", "deploy"} <= set(tasks)
        assert len(tasks) == len(set(tasks))
