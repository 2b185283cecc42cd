"""`pilarnet-m`: the simulated events of PILArNet-M, read from its HDF5 files or the Hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from nuzoo.datasets_scripts.common.conversions import asked_splits, write_files
from nuzoo.datasets_scripts.common.converted import Conversion
from nuzoo.datasets_scripts.common.dataset_card import CardWords
from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.splits import HASHED, SPLITS, STAYS, StatedSplits, split_of
from nuzoo.datasets_scripts.readers.cloud_reading import cloud_schema
from nuzoo.datasets_scripts.readers.event_ranges import EventRange, ranges_of, read_range
from nuzoo.datasets_scripts.readers.pilarnet_m import ENERGY_THRESHOLD_MEV, MIN_POINTS, NAME, counts_file
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.simulation.detectors import LARTPC_CUBE

FOLDERS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
"""Split of the files in each folder of the genuine layout."""

SPLIT_STORY = (
    "An event belongs to the split whose folder its file lies in (`train`, `val`, `test`); of files in none, "
    + HASHED.format(shares="90 % training, 5 % validation, 5 % test").removeprefix("An event belongs ")
    + STAYS
)


def folder_split(event_id: str) -> str:
    """Return the split of an event: that of its folder, or by the hash of its name."""
    return FOLDERS.get(event_id.partition("/")[0]) or split_of(event_id)


def convert_files(
    out: Path,
    paths: Sequence[Path],
    *,
    detector: str | None = None,
    energy_threshold: float = ENERGY_THRESHOLD_MEV,
    min_points: int = MIN_POINTS,
    vertices: bool = False,
    split_fractions: Mapping[str, float] | None = None,
    manifests: Path | None = None,
    cluster: Workers | None = None,
) -> Conversion:
    """Turn files of PILArNet-M into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders.
        detector: A name in `DETECTORS`, or the file that describes one; PILArNet-M's cube by default.
        energy_threshold: Hits of this many MeV or less are left out; 0.13 by default.
        min_points: Events with fewer points than this, before the threshold, are passed over; 1024 by
            default.
        vertices: Refuse files whose vertices are not in the frame of their points.
        split_fractions: Share of each split; by the folders of the files by default.
        manifests: Folder with lists of the events of each split, `<split>.txt`.
        cluster: Who reads the files, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.

    Returns:
        The manifest, and what was left out; all of it is in `left-out.csv`.

    Raises:
        DatasetRequestError: No event could be read, or splits by fractions and by lists.
        SplitError: Fractions that do not add up, or lists that contradict each other.
        DatasetFolderError: `out` holds another dataset.
    """
    files = PointCloudFiles(
        paths,
        detector=detector,
        energy_threshold=energy_threshold,
        min_points=min_points,
        vertices=vertices,
        formats=[NAME],
    )
    rule = asked_splits(split_fractions, manifests, StatedSplits(stated=folder_split, story=SPLIT_STORY))
    options = {"energy_threshold": energy_threshold, "min_points": min_points, "vertices": vertices}
    return write_files(out, NAME, files, with_display, rule, options, cluster)


def card_words() -> CardWords:
    """Return what the card says of this dataset alone."""
    citation = (
        "Cite PILArNet (arXiv:2006.01993) and PILArNet-M, `DeepLearnPhysics/PILArNet-M` on the Hub "
        "(arXiv:2502.02558)."
    )
    return CardWords(
        pretty_name="PILArNet-M",
        tags=("physics", "neutrino", "LArTPC", "point clouds"),
        citation=citation,
        source_citation=citation,
    )


@dataclass
class PILArNetMConfig(datasets.BuilderConfig):
    """Configuration of the builder: files of this machine, or of a repository.

    Attributes:
        files: Files and folders.
        repository: On the Hub, to read instead.
        revision: Its pinned revision, needed with it.
        energy_threshold: Hits of this many MeV or less are left out; 0.13 by default.
        min_points: Events with fewer points than this, before the threshold, are passed over.
        vertices: Refuse files whose vertices are not in the frame of their points.
    """

    files: tuple[str, ...] = ()
    repository: str | None = None
    revision: str | None = None
    energy_threshold: float | None = None
    min_points: int = MIN_POINTS
    vertices: bool = False

    def check(self) -> None:
        """Refuse what is neither files nor a pinned repository.

        Raises:
            DatasetRequestError: It is not, or a file is not there.
        """
        if bool(self.files) == bool(self.repository):
            got = "both" if self.files else "neither"
            raise DatasetRequestError(
                f"files, repo_id: expected one of them, got {got}: say where the events are"
            )
        if missing := [str(path) for path in self.files if not Path(path).exists()]:
            raise DatasetRequestError(
                f"files: expected files and folders that are there, got {', '.join(missing)}: check the path"
            )
        if self.repository and not self.revision:
            raise DatasetRequestError(
                f"revision: expected a commit or a tag of {self.repository}, whose branches change, "
                "got none: give revision=..., such as 'v3'"
            )

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Name the cache of a dataset by its files, their sizes and times: they are too large to be read."""
        stats = [(str(path), path.stat()) for path in map(Path, sorted(_local_files(self.files)))]
        held = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
        digest = hashlib.sha256("\n".join(held).encode()).hexdigest()[:16]
        return f"{super().create_config_id(config_kwargs, custom_features)}-{digest}"

    @property
    def names(self) -> list[str]:
        """Return the files, of this machine or in the repository.

        Raises:
            DatasetRequestError: There are none.
        """
        found = self._repository_files() if self.repository else _local_files(self.files)
        if not found:
            where = self.repository or ", ".join(map(str, self.files))
            raise DatasetRequestError(
                f"files, repo_id: expected .h5 or .hdf5 files, got none in {where}: say where they are"
            )
        return found

    def _repository_files(self) -> list[str]:
        from huggingface_hub import HfApi

        listed = HfApi().list_repo_files(str(self.repository), repo_type="dataset", revision=self.revision)
        return sorted(name for name in listed if name.endswith((".h5", ".hdf5")))

    def local(self, name: str) -> Path:
        """Return a file on this machine; one of the repository is fetched, with what counts its points."""
        if not self.repository:
            return Path(name)
        self.counts(name)
        return self._fetched(name)

    def counts(self, name: str) -> Path | None:
        """Return the file that counts the points of the events of another, None if there is none."""
        from huggingface_hub.errors import EntryNotFoundError

        if not self.repository:
            beside = counts_file(Path(name))
            return beside if beside.is_file() else None
        try:
            return self._fetched(counts_file(Path(name)).as_posix())
        except EntryNotFoundError:
            return None

    def _fetched(self, name: str) -> Path:
        from huggingface_hub import hf_hub_download

        place: dict[str, Any] = {"repo_type": "dataset", "revision": self.revision}
        return Path(hf_hub_download(str(self.repository), name, **place))


class PILArNetM(datasets.GeneratorBasedBuilder):
    """PILArNet-M as a `datasets` builder, in the library's cache or streamed.

    `PILArNetM(files=[folder]).as_streaming_dataset("train")` reads events as they are asked for; workers of a
    `DataLoader` share them out, and each opens its files itself.

    Args:
        *args: See `datasets.DatasetBuilder`.
        repo_id: Dataset repository to read in place of files; each of its files is fetched when it is read.
        **options: See `PILArNetMConfig` and `datasets.DatasetBuilder`.
    """

    BUILDER_CONFIG_CLASS = PILArNetMConfig
    VERSION = datasets.Version("1.1.0")
    config: PILArNetMConfig

    def __init__(self, *args: Any, repo_id: str | None = None, **options: Any) -> None:
        super().__init__(*args, repo_id=repo_id, repository=repo_id, **options)

    def _info(self) -> datasets.DatasetInfo:
        self.config.check()
        return datasets.DatasetInfo(features=row_features(cloud_schema(LARTPC_CUBE)))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        ranges = [
            each
            for name in self.config.names
            for each in ranges_of(name, self.config.counts(name), self.config.local)
        ]
        found = {split: [each for each in ranges if _may_hold(each, split)] for split in SPLITS}
        return [
            datasets.SplitGenerator(split, {"ranges": members, "split": split})
            for split, members in found.items()
            if members
        ]

    def _generate_examples(self, ranges: list[EventRange], split: str) -> Iterator[tuple[str, Row]]:
        """Yield the rows of ranges of events; the first that is broken ends it."""
        options = {
            "energy_threshold": self.config.energy_threshold,
            "min_points": self.config.min_points,
            "vertices": self.config.vertices,
        }
        for each in ranges:
            for row in read_range(self.config.local(each.name), each, options):
                if folder_split(row["event_id"]) == split:
                    yield row["event_id"], with_display(row)


def _may_hold(events: EventRange, split: str) -> bool:
    return FOLDERS.get(Path(events.name).absolute().parent.name, split) == split


def _local_files(paths: Sequence[str]) -> list[str]:
    named = [Path(path) for path in paths]
    found = [
        file
        for path in named
        for file in ([path] if path.is_file() else [*path.rglob("*.h5"), *path.rglob("*.hdf5")])
    ]
    return sorted(str(file) for file in found)
