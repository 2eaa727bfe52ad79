"""Values that are stored as one JSON file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen(kw_only=True)
class Sample:
    name: str
    tags: dict[str, str]


def opened(folder: Path) -> ValueStore[Sample]:
    return ValueStore(folder, lambda document: Sample(**document), key=lambda sample: sample.name)


def test_values_are_read_back_in_the_order_in_which_they_were_first_stored(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for name in ("zebra", "a/b:c", "m" * 400):
        store.put(Sample(name=name, tags={}))
    store.put(Sample(name="zebra", tags={"k": "v"}))

    restored = opened(tmp_path)

    assert [sample.name for sample in restored.all()] == ["zebra", "a/b:c", "m" * 400]
    assert restored.get("zebra") == Sample(name="zebra", tags={"k": "v"})


def test_removed_values_are_gone_and_their_place_is_not_used_again(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for name in ("one", "two"):
        store.put(Sample(name=name, tags={}))
    store.remove("one")
    store.put(Sample(name="three", tags={}))
    store.put(Sample(name="one", tags={}))

    with pytest.raises(KeyError):
        store.remove("none")
    assert [sample.name for sample in opened(tmp_path).all()] == ["two", "three", "one"]


def test_damaged_file_is_refused_by_its_name(tmp_path: Path) -> None:
    opened(tmp_path).put(Sample(name="one", tags={}))
    (file,) = tmp_path.iterdir()
    file.write_text('{"number": 1, "value": {"colour": "red"}}')

    with pytest.raises(Refused, match=file.name):
        opened(tmp_path)
