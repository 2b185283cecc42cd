"""Datasets of single neutrinos, simulated: which come, and what is true of each event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.simulated import SimulationPlan
from nuzoo.files.events.event_truth import TRUTH_COLUMNS
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.spectra import SPECTRA

if TYPE_CHECKING:
    from nuzoo.simulation.simulate import SimulatedEvent


@dataclass(frozen=True)
class NeutrinoPlan(SimulationPlan):
    """One neutrino interaction an event.

    Attributes:
        spectrum: A name in `SPECTRA`.

    Raises:
        DatasetRequestError: An unknown spectrum, or what a `SimulationPlan` refuses.
    """

    spectrum: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("spectrum", SPECTRA)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and the largest energy of the spectrum, GeV."""
        found = SPECTRA[self.spectrum]
        energies = found.energy_range if found.energy_table is None else found.energy_table[0]
        return {"neutrino_energy": (energies[0] / 1000, energies[-1] / 1000)}

    def simulate(self, index: int) -> SimulatedEvent:
        """Simulate event `index`."""
        from nuzoo.simulation.simulate import simulate_event

        return simulate_event(self.seed, index, find_detector(self.detector), SPECTRA[self.spectrum])

    def truth(self, event: SimulatedEvent) -> Row:
        """Return the columns of truth of a simulated event."""
        return truth_of_neutrino(event)


def truth_of_neutrino(event: SimulatedEvent) -> Row:
    """Return the columns of truth of an event with one neutrino; null where only its deposits are known."""
    deposited = {"deposited_energy": event.transported.budget.deposited}
    interaction = event.interaction
    if interaction is None:
        return dict.fromkeys(("label", *(column.name for column in TRUTH_COLUMNS))) | deposited
    hadrons = interaction.pdg[1:]
    lepton_energy = (1 - interaction.inelasticity) * interaction.neutrino_energy
    return {
        "label": event.label,
        "neutrino_energy": interaction.neutrino_energy / 1000,
        "neutrino_pdg": interaction.neutrino_pdg,
        "interaction_mode": None if interaction.mode is None else int(interaction.mode),
        "lepton_pdg": int(interaction.pdg[0]),
        "lepton_energy": lepton_energy / 1000,
        "inelasticity": interaction.inelasticity,
        "vertex": event.vertex.astype(np.float32),
        "n_protons": np.count_nonzero(hadrons == 2212),
        "n_neutrons": np.count_nonzero(hadrons == 2112),
        "n_charged_pions": np.count_nonzero(np.abs(hadrons) == 211),
        "n_neutral_pions": np.count_nonzero(hadrons == 111),
        **deposited,
    }
