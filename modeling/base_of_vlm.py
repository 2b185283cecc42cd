"""Load the vision-language model that `nu_vlm` is built on."""

import hashlib
from pathlib import Path
from typing import Any

from huggingface_hub.errors import GatedRepoError
from safetensors import SafetensorError
from transformers import AutoModelForImageTextToText, PreTrainedConfig, PreTrainedModel

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.files.checksums import sha256
from nuzoo.modeling.modeling_utils_nu import refuse_incomplete
from nuzoo.modeling.single_tile import keep_one_tile
from nuzoo.modeling.weight_errors import WeightsError

OF_THE_ADAPTER = ("revision", "subfolder", "variant", "trust_remote_code", "code_revision", "adapter_kwargs")


def load_base(config: NuVlmConfig, options: dict[str, Any], beside: Path | None = None) -> PreTrainedModel:
    """Load the base that a configuration names, and take its configuration over.

    Args:
        config: names the base and its commit.
        options: of `from_pretrained`; those that speak of the adapter's repository are left out.
        beside: folder of the model; a base that is a folder may lie in it.

    Returns:
        The base in evaluation mode.

    Raises:
        WeightsError: it cannot be found or read, or is another architecture than was configured.
    """
    of_base = {name: value for name, value in options.items() if name not in OF_THE_ADAPTER}
    where = config.base_model
    if beside is not None and (beside / where).is_dir():
        where = str(beside / where)
    if "/" not in where and not Path(where).is_dir():
        raise WeightsError(
            f"expected the base in the folder {where!r} beside {beside or 'this model'}, got no such folder: "
            "bring it along, or name a repository organisation/name as base_model"
        )
    base, report = _load(where, config.base_revision or "main", of_base)
    expected: Any = config.base_config
    if base.config.model_type != expected.model_type or _width(base.config) != _width(expected):
        raise WeightsError(
            f"expected the base {where!r} to be {expected.model_type!r} of width {_width(expected)}, as the "
            f"configuration says, got {base.config.model_type!r} of width {_width(base.config)}: name the "
            "base that the model was trained on"
        )
    refuse_incomplete(report, (), f"the base {where!r}")
    if Path(where).is_dir():
        _refuse_other_base(config, where)
    if config.image_tiles is not None:
        keep_one_tile(base)
    config.base_config = _shapes(base.config)
    _keep_packing(base)
    return base.eval()


def weights_sha256(folder: Path) -> str:
    """Compute the SHA-256 of the names and bytes of a folder's weights, in hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(f"{file.name} {sha256(file)}".encode())
    return digest.hexdigest()


def _refuse_other_base(config: NuVlmConfig, where: str) -> None:
    """Keep the digest of a base that is a folder; refuse another than the one that was kept."""
    found = weights_sha256(Path(where))
    if config.base_sha256 not in (None, found):
        raise WeightsError(
            f"expected the base {where!r} that the adapter was trained on, with weights "
            f"{config.base_sha256}, got {found}: bring that base along, or train the adapter on this one"
        )
    config.base_sha256 = found


def _load(where: str, revision: str, options: dict[str, Any]) -> Any:
    """Load the base, with transformers' account of it."""
    strict: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
    strict |= {"ignore_mismatched_sizes": True, "output_loading_info": True}
    try:
        return AutoModelForImageTextToText.from_pretrained(where, revision=revision, **(options | strict))
    except (OSError, ValueError, SafetensorError, AttributeError) as error:
        raise WeightsError(
            f"expected the base {where!r} of this model, got none that can be read: {_reason(error)}"
        ) from error


def _keep_packing(base: PreTrainedModel) -> None:
    """Leave 4-bit weights as they were packed, on every CPU.

    Where a CPU has AVX-512 BF16, bitsandbytes packs them anew, for good, in the first pass without
    gradients. Their product then has no gradient, so what is trained after an evaluation silently loses all
    that passes through the base; widths that are no multiples of 64 crash; and the weights are not those
    that were saved.
    """
    for module in base.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            setattr(module, "support_avx512bf16_for_cpu", False)  # noqa: B010 (its type has no such field)


def _shapes(config: PreTrainedConfig) -> PreTrainedConfig:
    """Give the configuration without what is of this loading: where from, and how quantised."""
    of_loading = ("_name_or_path", "quantization_config")
    return type(config).from_dict(
        {key: value for key, value in config.to_dict().items() if key not in of_loading}
    )


def _reason(error: BaseException) -> str:
    """Say what transformers says, and what helps."""
    causes: list[BaseException | None] = [error]
    while (last := causes[-1]) is not None:
        causes.append(last.__cause__ or last.__context__)
    if any(isinstance(cause, GatedRepoError) for cause in causes):
        return (
            "the repository is gated. Accept its terms on its page with your account, then log in "
            "(`hf auth login`, or set HF_TOKEN)"
        )
    return f"{error} Check its name and your connection; if it is a folder, give it back its place"


def _width(config: PreTrainedConfig) -> int:
    return config.get_text_config().hidden_size
