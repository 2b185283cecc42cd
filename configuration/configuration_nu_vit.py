"""The configuration of `nu_vit`, the vision transformer for pixel maps."""

from typing import Any, Literal, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.event_classifier_config import EventClassifierConfig
from nuzoo.configuration.pixel_map_config import PixelMapConfig

Fusion = Literal["channels", "concat"]


@strict
class NuVitConfig(PixelMapConfig, EventClassifierConfig):
    """A vision transformer whose class token, after the last layer, tells the class of an event.

    The defaults are the ViT-H/14 of arXiv 2509.08461v4 on maps of 512 × 512 pixels padded to 518 × 518.
    The paper states neither the checkpoint it starts from nor how two views enter.

    Args:
        num_views: see `PixelMapConfig`.
        fusion: how the views meet. With "channels" each is a channel of one image. With "concat" each
            is an image of its own, all pass through the same encoder, and their class tokens are joined.
        image_size: rows and columns of the image, or one number for both, in pixels, multiples of
            `patch_size`. Images of other such sizes are taken as well: the position embeddings, learnt
            for this one, are interpolated.
        patch_size: edge of a patch in pixels.
        hidden_size: width of the tokens.
        num_hidden_layers: number of transformer layers.
        num_attention_heads: heads of each attention; they divide `hidden_size`.
        mlp_ratio: width of the hidden layer of each perceptron, in units of `hidden_size`.
        hidden_act: activation of the perceptrons.
        qkv_bias: whether queries, keys and values have a bias.
        hidden_dropout_prob: dropout of embeddings and layers in training.
        attention_probs_dropout_prob: dropout of the attention weights in training.
        layer_norm_eps: added to the variance; timm's default.
        initializer_range: standard deviation of the initial weights.
        timm_backbone: name of the checkpoint of timm that the encoder started from, for the record.
        temperature: see `EventClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: see `EventClassifierConfig`.
    """

    model_type = "nu_vit"

    fusion: Fusion = "channels"
    image_size: int | list[int] | tuple[int, ...] = 518
    patch_size: int = 14
    hidden_size: int = 1280
    num_hidden_layers: int = 32
    num_attention_heads: int = 16
    mlp_ratio: float = 4.0
    hidden_act: str = "gelu"
    qkv_bias: bool = True
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02
    timm_backbone: str | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        size = self.image_size
        self.image_size = [size, size] if isinstance(size, int) else list(size)
        super().__post_init__(**kwargs)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches in an image of `image_size`."""
        rows, columns = self.image_size  # type: ignore[misc]
        return rows // self.patch_size, columns // self.patch_size

    @property
    def intermediate_size(self) -> int:
        """Width of the hidden layer of each perceptron."""
        return int(self.hidden_size * self.mlp_ratio)

    @property
    def images_per_event(self) -> int:
        """Images that the encoder sees of each event, each with a class token of its own."""
        return self.num_views if self.fusion == "concat" else 1

    @property
    def channels_per_image(self) -> int:
        """Views in each image that the encoder sees."""
        return self.num_views // self.images_per_event

    @classmethod
    def huge(cls, **kwargs: Any) -> Self:
        """Make the default, ViT-H/14 as in the paper: 632 million parameters."""
        return cls(**kwargs)

    @classmethod
    def small(cls, **kwargs: Any) -> Self:
        """Make ViT-S/16, the size of timm's `vit_small_patch16_224`: 22 million parameters, for one GPU."""
        size: dict[str, Any] = {
            "image_size": 512,
            "patch_size": 16,
            "hidden_size": 384,
            "num_hidden_layers": 12,
            "num_attention_heads": 6,
        }
        return cls(**(size | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make a network of 0.35 million parameters: minutes of training on two CPU cores."""
        size: dict[str, Any] = {
            "image_size": 64,
            "patch_size": 16,
            "hidden_size": 80,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes out of range, or that do not divide each other as they must."""
        sizes = [self.patch_size, self.hidden_size, self.num_hidden_layers, self.num_attention_heads]
        sizes.append(self.intermediate_size)
        if min(sizes) < 1:
            raise ValueError(
                "patch_size, hidden_size, num_hidden_layers, num_attention_heads and "
                f"mlp_ratio * hidden_size must be at least 1, got {sizes}"
            )
        edges = self.image_size if isinstance(self.image_size, list) else []
        if len(edges) != 2 or any(edge < 1 or edge % self.patch_size for edge in edges):
            raise ValueError(
                f"image_size must be one or two positive multiples of patch_size {self.patch_size}, got "
                f"{self.image_size}: let the processor pad the maps, pad_to_multiple={self.patch_size}"
            )
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"num_attention_heads must divide hidden_size, got {self.num_attention_heads} heads and "
                f"{self.hidden_size}"
            )
