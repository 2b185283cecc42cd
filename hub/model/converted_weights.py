"""Weights that others released as models of ours: weights, configuration, processor, card and checksums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCardData
from transformers import PreTrainedModel

from nuzoo.files.checksums import sha256, write_checksums
from nuzoo.files.errors import UnusableOutputError
from nuzoo.files.names import CARD_FILE
from nuzoo.hub.cards import fill_template
from nuzoo.hub.model.card import TAGS
from nuzoo.hub.model.files import auto_class_of
from nuzoo.hub.model.released_network import ReleasedNetwork
from nuzoo.hub.model.released_panda import is_panda, panda_network
from nuzoo.hub.model.released_polar_mae import is_polar_mae, polar_mae_network
from nuzoo.hub.scratch import scratch_folder
from nuzoo.modeling.released_files import RELEASED, ReleasedFile, read_released
from nuzoo.modeling.weight_errors import WeightsError

LICENCE = "mit"
"""Of the weights of Panda and of PoLAr-MAE."""

NAMED = 3


@dataclass(frozen=True)
class Converted:
    """What was made of a file.

    Attributes:
        model: The network, as it was loaded again.
        left: Names of the tensors that are no part of it.
        left_are: What these are, for people.
        settings_known: The file told the network's settings; otherwise they are the published ones.
    """

    model: PreTrainedModel
    left: list[str]
    left_are: str
    settings_known: bool


def convert_released(source: Path, out: Path) -> Converted:
    """Turn a released checkpoint of Panda or of PoLAr-MAE into the folder of a model of ours.

    Args:
        source: See `nuzoo.modeling.released_files.read_released`.
        out: Folder to write; it is empty or does not exist.

    Raises:
        WeightsError: The file cannot be read, or its tensors are not all those of the network; nothing is
            written then.
        UnusableOutputError: There is something in the folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnusableOutputError(f"{out}: expected a new or empty folder, got one in use: give another")
    file = read_released(source)
    released = _network_of(file)
    released.processor.check_agrees(released.config)
    network: Any = released.network
    model = network.from_pretrained(None, config=released.config, state_dict=released.weights)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent) as folder:
        model.save_pretrained(folder)
        released.processor.save_pretrained(folder)
        (folder / CARD_FILE).write_text(_card(out.name, file, released, model), encoding="utf-8")
        write_checksums(folder)
        loaded: Any = network.from_pretrained(folder)
        _check_equal(loaded, released.weights, str(file.path))
        folder.replace(out)
    return Converted(loaded, released.left, released.left_are, bool(file.settings))


def _network_of(file: ReleasedFile) -> ReleasedNetwork:
    """Tell whose a file is by the names of its tensors, and take its network."""
    if is_panda(file.tensors):
        return panda_network(file)
    if is_polar_mae(file.tensors):
        return polar_mae_network(file)
    some = ", ".join(list(file.tensors)[:NAMED])
    raise WeightsError(
        f"{file.path}: expected weights of Panda or of PoLAr-MAE, got others ({some} …). Give {RELEASED}"
    )


def _check_equal(loaded: PreTrainedModel, weights: dict[str, torch.Tensor], origin: str) -> None:
    """Refuse a saved network that does not hold the numbers of the file."""
    held = loaded.state_dict()
    wrong = [
        name for name, tensor in weights.items() if not torch.equal(held[name], tensor.to(held[name].dtype))
    ]
    if wrong or held.keys() != weights.keys():
        raise WeightsError(
            f"{origin}: expected the same numbers after saving and loading, got others in "
            f"{', '.join(wrong) or 'the names'}: a disk or the memory is at fault"
        )


def _card(name: str, file: ReleasedFile, released: ReleasedNetwork, model: PreTrainedModel) -> str:
    config, auto_class = model.config, auto_class_of(model)
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="other",
        license=LICENCE,
        base_model=released.base_model,
        tags=[*TAGS, config.model_type],
        model_name=name,
    )
    has_classes = "Segmentation" in auto_class
    return fill_template(
        released.card,
        card_data=data.to_yaml(),
        name=name,
        origin=released.origin,
        home=released.home,
        file=file.path.name,
        sha256=sha256(file.path),
        tensors=len(file.tensors) - len(released.left),
        left=len(released.left),
        left_are=released.left_are,
        parameters=f"{model.num_parameters():,}",
        settings_known=bool(file.settings),
        auto_class=auto_class,
        classes=list((config.id2label or {}).values()) if has_classes else [],
        target=config.target,
        processor=released.processor,
        **released.facts,
    )
