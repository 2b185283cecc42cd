"""Slabs across the beam as arrays: how deep a particle is in them, and what they leave of its energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.materials import Material

PASSIVE, CAL, ECAL, AHCAL = range(4)
"""Which part of the detector a layer belongs to; what is passive records nothing."""

MINIMUM_LOSS = {"polystyrene": 2.05, "tungsten": 22.1, "iron": 11.4, "lead": 12.7}
"""Least loss of a charged particle, MeV/cm (Particle Data Group)."""
SHOWER_RESPONSE = 0.8
"""What a shower leaves in plastic between heavy plates over what its tracks alone say: soft photons stay in
the heavy metal (e/mip 0.6 to 0.9 for such calorimeters). An estimate."""

_FINE_CM = {"tungsten": 0.125, "polystyrene": 1.0, "lead": 0.2, "iron": 0.5}


@dataclass(frozen=True)
class Layer:
    """A slab.

    Attributes:
        material: what it is made of; None for air.
        thickness: cm.
        part: `PASSIVE`, or which sub-detector it belongs to.
    """

    material: Material | None
    thickness: float
    part: int = PASSIVE


@dataclass(frozen=True)
class Stack:
    """Layers as arrays, cut so finely that a shower hardly changes in one.

    Attributes:
        edges: float64 (n + 1,), z in cm.
        part: int64 (n,), see `Layer.part`.
        radiation: float64 (n + 1,), radiation lengths up to each edge.
        interaction: float64 (n + 1,), interaction lengths of nucleons.
        loss: float64 (n + 1,), MeV that a particle at its least loss leaves up to each edge.
        active_loss: the same in layers that record it.
        shower_loss: float64 (n,), MeV/cm that showers leave, up to a constant.
        density: float64 (n,), g/cm³.
    """

    edges: NDArray[np.float64]
    part: NDArray[np.int64]
    radiation: NDArray[np.float64]
    interaction: NDArray[np.float64]
    loss: NDArray[np.float64]
    active_loss: NDArray[np.float64]
    shower_loss: NDArray[np.float64]
    density: NDArray[np.float64]
    critical_energy: float
    atomic_number: float
    moliere_radius: NDArray[np.float64]

    def at(self, table: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one of the depths at z (cm)."""
        return np.interp(z, self.edges, table)

    def z_of(self, table: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return z (cm) of a depth; air has none, so that what is found lies behind it."""
        return np.interp(depth, table + 1e-9 * np.arange(len(table)), self.edges)

    def layer_of(self, z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the layer at z (cm)."""
        return np.clip(np.searchsorted(self.edges, z, side="right") - 1, 0, len(self.part) - 1)


def stack_of(layers: list[Layer], z: float) -> Stack:
    """Return layers as arrays.

    Args:
        layers: from the front to the back.
        z: of the front, cm.
    """
    fine: list[tuple[Layer, float]] = []
    for layer in layers:
        pieces = (
            1 if layer.material is None else max(1, round(layer.thickness / _FINE_CM[layer.material.name]))
        )
        fine += pieces * [(layer, layer.thickness / pieces)]
    size = np.array([thickness for _, thickness in fine])
    known = [layer.material for layer, _ in fine]

    def per_cm(value: Any) -> NDArray[np.float64]:
        return np.array([0.0 if material is None else value(material) for material in known])

    def summed(density: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([[0.0], np.cumsum(density * size)])

    part = np.array([layer.part for layer, _ in fine])
    loss = per_cm(lambda material: MINIMUM_LOSS[material.name])
    lengths = per_cm(lambda material: 1 / material.radiation_length)
    shower = per_cm(_shower_loss)
    critical = float((shower * size).sum() / (lengths * size).sum())
    charge = per_cm(lambda material: material.atomic_number / material.radiation_length)
    return Stack(
        edges=z + np.concatenate([[0.0], np.cumsum(size)]),
        part=part,
        radiation=summed(lengths),
        interaction=summed(per_cm(lambda material: 1 / material.nucleon_interaction_length)),
        loss=summed(loss),
        active_loss=summed(np.where(part == PASSIVE, 0.0, loss)),
        shower_loss=shower,
        density=per_cm(lambda material: material.density),
        critical_energy=critical,
        atomic_number=float((charge * size).sum() / (lengths * size).sum()),
        moliere_radius=_moliere_radius(size, lengths, shower),
    )


def _shower_loss(material: Material) -> float:
    response = SHOWER_RESPONSE if material.name == "polystyrene" else 1.0
    return response * material.critical_energy / material.radiation_length


def _moliere_radius(
    size: NDArray[np.float64], lengths: NDArray[np.float64], shower: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Molière radius (cm) of what is within 12 cm of each layer: 21.2 MeV over the loss per cm."""
    z = np.cumsum(size) - size / 2
    near = np.abs(z[:, None] - z) < 12.0
    mean = (near * (shower * size)).sum(axis=1) / (near * size).sum(axis=1)
    return np.minimum(21.2 / np.maximum(mean, 0.5), 20.0)
