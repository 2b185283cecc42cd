"""A base that has learnt what the adapter of another model says: training goes on from there."""

from __future__ import annotations

import shutil
from pathlib import Path

from accelerate import PartialState

from nuzoo.files.names import OWN_BASE_FOLDER
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.modeling.modeling_utils_nu import has_adapter
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.training.vlm.recipe import VlmRecipe


def merge_base(recipe: VlmRecipe) -> Path:
    """Write the base of the checkpoint of a recipe with its adapter in the weights.

    Args:
        recipe: The run, with `model.pretrained`.

    Returns:
        `base` in the folder of the run, which appears when it is finished: a model and processor for
        transformers' Auto classes, in full precision.
    """
    folder = recipe.output / OWN_BASE_FOLDER
    with PartialState().main_process_first():
        if not folder.is_dir():
            _write(recipe, folder)
    return folder


def _write(recipe: VlmRecipe, folder: Path) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model = NuVlmForEventClassification.from_pretrained(recipe.checkpoint, quantization_config=None)
    if has_adapter(model.base):
        model.merge_adapter()
    model.base.save_pretrained(partial)
    processor: NuVlmProcessor = NuVlmProcessor.from_pretrained(recipe.checkpoint)
    processor.base_processor.save_pretrained(partial)
    partial.replace(folder)
