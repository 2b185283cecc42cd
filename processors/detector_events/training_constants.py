"""Constants of training events, gathered step by step: of inputs, and of the truth where it is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.processors.detector_events.detector_event_parts import (
    RecordedParts,
    read_dense,
    values_of_events,
)
from nuzoo.processors.detector_events.detector_event_targets import MOMENTA, VERTEX, visible_lepton
from nuzoo.processors.detector_events.event_quantities import (
    QUANTITIES,
    HeldValues,
    fit_scales,
    values_to_fit,
)
from nuzoo.processors.detector_events.momentum_statistics import JET, LEP, VIS, momentum_statistics
from nuzoo.processors.input_errors import MissingStatisticsError
from nuzoo.processors.standardisation import Transform

OF_MOMENTA = (*MOMENTA, "is_cc", "is_tau", "lepton_momentum", "tau_vis_momentum")
FEWEST_VERTICES = 2


class TrainingConstants:
    """What `fit` measures.

    Args:
        schema: of the events.
    """

    def __init__(self, schema: EventSchema) -> None:
        self._schema = schema
        self._inputs = {name: HeldValues() for name in QUANTITIES}
        self._truth: dict[str, list[NDArray[Any]]] = {name: [] for name in (VIS, JET, LEP, "is_cc", VERTEX)}
        self._lacking = {"momenta": 0, "vertices": 0}

    def add(self, rows: Any, parts: RecordedParts) -> None:
        """Take more events: rows, and what was recorded of them."""
        for name, held in self._inputs.items():
            held.add(values_to_fit(parts, name))
        if self._knows(rows, OF_MOMENTA, "momenta"):
            for name, column in zip((VIS, JET), MOMENTA, strict=True):
                self._truth[name].append(read_dense(rows, self._schema[column]))
            self._truth[LEP].append(visible_lepton(rows, self._schema))
            self._truth["is_cc"].append(read_dense(rows, self._schema["is_cc"])[:, 0] > 0)
        if self._knows(rows, (VERTEX,), "vertices"):
            self._truth[VERTEX].append(read_dense(rows, self._schema[VERTEX]))

    def of_inputs(
        self, transforms: Mapping[str, Transform], factors: Mapping[str, float]
    ) -> dict[str, dict[str, float]]:
        """Measure k, mu and sigma of each quantity; see `fit_scales`."""
        return fit_scales({name: held.values for name, held in self._inputs.items()}, transforms, factors)

    def of_momenta(self) -> dict[str, dict[str, Any]] | None:
        """Measure the constants of true momenta; None where some event does not know them."""
        if self._lacking["momenta"] or not self._truth[VIS]:
            return None
        momenta = {name: np.concatenate(self._truth[name]) for name in (VIS, JET, LEP)}
        return momentum_statistics(momenta, np.concatenate(self._truth["is_cc"]))

    def of_vertices(self) -> tuple[list[float], list[float]]:
        """Measure mean and standard deviation of vertices along x, y and z, mm.

        Raises:
            MissingStatisticsError: some event has no vertex, or they are too few or too alike.
        """
        found = np.concatenate([np.empty((0, 3)), *self._truth[VERTEX]])
        spread = found.std(axis=0) if len(found) else np.zeros(3)
        if self._lacking["vertices"] or len(found) < FEWEST_VERTICES or not spread.min() > 0:
            raise MissingStatisticsError(
                f"{VERTEX}: expected at least {FEWEST_VERTICES} different vertices, one of each event, "
                f"got {len(found)}: fit on events with truth, or take vertex='published'"
            )
        return found.mean(axis=0).tolist(), spread.tolist()

    def _knows(self, rows: Any, columns: tuple[str, ...], what: str) -> bool:
        """Whether each event has some columns; how often it does not is counted."""
        is_known = all(value is not None for name in columns for value in values_of_events(rows, name))
        self._lacking[what] += not is_known
        return is_known
