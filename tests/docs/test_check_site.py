import os
import shutil
from pathlib import Path

import pytest

from docs.generating import check_site

NARROW = "<!doctype html><meta name=viewport content='width=device-width'><p>Text that is wrapped.</p>"
WIDE = f"{NARROW}<div style='width: 700px'>A picture</div>"
TABLE = f"{NARROW}<div class='table-wrapper' style='overflow-x: auto'><table style='width: 500px'><td>Key</table></div>"


@pytest.mark.integration
def test_pages_and_tables_that_are_too_wide_are_found_with_the_width(tmp_path: Path) -> None:
    if not any(map(shutil.which, check_site.BROWSERS)) and "CI" not in os.environ:
        pytest.skip("no Chromium is installed")
    for name, text in {"narrow": NARROW, "wide": WIDE, "table": TABLE}.items():
        (tmp_path / f"{name}.html").write_text(text)
    problems = check_site.measure(tmp_path, ["narrow.html", "table.html", "wide.html"])
    assert [problem[:2] for problem in problems] == [("table.html", 360), ("wide.html", 360)]
    assert "A picture" in problems[1][3]


def test_a_site_that_was_not_built_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(check_site.BrowserFailed, match="build it first"):
        list(check_site.find_problems(tmp_path))
