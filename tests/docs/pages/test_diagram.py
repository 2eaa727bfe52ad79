from xml.etree import ElementTree as ET

import pytest

from docs.generating.pages import diagram


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_stage_of_the_diagram_has_the_digest_of_the_one_build(name: str) -> None:
    root = ET.fromstring(diagram.render(diagram.PALETTES[name]))
    texts = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    stages = [texts[number + 1] for number, text in enumerate(texts) if text in {"staging", "prod"}]
    assert stages == [f"v1.2.3 · {diagram.DIGEST}"] * 2
    assert root.get("width") == "360"
