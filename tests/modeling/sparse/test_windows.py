import pytest
import torch

from nuzoo.modeling.sparse.windows import along, cut_windows

LENGTH = 256


def windows_by_loop(counts, length):
    """Every window as a list of rows: events longer than a window borrow what their last one lacks."""
    windows, start = [], 0
    for count in counts:
        rows = list(range(start, start + count))
        if count <= length:
            windows += [rows] if rows else []
        else:
            parts = [rows[begin : begin + length] for begin in range(0, count, length)]
            parts[-1] = parts[-1] + parts[-2][len(parts[-1]) :]
            windows += parts
        start += count
    return windows


def as_lists(windows):
    short = [
        rows[is_filled].tolist() for rows, is_filled in zip(windows.short, windows.is_filled, strict=True)
    ]
    return windows.whole.tolist() + short


@pytest.mark.parametrize(
    "counts",
    [[1], [255], [256], [257], [511], [513], [1, 255, 0, 256, 257, 511, 513, 0], [0, 0], [], [3, 1, 2]],
)
def test_windows_are_those_of_a_plain_loop(counts):
    windows = cut_windows(torch.tensor(counts, dtype=torch.long), LENGTH)
    assert sorted(as_lists(windows)) == sorted(windows_by_loop(counts, LENGTH))
    slots = torch.cat([windows.whole.flatten(), windows.short.flatten()])
    assert slots[windows.place].tolist() == list(range(sum(counts)))


def test_what_is_borrowed_is_not_where_a_row_is():
    """Two windows hold rows 1 to 3 of an event of 5; each row's place is that in its own window."""
    windows = cut_windows(torch.tensor([5]), 4)
    assert windows.whole.tolist() == [[0, 1, 2, 3], [4, 1, 2, 3]]
    assert windows.place.tolist() == [0, 1, 2, 3, 4]


def test_windows_along_an_order_hold_its_rows():
    order = torch.tensor([4, 2, 0, 3, 1])
    windows = along(cut_windows(torch.tensor([5]), 4), order)
    assert windows.whole.tolist() == [[4, 2, 0, 3], [1, 2, 0, 3]]
    slots = windows.whole.flatten()
    assert slots[windows.place].tolist() == [0, 1, 2, 3, 4]
