"""`lartpc-pixelmaps`: neutrino events as pixel maps, simulated or read from real files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from nuzoo.datasets_scripts.common.dataset_card import write_dataset_card
from nuzoo.datasets_scripts.common.sharded_parquet import plan_shards, write_shards
from nuzoo.datasets_scripts.pixel_map_rows import (
    SPLITS,
    row_features,
    simulated_event_id,
    simulated_row,
    split_of,
    with_display,
)
from nuzoo.files.atomic import write_atomically
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.detectors import DETECTORS, MODULAR_LARTPC
from nuzoo.simulation.simulate import simulate_event
from nuzoo.simulation.spectra import SPECTRA

SHARD_SIZE = 500
DEFAULT_SPECTRUM = "flat-0-10"


class DatasetRequestError(ValueError):
    """A dataset that cannot be made as asked."""


@dataclass(frozen=True)
class SimulationPlan:
    """What decides every byte of a simulated dataset.

    Attributes:
        events: How many.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`.
        spectrum: A name in `SPECTRA`.
        shard_size: Events in a file.
    """

    events: int
    seed: int = 0
    detector: str = MODULAR_LARTPC.name
    spectrum: str = DEFAULT_SPECTRUM
    shard_size: int = SHARD_SIZE

    def __post_init__(self) -> None:
        for name, least in (("events", 1), ("seed", 0), ("shard_size", 1)):
            if getattr(self, name) < least:
                raise DatasetRequestError(f"{name}: expected at least {least}, got {getattr(self, name)}")
        for name, known in (("detector", DETECTORS), ("spectrum", SPECTRA)):
            if getattr(self, name) not in known:
                raise DatasetRequestError(
                    f"{name}: expected one of {', '.join(known)}, got {getattr(self, name)!r}"
                )


def simulate_dataset(
    out: Path,
    *,
    events: int,
    seed: int = 0,
    detector: str = MODULAR_LARTPC.name,
    spectrum: str = DEFAULT_SPECTRUM,
    num_proc: int = 1,
    shard_size: int = SHARD_SIZE,
) -> dict[str, Any]:
    """Simulates events into a folder that `datasets.load_dataset` reads.

    Killed and called again it goes on, and ends with the same bytes whatever `num_proc` is.

    Args:
        out: Folder.
        events: How many, shared out to the splits by the hash of each event's name.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`.
        spectrum: A name in `SPECTRA`.
        num_proc: Processes.
        shard_size: Events in a file.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: Numbers out of range, unknown detector or spectrum.
        DatasetFolderError: `out` holds another dataset.
    """
    if num_proc < 1:
        raise DatasetRequestError(f"num_proc: expected at least 1, got {num_proc}")
    plan = SimulationPlan(events, seed, detector, spectrum, shard_size)
    members: dict[str, list[int]] = {split: [] for split in SPLITS}
    for index in range(events):
        members[split_of(simulated_event_id(seed, index))].append(index)
    if num_proc > 1:
        _simulated_row(plan, 0)  # compiles the kernels once, not in every process
    manifest = write_shards(
        out,
        plan_shards(members, shard_size),
        row_features(DETECTORS[detector]),
        partial(_simulated_row, plan),
        {"dataset": "lartpc-pixelmaps", "simulation": SOURCE_DIGEST, **asdict(plan)},
        num_proc,
    )
    _write_split_manifests(
        out,
        {split: [simulated_event_id(seed, index) for index in indices] for split, indices in members.items()},
    )
    write_dataset_card(out)
    return manifest


def _simulated_row(plan: SimulationPlan, index: int) -> dict[str, Any]:
    detector = DETECTORS[plan.detector]
    event = simulate_event(plan.seed, index, detector, SPECTRA[plan.spectrum])
    return with_display(simulated_row(event, plan.seed, index, detector), detector)


def convert_files(
    out: Path, paths: Sequence[Path], *, detector: str | None = None, mev_per_count: float | None = None
) -> tuple[dict[str, Any], list[Any]]:
    """Turns real detector files into a folder that `datasets.load_dataset` reads.

    Args:
        out: Folder.
        paths: Files and folders, see `nuzoo.datasets_scripts.readers.detector_files`.
        detector: A name in `DETECTORS`; inferred from the arrays by default.
        mev_per_count: Energy of one count in 8-bit files, MeV.

    Returns:
        The manifest, and what was left out with its errors.

    Raises:
        DatasetRequestError: No event could be read, or the files are of several detectors.
        DatasetFolderError: `out` holds another dataset.
    """
    from nuzoo.datasets_scripts.readers.detector_files import read_detector_files

    files = read_detector_files(paths, detector=detector, mev_per_count=mev_per_count)
    rows = list(files)
    detectors = {row["detector"] for row in rows}
    if len(detectors) != 1:
        raise DatasetRequestError(
            f"expected events of one detector, got {', '.join(sorted(detectors)) or 'no readable event'} "
            f"({len(files.left_out)} left out, first {files.left_out[0].error if files.left_out else 'none'})"
        )
    instance = DETECTORS[detectors.pop()]
    _refuse_repeated(row["event_id"] for row in rows)
    members: dict[str, list[Any]] = {split: [] for split in SPLITS}
    for row in rows:
        members[split_of(row["event_id"])].append(row)
    manifest = write_shards(
        out,
        plan_shards(members, SHARD_SIZE),
        row_features(instance),
        partial(with_display, detector=instance),
        {"dataset": "lartpc-pixelmaps", "events": len(rows), "sha256": _digest(rows)},
    )
    _write_split_manifests(
        out, {split: [row["event_id"] for row in group] for split, group in members.items()}
    )
    write_dataset_card(out)
    return manifest, files.left_out


def _digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of all that the rows hold, so that other files or another scale are another dataset."""
    digest = hashlib.sha256()
    for row in rows:
        for name, value in sorted(row.items()):
            digest.update(name.encode())
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return digest.hexdigest()


def _refuse_repeated(event_ids: Iterable[str]) -> None:
    repeated = [event_id for event_id, times in Counter(event_ids).items() if times > 1]
    if repeated:
        raise DatasetRequestError(
            f"expected one event of each name, got {len(repeated)} names more than once (for example "
            f"{repeated[0]}): convert the folders one by one, or rename them"
        )


def _write_split_manifests(out: Path, members: Mapping[str, Iterable[str]]) -> None:
    """One text file a split: the names of its events, a line each."""
    folder = out / "manifests"
    folder.mkdir(exist_ok=True)
    for split, event_ids in members.items():
        write_atomically(folder / f"{split}.txt", "".join(f"{event_id}\n" for event_id in event_ids))


@dataclass
class LArTPCPixelMapsConfig(datasets.BuilderConfig):
    """Configuration of the builder: a simulation, or files.

    Attributes:
        events: Events to simulate; not used when there are files.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`.
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


class LArTPCPixelMaps(datasets.GeneratorBasedBuilder):
    """The dataset as a `datasets` builder, for those who want it in the library's own cache.

    `LArTPCPixelMaps(events=100, seed=1).download_and_prepare()`; `num_proc` shares the events out.
    """

    BUILDER_CONFIG_CLASS = LArTPCPixelMapsConfig
    VERSION = datasets.Version("1.0.0")
    config: LArTPCPixelMapsConfig

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=row_features(DETECTORS[self.config.detector]))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        if self.config.files:
            present = {split_of(row["event_id"]) for row in self._read_files()}
            return [
                datasets.SplitGenerator(split, {"indices": None, "split": split})
                for split in SPLITS
                if split in present
            ]
        members: dict[str, list[int]] = {split: [] for split in SPLITS}
        for index in range(self.config.events):
            members[split_of(simulated_event_id(self.config.seed, index))].append(index)
        return [
            datasets.SplitGenerator(split, {"indices": indices, "split": split})
            for split, indices in members.items()
            if indices
        ]

    def _generate_examples(
        self, indices: list[int] | None, split: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        rows = self._file_rows(split) if indices is None else self._simulated_rows(indices)
        for row in rows:
            yield row["event_id"], row

    def _simulated_rows(self, indices: list[int]) -> Iterator[dict[str, Any]]:
        config = self.config
        plan = SimulationPlan(config.events, config.seed, config.detector, config.spectrum)
        for index in indices:
            yield _simulated_row(plan, index)

    def _file_rows(self, split: str) -> Iterator[dict[str, Any]]:
        detector = DETECTORS[self.config.detector]
        for row in self._read_files():
            if split_of(row["event_id"]) == split:
                yield with_display(row, detector)

    def _read_files(self) -> Iterator[dict[str, Any]]:
        from nuzoo.datasets_scripts.readers.detector_files import read_detector_files

        paths = [Path(file) for file in self.config.files]
        yield from read_detector_files(
            paths, detector=self.config.detector, mev_per_count=self.config.mev_per_count, strict=True
        )
