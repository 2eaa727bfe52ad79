"""The training plan: a week of sessions, read from data/week.json."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Block:
    """One part of a session: minutes at an effort from 1 (easy) to 5 (all out)."""

    what: str
    minutes: int
    effort: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """What one day asks for."""

    day: str
    title: str
    why: str
    blocks: tuple[Block, ...]

    @property
    def minutes(self) -> int:
        """Add up the blocks."""
        return sum(block.minutes for block in self.blocks)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A named plan and its sessions, Monday first."""

    name: str
    sessions: tuple[Session, ...]

    def session_on(self, date: dt.date) -> Session:
        """Choose the session of a date's weekday."""
        return self.sessions[date.weekday()]


def read_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        ValueError: the file does not hold a session for each of the seven days.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    sessions = tuple(
        Session(
            day=session["day"],
            title=session["title"],
            why=session["why"],
            blocks=tuple(Block(**block) for block in session["blocks"]),
        )
        for session in content["sessions"]
    )
    if len(sessions) != 7:
        raise ValueError(f"{path.name} holds {len(sessions)} sessions, a week has 7")
    return Plan(name=content["name"], sessions=sessions)
