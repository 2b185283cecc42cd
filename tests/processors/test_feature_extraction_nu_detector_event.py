"""Detector events become tensors: standardised as computed directly, event by event, or refused by name."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from nuzoo.files.events.event_errors import MissingColumnError, RangeError, ShapeError
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    TRANSFORMS,
    NuDetectorEventFeatureExtractor,
)
from nuzoo.processors.input_errors import (
    DetectorMismatchError,
    MissingStatisticsError,
    ProcessorSettingError,
)
from nuzoo.simulation.detectors import FASERCAL


@pytest.fixture(scope="module")
def processor():
    made = NuDetectorEventFeatureExtractor.for_geometry(FASERCAL.geometry())
    return made.fit(made.example_events(40))


def madn(x):
    return 1.482602218505602 * np.median(np.abs(x - np.median(x)))


@pytest.mark.parametrize("name", ["cal_energy", "ahcal_energy", "muon_chi2", "ecal_energy"])
def test_constants_as_computed_directly(name, processor):
    rows = processor.example_events(40)
    x = np.concatenate([row[name] for row in rows]).astype(np.float64)
    k = madn(x)
    u = np.log1p(x / k)
    expected = {"k": k, "mu": np.median(u), "sigma": madn(u)}
    for constant, value in expected.items():
        assert processor.constants[name][constant] == pytest.approx(value, rel=1e-5)
    if name == "cal_energy":
        z = (u - expected["mu"]) / expected["sigma"]
        np.testing.assert_allclose(processor(rows)["cal_energy"][:, 0].numpy(), z, rtol=1e-4, atol=1e-5)


def test_ten_times_the_energy_is_the_same_number(processor):
    rows = processor.example_events(40)
    scaled = [row | {"cal_energy": 10 * row["cal_energy"]} for row in rows]
    other = NuDetectorEventFeatureExtractor.for_geometry(FASERCAL.geometry()).fit(scaled)
    torch.testing.assert_close(
        other(scaled)["cal_energy"], processor(rows)["cal_energy"], rtol=1e-4, atol=1e-5
    )


def test_an_event_does_not_depend_on_the_others(processor):
    rows = processor.example_events(6)
    batch = processor(rows)
    assert batch["cal_offset"].tolist() == [0, 1, 61, 121, 181, 241]
    assert batch["muon_offset"].tolist() == [0, 0, 2, 5, 9, 14]
    assert batch["ecal"].shape == (6, 25)
    alone = processor(rows[3])
    torch.testing.assert_close(alone["cal_energy"], batch["cal_energy"][61:121])
    torch.testing.assert_close(alone["ecal"], batch["ecal"][3:4])
    torch.testing.assert_close(alone["muon_tracks"], batch["muon_tracks"][2:5])


def test_a_table_is_its_rows(processor):
    rows = processor.example_events(5)
    lists = [{name: np.asarray(value).tolist() for name, value in row.items()} for row in rows]
    types = {name: pa.list_(pa.float32()) for name in ("cal_energy", "ahcal_energy", "ecal_energy")}
    types |= {f"muon_{name}": pa.list_(pa.float32()) for name in ("charge", "px", "py", "pz", "chi2")}
    columns = {name: [row[name] for row in lists] for name in lists[0]}
    table = pa.table(
        {
            name: pa.array(values, types.get(name, None if name == "muon_count" else pa.list_(pa.int16())))
            for name, values in columns.items()
        }
    )
    for name, tensor in processor(table).items():
        torch.testing.assert_close(tensor, processor(rows)[name])


def test_short_tracks_and_those_without_chi2_are_left_out(processor):
    row = processor.example_events(5)[4]
    row |= {
        "muon_n_points": np.array([2, 3, 12, 12], np.int16),
        "muon_chi2": np.array([5, 5, 0, 5], np.float32),
    }
    batch = processor(row)
    assert batch["muon_offset"].tolist() == [2]
    assert batch["muon_count"].tolist() == [[4.0]]
    assert batch["muon_tracks"][:, 0].tolist() == row["muon_charge"][[1, 3]].tolist()


def test_truth(processor):
    rows = [
        row | {"flavour": i, "charm": 0, "vis_momentum": [1.0, 2.0, i]}
        for i, row in enumerate(processor.example_events(3))
    ]
    batch = processor(rows, targets=["flavour", "charm", "vis_momentum"])
    assert batch["flavour_labels"].tolist() == [0, 1, 2]
    assert batch["vis_momentum"][2].tolist() == [1, 2, 2]
    assert processor(rows, targets=["flavour"])["labels"].tolist() == [0, 1, 2]
    with pytest.raises(ProcessorSettingError, match="energy_of"):
        processor(rows, targets=["energy_of"])
    with pytest.raises(MissingColumnError, match="jet_momentum"):
        processor(rows, targets=["jet_momentum"])


def test_saved_and_loaded(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    loaded = NuDetectorEventFeatureExtractor.from_pretrained(tmp_path)
    rows = processor.example_events(4)
    for name, tensor in loaded(rows).items():
        torch.testing.assert_close(tensor, processor(rows)[name])
    for name in TRANSFORMS:
        x = torch.tensor([0.5, 3.0, 100.0])
        torch.testing.assert_close(
            loaded.scale_of(name).inverse(loaded.scale_of(name).forward(x)), x, rtol=1e-3, atol=1e-3
        )


def test_what_it_says_no_to(processor):
    row = processor.example_events(3)[2]
    with pytest.raises(MissingStatisticsError):
        NuDetectorEventFeatureExtractor()(row)
    with pytest.raises(DetectorMismatchError):
        processor(row | {"detector": "modular-2x2x7"})
    assert len(processor(row | {"detector": "fasercal-1mm"}, detector="fasercal-1mm")["cal_energy"])
    with pytest.raises(RangeError, match="another detector"):
        processor(row | {"cal_x": row["cal_x"] + np.int16(48)})
    with pytest.raises(ShapeError, match="ecal_energy"):
        processor(row | {"ecal_energy": row["ecal_energy"][:24]})
    with pytest.raises(ProcessorSettingError, match="cal_charge"):
        NuDetectorEventFeatureExtractor(transforms={"cal_charge": "log1p"})
    with pytest.raises(ProcessorSettingError, match="return_labels"):
        processor(row, return_labels=True)
