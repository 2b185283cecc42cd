"""What a physicist would say of an event, in a sentence made of its truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBERS = ("no", "one", "two", "three")
MANY = "many"
NOTHING_SEEN = "no protons or pions"

LEPTONS = {
    11: "An electron shower of {energy} starts at the vertex",
    -11: "A positron shower of {energy} starts at the vertex",
    13: "A muon track of {energy} leaves the vertex",
    -13: "An antimuon track of {energy} leaves the vertex",
}
NEUTRINOS = (12, 14, 16)
HADRONS = {
    "n_protons": ("proton", "protons"),
    "n_charged_pions": ("charged pion", "charged pions"),
    "n_neutral_pions": ("neutral pion", "neutral pions"),
}
TRUTH_COLUMNS = ("lepton_pdg", "lepton_energy", *HADRONS)


class MissingTruthError(ValueError):
    """An event of which it is not known what happened."""


def caption(row: Mapping[str, Any]) -> str:
    """Tell which particles left the vertex.

    Of what a detector cannot see, neutrinos and neutrons, nothing is said; more than three of a kind are
    many, and energies are whole GeV: a picture does not tell more.

    Args:
        row: `TRUTH_COLUMNS` of a row of `lartpc-pixelmaps`; energies in GeV.

    Returns:
        One sentence, such as "A muon track of about 3 GeV leaves the vertex, with one proton."

    Raises:
        MissingTruthError: A column is absent or null, or the lepton is none that there are words for.
    """
    if missing := [name for name in TRUTH_COLUMNS if row.get(name) is None]:
        raise MissingTruthError(
            f"expected the truth of each event to caption it, got none in {', '.join(missing)}: "
            "set captions to false for events of unknown origin"
        )
    hadrons = _listed([_counted(row[name], *names) for name, names in HADRONS.items() if row[name]])
    lepton = LEPTONS.get(row["lepton_pdg"])
    if lepton is None and abs(row["lepton_pdg"]) not in NEUTRINOS:
        raise MissingTruthError(
            "expected an electron, muon or neutrino as lepton_pdg to caption an event, got "
            f"{row['lepton_pdg']}: set captions to false"
        )
    if lepton is None:
        return f"Only hadrons leave the vertex: {hadrons or NOTHING_SEEN}."
    return f"{lepton.format(energy=_energy(row['lepton_energy']))}, with {hadrons or NOTHING_SEEN}."


def every_word() -> list[str]:
    """Make captions that together have every word of all captions, for a tokenizer."""
    return [
        caption({"lepton_pdg": pdg, "lepton_energy": energy} | dict.fromkeys(HADRONS, count))
        for pdg in (*LEPTONS, 12)
        for energy in (0.1, 1.0)
        for count in range(len(NUMBERS) + 1)
    ]


def _counted(count: int, one: str, several: str) -> str:
    number = NUMBERS[count] if count < len(NUMBERS) else MANY
    return f"{number} {one if count == 1 else several}"


def _listed(parts: list[str]) -> str:
    """List as English does: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _energy(energy: float) -> str:
    return f"about {energy:.0f} GeV" if energy >= 1 else "under 1 GeV"
