"""What the processors of point clouds share: a detector of voxels, and a scale of energies that is fitted."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from transformers.feature_extraction_utils import FeatureExtractionMixin

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.events.point_cloud_events import PointCloudGeometry, point_cloud_schema
from nuzoo.processors.event_tables import EVENTS_PER_FIT_STEP, as_table, in_steps
from nuzoo.processors.point_clouds.example_point_clouds import example_point_clouds
from nuzoo.processors.saved_processor import SavedProcessor
from nuzoo.processors.standardisation import RobustStandardisation, Transform


class CloudProcessor(SavedProcessor, FeatureExtractionMixin):  # type: ignore[misc]
    """A processor of the hits of events; its settings hold those of `PointCloudGeometry`.

    Attributes:
        fitted_quantity: whose energies `fit` measures, for messages.
        energy_transform: of their robust standardisation.
        energy_statistics: k in MeV, mu and sigma.
    """

    modality: ClassVar[str] = "point-clouds"
    fitted_quantity: ClassVar[str]
    energy_transform: Transform
    energy_statistics: dict[str, float] | None

    @property
    def _layout(self) -> PointCloudGeometry:
        return PointCloudGeometry.of(vars(self))

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""
        return point_cloud_schema(vars(self))

    @property
    def robust_scale(self) -> RobustStandardisation:
        """The robust standardisation of energies in MeV."""
        self.refuse_unfitted()
        return RobustStandardisation(self.energy_transform, **(self.energy_statistics or {}))

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events of this processor's detector; see `example_point_clouds`."""
        return example_point_clouds(self._layout, events)

    def fit(self, rows: Any, *, detector: str | None = None, **unknown: Any) -> Self:
        """Measure the constants of the energies on the training events, where the settings need some.

        Args:
            rows: see `__call__`; read in steps.
            detector: see `__call__`.
            **unknown: refused by name.

        Raises:
            MissingStatisticsError: the energies are too few, or all alike.
            EventError: see `__call__`.
        """
        self.refuse_options(unknown, ("detector",))
        if self.needed_statistics:
            steps = in_steps(rows, EVENTS_PER_FIT_STEP, self.split_events)
            energies = (self._energies(as_table(step), detector) for step in steps)
            fitted = RobustStandardisation.fit_parts(energies, self.energy_transform, self.fitted_quantity)
            self.energy_statistics = fitted.constants
        return self

    @abstractmethod
    def _energies(self, rows: Any, detector: str | None) -> NDArray[np.float64]:
        """Give the energies of a batch that are standardised, MeV."""
