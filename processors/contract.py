"""What every processor of events does, whatever it reads: the second contract of the zoo."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from transformers import PreTrainedConfig
from transformers.feature_extraction_utils import BatchFeature

from nuzoo.files.events.event_schema import EventSchema


class EventProcessor(Protocol):
    """Turns rows of events into what a network takes, and knows units, geometry and normalisation.

    Attributes:
        modality: name of the modality of its events.
        detector: whose events it takes; None takes any.
        kept_from_network: names of tensors of its batches that are for turning outputs into physics.
    """

    modality: ClassVar[str]
    kept_from_network: ClassVar[tuple[str, ...]]
    detector: str | None

    @classmethod
    def for_geometry(cls, geometry: Mapping[str, Any], **settings: Any) -> Self:
        """Build the processor of a detector.

        Args:
            geometry: what the detector's events look like, see `nuzoo.simulation.detectors`.
            **settings: of the processor.

        Returns:
            The processor, not fitted.
        """

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one, not fitted, that suits a tiny configuration of a network, for tests."""

    @property
    def model_input_names(self) -> Sequence[str]:
        """The names of the tensors of its batches that networks take."""

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""

    @property
    def is_fitted(self) -> bool:
        """Whether it has the statistics that it needs."""

    def fit(self, rows: Any) -> Self:
        """Measure the normalisation on training events, any number, read in steps; return the processor."""

    def __call__(self, rows: Any, *, targets: Sequence[str] = (), **options: Any) -> BatchFeature:
        """Make a batch.

        Args:
            rows: one event, several, an Arrow table of them, or a `datasets.Dataset`.
            targets: columns with the truth; they become `labels` of the batch.
            **options: of the modality; one that it does not have is refused by name.

        Returns:
            Tensors by the names of the network's arguments.
        """

    def is_single_event(self, inputs: Any) -> bool:
        """Whether `inputs`, see `__call__`, is one event rather than several."""

    def split_events(self, inputs: Any) -> list[Any]:
        """Take several events apart, each as `__call__` takes it."""

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events to try a network on, as rows; the first is empty, the second has one hit."""

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse the configuration of a network for other inputs.

        Raises:
            ProcessorModelMismatchError: with what differs.
        """

    def network_fields(self) -> dict[str, Any]:
        """Give the fields of a configuration that follow from the processor, as far as networks have them."""

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""

    def instructions(self) -> dict[str, Any]:
        """Say how its tensors are made, for those who make them without it.

        Returns:
            JSON values: `constants` by name, with units, and `steps`, each in words that name constants.
        """

    @property
    def call_options(self) -> set[str]:
        """Names of what `__call__` takes beside rows and targets."""

    def reading_options(self) -> dict[str, Any]:
        """Say how files are read, by its settings: arguments of its modality's reader."""

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as they are saved."""

    def save_pretrained(self, save_directory: Any, **options: Any) -> Any:
        """Write its file into a folder; the options are those of transformers."""


def network_inputs(processor: EventProcessor, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a batch of a processor what its network is given."""
    return {name: value for name, value in batch.items() if name not in processor.kept_from_network}
