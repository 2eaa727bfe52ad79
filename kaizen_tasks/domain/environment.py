"""Environments, and stages of environments."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.duration import ZERO_SECONDS, Seconds


@frozen(kw_only=True)
class Environment:
    """One running service.

    Attributes:
        name: `staging`, `prod`, `mark`.
        platform: the platform that runs it: `apprunner`.
        repository: its image repository.
        service: name of its service on the platform.
        url: where the app answers; empty for the platform's own address.
        secret: name of the secret that holds its runtime configuration.
        protected: whether changes need a confirmation.
        min_age: seconds for which a release must have been verified in the previous stage.
    """

    name: str
    platform: str
    repository: str
    service: str
    url: str = ""
    secret: str = ""
    protected: bool = False
    min_age: Seconds = ZERO_SECONDS


@frozen(kw_only=True)
class Stage:
    """An environment or a group, in the order of the pipeline."""

    name: str
    environments: tuple[Environment, ...]
