"""`fasercal`: interactions of the LHC's neutrinos in a detector of cubes, calorimeters and a spectrometer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.given_events import GivenPlan, GivenSimulator
from nuzoo.datasets_scripts.common.pictures import grey_levels, stored
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.simulated import SimulationPlan, simulator
from nuzoo.datasets_scripts.common.simulated_builder import SimulatedBuilder
from nuzoo.datasets_scripts.layered_truth import truth_of_layered
from nuzoo.datasets_scripts.readers.fasercal import FaserCalFiles
from nuzoo.datasets_scripts.sources.given import INTERACTIONS
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.events.detector_event_columns import (
    DATA_VERSION,
    DISPLAY_FULL_SCALE_MEV,
    DetectorEventGeometry,
)
from nuzoo.simulation.detectors import FASERCAL, Detector, find_detector
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.interactions.forward_beam import HIGHEST_GEV, LOWEST_GEV, ForwardBeam
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout

if TYPE_CHECKING:
    from nuzoo.simulation.simulate_layers import LayeredEvent

NAME = "fasercal"
TAU_SHARE = 0.1
"""Share of tau neutrinos among charged currents, twenty times that of the beam: `weight` undoes it."""


@dataclass(frozen=True)
class FaserCalPlan(SimulationPlan):
    """A neutrino of the LHC an event, see `nuzoo.simulation.interactions.forward_beam.ForwardBeam`."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return isinstance(detector.readout, SubDetectorReadout)

    def simulate(self, index: int) -> LayeredEvent:
        """Simulate event `index`."""
        from nuzoo.simulation.simulate_layers import simulate_layered_event

        return simulate_layered_event(self.seed, index, find_detector(self.detector), ForwardBeam(TAU_SHARE))

    def truth(self, event: LayeredEvent) -> Row:
        """Return the columns of truth beside those of true hits."""
        return _truth(self, event)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and the largest energy of a neutrino, GeV."""
        return {"neutrino_energy": (LOWEST_GEV, HIGHEST_GEV)}


@dataclass(frozen=True)
class GivenFaserCalPlan(GivenPlan):
    """One interaction of a file an event."""

    begins_with = (INTERACTIONS,)

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return FaserCalPlan.suits(detector)

    def transported(self, index: int, interaction: Interaction) -> LayeredEvent:
        """Simulate what follows on an interaction."""
        from nuzoo.simulation.simulate_layers import simulate_layered_interaction

        return simulate_layered_interaction(self.seed, index, find_detector(self.detector), interaction)

    def truth(self, event: LayeredEvent) -> Row:
        """Return the columns of truth beside those of true hits."""
        return _truth(self, event)


def _truth(plan: SimulationPlan, event: LayeredEvent) -> Row:
    number = {"data_version": DATA_VERSION, "run_number": plan.seed, "event_number": event.index}
    return {**number, **truth_of_layered(event)}


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    least_hits: int = 0,
    ghosts: str = "status",
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
    cluster: Workers | None = None,
) -> Conversion:
    """Turn files of FASERCal events into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders, see `nuzoo.datasets_scripts.readers.fasercal`.
        detector: Whose events they are; FASERCal by default.
        least_hits: Events with fewer hits that are no ghosts are passed over; the public sample has 20.
        ghosts: What a ghost is, a name in `GHOST_RULES`.
        split_fractions: Share of each split; 0.9 train, 0.05 validation, 0.05 test by default.
        manifests: Folder with lists of the events of each split, `<split>.txt`.
        cluster: Who reads the files, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.

    Returns:
        The manifest, and what was left out; all of it is in `left-out.csv`.

    Raises:
        DatasetRequestError: No event could be read, or splits by fractions and by lists.
        SplitError: Fractions that do not add up, or lists that contradict each other.
        DatasetFolderError: `out` holds another dataset.
    """
    files = FaserCalFiles(paths, detector=detector, least_hits=least_hits, ghosts=ghosts)
    options = {"least_hits": least_hits, "ghosts": ghosts}
    rule = asked_splits(split_fractions, manifests)
    return write_files(out, NAME, files, with_display, rule, options, cluster)


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    return CardWords(
        pretty_name="FASERCal events",
        task_categories=("other",),
        tags=("physics", "neutrino", "FASER", "calorimeter", "detector events"),
        citation="Cite nuzoo (CITATION.cff) and, for the detector and the tasks, arXiv:2604.07037.",
    )


def with_display(row: Row) -> Row:
    """Return the row with its `display` picture: the 3DCal from above and from the side, for people."""
    shape = DetectorEventGeometry.of(find_detector(row["detector"]).geometry()).cal_shape
    energy, z = np.asarray(row["cal_energy"]), np.asarray(row["cal_z"])
    views = [
        _view(np.asarray(row[f"cal_{axis}"]), z, energy, (shape[i], shape[2])) for i, axis in enumerate("xy")
    ]
    return {**row, "display": stored(np.concatenate(views, axis=0))}


def _view(
    across: NDArray[np.int16], along: NDArray[np.int16], energy: NDArray[np.float32], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    inside, picture = np.zeros(shape), np.zeros(shape, np.uint8)
    np.add.at(inside, (across, along), energy)
    picture[inside > 0] = grey_levels(inside[inside > 0], DISPLAY_FULL_SCALE_MEV)
    return picture[::-1]


simulate_dataset = simulator(NAME, FaserCalPlan, FASERCAL.name, with_display)

simulate_given = GivenSimulator(NAME, GivenFaserCalPlan, FASERCAL.name, with_display)


class FaserCal(SimulatedBuilder):
    """The dataset in the library's own cache: `FaserCal(events=100, seed=1).download_and_prepare()`."""

    sample = NAME
    usual_detector = FASERCAL.name
    plan_class = FaserCalPlan
    finish = staticmethod(with_display)
