"""`lartpc-pixelmaps`: neutrino events as pixel maps, simulated or read from real files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE
from nuzoo.datasets_scripts.common.given_events import GivenPlan, GivenSimulator
from nuzoo.datasets_scripts.common.pictures import grey_levels, stored
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.simulated import requested_detector, write_simulation
from nuzoo.datasets_scripts.common.simulated_neutrinos import NeutrinoPlan, truth_of_neutrino
from nuzoo.datasets_scripts.common.splits import by_split
from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles, declared_classes
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.checksums import sha256
from nuzoo.files.events.event_classes import check_class_names
from nuzoo.files.events.pixel_map_events import DISPLAY_FULL_SCALE_MEV, pixel_map_schema
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.deposited import Placed
from nuzoo.simulation.detectors import MODULAR_LARTPC, Detector, find_detector
from nuzoo.simulation.detectors.detector_file import detector_text
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.known_truth import KnownTruth
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

if TYPE_CHECKING:
    from nuzoo.simulation.simulate import SimulatedEvent

NAME = "lartpc-pixelmaps"
DEFAULT_SPECTRUM = "flat-0-10"


@dataclass(frozen=True)
class PixelMapPlan(NeutrinoPlan):
    """One neutrino an event, seen in projections."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return isinstance(detector.readout, PixelMapReadout)


@dataclass(frozen=True)
class GivenPixelMapPlan(GivenPlan):
    """One event of a file, seen in projections."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return PixelMapPlan.suits(detector)

    def transported(self, index: int, interaction: Interaction) -> SimulatedEvent:
        """Simulate what follows on an interaction."""
        from nuzoo.simulation.simulate import simulate_interaction

        return simulate_interaction(self.seed, index, find_detector(self.detector), interaction)

    def deposited(self, index: int, deposits: Placed) -> SimulatedEvent:
        """Take deposits for an event."""
        from nuzoo.simulation.simulate import record_deposits

        return record_deposits(self.seed, index, find_detector(self.detector), deposits)

    def truth(self, event: SimulatedEvent) -> Row:
        """Return the columns of truth of a simulated event."""
        return truth_of_neutrino(event)

    def lacks(self, truth: KnownTruth) -> str | None:
        """Say what an event of deposits is without, and why; None if it is whole."""
        detector = find_detector(self.detector)
        alone = truth.alone(detector.low, detector.high)
        if alone and alone.interaction:
            return None
        return "label: the file tells of no neutrino that interacted in the detector alone"


def simulate_dataset(
    out: Path,
    *,
    events: int,
    seed: int = 0,
    detector: str = MODULAR_LARTPC.name,
    spectrum: str = DEFAULT_SPECTRUM,
    num_proc: int = 1,
    cluster: Workers | None = None,
    shard_size: int = SHARD_SIZE,
) -> dict[str, Any]:
    """Simulate events into a folder that `datasets.load_dataset` reads.

    Killed and called again it goes on, and ends with the same bytes whoever does the work.

    Args:
        out: Folder.
        events: How many, shared out to the splits by the hash of each event's name.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`, or the file that describes one.
        spectrum: A name in `SPECTRA`.
        num_proc: Processes.
        cluster: Who does it instead, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.
        shard_size: Events in a file.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: Numbers out of range, unknown detector or spectrum.
        DatasetFolderError: `out` holds another dataset.
    """
    found = requested_detector(detector)
    plan = PixelMapPlan(events, seed, found.name, spectrum, shard_size=shard_size)
    return write_simulation(out, NAME, plan, with_display, num_proc, cluster)


def with_display(row: Row) -> Row:
    """Return the row with its `display` picture: all views side by side, for people."""
    geometry = find_detector(row["detector"]).geometry()
    shape = geometry["height"], geometry["width"]
    pictures = [_grey(row[f"{view}_index"], row[f"{view}_energy"], shape) for view in geometry["views"]]
    return {**row, "display": stored(np.concatenate(pictures, axis=1))}


simulate_given = GivenSimulator(NAME, GivenPixelMapPlan, MODULAR_LARTPC.name, with_display)


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    mev_per_count: float | None = None,
    classes: Sequence[str] | None = None,
    labels: str | None = None,
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
    cluster: Workers | None = None,
) -> Conversion:
    """Turn real detector files into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders, see `nuzoo.datasets_scripts.readers.detector_files`.
        detector: A name in `DETECTORS`, or the file that describes one; inferred from the arrays by default.
        mev_per_count: Energy of one count in files of counts, MeV.
        classes: Names of the classes; those that Parquet files declare by default, else the usual ones.
        labels: What whole numbers as labels are, "index" or "pdg"; decided for each column by default.
        split_fractions: Share of each split; 0.9 train, 0.05 validation, 0.05 test by default.
        manifests: Folder with lists of the events of each split, `<split>.txt`.
        cluster: Who reads the files, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.

    Returns:
        The manifest, and what was left out; all of it is in `left-out.csv`.

    Raises:
        DatasetRequestError: No event could be read, or splits by fractions and by lists.
        ClassNamesError: Classes that cannot be told apart, or named as other columns.
        SplitError: Fractions that do not add up, or lists that contradict each other.
        DatasetFolderError: `out` holds another dataset.
    """
    rule = asked_splits(split_fractions, manifests)
    counted = tuple(classes or declared_classes(paths))
    check_class_names(counted)
    files = DetectorFiles(
        paths, detector=detector, mev_per_count=mev_per_count, classes=counted, labels=labels
    )
    given = {"mev_per_count": mev_per_count, "classes": classes and [*classes], "labels": labels}
    return write_files(out, NAME, files, with_display, rule, given, cluster)


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    return CardWords(
        pretty_name="LArTPC pixel maps",
        task_categories=("image-classification",),
        tags=("physics", "neutrino", "LArTPC", "pixel maps"),
        citation="Cite nuzoo (CITATION.cff) and, for the detector and the task, arXiv:2509.08461.",
    )


def files_below(path: Path) -> list[Path]:
    """Return a file, or all files of a folder."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _grey(
    index: NDArray[np.uint32], energy: NDArray[np.float32], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    picture = np.zeros(shape, dtype=np.uint8)
    picture.reshape(-1)[np.asarray(index, dtype=np.int64)] = grey_levels(energy, DISPLAY_FULL_SCALE_MEV)
    return picture[::-1]


@dataclass
class LArTPCPixelMapsConfig(datasets.BuilderConfig):
    """Configuration of the builder: a simulation, or files.

    Attributes:
        events: Events to simulate; not used when there are files.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`, or the file that describes one.
        spectrum: A name in `SPECTRA`.
        files: Real files and folders to read instead.
        mev_per_count: Energy of one count in 8-bit files, MeV.
    """

    events: int = 1000
    seed: int = 0
    detector: str = MODULAR_LARTPC.name
    spectrum: str = DEFAULT_SPECTRUM
    files: tuple[str, ...] = ()
    mev_per_count: float | None = None

    @property
    def plan(self) -> PixelMapPlan:
        """What to simulate."""
        return PixelMapPlan(self.events, self.seed, requested_detector(self.detector).name, self.spectrum)

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Name the cache of a dataset by all that decides what it holds: also by what is in files."""
        files = [path for name in self.files for path in files_below(Path(name))]
        held = [SOURCE_DIGEST, detector_text(find_detector(self.plan.detector)), *map(sha256, files)]
        digest = hashlib.sha256("".join(held).encode()).hexdigest()[:16]
        return f"{super().create_config_id(config_kwargs, custom_features)}-{digest}"

    def read_files(self) -> DetectorFiles:
        """Return the events of the files; the first that is broken ends it."""
        paths, scale = map(Path, self.files), self.mev_per_count
        return DetectorFiles(paths, detector=self.detector, mev_per_count=scale, strict=True)


class LArTPCPixelMaps(datasets.GeneratorBasedBuilder):
    """The dataset as a `datasets` builder, for those who want it in the library's own cache.

    `LArTPCPixelMaps(events=100, seed=1).download_and_prepare()`; `num_proc` shares the events out.
    """

    BUILDER_CONFIG_CLASS = LArTPCPixelMapsConfig
    VERSION = datasets.Version("1.0.0")
    config: LArTPCPixelMapsConfig

    def _info(self) -> datasets.DatasetInfo:
        geometry = find_detector(self.config.detector).geometry()
        return datasets.DatasetInfo(features=row_features(pixel_map_schema(geometry)))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        if self.config.files:
            events: dict[str, Any] = {row["event_id"]: row["event_id"] for row in self.config.read_files()}
        else:
            events = {self.config.plan.event_id(index): index for index in range(self.config.events)}
        return [
            datasets.SplitGenerator(split, {"events": [events[name] for name in names]})
            for split, names in by_split(events).items()
            if names
        ]

    def _generate_examples(self, events: list[Any]) -> Iterator[tuple[str, Row]]:
        """Yield the rows of events, by their numbers in the simulation or their names in the files."""
        rows: Iterable[Row]
        if self.config.files:
            chosen = set(events)
            rows = (row for row in self.config.read_files() if row["event_id"] in chosen)
        else:
            rows = map(self.config.plan.row, events)
        for row in rows:
            yield row["event_id"], with_display(row)
