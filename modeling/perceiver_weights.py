"""The base of every Perceiver of windows: how its weights start."""

import torch
from torch import nn
from transformers import initialization as init

from nuzoo.configuration.perceiver_config import PerceiverConfig
from nuzoo.modeling.bounded_kendall import BoundedKendall
from nuzoo.modeling.grid_embeddings import grid_embeddings
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.patch_stem import PatchConv3d
from nuzoo.modeling.window_encoder import WindowEncoder


class PerceiverPreTrainedModel(NuPreTrainedModel):
    """Initialisation of networks whose windows have a `WindowEncoder` (arXiv 2604.07037)."""

    config: PerceiverConfig
    _no_split_modules = ["SelfBlock", "CrossBlock"]  # noqa: RUF012 (transformers' own declaration)
    _supports_sdpa = True
    accepts_loss_kwargs = False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Linear):
            init.xavier_uniform_(module.weight)
            init.zeros_(module.bias)
        elif isinstance(module, PatchConv3d):
            init.xavier_uniform_(module.weight.flatten(1))
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, WindowEncoder):
            init.copy_(module.positions, grid_embeddings(module.grid.patches, self.config.hidden_size))
            init.normal_(module.class_token, std=self.config.initializer_range)
        elif isinstance(module, BoundedKendall):
            module.reset_parameters()
