"""`scintillator-particles`: single particles in a scintillator of cubes, simulated or of Zenodo 7347562."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display
from nuzoo.datasets_scripts.common.simulated import simulator
from nuzoo.datasets_scripts.common.simulated_builder import SimulatedBuilder
from nuzoo.datasets_scripts.common.simulated_particles import MOMENTUM, ParticlePlan
from nuzoo.datasets_scripts.common.splits import StatedSplits, split_of
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.scintillator import MEV_PER_CHARGE, NAME, split_folder
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.simulation.detectors import SCINTILLATOR_CUBE

_VALIDATION = 0.05
SPLIT_STORY = (
    f"Events of the folder `testing` are for the test; of `training`, {_VALIDATION:.0%} are for validation, "
    "by the SHA-256 of their `event_id`. Others belong to a split by that alone (90 % training, 5 % "
    "validation, 5 % test)."
)


def source_split(event_id: str) -> str:
    """Return the split of an event: that of its folder, or by the hash of its name."""
    folder = split_folder(event_id)
    if folder == "testing":
        return "test"
    if folder == "training":
        return split_of(event_id, {"train": 1 - _VALIDATION, "validation": _VALIDATION})
    return split_of(event_id)


simulate_dataset = simulator(NAME, ParticlePlan, SCINTILLATOR_CUBE.name, with_display)


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    mev_per_charge: float | None = None,
    energy_threshold: float = 0.0,
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
    cluster: Workers | None = None,
) -> Conversion:
    """Turn scintillator events into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders; an event is labelled by the name of its folder.
        detector: A name in `DETECTORS`, or the file that describes one; the scintillator of Zenodo 7347562 by
            default.
        mev_per_charge: MeV of one unit of charge; 0.02 by default, which is no calibration.
        energy_threshold: Hits of this many MeV or less are left out; 0 by default.
        split_fractions: Share of each split; by the folders `training` and `testing` by default.
        manifests: Folder with lists of the events of each split, `<split>.txt`.
        cluster: Who reads the files, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.

    Returns:
        The manifest, and what was left out; all of it is in `left-out.csv`.

    Raises:
        DatasetRequestError: No event could be read, or splits by fractions and by lists.
        SplitError: Fractions that do not add up, or lists that contradict each other.
        DatasetFolderError: `out` holds another dataset.
    """
    scale = MEV_PER_CHARGE if mev_per_charge is None else mev_per_charge
    options = {"mev_per_charge": scale, "energy_threshold": energy_threshold}
    files = PointCloudFiles(
        paths,
        detector=detector,
        mev_per_charge=mev_per_charge,
        energy_threshold=energy_threshold,
        formats=[NAME],
    )
    rule = asked_splits(split_fractions, manifests, StatedSplits(stated=source_split, story=SPLIT_STORY))
    return write_files(out, NAME, files, with_display, rule, options, cluster)


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    return CardWords(
        pretty_name="Scintillator particles",
        tags=("physics", "scintillator", "particle identification", "point clouds"),
        composition=(
            "Each event is one particle, of each class as many and of both charges as many (protons apart), "
            "from anywhere in the inner metre to anywhere, flat in momentum: "
            + ", ".join(f"{name} {low:g} to {high:g} MeV/c" for name, (low, high) in MOMENTUM.items())
            + ". Energies are the light of cubes in MeV of minimum-ionising particles."
        ),
        source_citation="Cite Zenodo 7347562 and arXiv:2211.04890.",
    )


class ScintillatorParticles(SimulatedBuilder):
    """Simulated ones in the library's cache: `ScintillatorParticles(events=100).download_and_prepare()`."""

    sample = NAME
    usual_detector = SCINTILLATOR_CUBE.name
    plan_class = ParticlePlan
    finish = staticmethod(with_display)
