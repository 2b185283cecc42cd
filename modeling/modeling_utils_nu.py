"""The base of every network: weights are loaded whole, from safetensors, or not at all."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from transformers import PreTrainedModel

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.configuration.repository_code import PushedWithCode
from nuzoo.files.checksums import discard_checksums
from nuzoo.files.modes import unlock_weights
from nuzoo.files.nearest_names import did_you_mean, nearest_names
from nuzoo.files.origin import whereabouts
from nuzoo.modeling.adapter_files import Adapter, find_adapter, write_calibration
from nuzoo.modeling.arguments import ArgumentError, named_arguments
from nuzoo.modeling.transfer import Transfer
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.modeling.weight_files import name_unreadable, verified_weights

CACHE_LINE_BYTES = 64
NO_ADAPTER = "no-adapter"
MISSPELT_OPTION = 0.8
TENSORS_NAMED = 8

OPTIONS = ("attn_implementation", "device_map", "dtype", "quantization_config", "subfolder", "variant")
"""What users of `from_pretrained` give beside its named arguments."""


class NuPreTrainedModel(PushedWithCode, PreTrainedModel):  # type: ignore[misc]
    """A `PreTrainedModel` whose loading is strict.

    Attributes:
        heads: modules outside of the body. Of the body, those of every network around it: what a network
            does not have of these, it leaves unread in a checkpoint.
        transfers_from: parts of the body that mean the same in networks of other types: for each type, what a
            part is called there, and here.
        evidence: names of the outputs that are evidence for classes where `config.evidential` says so.
        transfer: what was loaded of such a network, if anything.
        exports_graph: inputs are tensors with an entry for each event, and what happens to them does not
            depend on their values, so that `torch.export` and ONNX can hold the network.
    """

    config: NuPreTrainedConfig
    heads: ClassVar[tuple[str, ...]] = ()
    transfers_from: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    evidence: ClassVar[tuple[str, ...]] = ()
    transfer: Transfer | None = None
    exports_graph: ClassVar[bool] = False
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
            reinitialize: names of modules, such as `["classifier"]`, that start afresh, whatever the
                checkpoint holds of them. Use it to fine-tune with other classes.
            output_loading_info: also return transformers' account of the loading.
            **kwargs: passed to `PreTrainedModel.from_pretrained`.

        Returns:
            The model in evaluation mode, and the account if asked for.

        Raises:
            WeightsError: a tensor is missing, unexpected or of another shape, a file is damaged, there are
                only pickled weights, or an argument asks for less strictness.
            CorruptedFileError: a file differs from the one that was published.
            ArgumentError: an argument is misspelt, or a module that shall start afresh is none of its.
        """
        _refuse_options(cls, kwargs)
        adapter_kwargs = kwargs.pop("adapter_kwargs", None) or {}
        adapter_name = kwargs.pop("adapter_name", "default")
        adapter = None
        origin = pretrained_model_name_or_path
        if origin is not None:
            where = whereabouts(origin, kwargs)
            kwargs["revision"] = where["revision"]
            adapter = find_adapter(origin, adapter_kwargs, **where)
        if adapter is None:
            model, report = cls._load_network(origin, args, reinitialize, kwargs)
        else:
            of_base = _for_base(adapter, origin, kwargs)
            model, _ = cls._load_network(adapter.base, args, reinitialize, of_base)
            report = load_adapter(model, adapter, adapter_name)
            if adapter.temperature is not None and model.config.is_calibrated:
                model.config.temperature = adapter.temperature
        return (model, report) if output_loading_info else model

    @classmethod
    def _load_network(
        cls, origin: Any, args: tuple[Any, ...], reinitialize: Collection[str], kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Load the network without an adapter, with transformers' account of it."""
        weights: dict[str, Path] = {}
        if origin is not None:
            where = whereabouts(origin, kwargs)
            weights = verified_weights(origin, variant=kwargs.get("variant"), **where)
            kwargs |= {"revision": where["revision"], "force_download": False}  # they have been fetched
        strict = {"use_safetensors": True, "ignore_mismatched_sizes": True, "output_loading_info": True}
        try:
            loaded: Any = super().from_pretrained(origin, *args, **(kwargs | strict))
        except SafetensorError as error:
            raise WeightsError(
                f"{origin}: expected whole safetensors files, got {name_unreadable(weights) or error}. "
                "Download or save the weights again."
            ) from error
        model, report = loaded
        modules = [module_named(model, name) for name in reinitialize]
        refuse_incomplete(report, (*reinitialize,), origin)
        if modules:
            _start_afresh(model, modules)
        _align_weights(model)
        return model, report

    def post_init(self) -> None:
        """Have transformers pass over a checkpoint's heads without a word where the network has none."""
        super().post_init()
        every = getattr(type(self.base_model), "heads", ())
        lacking = {rf"^{head}\." for head in every if not hasattr(self, head)}
        ignored = set(self._keys_to_ignore_on_load_unexpected or ()) - {rf"^{head}\." for head in every}
        self._keys_to_ignore_on_load_unexpected = ignored | lacking

    def _wanted(self, what: str, asked: bool | None) -> bool:
        """Tell whether an output is wanted that costs memory, "hidden_states" or "attentions".

        Args:
            what: its name.
            asked: what `forward` was asked for; None takes the configuration's word.

        Raises:
            ValueError: attention weights are asked for without the "eager" attention.
        """
        wanted: bool = getattr(self.config, f"output_{what}") if asked is None else asked
        if what == "attentions" and wanted and self.config._attn_implementation != "eager":
            raise ValueError(
                'expected the attention "eager" for output_attentions=True, got '
                f"{self.config._attn_implementation!r}, which keeps no weights: call "
                'model.set_attn_implementation("eager") first'
            )
        return wanted

    def freeze(self, names: Iterable[str]) -> None:
        """Keep modules as they are when the network is trained: they stay in the mode of evaluation.

        Args:
            names: of modules, such as `["nu_point.encoder"]`.

        Raises:
            ArgumentError: one is none of its modules.
        """
        for name in names:
            module_named(self, name, "frozen").requires_grad_(False)
        self._frozen = tuple(names)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training; frozen modules, and any frozen batch norm, stay as they are.

        So an adapter, which holds what is learnt alone, is of the very network that is loaded with it.
        """
        super().train(mode)
        for name in getattr(self, "_frozen", ()):
            self.get_submodule(name).eval()
        for module in self.modules():
            if isinstance(module, _BatchNorm) and module.affine and not module.weight.requires_grad:
                module.eval()
        return self

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> None:
        """Write the model; checksums of what was in the folder before are removed."""
        super().save_pretrained(save_directory, *args, **kwargs)
        unlock_weights(save_directory)
        discard_checksums(save_directory)
        if has_adapter(self) and self.config.is_calibrated:
            write_calibration(save_directory, self.config.temperature)


def _refuse_options(network: type[NuPreTrainedModel], given: dict[str, Any]) -> None:
    """Refuse arguments of `from_pretrained` that are misspelt, or that strict loading cannot follow."""
    known = {*named_arguments(PreTrainedModel.from_pretrained), "reinitialize", *OPTIONS}
    for name, meant in nearest_names(given, known, MISSPELT_OPTION).items():
        raise ArgumentError(f"{network.__name__}.from_pretrained has no {name!r}: did you mean {meant!r}?")
    if given.get("ignore_mismatched_sizes"):
        raise WeightsError(
            "expected no ignore_mismatched_sizes=True, which also passes over weights that are wrong by "
            "mistake: name the modules that shall start afresh, for other classes "
            'reinitialize=["classifier"]'
        )
    if given.get("use_safetensors") is False:
        raise WeightsError("expected no use_safetensors=False: pickled weights are never read")


def module_named(model: PreTrainedModel, name: str, argument: str = "reinitialize") -> nn.Module:
    """Find a module of a network, or raise `ArgumentError`."""
    modules = dict(model.named_modules())
    if not name or name not in modules:
        raise ArgumentError(
            f"{argument}: expected names of modules of {type(model).__name__}, got {name!r}"
            f"{did_you_mean([name], modules)}"
        )
    return modules[name]


def _start_afresh(model: PreTrainedModel, modules: Iterable[nn.Module]) -> None:
    """Give modules the weights that they have before any training."""
    for part in (part for module in modules for part in module.modules()):
        for item in (part, *part.parameters(recurse=False), *part.buffers(recurse=False)):
            item._is_hf_initialized = False  # type: ignore[attr-defined]
    model.initialize_weights()


def has_adapter(model: PreTrainedModel) -> bool:
    """Whether a PEFT adapter is part of the network, so that `save_pretrained` writes the adapter alone."""
    return bool(getattr(model, "_hf_peft_config_loaded", False))


def _for_base(adapter: Adapter, origin: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments that load the network of an adapter, without looking for an adapter once more."""
    options = kwargs | {"adapter_kwargs": {"subfolder": NO_ADAPTER}}
    if adapter.base != origin:
        options |= {"revision": str(kwargs["revision"]), "subfolder": ""}
    if adapter.base_revision is not None:
        options |= {"revision": adapter.base_revision}
        options.pop("config", None)  # the Auto classes read it at the branch's head
    return options


def load_adapter(model: PreTrainedModel, adapter: Adapter, name: str = "default") -> dict[str, Any]:
    """Add an adapter to a network, every tensor of it.

    Args:
        model: the network.
        adapter: see `nuzoo.modeling.adapter_files.find_adapter`.
        name: of the adapter in the network.

    Returns:
        transformers' account of the loading; it forgets to report on the network.

    Raises:
        WeightsError: a tensor is missing, unexpected or of another shape.
    """
    path, where = adapter.path, dict(adapter.where)
    if Path(path).is_dir():  # transformers 5.17 looks for subfolders on the Hub only
        path = str(Path(path, where.pop("subfolder", "")))
    strict: Any = {"use_safetensors": True, "ignore_mismatched_sizes": True}
    try:
        account: Any = model.load_adapter(
            path, adapter_name=name, adapter_kwargs=where, dtype=model.dtype, **strict
        )
    except ImportError:
        raise
    except Exception as error:  # PEFT has an exception for each setting that makes no sense
        raise WeightsError(
            f"{path}: expected an adapter for this network, got one that does not fit or is damaged "
            f"({type(error).__name__}: {error}). Download or train it again"
        ) from error
    report = account.to_dict()
    refuse_incomplete(report, (), adapter.path)
    return report


def _align_weights(model: PreTrainedModel) -> None:
    """Move weights that lie at odd addresses of the mapped file to memory of their own.

    The CPU's kernels round otherwise there: without this a loaded network differs from the saved
    one in the last bit.
    """
    for parameter in model.parameters():
        if parameter.device.type == "cpu" and parameter.data_ptr() % CACHE_LINE_BYTES:
            parameter.data = parameter.data.clone()


def refuse_incomplete(report: dict[str, Any], excepted: tuple[str, ...], origin: Any) -> None:
    """Refuse weights that are not those of a network.

    Args:
        report: transformers' account of the loading.
        excepted: modules whose tensors may be missing or others.
        origin: where the weights are from.

    Raises:
        WeightsError: a tensor of another module is missing, unexpected or of another shape.
    """
    mismatched = {
        name: f"{name} (expected {tuple(expected)}, got {tuple(got)})"
        for name, got, expected in report["mismatched_keys"]
    }
    problems = {
        "missing": set(report["missing_keys"]) - mismatched.keys(),
        "unexpected": set(report["unexpected_keys"]),
        "of another shape": set(mismatched),
    }
    described = [
        f"{problem}: {_named([mismatched.get(name, name) for name in left])}"
        for problem, names in problems.items()
        if (left := sorted(name for name in names if not _belongs_to(name, excepted)))
    ]
    if described:
        raise WeightsError(
            f"{origin} does not hold the weights of this network. {'; '.join(described)}. Load it with "
            "the class and configuration that wrote it, or name the modules that shall start afresh: "
            'reinitialize=["classifier"].'
        )


def _named(tensors: list[str]) -> str:
    """Name the first of many tensors, and count the rest."""
    more = len(tensors) - TENSORS_NAMED
    return ", ".join(tensors[:TENSORS_NAMED]) + (f", and {more:,} more" if more > 0 else "")


def _belongs_to(tensor: str, modules: tuple[str, ...]) -> bool:
    return any(tensor == module or tensor.startswith(f"{module}.") for module in modules)
