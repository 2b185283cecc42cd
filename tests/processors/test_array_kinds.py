"""Arrays of every kind keep their meaning, or are refused by name: never an error of another library."""

import numpy as np
import pytest
import torch

from nuzoo import NuPixelMapImageProcessor
from nuzoo.files.events.event_errors import DtypeError, EventError, ShapeError, UnitError
from nuzoo.processors.event_tables import as_numpy
from nuzoo.processors.input_errors import DetectorMismatchError, ProcessorSettingError

PIXELS = 16
RAW = {"height": PIXELS, "width": PIXELS, "rebin": 4, "active_rms": [1.5, 2.5]}


@pytest.fixture
def processor():
    return NuPixelMapImageProcessor(**RAW)


@pytest.fixture
def dense():
    maps = np.zeros((3, 2, PIXELS, PIXELS), dtype=np.float32)
    maps[:, :, 3:9, 5] = 3.0
    return maps


@pytest.fixture
def row():
    columns = {"index": np.array([5, 40]), "energy": np.array([1.0, 2.0], dtype=np.float32)}
    return {f"{view}_{name}": values for view in ("xz", "yz") for name, values in columns.items()}


KINDS = {
    "bfloat16": lambda maps: torch.from_numpy(maps).bfloat16(),
    "float8": lambda maps: torch.from_numpy(maps).to(torch.float8_e4m3fn),
    "float16": lambda maps: maps.astype(np.float16),
    "with gradient": lambda maps: torch.from_numpy(maps).requires_grad_(),
    "sparse batch": lambda maps: torch.from_numpy(maps).to_sparse(),
    "sparse views": lambda maps: [[view.to_sparse_csr() for view in one] for one in torch.from_numpy(maps)],
    "big-endian": lambda maps: maps.astype(">f4"),
    "negative strides": lambda maps: maps[:, :, ::-1].copy()[:, :, ::-1],
    "matrices": lambda maps: [[np.matrix(view) for view in one] for one in maps],
    "masked, nothing is": lambda maps: np.ma.masked_array(maps),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_map_of_any_kind_gives_the_same_image(processor, dense, kind):
    expected = processor(dense)["pixel_values"]
    given = KINDS[kind](dense)
    assert torch.equal(processor(given)["pixel_values"], expected)
    assert torch.equal(processor(given[0])["pixel_values"], expected[:1])


@pytest.mark.parametrize(
    "hold",
    [lambda maps: maps, lambda maps: list(maps), lambda maps: [list(event) for event in maps]],
    ids=["batch", "events", "views"],
)
def test_masked_pixel_has_no_energy(processor, dense, hold):
    noisy = dense.copy()
    noisy[:, :, 12] = np.nan
    masked = np.ma.masked_invalid(noisy)
    assert torch.equal(processor(hold(masked))["pixel_values"], processor(dense)["pixel_values"])


def test_map_of_masked_rows_keeps_the_masks(processor, dense):
    noisy = dense.copy()
    noisy[:, :, 12] = 500
    rows = [[list(np.ma.masked_greater(view, 100)) for view in event] for event in noisy]
    assert torch.equal(processor(rows)["pixel_values"], processor(dense)["pixel_values"])


def test_masked_hit_is_refused(processor, row):
    row["xz_energy"] = np.ma.masked_array(row["xz_energy"], mask=[False, True])
    with pytest.raises(DtypeError, match="1 masked: leave the masked hits out"):
        processor(row)


class InUnits(np.ndarray):
    unit = "GeV"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (lambda maps: maps.view(InUnits), UnitError),
        (lambda maps: torch.from_numpy(maps).to("meta"), DtypeError),
        (lambda maps: torch.from_numpy(maps) + 0j, DtypeError),
        (lambda maps: maps.astype(str), DtypeError),
        (lambda maps: maps.astype(object), DtypeError),
        (lambda maps: maps > 0, DtypeError),
        (lambda maps: np.float32(3), EventError),
        (lambda maps: torch.tensor(3.0), EventError),
    ],
)
def test_array_that_cannot_be_meant_is_refused_by_name(processor, dense, given, kind):
    with pytest.raises(kind):
        processor(given(dense))


def test_columns_of_numbers_are_refused(processor, row):
    with pytest.raises(ShapeError, match="expected a flat list"):
        processor({name: torch.tensor(1) for name in row})


def test_lists_of_several_lengths_are_refused_by_name():
    with pytest.raises(DtypeError, match="which NumPy cannot read"):
        as_numpy([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("of", [torch.from_numpy, np.asarray, list])
def test_row_of_any_library_gives_the_same_image(processor, row, of):
    expected = processor({name: values.tolist() for name, values in row.items()})["pixel_values"]
    rows = {name: of(values) for name, values in row.items()}
    labelled = rows | {"label": torch.tensor(2), "event_id": "one", "detector": np.array("ours")}
    batch = processor(labelled, targets=["label"])
    assert torch.equal(batch["pixel_values"], expected)
    assert batch["labels"].tolist() == [2]
    several = processor({name: [values, values] for name, values in rows.items()})["pixel_values"]
    assert torch.equal(several, torch.cat([expected, expected]))
    with pytest.raises(DetectorMismatchError, match="these are of ours"):
        NuPixelMapImageProcessor(**RAW, detector="another")(labelled)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"detectr": "x"}, "no option 'detectr': did you mean detector?"),
        ({"mev_per_count": 0}, "expected a positive number, got 0"),
        ({"mev_per_count": 0.1}, "which is taken for MeV: leave mev_per_count out"),
        ({"pixel_pitch_mm": -1}, "expected pixel_pitch_mm to be a positive number"),
        ({"half_resolution": "energies"}, "expected half_resolution to be one of"),
        ({"targets": "label"}, "expected one column in a list"),
    ],
)
def test_option_that_means_nothing_is_refused_by_name(processor, dense, option, says):
    with pytest.raises(EventError, match=says.replace("?", r"\?")):
        processor(dense, **option)


def test_fit_refuses_an_option_that_it_has_not(processor, dense):
    with pytest.raises(
        ProcessorSettingError, match=r"no option 'half_resolution'.* It has detector, mev_per_count"
    ):
        processor.fit(dense, half_resolution="energy")


def test_settings_of_any_number_type_are_saved_and_loaded(tmp_path):
    given = {"height": np.int64(PIXELS), "width": np.int32(PIXELS), "reference_energy": np.float32(2)}
    NuPixelMapImageProcessor(**(RAW | given), mev_per_count=np.float32(0.5)).save_pretrained(tmp_path)
    loaded = NuPixelMapImageProcessor.from_pretrained(tmp_path)
    assert (loaded.height, loaded.reference_energy, loaded.mev_per_count) == (PIXELS, 2.0, 0.5)


@pytest.mark.parametrize(
    "setting", [{"rebin": 2.0}, {"height": True}, {"mev_per_count": -1}, {"width": "16"}]
)
def test_setting_of_another_kind_is_refused(setting):
    with pytest.raises(ProcessorSettingError, match=next(iter(setting))):
        NuPixelMapImageProcessor(**(RAW | setting))


def test_instructions_alone_make_the_image(dense):
    """What an ONNX file tells its user, followed in NumPy."""
    processor = NuPixelMapImageProcessor(**(RAW | {"rebin": 2}), pad_to_multiple=3, reference_energy=0.7)
    told = processor.instructions()["constants"]
    maps = dense.reshape(3, 2, PIXELS // told["rebin"], told["rebin"], -1, told["rebin"]).sum(axis=(3, 5))
    scaled = np.log1p(maps / told["reference_energy_mev"]) / np.array(told["active_rms"])[:, None, None]
    after = ((0, told["image_rows"] - maps.shape[2]), (0, told["image_columns"] - maps.shape[3]))
    image = np.pad(scaled, ((0, 0), (0, 0), *after))
    np.testing.assert_allclose(processor(dense)["pixel_values"].numpy(), image, rtol=1e-6, atol=1e-7)
