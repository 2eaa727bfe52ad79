"""The check of the engine that builds images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.ports.tools import Tools


def checks(tools: Tools) -> Iterator[Check]:
    """Return the check of the engine."""
    yield Check(subject=Subject("engine"), probe=partial(_check_engine, tools))


def _check_engine(tools: Tools, subject: Subject) -> Iterator[Finding]:
    engine = tools.host.build_engine()
    if engine.warning:
        yield subject.warning(engine.warning, engine.fix)
    else:
        yield subject.ok(f"{engine.name} answers")
