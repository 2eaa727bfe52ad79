"""What builds images here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.check import Subject
from kaizen_tasks.flows.doctor.check import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.ports.tools import Tools


def looks(tools: Tools) -> Iterator[Look]:
    """Return the look at the engine."""
    yield Look(subject=Subject("engine"), see=partial(_engine, tools))


def _engine(tools: Tools, subject: Subject) -> Iterator[Finding]:
    engine = tools.machine.engine()
    if engine.weakness:
        yield subject.warning(engine.weakness, engine.remedy)
    else:
        yield subject.ok(f"{engine.name} answers")
