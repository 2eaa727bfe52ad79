"""Where a release can run: one environment, or a stage of several."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.duration import ZERO_SECONDS, Seconds


@frozen(kw_only=True)
class Environment:
    """One running service.

    Attributes:
        name: `staging`, `prod`, `mark`.
        platform: what runs it; `apprunner`.
        repository: its image repository.
        service: the platform's name for it.
        url: where the app answers; empty when the platform's own address is the one to ask.
        secret: name of the secret that holds its runtime configuration.
        protected: whether changing it needs a confirmation.
        min_age: seconds for which a release must have been verified in the stage before.
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
