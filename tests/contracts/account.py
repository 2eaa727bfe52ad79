"""What every Account does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.tag_mutability import TagRules
from kaizen_tasks.errors import NotFound

if TYPE_CHECKING:
    from kaizen_tasks.ports.cloud import Account

REPOSITORY = "staging-web-app"


class AccountContract:
    """Subclass it and provide the fixture `account`.

    It has an empty repository `staging-web-app` with mutable tags, no table, and does not mount blobs.
    """

    def test_says_whose_credentials_these_are(self, account: Account) -> None:
        caller = account.caller()

        assert caller.account == "123456789012"
        assert caller.principal.startswith("arn:aws:")

    def test_knows_regions(self, account: Account) -> None:
        assert "eu-west-1" in account.regions()

    def test_agrees_on_the_time(self, account: Account) -> None:
        assert abs(account.skew()) < 2

    def test_makes_a_table_that_can_be_recovered(self, account: Account) -> None:
        before = account.table()

        account.create_table()
        account.create_table()

        after = account.table()
        assert (before.exists, before.recoverable) == (False, False)
        assert (after.exists, after.recoverable) == (True, True)
        assert before.name == after.name == "kaizen-web"

    def test_changes_which_tags_may_move(self, account: Account) -> None:
        wanted = account.tag_rules(REPOSITORY).corrected()

        account.set_tag_rules(REPOSITORY, wanted)

        assert account.tag_rules(REPOSITORY) == wanted
        assert wanted == TagRules(mutability="IMMUTABLE_WITH_EXCLUSION", filters=("latest",))

    def test_has_no_rules_for_a_repository_that_is_missing(self, account: Account) -> None:
        with pytest.raises(NotFound):
            account.tag_rules("absent")

    def test_loses_no_image_without_a_policy(self, account: Account) -> None:
        assert account.lifecycle(REPOSITORY) == ()
        assert account.images(REPOSITORY) == ()

    def test_turns_blob_mounting_on(self, account: Account) -> None:
        before = account.mounts_blobs()

        account.mount_blobs()

        assert not before
        assert account.mounts_blobs()

    def test_says_what_the_credentials_suffice_for(self, account: Account) -> None:
        tasks = [permission.task for permission in account.permissions()]

        assert {"push", "deploy"} <= set(tasks)
        assert len(tasks) == len(set(tasks))
