"""The base of every configuration: what a checkpoint says about itself is checked, never guessed."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from nuzoo.configuration.config_errors import ModelTypeError, UnknownConfigKeyError
from nuzoo.configuration.repository_code import CODE_KEYS, PushedWithCode, is_installed
from nuzoo.files.checksums import discard_checksums
from nuzoo.files.errors import FormatVersionError
from nuzoo.files.migration import Migration, migrate

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

COMMON_FIELDS = frozenset(field.name for field in fields(PreTrainedConfig))


@strict
class NuPreTrainedConfig(PushedWithCode, PreTrainedConfig):
    """A `PreTrainedConfig` whose loading is strict.

    `PreTrainedConfig` keeps any keyword as an attribute, so a misspelt or outdated key passes unseen.
    Here it is an error, as are another architecture's file and a file from a later version.

    Args:
        format_version: version of the meaning of this configuration's keys, see `latest_format`.

    Raises:
        UnknownConfigKeyError: a key is neither a field nor one that transformers writes.
        ModelTypeError: the keys belong to another `model_type`.
        FormatVersionError: `format_version` is not `latest_format`.

    Attributes:
        latest_format: the format that this class writes.
        migrations: for each earlier format, how the keys of its files become those of the next.
        writes_text: the network can also say in words what it sees, with `generate`.
        is_calibrated: there is a `temperature`, by which logits are divided.
    """

    latest_format: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Migration]] = {}
    writes_text: ClassVar[bool] = False
    is_calibrated: ClassVar[bool] = False

    format_version: int = 1

    def __post_init__(self, **kwargs: Any) -> None:
        self._refuse_other_keys(kwargs)
        super().__post_init__(**kwargs)
        if self.id2label is not None and self.label2id is None:
            self.label2id = {str(label): int(index) for index, label in self.id2label.items()}

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
        """
        if "model_type" not in config_dict:
            raise ModelTypeError(
                f"expected a config.json with model_type {cls.model_type!r}, got the keys "
                f"{sorted(config_dict)}: give the folder or repository of a saved model."
            )
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
                f"{type(self).__name__} has no field {', '.join(map(repr, unknown))}; beside those of "
                f"every PreTrainedConfig its fields are {', '.join(own)}. Correct or remove the key."
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
