# ruff: noqa: RUF001 - Cyrillic letters are what they look like
"""Recognise the section of a version that has no date yet: `## [1.2.4] - Unreleased`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section

_PHRASES: Final = (
    *("unreleased", "un-released", "unpublished", "not released", "not published", "not yet", "yet to", "undated"),
    *("to be *", "tbd", "tba", "tbc", "wip", "in progress", "in development", "under development", "in preparation"),
    *("coming soon", "soon", "upcoming", "pending", "planned", "scheduled", "ongoing", "forthcoming", "to come"),
    *("release date", "no date", "in the works", "active development"),
    *("à venir", "a venir", "en cours", "bientôt", "non publié*", "à paraître", "à déterminer", "à définir"),
    *("en développement", "prévu*", "unveröffentlicht", "noch nicht", "in arbeit", "in entwicklung", "ausstehend"),
    *("in vorbereitung", "demnächst", "geplant", "no publicad*", "sin publicar", "próximamente", "en desarrollo"),
    *("en progreso", "en curso", "por determinar", "por definir", "pendiente", "não lançad*", "não publicad*"),
    *("em breve", "em desenvolvimento", "em andamento", "a definir", "pendente", "a ser definid*", "não liberad*"),
    *("non rilasciat*", "non pubblicat*", "in corso", "in arrivo", "da definire", "prossimamente", "in sviluppo"),
    *("niet uitgebracht", "nog niet", "binnenkort", "in ontwikkeling", "nieopublikowan*", "niewydan*", "w toku"),
    *("wkrótce", "w przygotowaniu", "ej släppt", "kommande", "ikke utgitt", "ikke udgivet", "kommende"),
    *("julkaisematon", "nevydán*", "nepublikován*", "připravuje se", "yayınlanmadı", "yayımlanmadı", "yakında"),
    *("не выпущен*", "невыпущен*", "не опубликован*", "неопубликован*", "скоро", "в разработке", "в работе"),
    *("не видан*", "невидан*", "не опубліковано", "незабаром", "в розробці"),
)
"""What stands for a date that is not known yet, anywhere in a text; an asterisk is the rest of a word."""

_PHRASES_WITHOUT_SPACES: Final = (
    *("未发布", "未發布", "未發佈", "未释出", "开发中", "開發中", "即将", "即將", "待定", "待发布", "进行中"),
    *("未リリース", "開発中", "近日", "未定", "未公開", "미출시", "미공개", "출시 예정", "개발 중", "진행 중", "미정"),
)
_WORDS: Final = (
    *("date", "next", "future", "current", "draft", "dev", "development", "snapshot", "nightly", "master", "main"),
    *("trunk", "head", "latest", "unknown", "n/a", "na", "none", "todo", "now", "today", "datum", "fecha", "offen"),
)
"""Words that stand for a date only where nothing else does."""


def _pattern(phrases: tuple[str, ...]) -> str:
    return "|".join(re.escape(phrase).replace(r"\*", r"\w*") for phrase in phrases)


_PHRASE: Final = re.compile(rf"\b(?:{_pattern(_PHRASES)})\b|{_pattern(_PHRASES_WITHOUT_SPACES)}")
_DATE_TEMPLATE: Final = re.compile(
    r"(?:(?:y{2,4}|a{4}|j{2,4}|m{1,4}|d{1,4}|tt|gg|x{1,4}|\?{1,4}|_{1,4}|20[\dxy?_]{2}|[0-3]?[\dx?]|year|month|day|monat|tag|jahr)"
    r"(?:[-/. ,]+|$))+"
)
"""A date that is still to be filled in: YYYY-MM-DD, 2026-XX-XX, JJ/MM/AAAA."""

_INCOMPLETE_DATE: Final = re.compile(
    r"(?:(?:[^\W\d]+|Q[1-4])[. /-]*)?20\d\d(?:[-/ .]*(?:[01]?\d|Q[1-4]))?", re.IGNORECASE
)
"""A year, a quarter or a month, where other releases have days."""

_FRAME: Final = " \t\n*_`[](){}<>:-–—|,./"


def find_undated(log: Changelog, version: Version) -> Section | None:
    """Return the section of a version if its heading has no date, or a placeholder; else None.

    Raises:
        Refused: its heading has neither a date nor a placeholder, and other releases have dates.
    """
    section = log.find_section(version)
    if section is None or section.date is not None:
        return None
    link_target = section.title.link_target
    text = section.title.date_text or (link_target if link_target.startswith("[") else "")
    if is_placeholder(text) or log.changelog_format.unreleased_length(text.strip(_FRAME)):
        return section
    if not any(other.date for other in log.releases):
        return None
    if _INCOMPLETE_DATE.fullmatch(text.strip(_FRAME)):
        return section
    if re.search(r"\d", text):
        return None
    raise Refused(
        f"line {section.line} of the changelog: {text!r} in the heading of {version} is not a date",
        state=NOTHING_CHANGED,
        hint=f"end that heading with {version}, without anything else: the release gives it its date",
    )


def is_placeholder(text: str) -> bool:
    """Return whether a text stands for a date that is not known yet."""
    words = " ".join(re.sub(r"<!--.*?-->", "", text.casefold(), flags=re.DOTALL).strip(_FRAME).split())
    if not re.search(r"\w", words) or words in _WORDS or _PHRASE.search(words):
        return True
    return bool(_DATE_TEMPLATE.fullmatch(words)) and bool(re.search(r"[^\W\d]|[?_]", words))
