"""`pilarnet-2020`: the simulated events of PILArNet (arXiv:2006.01993), read from files of larcv3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display
from nuzoo.datasets_scripts.common.splits import SplitRule, StatedSplits
from nuzoo.datasets_scripts.readers.larcv import NAME
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles

TRAINING, VALIDATION, TEST = 80_000, 2_000, 18_000
"""Events of the published split."""
PUBLISHED = TRAINING + VALIDATION + TEST
_SEED = 42

SPLIT_STORY = (
    f"The published split: of the {PUBLISHED:,} events with a particle that counts, in the order of their "
    f"files, the first {TRAINING:,} are for training; of the others {VALIDATION:,} that "
    f"`numpy.random.default_rng({_SEED})` chooses are for validation, and {TEST:,} for the test."
)


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    energy_threshold: float = 0.0,
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
) -> Conversion:
    """Turn files of PILArNet into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders.
        detector: A name in `DETECTORS`, or the file that describes one; PILArNet's cube by default.
        energy_threshold: Hits of this many MeV or less are left out; 0 by default.
        split_fractions: Share of each split. By default the published split, if there are as many events as
            it has, else by the hash of their names.
        manifests: Folder with lists of the events of each split, `<split>.txt`.

    Returns:
        The manifest, and what was left out; all of it is in `left-out.csv`.

    Raises:
        DatasetRequestError: No event could be read, or splits by fractions and by lists.
        SplitError: Fractions that do not add up, or lists that contradict each other.
        DatasetFolderError: `out` holds another dataset.
    """

    def files() -> PointCloudFiles:
        return PointCloudFiles(paths, detector=detector, energy_threshold=energy_threshold, formats=[NAME])

    options = {"energy_threshold": energy_threshold}
    if split_fractions is not None or manifests is not None:
        rule = asked_splits(split_fractions, manifests)
        return write_files(out, NAME, files(), with_display, rule, options)
    names = _counted(files())
    made = write_files(out, NAME, files(), with_display, published_splits(names), options)
    if len(names) == PUBLISHED:
        return made
    told = (
        f"splits are by the hash of names: expected {PUBLISHED:,} events with a particle that counts for the "
        f"published ones, got {len(names):,}"
    )
    return replace(made, notes=(*made.notes, told))


def published_splits(
    names: Sequence[str], training: int = TRAINING, validation: int = VALIDATION, test: int = TEST
) -> SplitRule:
    """Return the published split, or that by hash if there is another number of events.

    Args:
        names: Of the events with a particle that counts, in the order of their files.
        training: Events of the split.
        validation: Events of the split.
        test: Events of the split.
    """
    if len(names) != training + validation + test:
        return SplitRule()
    chosen = np.random.default_rng(_SEED).choice(
        np.arange(training, len(names)), size=validation, replace=False
    )
    splits = dict.fromkeys(names[:training], "train") | dict.fromkeys(names[training:], "test")
    splits |= {names[position]: "validation" for position in chosen}
    return StatedSplits(stated=splits.get, story=SPLIT_STORY)


def _counted(files: PointCloudFiles) -> list[str]:
    """Read all events for the names of those with a particle that counts, in the order of their files."""

    def names() -> Iterator[tuple[str, int, str]]:
        for row in files:
            if len(row["particle_pdg"]):
                file, _, number = row["source"].rpartition("#")
                yield file, int(number), row["event_id"]

    return [name for *_, name in sorted(names())]


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    citation = "Cite PILArNet, arXiv:2006.01993."
    return CardWords(
        pretty_name="PILArNet 2020",
        tags=("physics", "neutrino", "LArTPC", "point clouds"),
        citation=citation,
        source_citation=citation,
    )
