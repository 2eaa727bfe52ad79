"""How Sphinx builds this folder: `nox -s docs` does, with every warning an error."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for the extension `docs.generating.site`

project = "kaizen_tasks"
version = release = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
html_title = f"{project} {version}"
root_doc = "index"

extensions = ["myst_parser", "docs.generating.site"]
exclude_patterns = ["generating", "_build"]
myst_heading_anchors = 3
# Links to files outside of this folder are for readers of the repository; `python -m docs.generate` checks them.
suppress_warnings = ["myst.xref_missing"]

highlight_language = "text"
smartquotes = False  # which makes a dash of --watch
html_theme = "furo"
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
