"""Lines are counted from wherever the last count ended."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.markdown.lines import LineCounter, split_lines
from tests.domain.changelog.documents import nasty


@given(nasty(), st.randoms(use_true_random=False))
def test_lines_are_counted_in_any_order(text: str, random: Random) -> None:
    content = text.encode()
    numbers = {offset: number for number, offset in enumerate(split_lines(content).offsets[:-1], start=1)}
    offsets = list(numbers)
    random.shuffle(offsets)
    counter = LineCounter(content)
    assert [counter.number_at(offset) for offset in offsets] == [numbers[offset] for offset in offsets]
