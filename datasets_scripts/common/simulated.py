"""Datasets that are simulated: what decides their bytes, and the row of an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE, DatasetRequestError, write_dataset
from nuzoo.datasets_scripts.common.described import digest_of
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.datasets_scripts.common.undisturbed import undisturbed
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.detectors import DETECTORS, Detector, enter_detector, find_detector
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.spectra import SPECTRA

if TYPE_CHECKING:
    from nuzoo.simulation.simulate import SimulatedEvent


@dataclass(frozen=True)
class SimulationPlan:
    """What decides every byte of a simulated dataset.

    Attributes:
        events: How many.
        seed: Seed of the simulation.
        detector: Name of a known one.
        spectrum: A name in `SPECTRA`.
        shard_size: Events in a file.

    Raises:
        DatasetRequestError: Numbers out of range, unknown detector or spectrum.
    """

    events: int
    seed: int
    detector: str
    spectrum: str
    shard_size: int = SHARD_SIZE

    def __post_init__(self) -> None:
        for name, least in (("events", 1), ("seed", 0), ("shard_size", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise DatasetRequestError(f"{name}: expected at least {least}, a whole number, got {value!r}")
        for name, known in (("detector", DETECTORS), ("spectrum", SPECTRA)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise DatasetRequestError(
                    f"{name}: expected one of {', '.join(known)}, got {value!r}{did_you_mean([value], known)}"
                )
        if not DETECTORS[self.detector].has_volume:
            raise DatasetRequestError(
                f"detector: expected one that can be simulated, got {self.detector}, whose description has "
                "no volume, drift and electronics: add them (`nuzoo detectors modular-2x2x7` shows how)"
            )

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Self:
        """Return the plan in the `plan.json` of a simulated dataset.

        Raises:
            DatasetRequestError: Something is missing in it, or cannot be.
        """
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in plan]:
            raise DatasetRequestError(f"expected {', '.join(missing)}, got none")
        return cls(**{name: plan[name] for name in names})

    def event_id(self, index: int) -> str:
        """Name of event `index`."""
        return f"sim-{self.seed}-{index}"

    def origin(self, index: int | str) -> str:
        """Return the end of `source` of event `index`."""
        return f"seed={self.seed} event={index} detector={self.detector}"

    def simulate(self, index: int) -> SimulatedEvent:
        """Simulate event `index`."""
        from nuzoo.simulation.simulate import simulate_event

        return simulate_event(self.seed, index, find_detector(self.detector), SPECTRA[self.spectrum])

    @undisturbed()
    def row(self, index: int) -> Row:
        """Return the row of event `index`: what the detector records of it, and the truth."""
        event = self.simulate(index)
        identity = {
            "event_id": self.event_id(index),
            "detector": self.detector,
            "source": f"{SIMULATED_PREFIX}{version('nuzoo')} {self.origin(index)}",
        }
        return {**identity, **truth_of(event), **event.detector.readout.respond(event)}


def requested_detector(name: str | Path) -> Detector:
    """Find a detector; see `find_detector`.

    Raises:
        DatasetRequestError: There is none of this name.
    """
    try:
        return find_detector(name)
    except UnknownDetectorError as error:
        raise DatasetRequestError(str(error)) from error


def truth_of(event: SimulatedEvent) -> Row:
    """Return the columns of truth of a simulated event."""
    interaction = event.interaction
    hadrons = interaction.pdg[1:]
    lepton_energy = (1 - interaction.inelasticity) * interaction.neutrino_energy
    return {
        "label": event.label,
        "neutrino_energy": interaction.neutrino_energy / 1000,
        "neutrino_pdg": interaction.neutrino_pdg,
        "interaction_mode": int(interaction.mode),
        "lepton_pdg": int(interaction.pdg[0]),
        "lepton_energy": lepton_energy / 1000,
        "inelasticity": interaction.inelasticity,
        "vertex": event.vertex.astype(np.float32),
        "n_protons": np.count_nonzero(hadrons == 2212),
        "n_neutrons": np.count_nonzero(hadrons == 2112),
        "n_charged_pions": np.count_nonzero(np.abs(hadrons) == 211),
        "n_neutral_pions": np.count_nonzero(hadrons == 111),
        "deposited_energy": event.transported.budget.deposited,
    }


def write_simulation(
    out: Path,
    dataset: str,
    plan: SimulationPlan,
    finish: Callable[[Row], Row],
    num_proc: int = 1,
) -> dict[str, Any]:
    """Simulate a dataset into a folder; see `write_dataset`.

    Args:
        out: Folder.
        dataset: Its name in `nuzoo.registry.DATASETS`.
        plan: What to simulate.
        finish: Makes of `plan.row` what the dataset stores: adds a picture, or leaves out what it lacks;
            must be picklable for more than one process.
        num_proc: Processes.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: No process.
        DatasetFolderError: `out` holds another dataset.
    """
    if num_proc < 1:
        raise DatasetRequestError(f"num_proc: expected at least 1, got {num_proc}")
    detector = find_detector(plan.detector)
    return write_dataset(
        out,
        {plan.event_id(index): index for index in range(plan.events)},
        row_features(schema_of(find_sample(dataset).modality, detector)),
        partial(_finished_row, plan, detector, finish),
        {"dataset": dataset, "simulation": SOURCE_DIGEST, **asdict(plan), **digest_of(detector)},
        num_proc=num_proc,
        shard_size=plan.shard_size,
    )


def _finished_row(plan: SimulationPlan, detector: Detector, finish: Callable[[Row], Row], index: int) -> Row:
    enter_detector(detector)  # another process does not know it yet
    return finish(plan.row(index))
