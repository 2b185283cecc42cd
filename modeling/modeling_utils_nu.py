"""The base of every network: weights are loaded whole, from safetensors, or not at all."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError
from transformers import PreTrainedModel
from transformers.utils.hub import resolve_revision

from nuzoo.configuration.file_checksums import discard_checksums, verify_files
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.modeling.weight_files import FILES_BESIDE_WEIGHTS, name_unreadable, verified_weights

CACHE_LINE_BYTES = 64
PLACE_OF_FILES = ("cache_dir", "force_download", "local_files_only", "proxies", "subfolder", "token")
"""Arguments of `from_pretrained` that say where files come from, beside the revision."""


class NuPreTrainedModel(PreTrainedModel):
    """A `PreTrainedModel` whose loading is strict.

    Attributes:
        heads: modules that a checkpoint may hold and the network without a head leaves unread.
    """

    heads: ClassVar[tuple[str, ...]] = ()
    main_input_name = "pixel_values"
    input_modalities = "image"
    supports_gradient_checkpointing = True

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: Any,
        *args: Any,
        reinitialize: Collection[str] = (),
        output_loading_info: bool = False,
        **kwargs: Any,
    ) -> Self | tuple[Self, dict[str, Any]]:
        """Load a checkpoint, every tensor of it, from safetensors only.

        Where the repository holds checksums, the files are compared with them before they are read.

        Args:
            pretrained_model_name_or_path: Hub repository or local folder.
            *args: passed to `PreTrainedModel.from_pretrained`.
            reinitialize: names of modules, such as `["classifier"]`, that start afresh: their tensors
                may be missing or have another shape. Use it to fine-tune with other classes.
            output_loading_info: also return transformers' account of the loading.
            **kwargs: passed to `PreTrainedModel.from_pretrained`.

        Returns:
            The model in evaluation mode, and the account if asked for.

        Raises:
            WeightsError: a tensor is missing, unexpected or of another shape, a file is damaged, or
                there are only pickled weights.
            CorruptedFileError: a file differs from the one that was published.
        """
        weights = _verify(pretrained_model_name_or_path, kwargs)
        try:
            loaded: Any = super().from_pretrained(
                pretrained_model_name_or_path,
                *args,
                **{
                    **kwargs,
                    "use_safetensors": True,
                    "ignore_mismatched_sizes": True,
                    "output_loading_info": True,
                },
            )
        except SafetensorError as error:
            raise WeightsError(
                f"{pretrained_model_name_or_path}: expected whole safetensors files, got "
                f"{name_unreadable(weights) or error}. Download or save the weights again."
            ) from error
        model, report = loaded
        unread = cls.heads if model.base_model is model else ()
        _refuse_incomplete(report, (*reinitialize, *unread), pretrained_model_name_or_path)
        _align_weights(model)
        return (model, report) if output_loading_info else model

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> None:
        """Write the model; checksums of what was in the folder before are removed.

        Args:
            save_directory: the folder.
            *args: passed to `PreTrainedModel.save_pretrained`.
            **kwargs: passed to `PreTrainedModel.save_pretrained`.
        """
        super().save_pretrained(save_directory, *args, **kwargs)
        discard_checksums(save_directory)


def _verify(origin: Any, kwargs: dict[str, Any]) -> dict[str, Path]:
    """Verify the files that `from_pretrained` reads, all of one commit, and pin it for the loading."""
    if origin is None or Path(origin).is_file():
        return {}
    where = {key: kwargs[key] for key in PLACE_OF_FILES if key in kwargs}
    asked = {key: where[key] for key in ("cache_dir", "local_files_only", "token") if key in where}
    commit = resolve_revision(origin, kwargs.get("revision", "main"), **asked)
    adapter = dict(kwargs.get("adapter_kwargs") or {})
    if path := adapter.get("_adapter_model_path"):
        verify_files(path, FILES_BESIDE_WEIGHTS, revision=adapter.get("revision"), **asked)
    weights = verified_weights(origin, variant=kwargs.get("variant"), revision=commit, **where)
    if weights:
        kwargs |= {"revision": commit, "force_download": False}  # the files have just been fetched
    return weights


def _align_weights(model: PreTrainedModel) -> None:
    """Move weights that lie at odd addresses of the mapped file to memory of their own.

    The CPU's kernels round otherwise there: without this a loaded network differs from the saved
    one in the last bit.
    """
    for parameter in model.parameters():
        if parameter.device.type == "cpu" and parameter.data_ptr() % CACHE_LINE_BYTES:
            parameter.data = parameter.data.clone()


def _refuse_incomplete(report: dict[str, Any], excepted: tuple[str, ...], origin: Any) -> None:
    """Raise `WeightsError` unless every difference lies in an excepted module."""
    mismatched = {name for name, *_ in report["mismatched_keys"]}
    problems = {
        "missing": set(report["missing_keys"]) - mismatched,
        "unexpected": set(report["unexpected_keys"]),
        "of another shape": mismatched,
    }
    described = [
        f"{problem}: {', '.join(left)}"
        for problem, names in problems.items()
        if (left := sorted(name for name in names if not _belongs_to(name, excepted)))
    ]
    if described:
        raise WeightsError(
            f"{origin} does not hold the weights of this network. {'; '.join(described)}. Load it with "
            "the class and configuration that wrote it, or name the modules that shall start afresh: "
            'reinitialize=["classifier"].'
        )


def _belongs_to(tensor: str, modules: tuple[str, ...]) -> bool:
    return any(tensor == module or tensor.startswith(f"{module}.") for module in modules)
