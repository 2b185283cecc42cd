"""`lartpc-cubes`: several interactions in a cube of liquid argon, in voxels with all truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.given_events import GivenPlan, GivenSimulator
from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.simulated import SimulationPlan, simulator
from nuzoo.datasets_scripts.common.simulated_builder import SimulatedBuilder
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.simulation.deposited import Placed
from nuzoo.simulation.detectors import LARTPC_CUBE, Detector, find_detector
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.known_truth import KnownTruth
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.response.voxels import VoxelReadout

if TYPE_CHECKING:
    from nuzoo.simulation.images import SimulatedImage

NAME = "lartpc-cubes"

_PLACE = ("x", "y", "z")
_VECTORS = (*_PLACE, "px", "py", "pz")

FEWEST_VOXELS, MOST_VOXELS = 1_000, 30_000
"""An event with fewer or more is drawn again: PILArNet-M's events have so many."""


@dataclass(frozen=True)
class CubesPlan(SimulationPlan):
    """Several interactions an event, see `nuzoo.simulation.mixtures.ImageMixture`."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return isinstance(detector.readout, VoxelReadout) and detector.material == LAR

    def simulate(self, index: int) -> SimulatedImage:
        """Simulate event `index`, as often as it takes until it has a usual number of voxels."""
        from nuzoo.simulation.images import simulate_image
        from nuzoo.simulation.mixtures import ImageMixture

        detector = find_detector(self.detector)
        for attempt in count():
            event = simulate_image(self.seed, index, detector, ImageMixture(), attempt=attempt)
            if FEWEST_VOXELS <= len(event.voxels.number) <= MOST_VOXELS:
                break
        return event

    def truth(self, event: SimulatedImage) -> Row:
        """Return nothing: all truth is that of hits, particles and interactions."""
        return {}


OF_PARTICLES = (
    *("motif", "role", "interaction"),
    *(f"particle_{name}" for name in ("parent", "interaction", *_VECTORS, "momentum", "primary")),
    *(f"keypoint_{name}" for name in ("kind", *_PLACE)),
)
"""Columns that need to know which particle came from which, and where it began."""

OF_NEUTRINOS = tuple(f"interaction_{name}" for name in ("kind", "pdg", "neutrino_energy", "is_cc"))
OF_VERTICES = tuple(f"interaction_{name}" for name in _PLACE)


@dataclass(frozen=True)
class GivenCubesPlan(GivenPlan):
    """One event of a file, in voxels; none is drawn again, however many voxels it has."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return CubesPlan.suits(detector)

    def transported(self, index: int, interaction: Interaction) -> SimulatedImage:
        """Simulate what follows on an interaction."""
        from nuzoo.simulation.images import Origin, simulate_image

        def draw(rng: np.random.Generator, detector: Detector) -> list[Origin]:
            vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
            return [Origin("neutrino", vertex, interaction.pdg, interaction.momentum, interaction)]

        return simulate_image(self.seed, index, find_detector(self.detector), draw)

    def deposited(self, index: int, deposits: Placed) -> SimulatedImage:
        """Take deposits for an event."""
        from nuzoo.simulation.images import record_image

        return record_image(self.seed, index, find_detector(self.detector), deposits)

    def untold(self, truth: KnownTruth) -> Sequence[str]:
        """Return the columns that are null, of an event of deposits of which only so much is known."""
        null = () if truth.particles else OF_PARTICLES
        if not truth.particles and not truth.vertices:
            return (*null, *OF_VERTICES, *OF_NEUTRINOS)
        return null if all(each.kind for each in truth.vertices) else (*null, *OF_NEUTRINOS)

    def lacks(self, truth: KnownTruth) -> str | None:
        """Say what an event of deposits is without, and why; None if it is whole."""
        return None if truth.particles else "motifs: the file does not tell which particle came from which"

    def truth(self, event: SimulatedImage) -> Row:
        """Return nothing: all truth is that of hits, particles and interactions."""
        return {}


simulate_dataset = simulator(NAME, CubesPlan, LARTPC_CUBE.name, with_display)

simulate_given = GivenSimulator(NAME, GivenCubesPlan, LARTPC_CUBE.name, with_display)


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    mev_per_charge: float | None = None,
    energy_threshold: float = 0.0,
    min_points: int = 0,
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
    cluster: Workers | None = None,
) -> Conversion:
    """Turn hits of ndlar_flow and points of Bee into a folder that `datasets.load_dataset` reads.

    They become voxels of the detector, and have no truth.

    Args:
        out: Folder.
        paths: Files and folders, see `nuzoo.datasets_scripts.readers.point_cloud_files`.
        detector: A name in `DETECTORS`; that of the format by default.
        mev_per_charge: MeV of an electron of Bee, and of a thousand electrons of ndlar_flow; by default that
            of a minimum-ionising particle, and the energies of the file.
        energy_threshold: Voxels of this many MeV or less are left out; 0 by default.
        min_points: Events with fewer voxels than this, before the threshold, are passed over.
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
    reading: dict[str, Any] = {
        "mev_per_charge": mev_per_charge,
        "energy_threshold": energy_threshold,
        "min_points": min_points,
    }
    files = PointCloudFiles(paths, detector=detector, formats=[NAME], **reading)
    rule = asked_splits(split_fractions, manifests)
    return write_files(out, NAME, files, with_display, rule, reading, cluster)


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    return CardWords(
        pretty_name="LArTPC cubes",
        tags=("physics", "neutrino", "LArTPC", "point cloud", "3D"),
        composition=(
            "Each event is a mixture: 1 to 3 vertices, of which a third are neutrinos (nue and numu alike, "
            "flat from 0 to 10 GeV, 74 % charged current) and two thirds particle bombs (1 to 6 electrons, "
            "photons, muons, pions or protons from one point, each to anywhere, flat in kinetic energy from "
            "50 to 1,000 MeV, protons to 400 MeV), and 0 to 3 cosmic muons (cos² of the zenith angle, "
            "0.2 to 5 GeV/c, flat in the logarithm). Events with less than "
            f"{FEWEST_VOXELS:,} or more than {MOST_VOXELS:,} "
            "voxels are drawn again. Energies are those deposited: no recombination, drift or noise. "
            "`benchmarks/compare_pilarnet.py` compares them with genuine PILArNet-M events."
        ),
        citation="Cite nuzoo (CITATION.cff) and, for the form of the events, PILArNet-M (arXiv:2502.02558).",
    )


class LArTPCCubes(SimulatedBuilder):
    """The dataset in the library's own cache: `LArTPCCubes(events=100, seed=1).download_and_prepare()`."""

    sample = NAME
    usual_detector = LARTPC_CUBE.name
    plan_class = CubesPlan
    finish = staticmethod(with_display)
