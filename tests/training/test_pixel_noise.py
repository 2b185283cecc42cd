"""Noise of real frames as an augmentation of pixel maps, compared with cases worked out by hand."""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.simulation.detectors import find_detector
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.augmentation.frame_noise import (
    APART,
    LARGEST_PIECE,
    FrameNoise,
    ViewNoise,
    noise_pixels,
    read_frames,
)
from nuzoo.training.augmentation.noisy_maps import NoisyAugmentation
from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe

SIZE = 8


def processor(**settings) -> NuPixelMapImageProcessor:
    given = {"views": ["xz", "yz"], "height": SIZE, "width": SIZE, "active_rms": [2.0, 0.5]}
    return NuPixelMapImageProcessor(**given | settings)


def of_map(energy: np.ndarray) -> ViewNoise:
    """All pixels of a map as noise."""
    places = [torch.from_numpy(place) for place in np.nonzero(energy)]
    values = torch.from_numpy(energy[np.nonzero(energy)].astype(np.float32))
    return ViewNoise(*places, values, columns=(0, energy.shape[1]))


def noisy(maps: list[np.ndarray], of: NuPixelMapImageProcessor, probability=1.0, **more) -> NoisyAugmentation:
    settings = Augmentation(noise="frames", noise_probability=probability, **more)
    return NoisyAugmentation(settings, of, [FrameNoise((0, len(maps[0])), tuple(map(of_map, maps)))])


def symmetric(rng: np.random.Generator) -> np.ndarray:
    """A sparse map that mirrors do not change."""
    quarter = rng.exponential(size=(SIZE // 2, SIZE // 2)) * (rng.random((SIZE // 2, SIZE // 2)) < 0.2)
    half = np.concatenate([quarter, quarter[::-1]])
    return np.concatenate([half, half[:, ::-1]], axis=1)


def test_noise_is_small_and_apart():
    energy = np.zeros((60, 60), dtype=np.float32)
    expected = np.zeros_like(energy, dtype=bool)
    energy[30:33, 10:14] = 1.0  # 12 pixels: a track
    energy[32 + APART, 10] = 0.1  # 7 empty pixels between
    energy[33 + APART, 30] = 0.1  # far along the columns
    energy[29 - APART, 8:10] = 0.1  # 8 empty pixels between
    energy[50:52, 40:45] = 0.1  # 10 pixels
    energy[55, 46], energy[56, 47] = 0.1, 0.1  # touch at a corner
    expected[[33 + APART, 55, 56], [30, 46, 47]] = True
    expected[29 - APART, 8:10] = True
    expected[50:52, 40:45] = True
    assert LARGEST_PIECE == 10
    assert np.array_equal(noise_pixels(energy), expected)


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize(
    "size",
    [
        {},
        {"rebin": 2},
        {"rebin": 4, "pad_to_multiple": 3},
        {"rebin": 2, "window": [SIZE - 4, SIZE - 2], "window_start": [2, 0]},
    ],
)
def test_the_image_is_that_of_the_sum_of_energies(scale, size):
    rng = np.random.default_rng(1)
    make = processor(scale=scale, reference_energy=0.7, **size)
    events = rng.exponential(size=(3, 2, SIZE, SIZE)) * (rng.random((3, 2, SIZE, SIZE)) < 0.1)
    events = events.astype(np.float32)
    noise = [symmetric(rng), symmetric(rng)]
    before = make(events)["pixel_values"]
    after = noisy(noise, make)({"pixel_values": before, "labels": torch.arange(3)})
    expected = make((events + np.stack(noise)).astype(np.float32))["pixel_values"]
    assert torch.allclose(after["pixel_values"], expected, rtol=1e-5, atol=1e-6)
    untouched = make(np.stack(noise)[None].astype(np.float32))["pixel_values"][0] == 0
    assert torch.equal(after["pixel_values"][:, untouched], before[:, untouched])
    assert not torch.equal(after["pixel_values"], before)


def test_a_pixel_by_hand():
    """1 MeV is log(1 + 1/0.5) / 2 in the first view; 3 MeV more make it log(1 + 4/0.5) / 2."""
    make = processor(reference_energy=0.5)
    frame = np.zeros((SIZE, SIZE))
    frame[[0, 0, -1, -1], [0, -1, 0, -1]] = 3.0
    event = np.zeros((1, 2, SIZE, SIZE), dtype=np.float32)
    event[0, 0, 0, 0] = 1.0
    before = make(event)["pixel_values"]
    assert before[0, 0, 0, 0] == pytest.approx(np.log(3) / 2)
    after = noisy([frame, frame * 0], make)({"pixel_values": before})["pixel_values"]
    assert after[0, 0, 0, 0] == pytest.approx(np.log(9) / 2, rel=1e-6)
    assert after[0, 0, 0, -1] == pytest.approx(np.log(7) / 2, rel=1e-6)
    assert (after[0, 1] == 0).all()


def test_windows_lie_anywhere_and_rows_are_the_same_in_all_views():
    torch.manual_seed(0)
    frame = np.arange(1, 13 * 11 + 1, dtype=np.float32).reshape(13, 11)
    draw = noisy([frame, 1000 + frame], processor())
    known = {}
    for low, left, up, side in product(range(6), range(4), (1, -1), (1, -1)):
        patch = frame[::up, ::side][low : low + SIZE, left : left + SIZE]
        known[patch.tobytes()] = (low, up), (left, side)
    found = [
        [known[one.numpy().tobytes()] for one in (xz, yz - 1000)]
        for xz, yz in (draw.drawn() for _ in range(400))
    ]
    assert all(xz[0] == yz[0] for xz, yz in found)
    assert {xz[0] for xz, _ in found} == set(product(range(6), (1, -1)))
    assert {xz[1] for xz, _ in found} == {yz[1] for _, yz in found} == set(product(range(4), (1, -1)))


def test_a_frame_smaller_than_the_window_is_whole_in_it():
    torch.manual_seed(0)
    frame = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    draw = noisy([frame, frame], processor())
    assert {float(draw.drawn()[0].sum()) for _ in range(20)} == {78.0}


def test_noise_comes_to_so_many_events_from_torchs_generator_before_the_rest():
    frame = np.full((SIZE, SIZE), 2.0)
    make = processor(scale="linear")
    augment = noisy([frame, frame], make, 0.3, intensity_jitter=0.1)
    batch = {"pixel_values": torch.zeros(500, 2, SIZE, SIZE)}
    torch.manual_seed(3)
    first = augment(batch)["pixel_values"]
    torch.manual_seed(3)
    np.random.seed(8)
    assert torch.equal(augment(batch)["pixel_values"], first)
    assert 0.22 < (first[:, 0, 0, 0] > 0).float().mean() < 0.38
    assert len(first[:, 0, 0, 0].unique()) > 100  # the jitter comes after


def frames(folder: Path, detector: str) -> str:
    """A dataset of one frame: a piece of two pixels in each view, and a track."""
    geometry = find_detector(detector).geometry()
    width = geometry["width"]
    track = [100 * width + column for column in range(100, 300)]
    row = {"detector": detector}
    for view in geometry["views"]:
        row |= {f"{view}_index": [200 * width + 200, 201 * width + 200, *track]}
        row |= {f"{view}_energy": [0.25, 0.5, *([2.0] * len(track))]}
    (folder / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row]), folder / "data" / "train-0.parquet")
    return str(folder)


def for_detector(name: str, **settings) -> NuPixelMapImageProcessor:
    make = NuPixelMapImageProcessor.for_geometry(find_detector(name).geometry(), **settings)
    make.active_rms = [1.0] * len(make.views)
    return make


def test_frames_of_another_size_are_read_whatever_their_detector(tmp_path):
    [frame] = read_frames(frames(tmp_path, "protodune-hd-apa"), for_detector("dune-like-3view"))
    assert [view.energy.tolist() for view in frame.views] == [[0.25, 0.5]] * 3
    assert [view.row.tolist() for view in frame.views] == [[200, 201]] * 3
    augment = Augmentation(noise=str(tmp_path), noise_probability=1.0)
    make = for_detector("dune-like-3view", rebin=4)
    transform = bound(augment, make, ())
    torch.manual_seed(1)
    images = transform({"pixel_values": torch.zeros(40, 3, *make.image_size)})["pixel_values"]
    energies = torch.expm1(images).sum((1, 2, 3))
    assert energies.max() == pytest.approx(3 * 0.75, rel=1e-5) and energies.min() >= 0


@pytest.mark.parametrize(
    ("detector", "settings", "words"),
    [
        ("modular-2x2x7", {}, "frames of the views xz, yz, got none with xz_index"),
        ("protodune-hd-apa-500", {}, "expected pixels of 10.2 × 9.34 mm"),
    ],
)
def test_frames_of_other_views_or_pixels_are_refused(detector, settings, words, tmp_path):
    path = frames(tmp_path, "protodune-hd-apa")
    with pytest.raises(RecipeError, match=words):
        Augmentation(noise=path, noise_probability=0.5).bound_to(for_detector(detector, **settings))


def test_frames_without_noise_are_refused(tmp_path):
    path = frames(tmp_path, "protodune-hd-apa")
    table = pq.read_table(tmp_path / "data" / "train-0.parquet").to_pylist()
    for view in "uvz":
        table[0][f"{view}_index"] = table[0][f"{view}_index"][2:]
        table[0][f"{view}_energy"] = table[0][f"{view}_energy"][2:]
    pq.write_table(pa.Table.from_pylist(table), tmp_path / "data" / "train-0.parquet")
    with pytest.raises(RecipeError, match="expected frames with pieces of 10 pixels and fewer"):
        read_frames(path, for_detector("dune-like-3view"))


@pytest.mark.parametrize(
    ("recipe", "fields", "words"),
    [
        ("nu_cnn_tiny", {"noise": "data/frames"}, "noise_probability: expected more than 0"),
        ("nu_cnn_tiny", {"noise_probability": 0.5}, "noise: expected a dataset of frames"),
        (
            "nu_vlm_tiny",
            {"noise": "f", "noise_probability": 0.5},
            "noise: expected none for images of 8 bits",
        ),
    ],
)
def test_noise_without_effect_is_refused(recipe, fields, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(recipe, [f"augmentation.{name}={value}" for name, value in fields.items()])


def test_noise_without_a_processor_is_refused():
    with pytest.raises(RecipeError, match="know the processor"):
        Augmentation(noise="frames", noise_probability=0.5)({"pixel_values": torch.zeros(1, 2, 8, 8)})
