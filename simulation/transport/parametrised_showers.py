"""Showers of very high energy: the profiles of Grindhammer and Peters instead of a cascade.

G. Grindhammer and S. Peters, hep-ex/0001020: homogeneous media, with event-to-event fluctuations of the
longitudinal profile. Distances are in radiation lengths along and Moliere radii across the axis.
"""

from __future__ import annotations

import math

from nuzoo.simulation.particles import PHOTON, REST_CONTENT
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import ESCAPED, MARGIN, REST, deposit
from nuzoo.simulation.transport.vectors import is_inside, turn

SPOTS = MARGIN - 64
"""Deposits per shower."""
SPOT_LENGTH = 0.3
"""cm."""


@inner
def deposit_shower(rng, p, medium, box, ledger):
    """Deposit the whole energy of an electron, positron or photon as a shower."""
    shape, depth = _longitudinal(rng, p.t / medium.critical_energy, medium.atomic_number)
    shift = 0.0
    if p.species == PHOTON:
        shift = 9 / 7 * rng.standard_exponential()
    x, y, z = p.x, p.y, p.z
    energy = p.t / SPOTS
    for _ in range(SPOTS):
        t = rng.standard_gamma(shape) * depth / max(shape - 1, 0.1)
        radius = _radius(rng, t / depth, p.t, medium.atomic_number) * medium.moliere_radius
        ax, ay, az = turn(p.ux, p.uy, p.uz, 0.0, 2 * math.pi * rng.random())
        along = (t + shift) * medium.radiation_length
        p.x = x + along * p.ux + radius * ax
        p.y = y + along * p.uy + radius * ay
        p.z = z + along * p.uz + radius * az
        ex, ey, ez = p.x + SPOT_LENGTH * p.ux, p.y + SPOT_LENGTH * p.uy, p.z + SPOT_LENGTH * p.uz
        if is_inside(box, p.x, p.y, p.z) and is_inside(box, ex, ey, ez):
            deposit(ledger, p, ex, ey, ez, energy)
        else:
            ledger.energy[ESCAPED] += energy
    ledger.energy[REST] += REST_CONTENT[p.species]


@inner
def _longitudinal(rng, y, z):
    """Shape alpha of the gamma distribution and depth T of the maximum, fluctuating together."""
    log_y = math.log(max(y, 10.0))
    mean_t, sigma_t = math.log(log_y - 0.812), 1 / (-1.4 + 1.26 * log_y)
    mean_a = math.log(0.81 + (0.458 + 2.26 / z) * log_y)
    sigma_a = 1 / (-0.58 + 0.86 * log_y)
    correlation = 0.705 - 0.023 * log_y
    common, own = math.sqrt((1 + correlation) / 2), math.sqrt((1 - correlation) / 2)
    first, second = rng.standard_normal(), rng.standard_normal()
    depth = math.exp(mean_t + sigma_t * (common * first + own * second))
    shape = math.exp(mean_a + sigma_a * (common * first - own * second))
    return max(shape, 1.2), depth


@inner
def _radius(rng, tau, energy, z):
    """Distance from the axis in Moliere radii: a core and a tail, each 2 r R² / (r² + R²)²."""
    log_e = math.log(energy / 1000)
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau
    tail = (0.659 - 0.00309 * z) * (
        math.exp(-2.59 * (tau - 0.645)) + math.exp((0.3585 + 0.0421 * log_e) * min(tau - 0.645, 3.0))
    )
    drop = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    share = min(max((2.632 - 0.00094 * z) * math.exp(drop - math.exp(drop)), 0.0), 1.0)
    width = core if rng.random() < share else tail
    u = rng.random()
    return min(width * math.sqrt(u / (1 - u)), 5.0)
