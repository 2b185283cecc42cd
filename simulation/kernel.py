"""How the functions of the transport are compiled."""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, error_model="numpy")
"""Decorator of everything that runs inside the transport: cached, and 1 / 0 is infinite as in NumPy."""
inner = njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""The same for what only compiled functions call; without a way in from Python it compiles faster."""
