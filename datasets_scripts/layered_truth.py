"""What is true of a simulated event of a detector of layers, as columns; energies in GeV, lengths in mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.files.events.detector_event_columns import PARTICLE_LISTS
from nuzoo.files.events.detector_event_labels import charm_of, flavour_of
from nuzoo.simulation.interactions.high_energy import DecayedInteraction
from nuzoo.simulation.interactions.short_lived import FROM_CHARM, FROM_TAU
from nuzoo.simulation.particles import CHARGE, MASS, SPECIES_OF
from nuzoo.simulation.simulate_layers import LayeredEvent

_NEUTRINOS = (12, 14, 16)


def truth_of_layered(event: LayeredEvent) -> Row:
    """Return the columns of truth of an event, and its labels."""
    interaction = event.interaction
    pdg, momentum = interaction.pdg, interaction.momentum / 1000
    species = np.array([SPECIES_OF[int(code)] for code in pdg])
    mass = MASS[species] / 1000
    energy = np.sqrt((momentum**2).sum(axis=1) + mass**2)
    neutrino = interaction.neutrino_pdg
    is_tau = interaction.is_cc and abs(neutrino) == 16
    visible = interaction.is_final & ~np.isin(np.abs(pdg), _NEUTRINOS)
    of_tau, of_charm = interaction.origin == FROM_TAU, interaction.origin == FROM_CHARM
    of_lepton = np.arange(len(pdg)) == 0
    if is_tau:
        of_lepton = of_tau & (_origins(interaction) == 0)
    seen = momentum[visible].sum(axis=0)
    jet = momentum[visible & ~(of_lepton if interaction.is_cc else np.zeros_like(visible))].sum(axis=0)
    nucleon = np.isin(pdg, (2212, 2112))
    is_charmed = bool(of_charm.any())
    return {
        "weight": interaction.weight,
        "neutrino_pdg": neutrino,
        "neutrino_energy": interaction.neutrino_energy / 1000,
        "neutrino_momentum": np.array([0, 0, interaction.neutrino_energy / 1000], np.float32),
        "lepton_pdg": int(pdg[0]),
        "lepton_energy": float(energy[0]),
        "lepton_momentum": momentum[0].astype(np.float32),
        "is_cc": int(interaction.is_cc),
        "is_es": 0,
        "is_tau": int(is_tau),
        "is_charmed": int(is_charmed),
        "tau_decay_mode": interaction.tau_decay_mode,
        **_tau(interaction, momentum, of_lepton & visible, species),
        "primary_vertex": (event.vertex * 10).astype(np.float32),
        "e_vis": float((energy - np.where(nucleon, mass, 0.0))[visible].sum()),
        "pt_miss": float(np.hypot(*seen[:2])),
        "momentum": momentum[interaction.parent < 0].sum(axis=0).astype(np.float32),
        "vis_momentum": seen.astype(np.float32),
        "jet_momentum": jet.astype(np.float32),
        "flavour": flavour_of(neutrino, interaction.is_cc, interaction.tau_decay_mode),
        "charm": charm_of(is_charmed, pdg[of_charm & interaction.is_final]),
        **_particles(interaction, momentum),
    }


def _origins(interaction: DecayedInteraction) -> NDArray[np.int64]:
    """Return the row at the vertex that each particle goes back to."""
    first = np.arange(len(interaction.pdg))
    while (later := interaction.parent[first] >= 0).any():
        first = np.where(later, interaction.parent[first], first)
    return first


def _tau(
    interaction: DecayedInteraction,
    momentum: NDArray[np.float64],
    daughters: NDArray[np.bool_],
    species: NDArray[np.int64],
) -> Row:
    """Return path, kink and visible momentum of the tau; nothing is known of one that is not there."""
    if interaction.tau_decay_mode == 0:
        return {"tau_vis_momentum": np.zeros(3, np.float32), "tau_decay_length": 0.0, "tau_kink_angle": 0.0}
    rows = np.flatnonzero(daughters)
    charged = rows[CHARGE[species[rows]] != 0]
    leading = charged[np.argmax(np.linalg.norm(momentum[charged], axis=1))]
    cosine = momentum[leading] @ momentum[0]
    cosine /= np.linalg.norm(momentum[leading]) * np.linalg.norm(momentum[0])
    return {
        "tau_vis_momentum": momentum[rows].sum(axis=0).astype(np.float32),
        "tau_decay_length": float(np.linalg.norm(interaction.offset[rows[0]])) * 10,
        "tau_kink_angle": float(np.arccos(np.clip(cosine, -1, 1))),
    }


def _particles(interaction: DecayedInteraction, momentum: NDArray[np.float64]) -> Row:
    """Return the generator's particles, in the lists of the files: from the vertex, from taus, from charm."""
    kind = np.where(interaction.origin == FROM_TAU, PARTICLE_LISTS.index("tau_decay"), 0)
    kind = np.where(interaction.origin == FROM_CHARM, PARTICLE_LISTS.index("charm_decay"), kind)
    parent = interaction.parent
    return {
        "particle_list": kind,
        "particle_track": np.arange(1, len(kind) + 1, dtype=np.int32),
        "particle_parent": np.where(parent < 0, -1, parent + 1).astype(np.int32),
        "particle_pdg": interaction.pdg.astype(np.int32),
        **{f"particle_p{axis}": momentum[:, i].astype(np.float32) for i, axis in enumerate("xyz")},
    }
