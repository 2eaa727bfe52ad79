"""What each path answers, without a word about sockets."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from coach.changelog import Notes, latest_notes
from coach.pages import home_page, missing_page, whats_new_page
from coach.plan import Plan, read_plan
from coach.settings import Settings

PACKAGE = Path(__file__).resolve().parent
HTML = "text/html; charset=utf-8"
POLICY = "default-src 'self'; img-src data:; frame-ancestors 'none'"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer, checked again at every visit unless `caching` says otherwise."""

    body: str
    content_type: str = HTML
    status: int = 200
    caching: str = "no-cache"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that can be asked for."""

    settings: Settings
    plan: Plan
    notes: Notes
    stylesheet: str

    def answer(self, path: str) -> Answer:
        """Answer a path, with a friendly 404 for those that lead nowhere."""
        match path:
            case "/":
                return Answer(body=home_page(self.settings, self.plan, self.plan.session_on(_today())))
            case "/whats-new":
                return Answer(body=whats_new_page(self.settings, self.notes))
            case "/version":
                return self._version()
            case "/settings":
                return self._settings()
            case "/healthz":
                return Answer(body="ok\n", content_type="text/plain; charset=utf-8", caching="no-store")
            case "/style.css":
                return Answer(body=self.stylesheet, content_type="text/css; charset=utf-8")
            case _:
                return Answer(body=missing_page(self.settings), status=404)

    def _version(self) -> Answer:
        proof: dict[str, object] = {"version": self.settings.version, "environment": self.settings.environment}
        # A kept answer would let the previous release vouch for this one.
        return _document(proof)

    def _settings(self) -> Answer:
        said = {"model": self.settings.model, "temperature": self.settings.temperature}
        return _document({**said, "calendar": self.settings.has_calendar})  # that there is a token, and not which


def _document(said: dict[str, object]) -> Answer:
    return Answer(body=json.dumps(said) + "\n", content_type="application/json", caching="no-store")


def open_site(settings: Settings) -> Site:
    """Read every file once, so that an image with a broken one never becomes healthy.

    Raises:
        OSError: a file is missing.
        ValueError: a file does not hold what it should.
    """
    return Site(
        settings=settings,
        plan=read_plan(PACKAGE / "data" / "week.json"),
        notes=latest_notes((PACKAGE.parent / "CHANGELOG.md").read_text(encoding="utf-8")),
        stylesheet=(PACKAGE / "static" / "style.css").read_text(encoding="utf-8"),
    )


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
