"""The display of pixel maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuzoo.evaluation.display.event_summary import true_class
from nuzoo.evaluation.display.pixel_maps.event_display import draw_event
from nuzoo.evaluation.display.pixel_maps.event_page import write_interactive
from nuzoo.evaluation.display.pixel_maps.event_views import views_of
from nuzoo.simulation.detectors import DETECTORS


class PixelMapDisplay:
    """Fulfils `nuzoo.evaluation.display.contract.EventDisplay`, which says what each method is for."""

    def draws(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row has a view of the detector that it names."""
        detector = DETECTORS.get(row.get("detector", ""))
        return detector is not None and any(f"{view.name}_index" in row for view in views_of(detector))

    def facts(self, row: Mapping[str, Any], prediction: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Say what class an event has, and what class a model says."""
        facts = {"truth": true_class(row), "prediction": (prediction or {}).get("label")}
        return {title: value for title, value in facts.items() if value is not None}

    def draw(self, row: Mapping[str, Any], stem: Path, **options: Any) -> list[Path]:
        """Draw an event as a picture and as an interactive page."""
        picture, page = (stem.with_name(stem.name + suffix) for suffix in (".png", ".html"))
        drawn = draw_event(row, picture, **options)
        return [drawn, drawn.with_suffix(".pdf"), write_interactive(row, page, **options)]


DISPLAY = PixelMapDisplay()
