"""How the functions of the transport are compiled."""

from __future__ import annotations

from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy"}
_NO_WAY_IN: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

kernel = njit(**_OPTIONS)
"""Decorator of what Python calls: cached, and 1 / 0 is infinite as in NumPy."""
inner = njit(**_OPTIONS, **_NO_WAY_IN)
"""The same for what only compiled functions call; without a way in from Python it compiles faster."""
