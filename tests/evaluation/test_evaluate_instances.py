"""Particle segmentation from simulated events to results, report, card values and predictions."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import Dataset, Features

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.evaluation.core.errors import OptionError, ResultsFileError
from nuzoo.evaluation.core.evaluate_model import check_options
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.particle_segmentation.evaluator import EVALUATOR
from nuzoo.files.events.point_cloud_events import PARTICLE_TYPES
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.pipelines.particle_segmentation import ParticleSegmentationPipeline
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.registry import MODALITIES, import_object
from nuzoo.simulation.detectors import find_detector

from .point_cloud_rows import empty_row, event_row

CUBE = find_detector("lartpc-cube-768").geometry()


def rows_of(*events):
    schema = import_object(MODALITIES["point-clouds"].schema)(CUBE)
    features = Features({name: kind for name, kind in row_features(schema).items() if name in events[0]})
    return Dataset.from_list(list(events), features=features, split="test")


class Oracle(NuPointForUniversalSegmentation):
    """Answers what it has been told: the truth of each event, in the order in which they come."""

    def forward(self, coordinates, energy, grid_coordinates, offset, **_):
        counts = offset.diff(prepend=offset.new_zeros(1)).tolist()
        events = [self.truth[count] for count in counts]
        classes = torch.full((len(counts), self.config.queries, self.config.num_labels + 1), -20.0)
        classes[..., -1] = 0.0
        masks = torch.full((sum(counts), self.config.queries), -20.0)
        stuff = torch.full((sum(counts),), -20.0)
        start = 0
        for event, (particle, pid) in enumerate(events):
            rows = torch.arange(start, start + len(particle))
            known = particle >= 0
            masks[rows[known], particle[known]] = 20.0
            stuff[rows[~known]] = 20.0
            classes[event, particle[known], pid[known]] = 20.0
            start += len(particle)
        return type(super().forward(coordinates, energy, grid_coordinates, offset))(
            class_queries_logits=classes, masks_queries_logits=masks, stuff_logits=stuff
        )


@pytest.fixture(scope="module")
def events():
    rows = [event_row(seed=seed, event_id=f"sim-1-{seed}") for seed in range(3)]
    return [*rows, empty_row(event_id="sim-1-9")]


@pytest.fixture(scope="module")
def processor():
    return NuPointCloudFeatureExtractor.for_geometry(CUBE)


@pytest.fixture(scope="module")
def oracle(events, processor):
    config = NuPointConfig.tiny(id2label=dict(enumerate(PARTICLE_TYPES)), queries=8)
    model = Oracle(config).eval()
    model.truth = {}
    for event in events:
        batch = processor([event], targets=("particle", "pid"))
        model.truth[len(batch["coordinates"])] = (batch["particle_labels"], batch["pid_labels"])
    return model


@pytest.fixture(scope="module")
def measured(oracle, processor, events, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    results = EVALUATOR.evaluate(
        oracle, processor, Events(rows_of(*events)), out=out, batch_size=2, bootstrap=20
    )
    return out, results


def test_who_knows_the_truth_is_right(measured):
    _, results = measured
    for name in ("pq", "pq_any", "ari", "efficiency", "purity", "f1_mean"):
        assert getattr(results.metrics, name).value == pytest.approx(1, abs=0.01), name
    assert results.dataset.events == 4 and results.dataset.events_without == 1
    assert results.dataset.instances_per_class == {
        "photon": 3,
        "electron": 3,
        "muon": 3,
        "pion": 0,
        "proton": 0,
    }
    assert results.found == 9 and results.beyond_queries == 0


def test_results_are_read_and_computed_again(measured):
    out, results = measured
    assert EVALUATOR.read_results(out / "results.json") == results
    names = EVALUATOR.check_predictions(results, out / "predictions.parquet")
    assert names == [f"sim-1-{number}" for number in (0, 1, 2, 9)]
    changed = json.loads((out / "results.json").read_text())
    changed["metrics"]["pq"]["value"] = 0.5
    (out / "changed.json").write_text(json.dumps(changed))
    with pytest.raises(ResultsFileError, match=r"the results say pq 0\.5"):
        EVALUATOR.check_predictions(EVALUATOR.read_results(out / "changed.json"), out / "predictions.parquet")


def test_the_report_tells_what_counts(measured):
    out, _ = measured
    report = EVALUATOR.write_report(out).read_text()
    for words in ("Segmentation into particles", "Panoptic quality", "pooled", "low-energy deposits", "void"):
        assert words in report
    assert (out / "sizes.png").is_file() and (out / "classes.png").is_file()


def test_interactions_are_measured_too(processor, events, tmp_path):
    torch.manual_seed(0)
    config = NuPointConfig.tiny(instances="interaction", queries=4)
    model = NuPointForUniversalSegmentation(config).eval()
    results = EVALUATOR.evaluate(model, processor, Events(rows_of(*events)), out=tmp_path, bootstrap=10)
    assert results.instances == "interaction"
    assert results.dataset.instances_per_class == {"interaction": 3}
    assert results.dataset.events_with_one == 3 and results.metrics.ari.value is None
    EVALUATOR.write_report(tmp_path)
    EVALUATOR.check_predictions(
        EVALUATOR.read_results(tmp_path / "results.json"), tmp_path / "predictions.parquet"
    )


TRUE_MOMENTA = [(300.0, 0.0, 400.0), (30.0, -40.0, 0.0), (0.0, 0.0, 0.0)]
"""MeV/c, of muon, delta ray and photon; that of the photon is not known."""

TRUE_STARTS = [(150.0, 600.0, 60.0), (202.0, 480.0, 202.0), (330.0, 420.0, 200.0)]


class Teller(Oracle):
    """Tells momenta that are 10 % too high, and starts that are 2 voxels, or 6 mm, beside the true ones."""

    def forward(self, **inputs):
        outputs = super().forward(**inputs)
        queries = (len(inputs["offset"]), self.config.queries)
        momentum, start = torch.full((*queries, 1), 9.0), torch.full((*queries, 3), 9.0)
        sizes = np.linalg.norm(TRUE_MOMENTA, axis=1) / 1000
        momentum[:, :2, 0] = torch.tensor(np.log10(1.1 * sizes[:2]))
        places = (np.add(TRUE_STARTS, [0, 2, 0]) - 384) / (768 * 3**0.5 / 2)
        start[:, :3] = torch.tensor(places)
        outputs.momentum_queries, outputs.start_queries = momentum, start
        return outputs


def told_rows(events):
    columns = {f"particle_{axis}": [start[n] for start in TRUE_STARTS] for n, axis in enumerate("xyz")}
    columns |= {f"particle_p{axis}": [value[n] for value in TRUE_MOMENTA] for n, axis in enumerate("xyz")}
    known = [
        event | {name: value if len(event["x"]) else [] for name, value in columns.items()}
        for event in events
    ]
    return rows_of(*known)


@pytest.fixture(scope="module")
def teller(oracle):
    config = NuPointConfig.tiny(
        id2label=dict(enumerate(PARTICLE_TYPES)), queries=8, regressed=["momentum", "start"]
    )
    model = Teller(config).eval()
    model.truth = oracle.truth
    return model


def test_what_is_told_of_particles_is_measured(teller, processor, events, tmp_path):
    results = EVALUATOR.evaluate(
        teller, processor, Events(told_rows(events)), out=tmp_path, batch_size=2, bootstrap=20
    )
    metrics = results.metrics
    assert metrics.compared == {"momentum": 6, "start": 9}
    assert metrics.momentum_bias.value == pytest.approx(0.1, abs=1e-5)
    assert metrics.momentum_resolution.value == pytest.approx(0, abs=1e-5)
    assert metrics.start_median.value == pytest.approx(6, abs=1e-3)
    assert metrics.start_containment.value == pytest.approx(6, abs=1e-3)
    assert EVALUATOR.read_results(tmp_path / "results.json") == results
    EVALUATOR.check_predictions(results, tmp_path / "predictions.parquet")
    report = EVALUATOR.write_report(tmp_path).read_text()
    assert "momentum over 6 and start over 9 pairs" in report and "Start: distance" in report
    table = pq.read_table(tmp_path / "predictions.parquet").to_pydict()
    assert table["true_momentum"][0] == pytest.approx([500, 50, 0])
    assert sorted(table["found_momentum"][0])[:2] == pytest.approx([55, 550], rel=1e-5)


def test_what_events_do_not_know_is_not_measured_and_told_of(teller, processor, events, tmp_path, caplog):
    results = EVALUATOR.evaluate(teller, processor, Events(rows_of(*events)), out=tmp_path, bootstrap=10)
    assert results.metrics.compared is None and results.metrics.start_median is None
    assert "momentum is not measured: not all events know particle_px, particle_py" in caplog.text
    assert results.metrics.pq.value == pytest.approx(1, abs=0.01)


def test_what_is_not_told_is_not_in_the_results(measured):
    out, results = measured
    assert not results.metrics.regressed()
    assert (
        not {"compared", "momentum_bias", "start_median"}
        & json.loads((out / "results.json").read_text())["metrics"].keys()
    )
    assert "Start" not in EVALUATOR.write_report(out).read_text()


def test_options_of_another_task_are_refused_with_that_task():
    with pytest.raises(OptionError) as refused:
        check_options(EVALUATOR, {"target": "pid"}, as_saved=None)
    assert str(refused.value) == (
        "--target: expected options of particle-segmentation, which is what the model is for and has none of "
        "its own, got --target of pre-training and masked-autoencoding and masked-event-modelling: leave out "
        "--target"
    )


def test_refused_options_end_the_command_as_a_wrong_command_line(tmp_path, monkeypatch, capsys):
    def refuse(*args, **options):
        check_options(
            EVALUATOR, {name: value for name, value in options.items() if name == "target"}, as_saved=None
        )

    monkeypatch.setattr("nuzoo.evaluation.core.evaluate_model.evaluate_model", refuse)
    monkeypatch.setattr("nuzoo.commands.evaluate.check_source", lambda data: None)
    command = [
        "evaluate",
        "--model",
        tmp_path,
        "--data",
        tmp_path,
        "--out",
        tmp_path / "out",
        "--target",
        "pid",
    ]
    assert main([str(part) for part in command]) == 2
    assert "nuzoo evaluate: --target: expected options of particle-seg" in capsys.readouterr().err


def test_events_without_the_truth_are_refused(oracle, events):
    rows = rows_of(*events)
    EVALUATOR.check_events(rows, "test", oracle.config)
    with pytest.raises(UnusableDatasetError, match="none named particle"):
        EVALUATOR.check_events(rows.remove_columns("particle"), "test", oracle.config)
    with pytest.raises(UnusableDatasetError, match="count the classes"):
        EVALUATOR.check_events(rows, "test", NuPointConfig.tiny())


def test_events_without_particles_are_refused_before_the_network_is_asked(
    oracle, processor, events, tmp_path
):
    nothing = [event | {"particle": [-1] * len(event["x"])} for event in events]
    for rows, told in ((nothing, "with particles, got 4"), ([events[3]], "with hits, got 1")):
        with pytest.raises(
            UnusableDatasetError, match=f"split test: expected events {told} without any: take"
        ):
            EVALUATOR.evaluate(oracle, processor, Events(rows_of(*rows)), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_particles_than_queries_are_told_of(oracle, events, caplog):
    EVALUATOR.check_events(
        rows_of(*events), "test", NuPointConfig.tiny(id2label=oracle.config.id2label, queries=2)
    )
    assert "3 of 4 events have more particles than the network has queries (2), up to 3" in caplog.text


def test_the_pipeline_gives_each_hit_its_instance(oracle, processor, events):
    segment = ParticleSegmentationPipeline(oracle, processor)
    found = segment(events[0])
    true = np.array(events[0]["particle"])
    assert [number < 0 for number in found["instances"]] == (true < 0).tolist()
    assert sorted(one["label"] for one in found["segments"]) == ["electron", "muon", "photon"]
    assert sum(one["hits"] for one in found["segments"]) == (true >= 0).sum()
    by_number = {one["id"]: one["label"] for one in found["segments"]}
    assert found["labels"] == [by_number.get(number, "none") for number in found["instances"]]
    assert [score > 0 for score in found["scores"]] == (true >= 0).tolist()
    assert segment(events[3]) == {"instances": [], "labels": [], "scores": [], "segments": []}
    assert segment.as_row(found) == {name: found[name] for name in ("instances", "labels", "scores")}
