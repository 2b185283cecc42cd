"""What every charged particle does on a step: collisions, multiple scattering, bending in a field."""

from __future__ import annotations

import math

from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.vectors import turn

CURVATURE = 2.99792458
"""MeV/c per tesla and cm that a unit charge is turned by: p/q = 0.3 B R in GeV/c, tesla and metres."""

COLLISIONS = 5.0
"""Collisions per step that are drawn one by one; the softer ones are summed as a Gaussian."""


@inner
def density_effect(medium, beta_gamma):
    """Sternheimer's delta (compare `energy_loss.density_effect`)."""
    x = math.log10(beta_gamma)
    a, k, x0, x1, cbar, delta0 = medium.sternheimer
    if x >= x1:
        return 4.605170186 * x - cbar
    if x >= x0:
        return 4.605170186 * x - cbar + a * (x1 - x) ** k
    if delta0 > 0:
        return delta0 * 10 ** (2 * (x - x0))
    return 0.0


@inner
def scatter(rng, p, medium, beta_p, charge, length):
    """Turn `p` as multiple scattering does on a path of `length` cm.

    The variance of the plane angle is the increment of Highland's between the path so far and the
    path after the step, and beyond one radiation length grows in proportion to the path: the angle
    after any thickness up to X0 is then Highland's, however it is divided into steps.
    """
    before = p.path / medium.radiation_length
    after = before + length / medium.radiation_length
    p.path += length
    unit = 13.6 * charge / beta_p
    sigma = unit * math.sqrt(max(_highland_variance(after) - _highland_variance(before), 0.0))
    angle = sigma * math.sqrt(2 * rng.standard_exponential())
    azimuth = 2 * math.pi * rng.random()
    p.ux, p.uy, p.uz = turn(p.ux, p.uy, p.uz, math.cos(min(angle, math.pi)), azimuth)


@inner
def bend(p, settings, charge, momentum, length):
    """Turn `p` as a magnetic field does on a path of `length` cm, for its momentum in MeV/c."""
    bx, by, bz = settings.magnetic_field
    if bx == 0.0 and by == 0.0 and bz == 0.0:
        return
    factor = CURVATURE * charge * length / momentum
    x = p.ux + factor * (p.uy * bz - p.uz * by)
    y = p.uy + factor * (p.uz * bx - p.ux * bz)
    z = p.uz + factor * (p.ux * by - p.uy * bx)
    norm = 1 / math.sqrt(x * x + y * y + z * z)
    p.ux, p.uy, p.uz = x * norm, y * norm, z * norm


@inner
def _highland_variance(lengths):
    if lengths >= 1.0:
        return lengths * 1.0
    if lengths < 1e-5:
        return lengths * 0.316
    return lengths * (1 + 0.038 * math.log(lengths)) ** 2
