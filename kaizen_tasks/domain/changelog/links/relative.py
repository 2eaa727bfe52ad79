"""Make relative links absolute, for a text that is shown elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urljoin

_RELATIVE = re.compile(r"(?!//|#)[^:/?#]*(?:[/?#].*)?", re.DOTALL)
_MARKDOWN_LINK = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|^[ ]{0,3}~~~.*?^[ ]{0,3}~~~)"
    r"|(?P<head>\]\(<?)(?P<url>[^()\s<>]+)",
    re.DOTALL | re.MULTILINE,
)


def absolute_url(url: str, base_url: str | None) -> str:
    """Return a URL resolved against a base URL; `#anchors` are not resolved."""
    if not base_url or not url or not _RELATIVE.fullmatch(url):
        return url
    return urljoin(base_url.rstrip("/") + "/", url)


def absolutize_links(markdown: str, base_url: str | None) -> str:
    """Return Markdown with its relative links resolved, except in code."""
    if not base_url:
        return markdown
    links = _MARKDOWN_LINK
    return links.sub(lambda link: link["code"] or link["head"] + absolute_url(link["url"], base_url), markdown)
