"""Releases as an HTML page of their own, light and dark, which runs and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from html import escape

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #faf8f4;
  --card: #ffffff;
  --ink: #1f2421;
  --quiet: #626b65;
  --line: #e6e2d9;
  --accent: #1f7a5c;
}

@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141917;
    --card: #1c2320;
    --ink: #ecefeb;
    --quiet: #98a39c;
    --line: #2d3632;
    --accent: #67c9a3;
  }
}

* {
  box-sizing: border-box;
}

body {
  max-width: 44rem;
  margin: 0 auto;
  padding: 1.5rem 1.25rem 3rem;
  background: var(--paper);
  color: var(--ink);
  font: 1.0625rem/1.55 system-ui, sans-serif;
  overflow-wrap: break-word;
}

a {
  color: var(--accent);
}

.eyebrow {
  margin: 1rem 0 0;
  color: var(--accent);
  font-size: 0.875rem;
  font-weight: 600;
}

h1 {
  margin: 0.25rem 0 1.5rem;
  font-size: clamp(2rem, 7vw, 3rem);
  line-height: 1.1;
  letter-spacing: -0.03em;
}

section {
  margin: 1rem 0;
  padding: 1.25rem;
  border: 1px solid var(--line);
  border-radius: 1rem;
  background: var(--card);
}

h2 {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 0.75rem;
  align-items: baseline;
  margin: 0 0 0.75rem;
  font-size: 1.375rem;
  letter-spacing: -0.02em;
}

h2 time {
  margin-left: auto;
  color: var(--quiet);
  font-size: 0.875rem;
  font-weight: 400;
  letter-spacing: 0;
}

h2 em {
  padding: 0.125rem 0.625rem;
  border: 1px solid var(--line);
  border-radius: 1rem;
  color: var(--quiet);
  font-size: 0.8125rem;
  font-style: normal;
  font-weight: 400;
  letter-spacing: 0;
}

h3 {
  margin: 1.25rem 0 0.5rem;
  color: var(--accent);
  font-size: 1rem;
}

h4 {
  margin: 1rem 0 0.25rem;
  font-size: 1rem;
}

ul,
ol {
  margin: 0.5rem 0;
  padding-left: 1.25rem;
}

li + li {
  margin-top: 0.25rem;
}

code {
  padding: 0.1em 0.35em;
  border-radius: 0.35em;
  background: var(--paper);
  font-size: 0.9em;
}

pre {
  padding: 0.75rem 1rem;
  border-radius: 0.5rem;
  background: var(--paper);
  overflow-x: auto;
}

pre code {
  padding: 0;
}

table {
  display: block;
  border-collapse: collapse;
  overflow-x: auto;
}

th,
td {
  padding: 0.25rem 0.75rem 0.25rem 0;
  border-bottom: 1px solid var(--line);
  text-align: left;
  vertical-align: top;
}

blockquote {
  margin: 0.5rem 0;
  padding-left: 1rem;
  border-left: 3px solid var(--line);
  color: var(--quiet);
}
"""
"""The look of the example app's own page, in ASCII, so that its hash is the same in every encoding."""


ALIGNMENTS = ("text-align:left", "text-align:right", "text-align:center")
"""The styles of cells in a table of Markdown."""


def to_page(body: str, *, app: str) -> str:
    """Return the releases of an app as a whole document.

    Its policy allows its own style sheet and the alignment of cells, by their hashes, and nothing else: no script, no
    other style, no request. See https://www.w3.org/TR/CSP3/#grammardef-hash-source.

    Args:
        body: the releases, as `to_html` renders them.
        app: the name above them.
    """
    styles = f"style-src {_hash(STYLE)} 'unsafe-hashes' {' '.join(map(_hash, ALIGNMENTS))}"
    policy = f"default-src 'none'; {styles}; img-src data:; base-uri 'none'; form-action 'none'"
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>What&rsquo;s new in {escape(app)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="eyebrow">{escape(app)}</p>
<h1>What&rsquo;s new</h1>
{body}</main>
</body>
</html>
"""


def _hash(style: str) -> str:
    digest = hashlib.sha256(style.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
