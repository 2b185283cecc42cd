"""Names of particles, of interactions and of classes of hits, for people."""

from __future__ import annotations

NAMES = {
    11: "e⁻",
    -11: "e⁺",
    12: "νe",
    -12: "ν̄e",
    13: "μ⁻",
    -13: "μ⁺",
    14: "νμ",
    -14: "ν̄μ",
    15: "τ⁻",
    -15: "τ⁺",
    16: "ντ",
    -16: "ν̄τ",
    22: "γ",
    111: "π⁰",
    211: "π⁺",
    -211: "π⁻",
    130: "K⁰L",
    310: "K⁰S",
    321: "K⁺",
    -321: "K⁻",
    2112: "n",
    -2112: "n̄",
    2212: "p",
    -2212: "p̄",
    3112: "Σ⁻",
    3122: "Λ",
    3222: "Σ⁺",
    411: "D⁺",
    -411: "D⁻",
    421: "D⁰",
    -421: "D̄⁰",
    431: "Ds⁺",
    -431: "Ds⁻",
    4122: "Λc⁺",
}
"""By PDG code, https://pdg.lbl.gov/2024/mcdata/mc_particle_id_contents.html."""

HIT_CLASSES = {
    "michel": "Michel electron",
    "delta": "delta ray",
    "led": "low-energy deposit",
    "none": "other or unknown",
}
"""By what datasets and models call them; other names are words already."""

KINDS = {"particles": "particle bomb", "cosmic": "cosmic muon"}
GUN = "particle gun"
"""Name of the kind `particles` where an event is one particle."""

NUCLEUS = 1_000_000_000
"""Codes of nuclei are 10LZZZAAAI."""


def particle_name(pdg: int) -> str:
    """Name a particle by its PDG code; empty for 0, which is not known."""
    if pdg == 0:
        return ""
    if pdg >= NUCLEUS:
        return f"nucleus Z={pdg // 10_000 % 1000} A={pdg // 10 % 1000}"
    return NAMES.get(pdg, f"PDG {pdg}")


def class_of_hits(name: str) -> str:
    """Name a class of hits."""
    return HIT_CLASSES.get(name, name)


def interaction_name(kind: str, pdg: int = 0, energy_gev: float = 0.0, is_cc: int = -1) -> str:
    """Name an interaction by its kind, and of a neutrino by flavour, current and energy, as far as known."""
    words = [
        particle_name(pdg),
        {0: "NC", 1: "CC"}.get(is_cc, ""),
        f"{energy_gev:.2f} GeV" if energy_gev > 0 else "",
    ]
    return " ".join(filter(None, [kind, *words]))
