"""What Sphinx does to every page: pictures for light and dark, and tables that can be read on a telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PICTURE = re.compile(r'<picture>.*srcset="(?P<dark>[^"]+)".*alt="(?P<alt>[^"]*)" src="(?P<light>[^"]+)".*', re.DOTALL)


class Pictures(SphinxTransform):
    """Make two images of a `<picture>`, which GitHub shows as it is: the site's own switch chooses between them."""

    default_priority: ClassVar[int] = 200  # before the images are collected

    def apply(self, **_: Any) -> None:
        """Replace every `<picture>`."""
        for node in list(self.document.findall(nodes.raw)):
            if match := PICTURE.fullmatch(node.astext().strip()):
                node.replace_self([_image(match, theme) for theme in ("light", "dark")])


def _image(match: re.Match[str], theme: str) -> nodes.image:
    return nodes.image(uri=match[theme], alt=match["alt"], classes=[f"only-{theme}"])


class ColumnNames(SphinxTransform):
    """Put the name of its column into each cell; the stylesheet shows it where rows are stacked."""

    default_priority: ClassVar[int] = 900

    def apply(self, **_: Any) -> None:
        """Name the cells of every table that has a head."""
        for group in self.document.findall(nodes.tgroup):
            heads = [entry.astext() for head in group.findall(nodes.thead) for entry in head.findall(nodes.entry)]
            for body in group.findall(nodes.tbody):
                for row in body.findall(nodes.row):
                    for name, entry in zip(heads, row.findall(nodes.entry), strict=True):
                        _name(entry, name)


def _name(entry: nodes.entry, column: str) -> None:
    if not entry.astext():
        entry["classes"].append("empty")
    elif column and isinstance(entry[0], nodes.paragraph):
        entry[0].insert(0, nodes.inline(text=column, classes=["column"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transforms."""
    app.add_transform(Pictures)
    app.add_transform(ColumnNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
