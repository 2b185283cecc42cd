"""`lartpc-cubes`: several interactions in a cube of liquid argon, in voxels with all truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets

from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE
from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.simulated import SimulationPlan, requested_detector, write_simulation
from nuzoo.datasets_scripts.common.splits import by_split
from nuzoo.files.events.point_cloud_events import point_cloud_schema
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.detectors import LARTPC_CUBE, find_detector
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.response.voxels import VoxelReadout

if TYPE_CHECKING:
    from nuzoo.simulation.images import SimulatedImage

NAME = "lartpc-cubes"

FEWEST_VOXELS, MOST_VOXELS = 1_000, 30_000
"""An event with fewer or more is drawn again: PILArNet-M's events have so many."""


@dataclass(frozen=True)
class CubesPlan(SimulationPlan):
    """Several interactions an event, see `nuzoo.simulation.mixtures.ImageMixture`."""

    def simulate(self, index: int) -> SimulatedImage:
        """Simulate event `index`, as often as it takes until it has a usual number of voxels."""
        from nuzoo.simulation.images import simulate_image
        from nuzoo.simulation.mixtures import ImageMixture

        detector = find_detector(self.detector)
        for attempt in count():
            event = simulate_image(self.seed, index, detector, ImageMixture(), attempt=attempt)
            if FEWEST_VOXELS <= detector.readout.occupied(event.transported.deposits) <= MOST_VOXELS:
                break
        return event

    def truth(self, event: SimulatedImage) -> Row:
        """Return nothing: all truth is that of hits, particles and interactions."""
        return {}


def simulate_dataset(
    out: Path,
    *,
    events: int,
    seed: int = 0,
    detector: str = LARTPC_CUBE.name,
    num_proc: int = 1,
    shard_size: int = SHARD_SIZE,
) -> dict[str, Any]:
    """Simulate events into a folder that `datasets.load_dataset` reads.

    Killed and called again it goes on, and ends with the same bytes whatever `num_proc` is.

    Args:
        out: Folder.
        events: How many, shared out to the splits by the hash of each event's name.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS` of one of liquid argon that is seen in voxels.
        num_proc: Processes.
        shard_size: Events in a file.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: Numbers out of range, or a detector that does not suit.
        DatasetFolderError: `out` holds another dataset.
    """
    found = requested_detector(detector, VoxelReadout, LAR)
    return write_simulation(
        out, NAME, CubesPlan(events, seed, found.name, shard_size=shard_size), with_display, num_proc
    )


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    return CardWords(
        pretty_name="LArTPC cubes",
        tags=("physics", "neutrino", "LArTPC", "point cloud", "3D"),
        composition=(
            "Each event is a mixture: 1 to 3 vertices, of which a third are neutrinos (nue and numu alike, "
            "flat from 0 to 10 GeV, 74 % charged current) and two thirds particle bombs (1 to 6 electrons, "
            "photons, muons, pions or protons from one point, each to anywhere, flat in kinetic energy from "
            "50 to 1,000 MeV, protons to 400 MeV), and 0 to 3 muons from above (cos² of the zenith angle, "
            "0.2 to 5 GeV/c, flat in the logarithm). Events with less than "
            f"{FEWEST_VOXELS:,} or more than {MOST_VOXELS:,} "
            "voxels are drawn again. Energies are those deposited: no recombination, drift or noise. "
            "`benchmarks/compare_pilarnet.py` compares them with genuine PILArNet-M events."
        ),
        citation="Cite nuzoo (CITATION.cff) and, for the form of the events, PILArNet-M (arXiv:2502.02558).",
    )


@dataclass
class LArTPCCubesConfig(datasets.BuilderConfig):
    """Configuration of the builder.

    Attributes:
        events: Events to simulate.
        seed: Seed of the simulation.
    """

    events: int = 1000
    seed: int = 0

    @property
    def plan(self) -> CubesPlan:
        """What to simulate."""
        return CubesPlan(self.events, self.seed, LARTPC_CUBE.name)

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Name the cache of a dataset by all that decides what it holds."""
        digest = hashlib.sha256(SOURCE_DIGEST.encode()).hexdigest()[:16]
        return f"{super().create_config_id(config_kwargs, custom_features)}-{digest}"


class LArTPCCubes(datasets.GeneratorBasedBuilder):
    """The dataset as a `datasets` builder, for those who want it in the library's own cache.

    `LArTPCCubes(events=100, seed=1).download_and_prepare()`; `num_proc` shares the events out.
    """

    BUILDER_CONFIG_CLASS = LArTPCCubesConfig
    VERSION = datasets.Version("1.0.0")
    config: LArTPCCubesConfig

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=row_features(point_cloud_schema(LARTPC_CUBE.geometry())))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        plan = self.config.plan
        events = {plan.event_id(index): index for index in range(plan.events)}
        return [
            datasets.SplitGenerator(split, {"events": [events[name] for name in names]})
            for split, names in by_split(events).items()
            if names
        ]

    def _generate_examples(self, events: list[int]) -> Iterator[tuple[str, Row]]:
        """Yield the rows of events, by their numbers in the simulation."""
        for row in map(self.config.plan.row, events):
            yield row["event_id"], with_display(row)
