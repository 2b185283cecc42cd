"""What the configuration of every Perceiver of windows of patches holds, whatever it reads."""

from typing import Any

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig


@strict
class PerceiverConfig(NuPreTrainedConfig):
    """A network whose latents, the class tokens of windows, read the tokens of patches (arXiv 2604.07037).

    Args:
        hidden_size: numbers of a token.
        num_attention_heads: of each block.
        mlp_ratio: width of the hidden layer of each perceptron, in units of the token's.
        num_latent_layers: pairs of a block in which latents read tokens, and one of latents alone.
        class_tokens: of each window at most; fewer where few patches have hits.
        drop_path_rate: probability, in training, that a token skips what the last block adds. Blocks that
            read other tokens have half of it.
        layer_norm_eps: added to the variance.
        initializer_range: standard deviation of the initial tokens and embeddings.
    """

    hidden_size: int = 384
    num_attention_heads: int = 12
    mlp_ratio: float = 4.0
    num_latent_layers: int = 4
    class_tokens: int = 2
    drop_path_rate: float = 0.0
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02

    def validate_perceiver(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        sizes = (self.hidden_size, self.num_attention_heads, self.num_latent_layers, self.class_tokens)
        if min(sizes) < 1 or self.hidden_size % self.num_attention_heads or self.hidden_size % 4:
            raise ValueError(
                "hidden_size, num_attention_heads, num_latent_layers and class_tokens must be at least 1, "
                f"hidden_size a multiple of num_attention_heads and of 4, got {sizes}"
            )

    def validate_probabilities(self) -> None:
        """Raise `ValueError` for what is no probability below 1."""
        if not 0 <= self.drop_path_rate < 1:
            raise ValueError(f"drop_path_rate must be from 0 to below 1, got {self.drop_path_rate}")


def check_tiles(name: str, tile: list[Any], shape: list[int]) -> None:
    """Raise `ValueError` unless a field is 3 whole numbers that divide a shape."""
    if len(tile) != 3 or any(size < 1 or of % size for size, of in zip(tile, shape, strict=True)):
        raise ValueError(f"{name} must be 3 whole numbers that divide {shape}, got {tile}")
