"""`nu_vit`: the vision transformer for pixel maps."""

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPooling, ImageClassifierOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.vit.modeling_vit import ViTAttention, ViTMLP, eager_attention_forward
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits, classification_loss
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.position_embeddings import resize_position_embeddings
from nuzoo.modeling.timm_vit_weights import load_timm_encoder


class NuVitEmbeddings(nn.Module):
    """From images to tokens: the class token and one for each patch, with their positions."""

    def __init__(self, config: NuVitConfig):
        super().__init__()
        self.grid = config.grid
        rows, columns = config.grid
        self.projection = nn.Conv2d(
            config.channels_per_image, config.hidden_size, config.patch_size, stride=config.patch_size
        )
        self.class_token = nn.Parameter(torch.empty(1, 1, config.hidden_size))
        self.position_embeddings = nn.Parameter(torch.empty(1, 1 + rows * columns, config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, 1 + patches, C)."""
        patches = self.projection(images)
        rows, columns = patches.shape[2:]
        class_tokens = self.class_token.expand(
            patches.shape[0], -1, -1
        )  # len() would fix the batch in an export
        tokens = torch.cat([class_tokens, patches.flatten(2).mT], dim=1)
        positions = resize_position_embeddings(self.position_embeddings, self.grid, (rows, columns))
        return self.dropout(tokens + positions)


class NuVitAttention(ViTAttention):
    """Attention within each image of an event: the heads of its images stand beside each other.

    So the weights that are returned are those that were used, and gradients reach them.
    """

    def __init__(self, config: NuVitConfig):
        fields: Any = config  # it has those that transformers' ViTConfig has
        super().__init__(fields)
        self.images_per_event = config.images_per_event

    def forward(  # type: ignore[override]
        self, tokens: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, images * T, C) to the same shape; weights (B, images * heads, T, T), or None."""
        projections = (self.q_proj, self.k_proj, self.v_proj)
        query, key, value = (self._heads_of_images(projection(tokens)) for projection in projections)
        attention: Any = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        dropout = self.attention_dropout if self.training else 0.0
        attended, weights = attention(self, query, key, value, None, dropout=dropout, scaling=self.scaling)
        of_images = attended.unflatten(2, (self.images_per_event, -1)).transpose(1, 2)
        return self.o_proj(of_images.flatten(3).flatten(1, 2)), weights

    def _heads_of_images(self, projected: Tensor) -> Tensor:
        """(B, images * heads, T, head_dim) of (B, images * T, C)."""
        of_images = projected.unflatten(1, (self.images_per_event, -1))
        return of_images.unflatten(3, (-1, self.head_dim)).transpose(2, 3).flatten(1, 2)


class NuVitLayer(GradientCheckpointingLayer):
    """Attention and a perceptron, each on normalised tokens and added to them.

    Only tokens of the same image attend to each other.
    """

    def __init__(self, config: NuVitConfig):
        super().__init__()
        fields: Any = config  # it has those that transformers' ViTConfig has
        self.layernorm_before = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.attention = NuVitAttention(config)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = ViTMLP(fields)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """Transform `tokens`, and tell how they attended to each other.

        Args:
            tokens: (B, images * (1 + patches), C), one image of an event after another.

        Returns:
            The tokens, and (B, images * heads, 1 + patches, 1 + patches), or None unless the attention
            is "eager".
        """
        attended, weights = self.attention(self.layernorm_before(tokens))
        tokens = tokens + self.dropout(attended)
        return tokens + self.dropout(self.mlp(self.layernorm_after(tokens))), weights


def _of_equal_variance(convolution: nn.Conv2d) -> float:
    """Give the standard deviation of weights with outputs of the variance of the inputs (LeCun's)."""
    return convolution.weight[0].numel() ** -0.5


class NuVitPreTrainedModel(NuPreTrainedModel):
    """Initialisation and loading of every `nu_vit` network."""

    config: NuVitConfig
    base_model_prefix = "nu_vit"
    main_input_name = "pixel_values"
    input_modalities = "image"
    heads = ("classifier",)
    exports_graph = True
    _no_split_modules = ["NuVitEmbeddings", "NuVitLayer"]  # noqa: RUF012 (transformers' own declaration)
    _supports_sdpa = True
    _input_embed_layer = "projection"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, NuVitEmbeddings):
            init.trunc_normal_(module.projection.weight, std=_of_equal_variance(module.projection))
            init.trunc_normal_(module.class_token, std=self.config.initializer_range)
            init.trunc_normal_(module.position_embeddings, std=self.config.initializer_range)

    def load_timm_weights(self, file_or_name: str | Path) -> None:
        """Start the encoder from a `VisionTransformer` of timm; the head stays as it is.

        `config.timm_backbone`, where it is not set, becomes the name, or the file's without suffix.

        Args:
            file_or_name: a local safetensors file with timm's tensors, or the name of a checkpoint that
                timm downloads, such as "vit_huge_patch14_224.orig_in21k".

        Raises:
            WeightsError: see `nuzoo.modeling.timm_vit_weights.load_timm_encoder`.
        """
        load_timm_encoder(self.base_model, self.config, file_or_name)
        if self.config.timm_backbone is None:
            self.config.timm_backbone = Path(file_or_name).name.removesuffix(".safetensors")


class NuVitModel(NuVitPreTrainedModel):
    """The network without its head."""

    def __init__(self, config: NuVitConfig):
        super().__init__(config)
        self.embeddings = NuVitEmbeddings(config)
        self.layers = nn.ModuleList(NuVitLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        pixel_values: Tensor,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutputWithPooling:
        """Compute the features of a batch of events.

        Args:
            pixel_values: (B, num_views, H, W), from the processor; H and W are multiples of the patch.
            output_hidden_states: also return the embeddings and each layer's output.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (B, images * (1 + patches), C) with the class token of each image first,
            `pooler_output` (B, images * C), the class tokens, `hidden_states`, `attentions`. An event is
            one image, or `num_views` with the fusion "concat".

        Raises:
            ValueError: the number of views is not the configuration's, patches do not tile the image, or
                attention weights are asked for without the "eager" attention.
        """
        refuse_arguments(self, kwargs)
        output_attentions = self._wanted("attentions", output_attentions)
        output_hidden_states = self._wanted("hidden_states", output_hidden_states)
        self._check(pixel_values)
        images = self.config.images_per_event
        tokens = self._embed(pixel_values)
        hidden_states, attentions = [tokens], []
        for layer in self.layers:
            tokens, weights = layer(tokens)
            hidden_states.append(tokens)
            attentions.append(weights)
        tokens = self.norm(tokens)
        return BaseModelOutputWithPooling(
            last_hidden_state=tokens,
            pooler_output=tokens.unflatten(1, (images, -1))[:, :, 0].flatten(1),
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )

    def _check(self, pixel_values: Tensor) -> None:
        patch = self.config.patch_size
        if pixel_values.ndim != 4 or pixel_values.shape[1] != self.config.num_views:
            raise ValueError(
                f"expected pixel_values of shape (batch, {self.config.num_views} views, height, width), "
                f"got {tuple(pixel_values.shape)}: use the processor that is saved with the model"
            )
        if any(edge == 0 or edge % patch for edge in pixel_values.shape[2:]):
            raise ValueError(
                f"expected pixel_values whose height and width are multiples of the patch, {patch} pixels, "
                f"got {tuple(pixel_values.shape)}: set pad_to_multiple={patch} of the processor, which pads "
                "the maps instead of dropping their last rows and columns"
            )

    def _embed(self, pixel_values: Tensor) -> Tensor:
        """Tokens (B, images * (1 + patches), C) of `pixel_values` (B, num_views, H, W)."""
        images = self.config.images_per_event
        views = pixel_values.to(self.dtype).unflatten(1, (images, self.config.channels_per_image))
        return self.embeddings(views.flatten(0, 1)).unflatten(0, (-1, images)).flatten(1, 2)


class NuVitForEventClassification(NuVitPreTrainedModel):
    """The network with a linear head over the classes of an event."""

    evidence: ClassVar[tuple[str, ...]] = ("logits",)
    accepts_loss_kwargs = False  # the loss is a mean: the Trainer divides it by the steps of accumulation

    def __init__(self, config: NuVitConfig):
        super().__init__(config)
        self.nu_vit = NuVitModel(config)
        self.classifier = nn.Linear(config.hidden_size * config.images_per_event, len(config.id2label or {}))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        pixel_values: Tensor,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> ImageClassifierOutput:
        """Classify a batch of events.

        Args:
            pixel_values: (B, num_views, H, W), from the processor; H and W are multiples of the patch.
            labels: (B,) class indices; with them `classification_loss` is returned as `loss`.
            output_hidden_states: see `NuVitModel.forward`.
            output_attentions: see `NuVitModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (B, num_labels) before the temperature, `hidden_states`, `attentions`.
        """
        refuse_arguments(self, kwargs)
        outputs = self.nu_vit(
            pixel_values,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            return_dict=True,
        )
        evidential = self.config.evidential
        logits = class_logits(self.classifier(outputs.pooler_output), evidential)
        loss = None if labels is None else classification_loss(logits, labels, evidential)
        return ImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )
