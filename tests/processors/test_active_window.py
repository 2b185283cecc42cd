"""A window lies over most of the active pixels of the training events; what is beyond is on its edge."""

import numpy as np
import pytest

from nuzoo.processors.input_errors import MissingStatisticsError, ProcessorSettingError
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


def start_by_search(counts, window):
    """Try every place of an axis; the middle one of the best, of an even number the one before."""
    held = [int(counts[start : start + window].sum()) for start in range(len(counts) - window + 1)]
    best = [start for start, number in enumerate(held) if number == max(held)]
    return best[(len(best) - 1) // 2]


@pytest.mark.parametrize(("rebin", "window"), [(1, (7, 9)), (2, (8, 10)), (4, (24, 8))])
def test_the_window_is_the_cut_with_most_active_pixels_of_all_events(rebin, window):
    maps = make_maps()
    processor = make_processor(rebin=rebin, window=window).fit(maps)
    rows, columns = (edge // rebin for edge in window)
    active = (maps > 0).sum(axis=(0, 1)).reshape(ROWS // rebin, rebin, COLUMNS // rebin, rebin)
    active = active.sum(axis=(1, 3))
    row = start_by_search(active.sum(axis=1), rows)
    column = start_by_search(active.sum(axis=0), columns)
    assert processor.window_start == [row * rebin, column * rebin]
    whole = pixels(maps, make_processor(rebin=rebin, active_rms=processor.active_rms))
    cut, inner = pixels(maps, processor), np.s_[:, :, 1:-1, 1:-1]
    assert cut.shape == (6, 2, rows, columns)
    seen = whole[:, :, row : row + rows, column : column + columns]
    np.testing.assert_allclose(cut[inner], seen[inner], rtol=1e-6)


def test_what_is_beyond_is_added_to_the_nearest_pixel_of_the_edge():
    maps = np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[0, 0, 3, 2], maps[0, 0, 20, 9], maps[0, 0, 11, 31], maps[0, 0, 13, 10] = 1.0, 2.0, 4.0, 8.0
    maps[0, 1, 0, 0], maps[0, 1, 23, 31] = 16.0, 32.0
    settings = {"window": (4, 4), "window_start": (10, 8), "scale": "linear", "active_rms": [1.0, 1.0]}
    first, second = pixels(maps, make_processor(**settings))[0]
    by_hand = np.zeros((2, 4, 4))
    by_hand[0, 0, 0], by_hand[0, 3, 1], by_hand[0, 1, 3], by_hand[0, 3, 2] = 1.0, 2.0, 4.0, 8.0
    by_hand[1, 0, 0], by_hand[1, 3, 3] = 16.0, 32.0
    np.testing.assert_array_equal([first, second], by_hand)


def test_events_smaller_than_the_window_are_whole_and_in_the_middle():
    maps = np.zeros((2, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[:, :, 10:13, 16:21] = 1.0
    cut = pixels(maps, make_processor(window=(9, 11), scale="linear").fit(maps))
    assert cut.sum() == maps.sum()
    assert cut[:, :, 3:6, 3:8].all()


def test_pixels_that_hold_no_energy_do_not_move_it():
    row = {"xz_index": [0, 5], "xz_energy": [1.0, 2.0], "yz_index": [0], "yz_energy": [1.0]}
    stray = row | {"yz_index": [0, *range(600, 640)], "yz_energy": [1.0] + [0.0] * 40}
    starts = [make_processor(window=(8, 8)).fit(each).window_start for each in (row, stray)]
    assert starts[0] == starts[1]


def test_a_window_that_has_its_place_keeps_it():
    maps = np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[0, :, 2, 3], maps[0, :, 20, 30] = 5.0, 1.0
    processor = make_processor(window=(4, 8), window_start=(18, 24), scale="linear").fit(maps)
    assert processor.window_start == [18, 24]
    cut = pixels(maps, processor)[0, 0] * processor.active_rms[0]
    assert (cut[2, 6], cut[0, 0]) == pytest.approx((1.0, 5.0))


def test_a_window_of_the_whole_map_changes_nothing():
    maps = make_maps()
    whole = make_processor()
    np.testing.assert_array_equal(
        pixels(maps, whole), pixels(maps, make_processor(window=(ROWS, COLUMNS), window_start=(0, 0)))
    )


def test_a_window_without_a_place_is_not_fitted():
    processor = make_processor(window=(8, 8))
    assert not processor.is_fitted and make_processor().is_fitted
    with pytest.raises(MissingStatisticsError, match="window_start=None"):
        processor(make_maps())
    settings = make_processor(window=(8, 8), window_start=(0, 0)).to_dict() | {"window_start": None}
    with pytest.raises(MissingStatisticsError, match="window_start=None"):
        NuPixelMapImageProcessor.from_dict(settings)


def test_statistics_are_those_of_the_window():
    """Two pixels of 1 and 4 MeV, the second of two of 2 MeV beyond: root mean square of 1 and 4."""
    maps = np.zeros((1, 2, ROWS, COLUMNS), dtype=np.float32)
    maps[0, :, 1, 1] = 1.0
    maps[0, :, [20, 22], 30] = 2.0
    processor = make_processor(window=(4, 4), window_start=(0, 0), scale="linear", active_rms=None).fit(maps)
    assert processor.active_rms == pytest.approx([(17 / 2) ** 0.5] * 2)


def test_half_resolution_and_padding_are_of_the_window():
    processor = make_processor(window=(10, 12), window_start=(2, 3), pad_to_multiple=8)
    assert processor.image_size == (16, 16)
    assert processor(make_maps(), half_resolution="image")["pixel_values"].shape[2:] == (8, 8)
    assert processor(make_maps(), half_resolution="energy")["pixel_values"].shape[2:] == (16, 16)


def test_the_window_is_saved_and_older_files_have_none(tmp_path):
    processor = make_processor(window=(8, 16), window_start=(0, 16))
    processor.save_pretrained(tmp_path)
    again = NuPixelMapImageProcessor.from_pretrained(tmp_path)
    assert (again.window, again.window_start, again.image_size) == ([8, 16], [0, 16], (8, 16))
    older = {name: value for name, value in processor.to_dict().items() if "window" not in name}
    assert NuPixelMapImageProcessor.from_dict(older).image_size == (ROWS, COLUMNS)


def test_it_says_how_the_window_is_cut():
    processor = make_processor(window=(8, 16), window_start=(4, 0))
    told = processor.instructions()
    assert (told["constants"]["window"], told["constants"]["window_start"]) == ([8, 16], [4, 0])
    assert any("`window`" in step for step in told["steps"])
    assert not any("`window`" in step for step in make_processor().instructions()["steps"])
    assert processor.facts()["part of the map that the network sees"] == (
        "8 × 16 pixels from row 4 and column 0 on, what lies beyond is added to its edge"
    )


@pytest.mark.parametrize("window", [8, (8,), (0, 8), (8, 8, 8), (25, 8), (8, 33), (7, 8), (8.0, 8), "88"])
def test_impossible_windows_are_refused(window):
    with pytest.raises(ProcessorSettingError, match="window"):
        make_processor(rebin=2, window=window)


@pytest.mark.parametrize("start", [3, (0,), (-2, 0), (18, 0), (0, 26), (1, 0), (0.0, 0), (True, 0), "00"])
def test_impossible_places_are_refused(start):
    with pytest.raises(ProcessorSettingError, match="window_start"):
        make_processor(rebin=2, window=(8, 8), window_start=start)


def test_a_place_of_no_window_is_refused():
    with pytest.raises(ProcessorSettingError, match="window_start: expected window beside it"):
        make_processor(window_start=(0, 0))
