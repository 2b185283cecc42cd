"""Electromagnetic showers in layers: profiles of Grindhammer and Peters, in the radiation lengths there.

As `parametrised_showers`, for many showers at once: along the axis the energy is shared out by the profile,
and by what each material takes of it, and drawn as spots of one energy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln

from nuzoo.simulation.particles import PHOTON
from nuzoo.simulation.sandwich import Sandwich
from nuzoo.simulation.transport.sandwich_tracks import Array, Moving, Points

SPOT_MEV = 25.0
LEAST_SPOTS, MOST_SPOTS = 12, 20_000
FIRST_GENERATION, SECOND_GENERATION = 1.0, 2.5
"""Radiation lengths after which the particle itself, and its daughters, are left behind."""


def showers(
    rng: np.random.Generator, sandwich: Sandwich, moving: Moving, energy: Array
) -> tuple[Points, Array, NDArray[np.int64]]:
    """Let electrons, positrons and photons make showers.

    Args:
        rng: Source of randomness.
        sandwich: Where.
        moving: They.
        energy: (n,) MeV that each brings.

    Returns:
        (spots, wherever they lie, with rows that are positions in `moving`; (n,) MeV that leaves at the end;
        generation 0, 1 or 2 of each spot).
    """
    stack = sandwich.stack
    middle = 0.5 * (stack.edges[1:] + stack.edges[:-1])
    size = np.diff(stack.edges)
    shape, depth = _longitudinal(rng, energy / stack.critical_energy, stack.atomic_number)
    scale = np.maximum(shape - 1, 0.1) / depth
    is_photon = moving.species == PHOTON
    shift = np.where(is_photon, 9 / 7 * rng.standard_exponential(len(energy)), 0.0)
    slope = moving.u[:, 2]
    start = stack.at(stack.radiation, moving.x[:, 2])
    here = stack.at(stack.radiation, middle)
    t = (here[None] - start[:, None]) / slope[:, None] - shift[:, None]
    b = np.maximum(t, 1e-6) * scale[:, None]
    profile = np.exp((shape - 1)[:, None] * np.log(b) - b - gammaln(shape)[:, None])
    profile = np.where(t > 0, profile, 0.0) * (stack.shower_loss * size)[None]
    end = np.where(slope > 0, stack.radiation[-1] - start, start) / np.abs(slope) - shift
    leak = gammaincc(shape, np.maximum(end, 0.0) * scale)
    leak = np.where((end <= 0) | (profile.sum(axis=1) <= 0), 1.0, leak)
    inside = energy * (1 - leak)
    spots = np.clip(rng.poisson(inside / SPOT_MEV), LEAST_SPOTS, MOST_SPOTS) * (inside > 0)
    shower = np.repeat(np.arange(len(energy)), spots)
    z, deep = _places(rng, stack.edges, profile, spots, shower)
    along = (z - moving.x[shower, 2]) / slope[shower]
    tau = np.maximum(t[shower, deep], 0.0) / depth[shower]
    radius = _radius(rng, tau, energy[shower], stack.atomic_number) * stack.moliere_radius[deep]
    x = (
        moving.x[shower]
        + along[:, None] * moving.u[shower]
        + radius[:, None] * _across(rng, moving.u[shower])
    )
    x[:, 2] = z
    passed = np.maximum(t[shower, deep], 0.0) / rng.standard_exponential(len(z))
    generation = (passed > FIRST_GENERATION).astype(np.int64) + (passed > SECOND_GENERATION)
    each = (inside / np.maximum(spots, 1))[shower]
    return Points(x, each, shower), energy * leak, generation


def _places(
    rng: np.random.Generator,
    edges: Array,
    profile: Array,
    spots: NDArray[np.int64],
    shower: NDArray[np.int64],
) -> tuple[Array, NDArray[np.int64]]:
    """Draw z of spots, and their layers, by the energy in each layer."""
    cumulative = np.cumsum(profile, axis=1)
    cumulative /= np.maximum(cumulative[:, -1:], 1e-300)
    layers = profile.shape[1]
    stairs = (cumulative + np.arange(len(profile))[:, None]).ravel()
    draw = shower + rng.random(len(shower)) * (1 - 1e-12)
    deep = np.minimum(np.searchsorted(stairs, draw, side="right") - shower * layers, layers - 1)
    z = edges[deep] + rng.random(len(shower)) * (edges[deep + 1] - edges[deep])
    return z, deep


def _across(rng: np.random.Generator, u: Array) -> Array:
    """Return unit vectors at right angles to directions (n, 3), at random around them."""
    any_way = rng.standard_normal(u.shape)
    any_way -= (any_way * u).sum(axis=1, keepdims=True) * u
    return any_way / np.linalg.norm(any_way, axis=1, keepdims=True)


def _longitudinal(rng: np.random.Generator, y: Array, z: float) -> tuple[Array, Array]:
    """Shape alpha of the gamma distribution and depth T of the maximum, fluctuating together."""
    log_y = np.log(np.maximum(y, 10.0))
    mean_t, sigma_t = np.log(log_y - 0.812), 1 / (-1.4 + 1.26 * log_y)
    mean_a = np.log(0.81 + (0.458 + 2.26 / z) * log_y)
    sigma_a = 1 / (-0.58 + 0.86 * log_y)
    correlation = 0.705 - 0.023 * log_y
    common, own = np.sqrt((1 + correlation) / 2), np.sqrt((1 - correlation) / 2)
    first, second = rng.standard_normal((2, len(y)))
    depth = np.exp(mean_t + sigma_t * (common * first + own * second))
    shape = np.exp(mean_a + sigma_a * (common * first - own * second))
    return np.maximum(shape, 1.2), depth


def _radius(rng: np.random.Generator, tau: Array, energy: Array, z: float) -> Array:
    """Distance from the axis in Molière radii: a core and a tail, each 2 r R² / (r² + R²)²."""
    log_e = np.log(np.maximum(energy, 500.0) / 1000)
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau
    late = np.minimum(tau - 0.645, 3.0)
    tail = (0.659 - 0.00309 * z) * (np.exp(-2.59 * (tau - 0.645)) + np.exp((0.3585 + 0.0421 * log_e) * late))
    drop = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    share = np.clip((2.632 - 0.00094 * z) * np.exp(drop - np.exp(drop)), 0.0, 1.0)
    width = np.where(rng.random(len(tau)) < share, core, tail)
    u = rng.random(len(tau))
    return np.minimum(np.maximum(width, 0.01) * np.sqrt(u / (1 - u)), 5.0)
