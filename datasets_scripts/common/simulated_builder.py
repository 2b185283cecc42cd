"""Simulated datasets as `datasets` builders, for those who want them in the library's own cache."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import datasets

from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.datasets_scripts.common.simulated import SimulationPlan
from nuzoo.datasets_scripts.common.splits import by_split
from nuzoo.simulation import SOURCE_DIGEST
from nuzoo.simulation.detectors import find_detector


@dataclass
class SimulatedConfig(datasets.BuilderConfig):
    """Configuration of a builder.

    Attributes:
        events: Events to simulate.
        seed: Seed of the simulation.
        detector: A name in `DETECTORS`; that of the dataset by default.
    """

    events: int = 1000
    seed: int = 0
    detector: str = ""

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Name the cache of a dataset by all that decides what it holds."""
        return f"{super().create_config_id(config_kwargs, custom_features)}-{SOURCE_DIGEST}"


class SimulatedBuilder(datasets.GeneratorBasedBuilder):
    """A simulated dataset; `num_proc` of `download_and_prepare` shares the events out.

    Attributes:
        sample: Name of the dataset in `nuzoo.registry.DATASETS`.
        usual_detector: Its detector unless another is asked for.
        plan_class: Of what decides its events.
    """

    BUILDER_CONFIG_CLASS = SimulatedConfig
    VERSION = datasets.Version("1.0.0")
    config: SimulatedConfig
    sample: ClassVar[str]
    usual_detector: ClassVar[str]
    plan_class: ClassVar[type[SimulationPlan]]

    @staticmethod
    @abstractmethod
    def finish(row: Row) -> Row:
        """Add to a row what the dataset stores beside it."""

    @property
    def plan(self) -> SimulationPlan:
        """What to simulate."""
        return self.plan_class(
            self.config.events, self.config.seed, self.config.detector or self.usual_detector
        )

    def _info(self) -> datasets.DatasetInfo:
        schema = schema_of(find_sample(self.sample).modality, find_detector(self.plan.detector))
        return datasets.DatasetInfo(features=row_features(schema))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        events = {self.plan.event_id(index): index for index in range(self.config.events)}
        return [
            datasets.SplitGenerator(split, {"events": [events[name] for name in names]})
            for split, names in by_split(events).items()
            if names
        ]

    def _generate_examples(self, events: list[int]) -> Iterator[tuple[str, Row]]:
        """Yield the rows of events, by their numbers in the simulation."""
        for row in map(self.plan.row, events):
            yield row["event_id"], self.finish(row)
