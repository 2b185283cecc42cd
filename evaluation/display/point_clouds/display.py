"""The display of point clouds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuzoo.evaluation.display.point_clouds.event_columns import event_columns
from nuzoo.evaluation.display.point_clouds.event_facts import (
    event_class,
    interaction_counts,
    label_shares,
    segment_counts,
)
from nuzoo.evaluation.display.point_clouds.event_scene import event_scene
from nuzoo.evaluation.display.scenes.scene_figure import draw_scene
from nuzoo.evaluation.display.scenes.scene_page import write_scene_page
from nuzoo.simulation.detectors import DETECTORS

HITS = ("x", "y", "z")


class PointCloudDisplay:
    """Fulfils `nuzoo.evaluation.display.contract.EventDisplay`, which says what each method is for."""

    def draws(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row has hits in space, of a detector that is seen so."""
        detector = DETECTORS.get(row.get("detector", ""))
        return (
            detector is not None and "positions" in detector.geometry() and all(name in row for name in HITS)
        )

    def facts(self, row: Mapping[str, Any], prediction: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Say in a few words what is true of an event, and what is predicted."""
        said = prediction or {}
        columns = event_columns(row)
        facts = {
            "truth": event_class(row, columns.layout.classes) or interaction_counts(columns),
            "hits": f"{columns.hits:,}",
            "prediction": said.get("label")
            or segment_counts(said.get("segments") or said.get("keypoints", ()))
            or label_shares(said.get("labels", ())),
        }
        return {title: value for title, value in facts.items() if value}

    def draw(
        self,
        row: Mapping[str, Any],
        stem: Path,
        *,
        prediction: Mapping[str, Any] | None = None,
        sample: str | None = None,
    ) -> list[Path]:
        """Draw an event as a picture and as an interactive page."""
        scene = event_scene(row, prediction, sample)
        picture, page = (stem.with_name(stem.name + suffix) for suffix in (".png", ".html"))
        return [*draw_scene(scene, picture), write_scene_page(scene, page)]


DISPLAY = PointCloudDisplay()
