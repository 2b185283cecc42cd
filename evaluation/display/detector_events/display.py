"""The display of events of detectors with several parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuzoo.evaluation.display.detector_events.event_columns import event_columns
from nuzoo.evaluation.display.detector_events.event_facts import CHARM_WORDS, charm_words
from nuzoo.evaluation.display.detector_events.event_figure import draw_event
from nuzoo.evaluation.display.detector_events.event_scene import event_scene
from nuzoo.evaluation.display.detector_events.reconstruction import Reconstruction, whole_event
from nuzoo.evaluation.display.scenes.scene_page import write_scene_page
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout

HITS = ("cal_x", "cal_y", "cal_z")


class DetectorEventDisplay:
    """Fulfils `nuzoo.evaluation.display.contract.EventDisplay`, which says what each method is for."""

    def draws(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row has hits of cubes, of a detector that has such and other parts."""
        detector = DETECTORS.get(row.get("detector", ""))
        has_parts = detector is not None and isinstance(detector.readout, SubDetectorReadout)
        return has_parts and all(name in row for name in HITS)

    def facts(self, row: Mapping[str, Any], prediction: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Say in a few words what is true of an event, and what is predicted."""
        columns = event_columns(row)
        facts = {
            "truth": columns.name_of("flavour"),
            "charm": charm_words(columns),
            "hits": f"{len(columns.known['cal_x']):,}",
            **_predicted(prediction),
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
        columns = event_columns(row)
        scene = event_scene(columns, row, prediction, sample)
        picture, page = (stem.with_name(stem.name + suffix) for suffix in (".png", ".html"))
        return [*draw_event(columns, scene, picture), write_scene_page(scene, page)]


def _predicted(prediction: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Name what a model says of the whole event, and of its charm."""
    said = {"prediction": (whole_event(prediction) or {}).get("label")}
    found = Reconstruction.of(prediction)
    return said if found is None else {**said, "predicted charm": CHARM_WORDS.get(found.charm["label"])}


DISPLAY = DetectorEventDisplay()
