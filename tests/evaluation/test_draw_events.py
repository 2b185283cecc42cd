"""Which events are drawn."""

import pytest

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.display.draw_events import choose_rows

ROWS = [{"event_id": f"sim-1-{number}"} for number in range(12)]


def test_events_are_chosen_by_name_or_are_the_first():
    assert [row["event_id"] for row in choose_rows(ROWS, ["sim-1-7", "sim-1-3"], 4)] == ["sim-1-3", "sim-1-7"]
    assert list(choose_rows(ROWS, None, 4)) == ROWS[:4]


def test_an_event_that_is_not_there_is_told_with_one_that_is():
    with pytest.raises(DisplayError) as refused:
        list(choose_rows(ROWS, ["NOPE"], 4))
    assert str(refused.value) == "no event NOPE there: expected the name of an event such as sim-1-0"
    with pytest.raises(DisplayError, match=r"no event sim1-11 there: .* did you mean sim-1-11\?"):
        list(choose_rows(ROWS, ["sim-1-2", "sim1-11"], 4))
    with pytest.raises(DisplayError, match=r"no event sim-1-2 there: .* got no event at all"):
        list(choose_rows([], ["sim-1-2"], 4))
