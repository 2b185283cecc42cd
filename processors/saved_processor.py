"""What every processor shares, whatever it reads: its file, and the refusal of what is not in it."""

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from transformers import PreTrainedConfig

from nuzoo.configuration.repository_code import PushedWithCode
from nuzoo.files.checksums import discard_checksums
from nuzoo.files.errors import FormatVersionError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.migration import Migration, migrate
from nuzoo.files.names import PROCESSOR_FILES
from nuzoo.files.nearest_names import did_you_mean, nearest_names
from nuzoo.files.origin import verify_files, whereabouts
from nuzoo.processors.event_tables import as_table, is_single_row, read_hits, split_rows, values_of
from nuzoo.processors.input_errors import (
    DetectorMismatchError,
    MissingStatisticsError,
    ProcessorModelMismatchError,
    ProcessorSettingError,
)

KIND_KEYS = ("feature_extractor_type", "image_processor_type")
KEYS_OF_TRANSFORMERS = frozenset({"auto_map", "processor_class", *KIND_KEYS})

PASSED_BY_TRANSFORMERS = frozenset(
    {
        "attn_implementation",
        "code_revision",
        "device_map",
        "dtype",
        "quantization_config",
        "torch_dtype",
        "trust_remote_code",
        "variant",
    }
)
"""What pipelines and Auto classes pass to every processor, of what is meant for the network."""


class SavedProcessor(PushedWithCode):
    """A processor whose loading is strict; put it before a base of transformers.

    Images have `BaseImageProcessor`. What else an event may be has `FeatureExtractionMixin`, which saves the
    attributes of an object and knows nothing of their meaning. Settings are the arguments of `__init__`; each
    is kept in the attribute of its name. Attributes that begin with an underscore are not saved.

    Args:
        format_version: of the settings; `from_dict` migrates those of earlier formats.
        **kwargs: what transformers writes into a processor's file.

    Raises:
        ProcessorSettingError: a setting is unknown.
        FormatVersionError: the settings are of another format.

    Attributes:
        latest_format: the format that this class writes.
        migrations: for each earlier format, how the keys of its files become those of the next.
        statistics: settings that `fit` measures, and without which nothing runs.
        kept_from_network: see `EventProcessor`.
        writes_text: it is for networks that are asked a question, see `NuPreTrainedConfig`.
        detector: identifier of the detector; events of another one are refused. None takes any.
    """

    latest_format: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Migration]] = {}
    statistics: ClassVar[tuple[str, ...]] = ()
    kept_from_network: ClassVar[tuple[str, ...]] = ()
    writes_text: ClassVar[bool] = False
    detector: str | None = None

    def __init__(self, format_version: int | None = None, **kwargs: Any):
        if unknown := sorted(kwargs.keys() - KEYS_OF_TRANSFORMERS):
            known = self.settings()
            raise ProcessorSettingError(
                f"{type(self).__name__} has no setting {', '.join(map(repr, unknown))}"
                f"{did_you_mean(unknown, known) or '.'} It has {', '.join(known)}. Correct or remove the key."
            )
        super().__init__(**kwargs)
        self.format_version = self.latest_format if format_version is None else format_version
        if self.format_version != self.latest_format:
            raise FormatVersionError(
                f"expected format_version {self.latest_format} of {type(self).__name__}, got "
                f"{format_version}: read files with from_pretrained or from_dict, which migrate those of "
                "earlier formats"
            )

    @classmethod
    def settings(cls) -> list[str]:
        """Give the names of the settings."""
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        taken = inspect.signature(cls).parameters.values()
        return [one.name for one in taken if one.kind in named and one.name != "format_version"]

    @property
    def needed_statistics(self) -> tuple[str, ...]:
        """Those of `statistics` that it needs, by its other settings."""
        return self.statistics

    @property
    def is_fitted(self) -> bool:
        """Whether it has the statistics that it needs."""
        return all(getattr(self, name) is not None for name in self.needed_statistics)

    @classmethod
    def for_geometry(cls, geometry: Mapping[str, Any], **settings: Any) -> Self:
        """Build the processor of a detector; settings that are given win over those of its geometry."""
        return cls(**({name: geometry[name] for name in cls.settings() if name in geometry} | settings))

    @property
    def call_options(self) -> set[str]:
        """Names of what `__call__` takes beside rows and targets."""
        taken = inspect.signature(type(self).__call__).parameters.values()
        named = {one.name for one in taken if one.kind is inspect.Parameter.KEYWORD_ONLY}
        return named - {"targets", "return_tensors"}

    def refuse_options(self, unknown: Iterable[str], known: Iterable[str] | None = None) -> None:
        """Raise `ProcessorSettingError` for what was given in a call, and is no option of it.

        Args:
            unknown: names of what is left over when every option has been taken.
            known: the options that there are; by default those of `__call__`.
        """
        if given := sorted(unknown):
            known = sorted(known or self.call_options | {"targets", "return_tensors"})
            raise ProcessorSettingError(
                f"a call of {type(self).__name__} has no option {', '.join(map(repr, given))}"
                f"{did_you_mean(given, known) or '.'} It has {', '.join(known)}. Correct or remove it."
            )

    def reading_options(self) -> dict[str, Any]:
        """Say how files are read, by its settings; see `EventProcessor.reading_options`."""
        return {}

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Any, revision: str = "main", **kwargs: Any
    ) -> Any:
        """Load the processor of a model; its file is compared with its checksum where it has one.

        Args:
            pretrained_model_name_or_path: Hub repository, local folder or file.
            revision: of the repository.
            **kwargs: settings to override, and what `from_pretrained` of transformers takes.

        Raises:
            MissingStatisticsError: the file is of a processor that was not fitted.
            FormatVersionError: the file is of a later format.
            ProcessorSettingError: a setting is unknown or out of range.
            CorruptedFileError: the file differs from the one that was published.
        """
        origin = pretrained_model_name_or_path
        if not Path(origin).is_file():
            where = whereabouts(origin, {**kwargs, "revision": revision})
            verify_files(origin, PROCESSOR_FILES, **where)
            revision = where["revision"]
        try:
            return super().from_pretrained(origin, revision=revision, **kwargs)  # type: ignore[misc]
        except MissingStatisticsError as error:
            raise MissingStatisticsError(f"{origin}: {error}") from error

    @classmethod
    def from_dict(cls, keys: dict[str, Any], **kwargs: Any) -> Any:
        """Make a processor of the content of a file of this format or an earlier one.

        Args:
            keys: the content.
            **kwargs: settings to override.

        Returns:
            The processor, and the unused arguments if `return_unused_kwargs` is set.

        Raises:
            EventError: see `from_pretrained`; or an argument is a misspelt setting.
            ProcessorModelMismatchError: the content is that of another kind of processor.
            FormatVersionError: the content is of a later format.
        """
        _refuse_other_kind(cls, keys)
        settings, unused_wanted = cls.settings(), kwargs.pop("return_unused_kwargs", False)
        given = {name: kwargs.pop(name) for name in settings if name in kwargs}
        _refuse_unknown(cls.__name__, kwargs, settings, typing_errors_only=unused_wanted)
        keys = migrate(keys, cls.latest_format, cls.migrations, cls.__name__) | given
        if lacking := [name for name in cls.statistics if keys.get(name) is None]:
            raise MissingStatisticsError(
                f"expected {', '.join(lacking)}, the statistics of the training events, in the processor's "
                f"file, got none: use the file that was saved with the model, or give {lacking[0]}=[...]"
            )
        try:
            made = cls(**keys)
        except (TypeError, AttributeError) as error:
            raise ProcessorSettingError(
                f"expected settings of the kinds that {cls.__name__} takes, got another ({error}): "
                "use the file that was saved with the model, or correct the setting"
            ) from error
        made.refuse_unfitted()
        return (made, kwargs) if unused_wanted else made

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as they are saved.

        AutoImageProcessor, which pipelines ask, would guess the name of a class from that of another kind.
        """
        saved = super().to_dict()  # type: ignore[misc]
        if "feature_extractor_type" in saved:
            saved["image_processor_type"] = type(self).__name__
        return {name: value for name, value in saved.items() if not name.startswith("_")}

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the processor's file; checksums of what was in the folder before are removed.

        Raises:
            MissingStatisticsError: the processor has not been fitted: nobody could load it.
        """
        self.refuse_unfitted()
        files = super().save_pretrained(save_directory, *args, **kwargs)
        discard_checksums(save_directory)
        return files

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""
        raise NotImplementedError

    def is_single_event(self, inputs: Any) -> bool:
        """Whether `inputs` is one event rather than several."""
        return is_single_row(inputs, self.schema)

    def split_events(self, inputs: Any) -> list[Any]:
        """Take several events apart."""
        return split_rows(inputs, self.schema)

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network that is asked a question, if this asks none, or the reverse."""
        if config.writes_text != self.writes_text:
            raise ProcessorModelMismatchError(
                f"expected a processor for a {config.model_type}, got a {type(self).__name__}: use "
                "the processor that is saved with the model"
            )

    def read_hits(self, rows: Any) -> dict[str, Ragged]:
        """Read and check what the detector recorded.

        Args:
            rows: see `nuzoo.processors.event_tables.split_rows`.

        Returns:
            The columns of lists of the schema, by name.

        Raises:
            EventError: an event is of another detector, or not what the schema says.
        """
        self.check_detector(rows)
        hits = read_hits(rows, self.schema)
        self.schema.check(hits)
        return hits

    def network_fields(self) -> dict[str, Any]:
        """Give the fields of a configuration that follow from the processor, as far as networks have them."""
        return {}

    def instructions(self) -> dict[str, Any]:
        """Say how its tensors are made: by its settings; see `EventProcessor.instructions`."""
        return {"constants": self.to_dict(), "steps": []}

    def opened(self, rows: Any, unknown: Iterable[str]) -> Any:
        """Begin a call: give its rows in a form that is read column by column, where they have one.

        Args:
            rows: see `nuzoo.processors.event_tables.as_table`.
            unknown: names of what was given and is no option of a call.

        Raises:
            ProcessorSettingError: there are such names.
            MissingStatisticsError: it has not been fitted.
        """
        self.refuse_options(unknown)
        self.refuse_unfitted()
        return as_table(rows)

    def refuse_unfitted(self) -> None:
        """Raise `MissingStatisticsError` unless it is fitted."""
        if not self.is_fitted:
            raise MissingStatisticsError(
                f"expected a fitted processor, got {'=None, '.join(self.needed_statistics)}=None: load the "
                "processor that is saved with the model, or call processor.fit(rows) on the training events"
            )

    def check_detector(self, rows: Any, accepted: str | None = None) -> None:
        """Refuse events that say that another detector saw them.

        Args:
            rows: see `nuzoo.processors.event_tables.values_of`.
            accepted: a detector whose events are taken nevertheless.

        Raises:
            DetectorMismatchError: some do.
        """
        if self.detector is None:
            return
        if others := set(values_of(rows, "detector")) - {None, self.detector, accepted}:
            got = ", ".join(sorted(map(str, others)))
            raise DetectorMismatchError(
                f"this model is for events of {self.detector}, these are of {got}: take a model of that "
                "detector, or train one on these events (knowingly accepted with detector=… in Python, "
                "--any-detector of nuzoo predict)"
            )


def _refuse_other_kind(kind: type, keys: Mapping[str, Any]) -> None:
    written_by = next((keys[key] for key in KIND_KEYS if key in keys), kind.__name__)
    if written_by != kind.__name__:
        raise ProcessorModelMismatchError(
            f"expected the file of a {kind.__name__}, got that of a {written_by}: the model is of another "
            "architecture, load it with AutoProcessor"
        )


def _refuse_unknown(
    kind: str, overrides: Iterable[str], settings: list[str], *, typing_errors_only: bool
) -> None:
    """Raise for what is no setting, or, where the rest is given back, for what looks like one."""
    others = set(overrides) - PASSED_BY_TRANSFORMERS
    if unknown := sorted(nearest_names(others, settings) if typing_errors_only else others):
        raise ProcessorSettingError(
            f"{kind} has no setting {', '.join(map(repr, unknown))}{did_you_mean(unknown, settings) or '.'} "
            f"It has {', '.join(settings)}. Correct or remove it."
        )
