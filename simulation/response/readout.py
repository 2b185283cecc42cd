"""What every way of recording deposited energy does. Another way is another subclass, in its own file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

E = TypeVar("E")
"""What is simulated of an event."""


class Readout(ABC, Generic[E]):
    """How a detector records the energy deposited in it: what is left when an event becomes data."""

    @abstractmethod
    def geometry(self) -> dict[str, Any]:
        """Say what recorded events look like, as plain data."""

    @abstractmethod
    def summary(self) -> str:
        """Say in a line what it records, with units."""

    @abstractmethod
    def respond(self, event: E) -> dict[str, NDArray[Any]]:
        """Record an event.

        The same event is recorded alike each time: noise is drawn from a copy of the event's generator.

        Args:
            event: deposits with truth.

        Returns:
            The columns of hits that a dataset stores.
        """

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        return {name.replace("_", " "): _words(value) for name, value in self.geometry().items()}

    def simulation_facts(self) -> dict[str, str]:
        """Say what holds of events that nuzoo simulates alone: property and value, with units."""
        return {}

    def check(self, detector: Detector) -> None:
        """Refuse a detector that cannot be read out this way.

        Args:
            detector: with this readout.

        Raises:
            DetectorError: with what contradicts what.
        """
        return


def _words(value: Any) -> str:
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else f"{value}"
