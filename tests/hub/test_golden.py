import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.feature_extraction_utils import BatchFeature

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.files.names import GOLDEN_FILE
from nuzoo.hub.errors import GoldenOutputError
from nuzoo.hub.model.golden import check_golden, read_golden, tolerance_of, write_golden
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor


@pytest.fixture(scope="module")
def processor():
    return NuPixelMapImageProcessor(height=64, width=64, active_rms=[1.0, 2.0])


def make_model(**kwargs):
    torch.manual_seed(3)
    return NuCnnForEventClassification(NuCnnConfig.tiny(**kwargs)).eval()


def test_golden_file_is_what_processor_and_model_say(tmp_path, processor):
    model = make_model()
    write_golden(tmp_path, model, processor)
    events, outputs = read_golden(tmp_path / GOLDEN_FILE)
    assert [len(event["xz_index"]) for event in events[:2]] == [0, 1]
    assert len(events) == 4
    images = np.zeros((4, 2, 64 * 64), dtype=np.float32)
    for number, event in enumerate(events):
        for view, name in enumerate(("xz", "yz")):
            images[number, view, event[f"{name}_index"]] = event[f"{name}_energy"]
    by_hand = torch.log1p(torch.from_numpy(images)) / torch.tensor([1.0, 2.0])[:, None]
    with torch.no_grad():
        expected = model(by_hand.view(4, 2, 64, 64)).logits
    torch.testing.assert_close(torch.from_numpy(outputs["logits"]), expected)
    assert (tmp_path / GOLDEN_FILE).stat().st_size < 20_000
    assert "deviation 0" in check_golden(tmp_path, model, processor)


def test_a_changed_weight_is_found(tmp_path, processor):
    model = make_model()
    write_golden(tmp_path, model, processor)
    with torch.no_grad():
        model.classifier.weight[1] *= 1.02
    with pytest.raises(GoldenOutputError, match="logits of the example events is"):
        check_golden(tmp_path, model, processor)


def test_another_normalisation_is_found(tmp_path, processor):
    model = make_model()
    write_golden(tmp_path, model, processor)
    other = NuPixelMapImageProcessor(height=64, width=64, active_rms=[1.0, 2.1])
    with pytest.raises(GoldenOutputError):
        check_golden(tmp_path, model, other)


def test_not_a_number_is_no_golden_output(tmp_path, processor):
    model = make_model()
    write_golden(tmp_path, model, processor)
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    with pytest.raises(GoldenOutputError):
        check_golden(tmp_path, model, processor)


def test_bfloat16_has_its_own_tolerance(tmp_path, processor):
    model = make_model()
    write_golden(tmp_path, model.to(torch.bfloat16), processor)
    assert "0.05 for torch.bfloat16" in check_golden(tmp_path, model, processor)


def test_a_broken_or_other_golden_file_is_refused(tmp_path, processor):
    model = make_model()
    with pytest.raises(GoldenOutputError, match="cannot be read"):
        check_golden(tmp_path, model, processor)
    write_golden(tmp_path, model, processor)
    tensors = load_file(tmp_path / GOLDEN_FILE)
    tensors["output/hidden"] = tensors.pop("output/logits")
    save_file(tensors, tmp_path / GOLDEN_FILE)
    with pytest.raises(GoldenOutputError, match="expected the outputs hidden, got logits"):
        check_golden(tmp_path, model, processor)


class Labeller:
    """A network that says two things of each event and one of each hit."""

    config = NuCnnConfig.tiny()
    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, gain=1.0):
        self.gain = gain

    def parameters(self):
        return iter(())

    def eval(self):
        return self

    def __call__(self, energy, offset):
        sums = torch.stack([part.sum() for part in torch.tensor_split(energy, offset[:-1])])
        return {"events": sums * self.gain, "hits": energy * self.gain, "count": offset, "auxiliary": [sums]}


class Lists:
    """A processor of rows with columns of many kinds; what it was called with is kept."""

    def example_events(self, events=4):
        return [
            {
                "energy": np.arange(number, dtype=np.float32),
                "index": np.arange(number, dtype=np.uint16),
                "bits": np.full(number, 2**63 + 1, dtype=np.uint64),
                "inside": np.arange(number) > 1,
                "momentum": 0.5 * number,
                "run": np.int32(number),
                "names": [f"hit {hit}" for hit in range(number)],
                "source": "made up",
                "fragments": [list(range(size)) for size in range(number)],
                "vertex": None,
            }
            for number in range(events)
        ]

    def __call__(self, rows):
        self.seen = rows
        counts = [len(row["energy"]) for row in rows]
        energy = np.concatenate([row["energy"] for row in rows])
        return BatchFeature(
            {"energy": torch.from_numpy(energy), "offset": torch.from_numpy(np.cumsum(counts))}
        )


def test_columns_of_any_kind_come_back_and_outputs_may_be_of_hits(tmp_path):
    processor = Lists()
    write_golden(tmp_path, Labeller(), processor)
    rows, outputs = read_golden(tmp_path / GOLDEN_FILE)
    assert {name: values.shape for name, values in outputs.items()} == {
        "events": (4,),
        "hits": (6,),
        "count": (4,),
    }
    for row, expected in zip(rows, processor.example_events(), strict=True):
        assert row.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_equal(row[name], values, err_msg=name)
        arrays = {name: values.dtype for name, values in expected.items() if isinstance(values, np.ndarray)}
        assert {name: row[name].dtype for name in arrays} == arrays
    assert "deviation 0" in check_golden(tmp_path, Labeller(), processor)
    with pytest.raises(GoldenOutputError, match="events of the example events is"):
        check_golden(tmp_path, Labeller(1.01), processor)


def test_outputs_of_another_number_of_hits_are_found(tmp_path):
    class Fewer(Lists):
        def __call__(self, rows):
            return super().__call__([*rows[:3], rows[2]])

    write_golden(tmp_path, Labeller(), Lists())
    with pytest.raises(GoldenOutputError, match=r"hits .* should have shape \(6,\), it has \(5,\)"):
        check_golden(tmp_path, Labeller(), Fewer())


@pytest.mark.parametrize(("kind", "tolerance"), [("Params4bit", 5e-2), ("Parameter", 1e-4)])
def test_packed_weights_may_be_computed_with_in_bfloat16(kind, tolerance):
    packed = type(kind, (), {})()
    model = Labeller()
    model.parameters = lambda: iter([packed])
    assert tolerance_of(model) == tolerance


def test_of_many_rows_every_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("nuzoo.hub.model.golden.GOLDEN_ROWS", 4)
    write_golden(tmp_path, Labeller(), Lists())
    kept = read_golden(tmp_path / GOLDEN_FILE)[1]
    monkeypatch.undo()
    write_golden(tmp_path, Labeller(), Lists())
    whole = read_golden(tmp_path / GOLDEN_FILE)[1]
    np.testing.assert_array_equal(kept["hits"], whole["hits"][[0, 2, 4]])
    np.testing.assert_array_equal(kept["events"], whole["events"])
