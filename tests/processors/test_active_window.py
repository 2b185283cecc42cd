"""A window lies over most of the active pixels, and holds the pixels of the whole map that lie in it."""

import numpy as np
import pytest

from nuzoo.processors.input_errors import ProcessorSettingError
from nuzoo.processors.pixel_maps.active_window import window_starts
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

ROWS, COLUMNS = 24, 32


def make_processor(**settings):
    fields = {"height": ROWS, "width": COLUMNS, "active_rms": [1.0, 2.0]}
    return NuPixelMapImageProcessor(**(fields | settings))


def make_maps(events=6, seed=3):
    rng = np.random.default_rng(seed)
    shape = (events, 2, ROWS, COLUMNS)
    return (rng.exponential(2, shape) * (rng.random(shape) < 0.05)).astype(np.float32)


def pixels(maps, processor):
    return processor(maps)["pixel_values"].numpy()


def starts_by_search(counts, window):
    """Try every place of an axis; the middle one of the best, of an even number the one before."""
    held = [int(counts[start : start + window].sum()) for start in range(len(counts) - window + 1)]
    best = [start for start, number in enumerate(held) if number == max(held)]
    return best[(len(best) - 1) // 2]


@pytest.mark.parametrize(("rebin", "window"), [(1, (7, 9)), (2, (8, 10)), (4, (24, 8))])
def test_the_window_is_the_cut_with_most_active_pixels(rebin, window):
    maps = make_maps()
    whole = pixels(maps, make_processor(rebin=rebin))
    cut = pixels(maps, make_processor(rebin=rebin, window=window))
    rows, columns = (edge // rebin for edge in window)
    assert cut.shape == (6, 2, rows, columns)
    for event in range(6):
        active = (maps[event] > 0).sum(axis=0).reshape(ROWS // rebin, rebin, COLUMNS // rebin, rebin)
        active = active.sum(axis=(1, 3))
        row = starts_by_search(active.sum(axis=1), rows)
        column = starts_by_search(active.sum(axis=0), columns)
        expected = whole[event, :, row : row + rows, column : column + columns]
        np.testing.assert_allclose(cut[event], expected, rtol=1e-6)


def test_an_event_smaller_than_the_window_is_whole_and_in_the_middle():
    maps = np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[0, 0, 10:13, 16:21] = 1.0
    cut = pixels(maps, make_processor(window=(9, 11), scale="linear", active_rms=[1.0, 1.0]))
    assert cut.sum() == maps.sum()
    assert cut[0, 0, 3:6, 3:8].all()


def test_pixels_that_hold_no_energy_do_not_move_it():
    row = {"xz_index": [0, 5], "xz_energy": [1.0, 2.0], "yz_index": [0], "yz_energy": [1.0]}
    stray = row | {"yz_index": [0, *range(600, 640)], "yz_energy": [1.0] + [0.0] * 40}
    processor = make_processor(window=(8, 8))
    np.testing.assert_array_equal(pixels(row, processor), pixels(stray, processor))


def test_a_window_of_the_whole_map_changes_nothing():
    maps = make_maps()
    whole = make_processor()
    np.testing.assert_array_equal(pixels(maps, whole), pixels(maps, make_processor(window=(ROWS, COLUMNS))))


def test_events_do_not_move_each_other_nor_does_the_order_of_hits():
    maps, processor = make_maps(), make_processor(window=(8, 8))
    together = pixels(maps, processor)
    alone = np.concatenate([pixels(maps[number : number + 1], processor) for number in range(6)])
    np.testing.assert_array_equal(together, alone)
    rng = np.random.default_rng(0)
    event, position = rng.integers(0, 4, 50), rng.integers(0, 20, 50)
    order = rng.permutation(50)
    straight, mixed = (window_starts(event[o], position[o], 4, 20, 6) for o in (slice(None), order))
    np.testing.assert_array_equal(straight, mixed)


def test_an_empty_event_has_an_empty_window():
    assert pixels(np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32), make_processor(window=(8, 8))).sum() == 0


def test_statistics_are_those_of_the_window():
    maps = np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[0, :, 0:4, 0:4] = 1.0
    maps[0, :, 20, 30] = 100.0
    processor = make_processor(window=(4, 4), scale="linear", active_rms=None).fit(maps)
    assert processor.active_rms == pytest.approx([1.0, 1.0])


def test_half_resolution_and_padding_are_of_the_window():
    processor = make_processor(window=(10, 12), pad_to_multiple=8)
    assert processor.image_size == (16, 16)
    assert processor(make_maps(), half_resolution="image")["pixel_values"].shape[2:] == (8, 8)
    assert processor(make_maps(), half_resolution="energy")["pixel_values"].shape[2:] == (16, 16)


def test_the_window_is_saved_and_older_files_have_none(tmp_path):
    processor = make_processor(window=(8, 16))
    processor.save_pretrained(tmp_path)
    again = NuPixelMapImageProcessor.from_pretrained(tmp_path)
    assert again.window == [8, 16] and again.image_size == (8, 16)
    older = {name: value for name, value in processor.to_dict().items() if name != "window"}
    assert NuPixelMapImageProcessor.from_dict(older).image_size == (ROWS, COLUMNS)


def test_it_says_how_the_window_is_cut():
    told = make_processor(window=(8, 16)).instructions()
    assert told["constants"]["window"] == [8, 16]
    assert any("`window`" in step for step in told["steps"])
    assert not any("`window`" in step for step in make_processor().instructions()["steps"])
    assert "8 × 16" in make_processor(window=(8, 16)).facts()["part of the map that the network sees"]


@pytest.mark.parametrize("window", [8, (8,), (0, 8), (8, 8, 8), (25, 8), (8, 33), (7, 8), (8.0, 8), "88"])
def test_impossible_windows_are_refused(window):
    with pytest.raises(ProcessorSettingError, match="window"):
        make_processor(rebin=2, window=window)
