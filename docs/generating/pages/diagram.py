"""Draws the diagram of the concepts: one build, and the same digest in every stage; light and dark."""

from __future__ import annotations

from html import escape

from attrs import frozen

WIDTH = 360
"""Pixels, as wide as a telephone: text of 14 pixels is read there without zooming."""
BOX_HEIGHT, GAP = 62, 40
MARGIN = 8
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
DIGEST = "sha256:9f86d081"

BOXES = (
    ("Commit of the release", "VERSION 1.2.3 · [1.2.3] in the changelog"),
    ("Image, built once", DIGEST),
    ("staging", f"v1.2.3 · {DIGEST}"),
    ("prod", f"v1.2.3 · {DIGEST}"),
    ("beta: mark, shane, dom", f"v1.2.3 · {DIGEST}"),
)
"""Title and second line of each box, from top to bottom."""
ARROWS = (
    "build, from a clean export",
    "push, deploy, verify /version, tag",
    "copy by digest, deploy, verify",
    "copy by digest, deploy, verify",
)
"""What leads from each box to the next."""


@frozen(kw_only=True)
class Palette:
    """The colours of one theme."""

    text: str
    quiet: str
    line: str
    box: str
    accent: str


PALETTES = {
    "light": Palette(text="#1f2328", quiet="#59636e", line="#8c959f", box="#f6f8fa", accent="#1a7f37"),
    "dark": Palette(text="#e6edf3", quiet="#9198a1", line="#656d76", box="#161b22", accent="#3fb950"),
}


def render(palette: Palette) -> str:
    """Return the diagram as SVG."""
    height = len(BOXES) * BOX_HEIGHT + len(ARROWS) * GAP + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        f' role="img" aria-labelledby="title" font-family="{FONT}" font-size="14">\n',
        '<title id="title">One build; staging, prod and each tenant run the image with the same digest</title>\n',
    ]
    for number, (title, detail) in enumerate(BOXES):
        top = MARGIN + number * (BOX_HEIGHT + GAP)
        parts += _box(top, title, detail, palette, is_image=DIGEST in detail)
        if number < len(ARROWS):
            parts += _arrow(top + BOX_HEIGHT, ARROWS[number], palette)
    return "".join([*parts, "</svg>\n"])


def _box(top: int, title: str, detail: str, palette: Palette, *, is_image: bool) -> list[str]:
    stroke, font = (palette.accent, MONOSPACE) if is_image else (palette.line, FONT)
    return [
        f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{BOX_HEIGHT}" rx="8" fill="{palette.box}"',
        f' stroke="{stroke}"/>\n',
        f'<text x="{MARGIN + 14}" y="{top + 26}" fill="{palette.text}" font-weight="600">{escape(title)}</text>\n',
        f'<text x="{MARGIN + 14}" y="{top + 47}" fill="{palette.accent if is_image else palette.quiet}"',
        f' font-family="{font}" font-size="13">{escape(detail)}</text>\n',
    ]


def _arrow(top: int, text: str, palette: Palette) -> list[str]:
    x, end = MARGIN + 24, top + GAP
    return [
        f'<path d="M{x} {top + 2}V{end - 3}m-5 -7l5 7l5 -7" fill="none" stroke="{palette.line}" stroke-width="1.5"/>\n',
        f'<text x="{x + 16}" y="{top + 25}" fill="{palette.quiet}" font-size="13">{escape(text)}</text>\n',
    ]


def render_all() -> dict[str, str]:
    """Return the diagram of every theme, by its path below docs."""
    return {f"pictures/build-once-{name}.svg": render(palette) for name, palette in PALETTES.items()}
