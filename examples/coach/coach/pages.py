"""The pages as HTML. Whatever comes from outside this file is escaped on its way in."""

import re
from html import escape

from coach.changelog import Group, Notes
from coach.plan import Block, Plan, Session
from coach.settings import Settings

HEIGHT_PER_EFFORT = 8
EFFORT_NAMES = ("", "easy", "steady", "brisk", "hard", "all out")


def home_page(settings: Settings, plan: Plan, today: Session) -> str:
    """Show today's session and the week around it."""
    main = f"""
      <p class="eyebrow">{escape(plan.name)} · {escape(today.day)}</p>
      <h1>{escape(today.title)}</h1>
      <p class="lead">{escape(today.why)}</p>
      {_session(today)}
      <h2>The week</h2>
      <ol class="week">{"".join(_day(session, today) for session in plan.sessions)}</ol>"""
    return _page(settings, "Today", main)


def whats_new_page(settings: Settings, notes: Notes) -> str:
    """Show the notes of the latest release."""
    date = escape(notes.date)
    main = f"""
      <p class="eyebrow">What&rsquo;s new · <time datetime="{date}">{date}</time></p>
      <h1>Version {escape(notes.version)}</h1>
      {"".join(map(_group, notes.groups))}"""
    return _page(settings, "What&rsquo;s new", main)


def missing_page(settings: Settings) -> str:
    """Say that there is no such page, and where to go instead."""
    main = """
      <p class="eyebrow">404</p>
      <h1>Wrong turn</h1>
      <p class="lead">This path leads nowhere. <a href="/">Back to today&rsquo;s session</a>.</p>"""
    return _page(settings, "Not found", main)


def duration(minutes: int) -> str:
    """Write minutes as a person says them: 45 min, 1 h 20 min, and nothing at all for none."""
    hours, rest = divmod(minutes, 60)
    parts = ((hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _page(settings: Settings, title: str, main: str) -> str:
    version, environment = escape(settings.version), escape(settings.environment)
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{title} · coach</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <header><a class="brand" href="/">coach</a><nav><a href="/whats-new">What&rsquo;s new</a></nav></header>
    <main>{main}
    </main>
    <footer><span>coach <b>{version}</b></span><span class="environment">{environment}</span></footer>
  </body>
</html>
"""


def _session(session: Session) -> str:
    if not session.blocks:
        return ""
    items = "".join(map(_block, session.blocks))
    return f"""<section class="card">
        <p class="total"><b>{duration(session.minutes)}</b> in {len(session.blocks)} blocks</p>
        {_profile(session)}
        <ol class="blocks">{items}</ol>
      </section>"""


def _block(block: Block) -> str:
    return (
        f'<li><i class="effort-{block.effort}"></i>{escape(block.what)}'
        f"<small>{EFFORT_NAMES[block.effort]}</small><b>{duration(block.minutes)}</b></li>"
    )


def _profile(session: Session) -> str:
    """Draw one bar per block; attributes, because the content policy forbids inline styles."""
    bars, start, full = [], 0, HEIGHT_PER_EFFORT * 5
    for block in session.blocks:
        height = block.effort * HEIGHT_PER_EFFORT
        bars.append(
            f'<rect class="effort-{block.effort}" x="{start}" y="{full - height}"'
            f' width="{block.minutes - 0.4}" height="{height}"/>'
        )
        start += block.minutes
    return (
        f'<svg class="profile" viewBox="0 0 {start} {full}" preserveAspectRatio="none" role="img"'
        f' aria-label="Effort over time">{"".join(bars)}</svg>'
    )


def _day(session: Session, today: Session) -> str:
    current = ' aria-current="date"' if session is today else ""
    kind = "run" if session.blocks else "rest"
    length = duration(session.minutes) or "rest"
    return (
        f'<li class="{kind}"{current}><b>{escape(session.day[:3])}</b>{escape(session.title)}'
        f"<small>{length}</small></li>"
    )


def _group(group: Group) -> str:
    items = "".join(f"<li>{_inline(entry)}</li>" for entry in group.entries)
    return f'<section class="card"><h2>{escape(group.name)}</h2><ul>{items}</ul></section>'


def _inline(markdown: str) -> str:
    """Render bold and code; the rest of Markdown stays as it was typed."""
    bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(markdown, quote=False))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", bold)
