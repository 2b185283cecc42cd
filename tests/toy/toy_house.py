"""The rest of the toy: a detector, a dataset and its reader, what measures and draws, and the rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from nuzoo import registry
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_class_names, check_labelled
from nuzoo.datasets_scripts.common.simulated import write_simulation
from nuzoo.datasets_scripts.common.simulated_neutrinos import NeutrinoPlan
from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.inference import cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine
from nuzoo.evaluation.core.provenance import check_same_events, describe_dataset
from nuzoo.evaluation.core.results import Estimate, Results, Subject
from nuzoo.evaluation.core.results_file import read_results, write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE
from nuzoo.simulation.detectors import DETECTORS, Detector
from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.response.readout import Readout

HERE = __name__.rpartition(".")[0]
AXES = ("x", "y", "z")
SIDE_CM = 200.0
THRESHOLD_MEV = 0.1


@dataclass(frozen=True)
class Points(Readout[Any]):
    """The middle of each deposit, and whether a shower made it."""

    def summary(self) -> str:
        return f"points in a cube of {SIDE_CM:g} cm"

    def geometry(self) -> dict[str, Any]:
        return {"size_mm": 10 * SIDE_CM}

    def respond(self, event: Any) -> dict[str, Any]:
        deposits = event.transported.deposits
        seen = deposits.energy > THRESHOLD_MEV
        middle = (10 * (deposits.start + deposits.end)[seen] / 2).clip(0, 10 * SIDE_CM).astype(np.float32)
        is_track = np.isin(deposits.semantic[seen], (SemanticClass.TRACK, SemanticClass.DELTA))
        hits = dict(zip(AXES, middle.T, strict=True))
        return {
            **hits,
            "energy": deposits.energy[seen].astype(np.float32),
            "label": (~is_track).astype(np.int64),
        }


CUBE = Detector(
    name="toy-cube",
    material=LAR,
    low=(0.0, 0.0, 0.0),
    high=(SIDE_CM, SIDE_CM, SIDE_CM),
    vertex_low=(50.0, 50.0, 20.0),
    vertex_high=(150.0, 150.0, 100.0),
    readout=Points(),
)


def point_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the toy stores of an event: its truth is that of its hits."""
    return {name: row[name] for name in ("event_id", "detector", *AXES, "energy", "label", "source")}


def simulate(out: Path, *, events: int, seed: int = 0, num_proc: int = 1) -> dict[str, Any]:
    plan = NeutrinoPlan(events, seed, CUBE.name, "flat-0-10")
    return write_simulation(out, "toy-points", plan, point_row, num_proc)


class read_points:  # noqa: N801 (called as a function)
    """Rows of Parquet files."""

    def __init__(self, paths: Sequence[Path], *, strict: bool = False, truth: bool = True):
        self.paths, self.left_out = paths, []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in self.paths:
            yield from pq.read_table(path).to_pylist()


class ToyDisplay:
    """Two projections of the points of an event."""

    def draws(self, row: Mapping[str, Any]) -> bool:
        return row.get("detector") == CUBE.name and {*AXES} <= row.keys()

    def facts(self, row: Mapping[str, Any], prediction=None) -> dict[str, str]:
        return {"hits": str(len(row["energy"]))}

    def draw(self, row: Mapping[str, Any], stem: Path, *, prediction=None, sample=None) -> list[Path]:
        figure = Figure()
        labels = row["label"] if prediction is None else [name == "shower" for name in prediction["labels"]]
        for panel, axis in zip(figure.subplots(1, 2), "xy", strict=True):
            panel.scatter(row["z"], row[axis], c=labels, s=2)
            panel.set(xlabel="z / mm", ylabel=f"{axis} / mm")
        figure.suptitle(f"{row['event_id']} {sample or ''}")
        figure.savefig(stem.with_suffix(".png"))
        return [stem.with_suffix(".png")]


DISPLAY = ToyDisplay()


@dataclass(frozen=True)
class Mirror:
    """Exchanges left and right.

    Attributes:
        mirror_x: whether to.
    """

    mirror_x: bool = False

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        flipped = batch["coordinates"].clone()
        flipped[:, 0] = 1 - flipped[:, 0] if self.mirror_x else flipped[:, 0]
        return {**batch, "coordinates": flipped}


@dataclass(frozen=True, kw_only=True)
class ToyResults(Results):
    SCHEMA = ("toy-hit-labels", 1)

    hits: int
    accuracy: Estimate


class ToyEvaluator:
    """The fraction of hits whose class is right, with its binomial error."""

    task = "toy-hit-labels"
    options: ClassVar = ()
    comparison = None
    answers = None
    store_calibration = None

    def check_events(self, rows, split, config) -> None:
        check_labelled(rows, split, ("label",))
        check_class_names(rows, class_names_of(config), split)

    def training_metrics(self, prediction) -> dict[str, float]:
        logits = prediction.predictions
        logits = logits[0] if isinstance(logits, tuple) else logits
        return {"accuracy": float((logits.argmax(-1) == prediction.label_ids).mean())}

    def describe(self, model, processor, events, sample=None) -> Subject:
        def described(rows):
            return describe_dataset(rows, sample)

        return describe_subject(model, processor, events, check=self.check_events, describe=described)

    def evaluate(self, model, processor, events, *, out: Path, batch_size=16, sample=None) -> ToyResults:
        subject = self.describe(model, processor, events, sample)

        def chosen(outputs, inputs):
            ends = inputs["offset"].tolist()[:-1]
            return np.split(outputs.logits.argmax(-1).numpy(), ends)

        answers, times = run_network(
            model, processor, events.rows, chosen, batch_size=batch_size, description="label hits"
        )
        columns = {"event_id": list(events.rows["event_id"]), "label": list(events.rows["label"])}
        table = pa.table(columns | {"predicted": [event for batch in answers for event in batch]})
        hits, accuracy = _measured(table)
        results = ToyResults(
            **vars(subject),
            hits=hits,
            accuracy=accuracy,
            cost=cost_of(model, times, batch_size),
            machine=describe_machine(model.device),
        )
        out.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, out / PREDICTIONS_FILE)
        write_results(out / RESULTS_FILE, results)
        return results

    def write_report(self, out: Path) -> Path:
        results = self.read_results(out / RESULTS_FILE)
        self.check_predictions(results, out / PREDICTIONS_FILE)
        figure = Figure()
        figure.subplots().hist(_flat(pq.read_table(out / PREDICTIONS_FILE), "predicted"))
        figure.savefig(out / "predicted_classes.png")
        report = out / "report.md"
        report.write_text(f"# Labels of hits\n\n{results.accuracy.value:.3f} of {results.hits} are right.\n")
        return report

    def read_results(self, file: Path) -> ToyResults:
        return read_results(file, ToyResults)

    def check_predictions(self, results: ToyResults, file: Path) -> list[str]:
        table = pq.read_table(file)
        names = table["event_id"].to_pylist()
        check_same_events(results.dataset, names)
        if _measured(table) != (results.hits, results.accuracy):
            raise ResultsFileError(f"{file}: expected what the results say, got other predictions")
        return names

    def report_cross_validation(self, predictions, rows, config, folds, out, sample=None):
        raise NotImplementedError

    def headline(self, results: ToyResults) -> list[Headline]:
        accuracy = results.accuracy
        return [Headline("accuracy", "accuracy", "right hits", accuracy.value, accuracy.error)]

    def card_values(self, model, processor, results: ToyResults) -> dict[str, Any]:
        return {"captions": {"predicted_classes": "How many hits got each class"}}


def _flat(table: pa.Table, column: str) -> np.ndarray:
    return np.concatenate([np.asarray(event) for event in table[column].to_pylist()])


def _measured(table: pa.Table) -> tuple[int, Estimate]:
    right = _flat(table, "label") == _flat(table, "predicted")
    mean = float(right.mean())
    return len(right), Estimate(value=mean, error=float(np.sqrt(mean * (1 - mean) / len(right))))


EVALUATOR = ToyEvaluator()

ROWS = (
    registry.Modality(
        name="toy-points",
        schema=f"{HERE}.toy_points.point_schema",
        processor=f"{HERE}.toy_points.ToyPointsProcessor",
        reader=f"{__name__}.read_points",
        display=f"{__name__}.DISPLAY",
        augmentation=f"{__name__}.Mirror",
    ),
    registry.Task(
        name="toy-hit-labels",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("label",),
        auto_class="AutoModelForSemanticSegmentation",
        evaluator=f"{__name__}.EVALUATOR",
        pipeline_name="toy-hit-labels",
        pipeline=f"{HERE}.toy_points.ToyHitLabelsPipeline",
    ),
    registry.Architecture(
        model_type="toy_points",
        config=f"{HERE}.toy_points.ToyPointsConfig",
        modality="toy-points",
        networks={"toy-hit-labels": f"{HERE}.toy_points.ToyPointsForHitLabels"},
    ),
    registry.Sample(
        name="toy-points",
        modality="toy-points",
        tasks=("toy-hit-labels",),
        simulate=f"{__name__}.simulate",
        plan="nuzoo.datasets_scripts.common.simulated_neutrinos.NeutrinoPlan",
    ),
)


def enter() -> None:
    """Make the zoo know the toy."""
    DETECTORS[CUBE.name] = CUBE
    registry.add(*ROWS)
