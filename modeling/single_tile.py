"""Cut the tables of a vision tower for images of several tiles to one tile."""

from typing import Any

import torch
from torch import nn
from transformers.models.mllama.modeling_mllama import MllamaVisionModel

ONE_BY_ONE = 1
"""Number of the aspect ratio of a single tile; 0 is that of no image."""


@torch.no_grad()
def keep_one_tile(base: Any) -> None:
    """Have an Mllama base compute one tile of each image, and not as many as its processor pads to.

    A square image fills one of four tiles, and the tower computes all. Its own patches see the padded ones
    (the mask closes padded-to-padded pairs alone), so that without them the results are others: a choice that
    is made before training. Weights that remain are those of the first tile of the first aspect ratio.

    Args:
        base: Changed in place, its configuration too.
    """
    vision: Any = next(module for module in base.modules() if isinstance(module, MllamaVisionModel))
    places: Any = vision.gated_positional_embedding
    _cut(places.tile_embedding, places.num_patches * vision.hidden_size)
    ratios = [vision.pre_tile_positional_embedding, vision.post_tile_positional_embedding]
    for ratio in ratios:
        _cut(ratio.embedding, vision.hidden_size)
    for module in (vision, places, *ratios):
        module.max_num_tiles = 1
    for module in (places, *ratios):
        module.max_aspect_ratio_id = ONE_BY_ONE
    for config in (base.config.vision_config, vision.config):
        config.max_num_tiles, config.supported_aspect_ratios = 1, [[1, 1]]


def _cut(table: nn.Embedding, width: int) -> None:
    """Keep the rows of no image and of a single tile, and the columns of the first tile."""
    weight = table.weight[: ONE_BY_ONE + 1, :width].clone()
    table.weight = nn.Parameter(weight, requires_grad=table.weight.requires_grad)
    table.num_embeddings, table.embedding_dim = weight.shape
