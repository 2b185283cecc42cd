"""What draws the events of a modality: `nuzoo.registry.Modality.display` names one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class EventDisplay(Protocol):
    """Draws rows of events."""

    def draws(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row is an event of this modality."""

    def facts(self, row: Mapping[str, Any], prediction: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Say in a few words what is true of an event that was drawn, and what is predicted of it.

        Returns:
            Text or the name of a class by title, for a list of events; what is not known is left out.
        """

    def draw(
        self,
        row: Mapping[str, Any],
        stem: Path,
        *,
        prediction: Mapping[str, Any] | None = None,
        sample: str | None = None,
    ) -> list[Path]:
        """Draw an event as a picture and as an interactive page.

        Args:
            row: Of a dataset.
            stem: Of the files, which get `.png`, `.pdf` and `.html`; its folder exists.
            prediction: What the pipeline of a task of the modality says of the event.
            sample: What the event is called; needed unless it is our simulation.

        Returns:
            The files.

        Raises:
            EventError: A column is missing or wrong.
            EvaluationError: An event of another origin without `sample`.
        """
