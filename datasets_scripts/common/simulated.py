"""Datasets that are simulated: what decides their bytes, and the row of an event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self

from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE, DatasetRequestError, write_dataset
from nuzoo.datasets_scripts.common.described import digest_of
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.datasets_scripts.common.undisturbed import undisturbed
from nuzoo.datasets_scripts.workers.workers import Workers, processes
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.registry import Sample, import_object
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.detectors import DETECTORS, Detector, enter_detector, find_detector
from nuzoo.simulation.errors import UnknownDetectorError

GIVEN = "given"
"""In a plan: what the simulation begins with, where that is a file."""


@dataclass(frozen=True)
class SimulationPlan(ABC):
    """What decides every byte of a simulated dataset; each kind of simulation has its own.

    Attributes:
        events: How many.
        seed: Seed of the simulation.
        detector: Name of a known one.
        shard_size: Events in a file.

    Raises:
        DatasetRequestError: Numbers out of range, or a detector that is unknown or records other events.
    """

    events: int
    seed: int
    detector: str
    shard_size: int = field(default=SHARD_SIZE, kw_only=True)

    def __post_init__(self) -> None:
        for name, least in (("events", 1), ("seed", 0), ("shard_size", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise DatasetRequestError(f"{name}: expected at least {least}, a whole number, got {value!r}")
        self.check_choice("detector", DETECTORS)
        if not DETECTORS[self.detector].has_volume:
            raise DatasetRequestError(
                f"detector: expected one that can be simulated, got {self.detector}, whose description has "
                "no volume, drift and electronics: add them (`nuzoo detectors modular-2x2x7` shows how)"
            )
        if not self.suits(DETECTORS[self.detector]):
            suited = [known.name for known in DETECTORS.values() if known.has_volume and self.suits(known)]
            raise DatasetRequestError(
                f"detector: expected one of {', '.join(suited)}, whose events this dataset holds, got "
                f"{self.detector}: take another detector, or another dataset"
            )

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return True

    def check_choice(self, name: str, known: Mapping[str, Any]) -> None:
        """Refuse an attribute that is none of the known names."""
        value = getattr(self, name)
        if not isinstance(value, str) or value not in known:
            raise DatasetRequestError(
                f"{name}: expected one of {', '.join(known)}, got {value!r}{did_you_mean([value], known)}"
            )

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Self:
        """Return the plan in the `plan.json` of a simulated dataset.

        Raises:
            DatasetRequestError: Something is missing in it, or cannot be.
        """
        named = {field.name: field.default for field in fields(cls) if field.compare}
        if missing := [name for name, usual in named.items() if name not in plan and usual is not None]:
            raise DatasetRequestError(f"expected {', '.join(missing)}, got none")
        return cls(**{name: plan[name] for name in named if name in plan})

    def content(self) -> dict[str, Any]:
        """Return what `plan.json` says of it: all that decides the events."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.compare}

    @property
    def last_index(self) -> int:
        """Number of the last event that there may be."""
        return self.events - 1

    @property
    def prefix(self) -> str:
        """Begin of `source` of each event."""
        return SIMULATED_PREFIX

    def event_id(self, index: int) -> str:
        """Name of event `index`."""
        return f"sim-{self.seed}-{index}"

    def origin(self, index: int | str) -> str:
        """Return the end of `source` of event `index`."""
        return f"seed={self.seed} event={index} detector={self.detector}"

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and the largest number of columns that the plan alone decides, by column."""
        return {}

    @abstractmethod
    def simulate(self, index: int) -> Any:
        """Simulate event `index`."""

    @abstractmethod
    def truth(self, event: Any) -> Row:
        """Return the columns of truth beside those that the readout knows."""

    @undisturbed()
    def row(self, index: int) -> Row:
        """Return the row of event `index`: what the detector records of it, and the truth."""
        return self.recorded(index, self.simulate(index))

    def recorded(self, index: int, event: Any, told: str = "") -> Row:
        """Return the row of event `index` as it was simulated; `told` is said in `source` beside the plan."""
        identity = {
            "event_id": self.event_id(index),
            "detector": self.detector,
            "source": f"{self.prefix}{_own_version()} {told}{self.origin(index)}",
        }
        return {**identity, **self.truth(event), **event.detector.readout.respond(event)}


@cache
def _own_version() -> str:
    return version("nuzoo")


def simulation_of(sample: Sample, plan: Mapping[str, Any]) -> SimulationPlan:
    """Return the plan in the `plan.json` of a simulated dataset.

    Args:
        sample: Which dataset it is.
        plan: Contents of the file.

    Raises:
        DatasetRequestError: Something is missing in it, or cannot be, or no such dataset is simulated.
    """
    begins_with_file = GIVEN in plan
    path = sample.given if begins_with_file else sample.plan
    if path is None:
        kind = f"begins with a file of {plan[GIVEN]}" if begins_with_file else "can be simulated"
        raise DatasetRequestError(f"expected a dataset that {kind}, got {sample.name}")
    named = import_object(path)
    found: SimulationPlan = (named.plan_class if begins_with_file else named).of(plan)
    return found


def requested_detector(name: str | Path) -> Detector:
    """Find a detector; see `find_detector`.

    Raises:
        DatasetRequestError: There is none of this name.
    """
    try:
        return find_detector(name)
    except UnknownDetectorError as error:
        raise DatasetRequestError(str(error)) from error


def write_simulation(
    out: Path,
    dataset: str,
    plan: SimulationPlan,
    finish: Callable[[Row], Row],
    num_proc: int = 1,
    cluster: Workers | None = None,
    indices: Iterable[int] | None = None,
) -> dict[str, Any]:
    """Simulate a dataset into a folder; see `write_dataset`.

    Args:
        out: Folder.
        dataset: Its name in `nuzoo.registry.DATASETS`.
        plan: What to simulate.
        finish: Makes of `plan.row` what the dataset stores: adds a picture, or leaves out what it lacks;
            must be picklable for more than one process.
        num_proc: Processes.
        cluster: Who does it instead, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.
        indices: Numbers of the events; those from 0 on by default.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: No process, or both processes and a cluster.
        DatasetFolderError: `out` holds another dataset.
    """
    if num_proc < 1:
        raise DatasetRequestError(f"num_proc: expected at least 1, got {num_proc}")
    if cluster is not None and num_proc != 1:
        raise DatasetRequestError(f"num_proc, cluster: expected one of them, got {num_proc} and a cluster")
    detector = find_detector(plan.detector)
    return write_dataset(
        out,
        {plan.event_id(index): index for index in (range(plan.events) if indices is None else indices)},
        row_features(schema_of(find_sample(dataset).modality, detector)),
        partial(_finished_row, plan, detector, finish),
        {"dataset": dataset, "simulation": SOURCE_DIGEST, **plan.content(), **digest_of(detector)},
        workers=cluster or processes(num_proc),
        shard_size=plan.shard_size,
    )


class SimulateDataset(Protocol):
    """Simulates events into a folder that `datasets.load_dataset` reads.

    Killed and called again it goes on, and ends with the same bytes whoever does the work.
    """

    def __call__(
        self,
        out: Path,
        *,
        events: int,
        seed: int = 0,
        detector: str = "",
        num_proc: int = 1,
        cluster: Workers | None = None,
        shard_size: int = SHARD_SIZE,
    ) -> dict[str, Any]:
        """Simulate.

        Args:
            out: Folder.
            events: How many, shared out to the splits by the hash of each event's name.
            seed: Seed of the simulation.
            detector: A name in `DETECTORS` of one whose events the dataset holds.
            num_proc: Processes.
            cluster: Who does it instead, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.
            shard_size: Events in a file.

        Returns:
            The manifest.

        Raises:
            DatasetRequestError: Numbers out of range, or a detector that does not suit.
            DatasetFolderError: `out` holds another dataset.
        """


def simulator(
    dataset: str, plan_class: type[SimulationPlan], usual_detector: str, finish: Callable[[Row], Row]
) -> SimulateDataset:
    """Make the function that simulates a dataset whose plan has nothing of its own to choose.

    Args:
        dataset: Its name in `nuzoo.registry.DATASETS`.
        plan_class: Of what decides its events.
        usual_detector: Its detector unless another is asked for.
        finish: See `write_simulation`.
    """

    def simulate_dataset(
        out: Path,
        *,
        events: int,
        seed: int = 0,
        detector: str = usual_detector,
        num_proc: int = 1,
        cluster: Workers | None = None,
        shard_size: int = SHARD_SIZE,
    ) -> dict[str, Any]:
        plan = plan_class(events, seed, requested_detector(detector).name, shard_size=shard_size)
        return write_simulation(out, dataset, plan, finish, num_proc, cluster)

    return simulate_dataset


def _finished_row(plan: SimulationPlan, detector: Detector, finish: Callable[[Row], Row], index: int) -> Row:
    enter_detector(detector)  # another process does not know it yet
    return finish(plan.row(index))
