"""Released checkpoints of Panda as models of ours: weights, configuration, processor, card and checksums."""

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
from nuzoo.hub.scratch import scratch_folder
from nuzoo.modeling.panda_files import PandaFile, read_panda
from nuzoo.modeling.panda_sizes import config_of, network_of
from nuzoo.modeling.panda_weights import from_panda, of_backbone
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.simulation.detectors import find_detector

LICENCE = "mit"
ORIGIN = "DeepLearnPhysics/Panda"
DETECTOR = "lartpc-cube-768"
PROCESSOR: dict[str, Any] = {"normalisation": "panda", "grid": 0.001, "energy_threshold_mev": 0.13}
"""What the released networks were trained with (arXiv 2512.01324 and its public code)."""


@dataclass(frozen=True)
class Converted:
    """What was made of a file.

    Attributes:
        model: The network, as it was loaded again.
        left: Names of the tensors that are no part of it: of a pre-training's teacher and heads.
        settings_known: The file told the network's settings; otherwise they are the published ones.
    """

    model: PreTrainedModel
    left: list[str]
    settings_known: bool


def convert_panda(source: Path, out: Path) -> Converted:
    """Turn a released checkpoint of Panda into the folder of a model of ours.

    Args:
        source: See `nuzoo.modeling.panda_files.read_panda`.
        out: Folder to write; it is empty or does not exist.

    Raises:
        WeightsError: The file cannot be read, or its tensors are not all those of the network; nothing is
            written then.
        UnusableOutputError: There is something in the folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnusableOutputError(f"{out}: expected a new or empty folder, got one in use: give another")
    file = read_panda(source)
    tensors, left = of_backbone(file.tensors)
    origin = str(file.path)
    network = network_of(tensors)
    geometry = find_detector(DETECTOR).geometry()
    processor = NuPointCloudFeatureExtractor.for_geometry(geometry, **PROCESSOR)
    config = config_of(tensors, file.settings, origin)
    config.grid_shape = processor.frame.grid_shape
    processor.check_agrees(config)
    with torch.device("meta"):
        empty = network(config)
    weights = from_panda(tensors, empty, origin)
    model: Any = network.from_pretrained(None, config=config, state_dict=weights)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent) as folder:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        card = _card(out.name, file, model, processor, left)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
        write_checksums(folder)
        loaded: Any = network.from_pretrained(folder)
        _check_equal(loaded, weights, origin)
        folder.replace(out)
    return Converted(loaded, left, bool(file.settings))


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


def _card(
    name: str,
    file: PandaFile,
    model: PreTrainedModel,
    processor: NuPointCloudFeatureExtractor,
    left: list[str],
) -> str:
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="other",
        license=LICENCE,
        base_model=ORIGIN,
        tags=[*TAGS, model.config.model_type],
        model_name=name,
    )
    config, auto_class = model.config, auto_class_of(model)
    return fill_template(
        "converted.md",
        card_data=data.to_yaml(),
        name=name,
        origin=ORIGIN,
        file=file.path.name,
        sha256=sha256(file.path),
        tensors=len(file.tensors) - len(left),
        left=len(left),
        parameters=f"{model.num_parameters():,}",
        settings_known=bool(file.settings),
        auto_class=auto_class,
        classes=[] if auto_class == "AutoModel" else list((config.id2label or {}).values()),
        instances=config.instances if auto_class == "AutoModelForUniversalSegmentation" else None,
        queries=config.queries,
        target=config.target,
        processor=processor,
    )
