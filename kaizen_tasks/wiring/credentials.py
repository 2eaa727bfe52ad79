"""Chooses whose credentials reach each account: those of `[aws]`, those of a profile, or those of a role."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kaizen_tasks.adapters.aws.assumed_role import AssumedRole
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.aws_target import AwsTarget
    from kaizen_tasks.domain.environment import Environment


class AwsClients:
    """The AWS clients of each target; targets with the same credentials share these. Safe to use from several threads.

    Args:
        home: account and region of ledger and locks, and whose credentials reach them.
        environments: all environments, by name.
        session_name: returns the name of a role's session, which says who releases.
    """

    def __init__(
        self, home: AwsTarget, environments: Mapping[str, Environment], *, session_name: Callable[[], str]
    ) -> None:
        self._home = home
        self._environments = environments
        self._session_name = session_name
        self._lock = RLock()
        self._clients: dict[AwsTarget, Aws] = {}
        self._profiles: dict[str, Aws] = {}
        self._roles: dict[tuple[str, ...], Aws] = {}

    def at(self, target: AwsTarget) -> Aws:
        """Return the clients of a target; no credentials are requested before they are used."""
        with self._lock:
            if target not in self._clients:
                create = self._create_home if target == self._home else self._create
                self._clients[target] = create(target)
            return self._clients[target]

    def caller(self) -> Aws:
        """Return clients with the credentials that a command starts from, before it assumes any role."""
        with self._lock:
            return self._of_profile(self._home.profile) if self._home.role else self.at(self._home)

    def _create_home(self, home: AwsTarget) -> Aws:
        from kaizen_tasks.adapters.aws.credentials import choose_profile
        from kaizen_tasks.adapters.aws.session import Aws

        if not home.role:
            return Aws(region=home.region, profile=choose_profile(home.profile), account=home.account)
        source = self.caller()
        return Aws(
            region=home.region,
            profile=source.profile,
            account=home.account,
            source=source,
            role_credentials=self._assumed_role(home).credentials,
        )

    def _create(self, target: AwsTarget) -> Aws:
        from kaizen_tasks.adapters.aws.session import Aws

        source, table = self._source(target), f"environments.{self._environment(target)}"
        return Aws(region=target.region, profile=source.profile, account=target.account, source=source, table=table)

    def _source(self, target: AwsTarget) -> Aws:
        """Return clients with the credentials of a target."""
        if target.has_credentials_of(self._home):
            return self.at(self._home)
        is_of_home = target.profile == self._home.profile
        source = self.at(self._home) if is_of_home else self._of_profile(target.profile)
        return self._of_role(target, source) if target.role else source

    def _of_role(self, target: AwsTarget, source: Aws) -> Aws:
        from kaizen_tasks.adapters.aws.session import Aws

        key = target.profile, target.role, target.external_id
        if key not in self._roles:
            self._roles[key] = Aws(
                region=self._home.region,
                profile=source.profile,
                account="",
                source=source,
                role_credentials=self._assumed_role(target).credentials,
            )
        return self._roles[key]

    def _of_profile(self, profile: str) -> Aws:
        from kaizen_tasks.adapters.aws.credentials import choose_profile, choose_target_profile
        from kaizen_tasks.adapters.aws.session import Aws

        if profile not in self._profiles:
            choose = choose_profile if profile == self._home.profile else choose_target_profile
            self._profiles[profile] = Aws(region=self._home.region, profile=choose(profile), account="")
        return self._profiles[profile]

    def _assumed_role(self, target: AwsTarget) -> AssumedRole:
        from kaizen_tasks.adapters.aws.assumed_role import AssumedRole

        return AssumedRole(
            arn=target.role,
            external_id=target.external_id,
            session_name=self._session_name,
            environment=self._environment(target) if target != self._home else "",
        )

    def _environment(self, target: AwsTarget) -> str:
        """Return the name of the first environment of a target."""
        return next((name for name, each in self._environments.items() if each.target == target), "")
