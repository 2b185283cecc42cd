"""The base of a vision-language recipe as it is, before any training: what few-shot numbers are of."""

from __future__ import annotations

from pathlib import Path

import datasets

from nuzoo.files.names import RECIPE_FILE
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.recipe_data import class_names_in
from nuzoo.training.vlm.instruction_tuning import check_base_of, vlm_processor
from nuzoo.training.vlm.recipe import VlmRecipe


def load_frozen_base(
    path: str, rows: datasets.Dataset | None
) -> tuple[NuVlmForEventClassification, NuVlmProcessor]:
    """Load the base of a recipe, without an adapter, and the processor that its training would have.

    Args:
        path: A recipe of a vision-language model, or the folder of a run with one; a base of its own must
            have been made.
        rows: Training events, for the processor's statistics.

    Raises:
        RecipeError: The recipe is of another model, or its base cannot be used.
    """
    if rows is None:
        raise RecipeError("expected a dataset with a split 'train', for statistics and examples, got none")
    file = Path(path) / RECIPE_FILE
    recipe = load_recipe(file if file.is_file() else path)
    if not isinstance(recipe, VlmRecipe):
        raise RecipeError(f"expected the recipe of a nu_vlm, got one of a {recipe.architecture.model_type}")
    config = check_base_of(recipe, class_names_in(rows, recipe.targets))
    if recipe.pretraining and not Path(config.base_model).is_dir():
        raise RecipeError(
            f"expected the base of this recipe in {config.base_model}, got none: its training makes it "
            "(`nuzoo train`); then give the recipe.yaml of that run"
        )
    processor = vlm_processor(recipe, config, rows)
    return NuVlmForEventClassification.from_base(config), processor
