"""The base of every configuration: what a checkpoint says about itself is checked, never guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from nuzoo.configuration.config_errors import ConfigError, ModelTypeError, UnknownConfigKeyError
from nuzoo.configuration.repository_code import CODE_KEYS, PushedWithCode, is_installed
from nuzoo.files.checksums import discard_checksums
from nuzoo.files.errors import FormatVersionError
from nuzoo.files.migration import Migration, migrate
from nuzoo.files.nearest_names import did_you_mean, nearest_names

KEYS_OF_TRANSFORMERS = frozenset(
    {
        "_attn_implementation",
        "_experts_implementation",
        "_commit_hash",
        "_name_or_path",
        "_output_attentions",
        "attn_implementation",
        "auto_map",
        "custom_pipelines",
        "experts_implementation",
        "model_type",
        "name_or_path",
        "num_labels",
        "output_attentions",
        "per_layer_config",
        "quantization_config",
        "torch_dtype",
        "use_cache",
    }
)
"""Keys that transformers itself writes into `config.json` or passes to a configuration."""

ATTRIBUTES = "other_attributes"
"""Key of `config.json` with what was set on a configuration and is none of its fields, as tools do."""

WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {"chunk_size_feed_forward": (0,), "is_encoder_decoder": (False,)}
"""Fields of every PreTrainedConfig that no network here heeds, and the values that ask for nothing."""

LOST_BY_TRANSFORMERS = frozenset({"use_cache"})
"""Keys that it takes for settings of `generate` and drops, where files hold them."""

MISSPELT_FIELD = 0.85
"""How much like a field, of 1, an attribute must be to be a misspelt one: tools have names of their own."""

COMMON_FIELDS = frozenset(field.name for field in fields(PreTrainedConfig))


@strict
class NuPreTrainedConfig(PushedWithCode, PreTrainedConfig):
    """A `PreTrainedConfig` whose loading is strict.

    `PreTrainedConfig` keeps any keyword as an attribute, so a misspelt or outdated key passes unseen.
    Here it is an error, as are another architecture's file and a file from a later version. Tools set
    attributes of their own on a configuration: they are kept, under `other_attributes` of its file, unless
    they look like a misspelt field.

    Args:
        format_version: version of the meaning of this configuration's keys, see `latest_format`.

    Raises:
        UnknownConfigKeyError: a key is neither a field nor one that transformers writes, or an attribute is
            a misspelt field.
        ConfigError: a field of every PreTrainedConfig asks for what this network does not do.
        ModelTypeError: the keys belong to another `model_type`.
        FormatVersionError: `format_version` is not `latest_format`.

    Attributes:
        latest_format: the format that this class writes.
        migrations: for each earlier format, how the keys of its files become those of the next.
        writes_text: the network can also say in words what it sees, with `generate`.
        is_calibrated: there is a `temperature`, by which logits are divided.
        without_effect: fields that the network does not heed, and the values that are allowed nevertheless.
        fields_of_modules: fields that only networks with a module of this name heed.
    """

    latest_format: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Migration]] = {}
    writes_text: ClassVar[bool] = False
    is_calibrated: ClassVar[bool] = False
    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = WITHOUT_EFFECT
    fields_of_modules: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    format_version: int = 1

    def __post_init__(self, **kwargs: Any) -> None:
        attributes: dict[str, Any] = kwargs.pop(ATTRIBUTES, None) or {}
        self._refuse_other_keys(kwargs)
        super().__post_init__(**kwargs)
        self.architectures = self.architectures or []  # AutoModel.from_config goes through them
        if self.id2label is not None and self.label2id is None:
            self.label2id = {str(label): int(index) for index, label in self.id2label.items()}
        self.update(attributes)

    def __setattr__(self, key: str, value: Any) -> None:
        allowed = self.without_effect.get(key)
        if allowed is not None and value not in allowed:
            raise ConfigError(
                f"{type(self).__name__}: expected {key.lstrip('_')} to be "
                f"{' or '.join(map(repr, allowed))}, got {value!r}, which has no effect on this network: "
                "leave it out"
            )
        if not key.startswith("_") and not hasattr(type(self), key):
            _refuse_misspelt(type(self).__name__, [key], self._known())
        super().__setattr__(key, value)

    @classmethod
    def _known(cls) -> set[str]:
        """Give the names of all that a configuration of this class holds."""
        return {field.name for field in fields(cls)} | KEYS_OF_TRANSFORMERS

    def to_dict(self) -> dict[str, Any]:
        """Give the fields, and under `other_attributes` what else was set."""
        keys: dict[str, Any] = super().to_dict()
        own = self._known() - LOST_BY_TRANSFORMERS
        others = {name for name in keys.keys() - own if not name.startswith("_")}
        attributes = {name: keys.pop(name) for name in sorted(others)}
        return keys | ({ATTRIBUTES: attributes} if attributes else {})

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: Any, return_unused_kwargs: bool = False, **kwargs: Any
    ) -> Any:
        """Load the configuration of a model.

        Args:
            pretrained_model_name_or_path: Hub repository or local folder.
            return_unused_kwargs: also return the arguments that are no fields.
            **kwargs: fields to set otherwise, and what `PreTrainedConfig.from_pretrained` takes.

        Raises:
            UnknownConfigKeyError: an argument is neither.
            ModelTypeError: see `from_dict`.
            FormatVersionError: see `from_dict`.
        """
        is_auto = "_from_auto" in kwargs
        config, unused = super().from_pretrained(
            pretrained_model_name_or_path, return_unused_kwargs=True, **kwargs
        )
        if return_unused_kwargs:
            return config, unused
        if unused and not is_auto:
            raise UnknownConfigKeyError(
                f"{cls.__name__} has no field {', '.join(map(repr, sorted(unused)))}"
                f"{did_you_mean(unused, cls._known())}. Correct or remove it."
            )
        return config

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration of the content of a `config.json` of this format or an earlier one.

        Args:
            config_dict: the content.
            **kwargs: passed to `PreTrainedConfig.from_dict`.

        Returns:
            The configuration, and the unused arguments if `return_unused_kwargs` is set.

        Raises:
            ModelTypeError: the file does not say its `model_type`.
            FormatVersionError: the file is of a later format, or cannot be migrated.
            UnknownConfigKeyError: an argument is a misspelt field.
        """
        if "model_type" not in config_dict:
            raise ModelTypeError(
                f"expected a config.json with model_type {cls.model_type!r}, got the keys "
                f"{sorted(config_dict)}: give the folder or repository of a saved model."
            )
        _refuse_misspelt(cls.__name__, kwargs, cls._known())
        keys = migrate(config_dict, cls.latest_format, cls.migrations, repr(cls.model_type))
        if is_installed():
            keys = {key: value for key, value in keys.items() if key not in CODE_KEYS}
        return super().from_dict(keys, **kwargs)

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> None:
        """Write `config.json`; checksums of what was in the folder before are removed."""
        super().save_pretrained(save_directory, *args, **kwargs)
        discard_checksums(save_directory)

    def _refuse_other_keys(self, keys: dict[str, Any]) -> None:
        if unknown := sorted(set(keys) - KEYS_OF_TRANSFORMERS):
            own = sorted({field.name for field in fields(self)} - COMMON_FIELDS)
            raise UnknownConfigKeyError(
                f"{type(self).__name__} has no field {', '.join(map(repr, unknown))}"
                f"{did_you_mean(unknown, self._known()) or '.'} Beside those of every PreTrainedConfig its "
                f"fields are {', '.join(own)}. Correct or remove the key."
            )
        if (model_type := keys.get("model_type", self.model_type)) != self.model_type:
            raise ModelTypeError(
                f"expected model_type {self.model_type!r}, got {model_type!r}: "
                "load this folder with AutoConfig, or with the configuration class of that type."
            )
        if self.format_version != self.latest_format:
            raise FormatVersionError(
                f"expected format_version {self.latest_format} for {self.model_type!r}, got "
                f"{self.format_version}: read files with from_pretrained or from_dict, which migrate those "
                "of earlier formats; update nuzoo for later ones."
            )


def _refuse_misspelt(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise for what looks like a field and is none; tools set, and transformers passes, other names."""
    for key, meant in nearest_names(given, known, MISSPELT_FIELD).items():
        raise UnknownConfigKeyError(f"{kind} has no field {key!r}: did you mean {meant!r}?")
