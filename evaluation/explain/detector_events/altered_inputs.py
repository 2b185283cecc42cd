"""Detector events as a network would see them without a part, or with other energies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Alter = Callable[[dict[str, Any]], Mapping[str, Any]]

PARTS = {"cal": "3DCal", "ahcal": "AHCAL", "ecal": "ECAL", "muon": "muon spectrometer"}
"""Parts of the detector, and their titles."""

WITH_HITS = ("cal", "ahcal")
"""Whose tokens are of hits alone: without hits a part has no token and no latent where parts are joined."""

ENERGIES = ("cal_energy", "ahcal_energy", "ecal_energy")


class AlteredProcessor:
    """A processor whose tensors are altered; in everything else it is the processor.

    Args:
        processor: Of a network.
        alter: Takes the tensors of a batch and gives others.
    """

    def __init__(self, processor: EventProcessor, alter: Alter) -> None:
        self._processor, self._alter = processor, alter

    def __call__(self, rows: Any, **options: Any) -> Mapping[str, Any]:
        """Make the tensors of a batch, altered."""
        return self._alter(dict(self._processor(rows, **options)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)


def without_hits(part: str) -> Alter:
    """Leave out the hits of a part of `WITH_HITS`."""

    def alter(batch: dict[str, Any]) -> Mapping[str, Any]:
        none = {f"{part}_{name}": batch[f"{part}_{name}"][:0] for name in ("coordinates", "energy")}
        return batch | none | {f"{part}_offset": torch.zeros_like(batch[f"{part}_offset"])}

    return alter


def scaled_energies(processor: EventProcessor, factor: float) -> Alter:
    """Multiply all energies of the 3DCal, the AHCAL and the ECAL, in MeV, by a factor."""
    scales = processor.scales  # type: ignore[attr-defined]

    def alter(batch: dict[str, Any]) -> Mapping[str, Any]:
        if factor == 1:
            return batch
        scaled: dict[str, Tensor] = {
            name: scales[name].forward(factor * scales[name].inverse(batch[name])) for name in ENERGIES
        }
        return batch | scaled

    return alter


@contextmanager
def without_token(model: PreTrainedModel, part: str) -> Iterator[None]:
    """Let a network join the parts of the detector without the token of the "ecal", or of the "muon"."""
    encoder: Any = model.base_model
    encode = encoder.encode

    def blinded(cal: Any, ahcal: Any, ecal_energy: Tensor, muons: Any) -> Any:
        seen = torch.ones(len(ecal_energy), dtype=torch.bool, device=ecal_energy.device)
        is_seen = [torch.zeros_like(seen) if name == part else seen for name in ("ecal", "muon")]
        return encode(cal, ahcal, ecal_energy, muons, is_seen)

    encoder.encode = blinded
    try:
        yield
    finally:
        del encoder.encode
