"""Images of single particles for networks over voxels: framed, standardised, with numbers beside them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedConfig
from transformers.feature_extraction_utils import BatchFeature

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.events.point_cloud_events import VOXEL
from nuzoo.processors.event_tables import read_hits, read_target
from nuzoo.processors.input_errors import ProcessorModelMismatchError, ProcessorSettingError
from nuzoo.processors.point_clouds.cloud_frame import CloudFrame
from nuzoo.processors.point_clouds.cloud_processor import CloudProcessor
from nuzoo.processors.point_clouds.hit_rows import check_layout, read_hit_rows
from nuzoo.processors.point_clouds.image_context import CONTEXT_SIZES, Context
from nuzoo.processors.point_clouds.image_frame import ImageFrame, Images
from nuzoo.processors.point_clouds.images_of_hits import (
    HitImages,
    image_of_each_event,
    image_of_each_particle,
    labels_of_particles,
)
from nuzoo.processors.point_clouds.merging import CELLS_PER_AXIS, merge_hits
from nuzoo.processors.point_clouds.particle_images import Framing
from nuzoo.processors.point_clouds.point_cloud_words import image_facts, image_instructions
from nuzoo.processors.standardisation import RobustStandardisation, Transform, check_transform

Subject = Literal["event", "particle"]
TINY_VOXELS = 24


class NuParticleImageFeatureExtractor(CloudProcessor):
    """Turn particles into images: `grid_coordinates`, `energy`, `offset`, and `context` of each.

    An image is of an event with one particle, or of each particle of an event. Its hits are put into the
    detector's voxels, those of one voxel are added up, and the voxels are framed: cut out of the detector, or
    shrunk until they fit. The defaults are those for the scintillator of Zenodo 7347562. For PILArNet,
    of="particle", size=(168, 168, 180), framing="scale", least_hits=5 and context="shape" of single particles
    or "event" of those that are seen together (arXiv 2604.07037).

    Args:
        detector: identifier of the detector; rows of another one are refused. None takes any.
        positions: "voxel" or "mm", what the positions of hits are given in.
        shape: voxels along x, y and z.
        pitch_mm: edges of a voxel.
        origin_mm: the lower corner of the first voxel, in the detector's frame.
        classes: of whole events, where these have a class.
        of: "event" for an image of each event, "particle" for one of each particle of it.
        size: voxels of an image along x, y and z.
        framing: "crop" or "scale", see `particle_images`.
        least_hits: particles with fewer are left out, of="particle".
        context: the numbers beside an image: "boundary", "shape", "event" or "none"; see `image_context`.
        energy_transform: of the robust standardisation of energies.
        energy_statistics: k in MeV, mu and sigma; `fit` measures them.
        **kwargs: see `SavedProcessor`.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    fitted_quantity: ClassVar[str] = "energies of voxels"
    kept_from_network: ClassVar[tuple[str, ...]] = ("particle", "event")
    statistics: ClassVar[tuple[str, ...]] = ("energy_statistics",)

    def __init__(
        self,
        detector: str | None = None,
        positions: str = VOXEL,
        shape: Sequence[int] = (200, 200, 200),
        pitch_mm: Sequence[float] = (10.0, 10.0, 10.0),
        origin_mm: Sequence[float] = (-1000.0, -1000.0, -1000.0),
        classes: Sequence[str] = (),
        of: Subject = "event",
        size: Sequence[int] = (120, 120, 120),
        framing: Framing = "crop",
        least_hits: int = 1,
        context: Context = "boundary",
        energy_transform: Transform = "log1p",
        energy_statistics: dict[str, float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.detector = detector
        self.positions = positions
        self.shape, self.pitch_mm, self.origin_mm = list(shape), list(pitch_mm), list(origin_mm)
        self.classes = list(classes)
        self.of, self.size, self.framing, self.least_hits = of, list(size), framing, least_hits
        self.context = context
        self.energy_transform = energy_transform
        self.energy_statistics = energy_statistics
        self._check_settings()

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one, not fitted, for tests, of the images and classes of a network."""
        size = list(getattr(config, "grid_shape", (TINY_VOXELS,) * 3))
        names = dict(getattr(config, "id2label", None) or {})
        return cls(shape=[2 * edge for edge in size], size=size, classes=list(names.values()))

    def _check_settings(self) -> None:
        check_layout(self._layout)
        check_transform(self.energy_transform)
        problems = {
            f"of must be one of {get_args(Subject)}": self.of not in get_args(Subject),
            f"framing must be one of {get_args(Framing)}": self.framing not in get_args(Framing),
            f"context must be one of {get_args(Context)}": self.context not in get_args(Context),
            "context 'event' needs several particles of an event, of='particle'": self.context == "event"
            and self.of != "particle",
            "context 'boundary' needs a box in the detector, framing='crop'": self.context == "boundary"
            and self.framing != "crop",
            f"size must be 3 whole numbers from 2 to {CELLS_PER_AXIS}": len(self.size) != 3
            or any(not 2 <= edge <= CELLS_PER_AXIS or edge != int(edge) for edge in self.size),
            "least_hits must be 1 or more": self.least_hits < 1,
            "energy_statistics must be k, mu and sigma": self.energy_statistics is not None
            and self.energy_statistics.keys() != {"k", "mu", "sigma"},
        }
        if wrong := [problem for problem, found in problems.items() if found]:
            raise ProcessorSettingError(
                f"{'; '.join(wrong)}. Got of={self.of!r}, size={self.size}, framing={self.framing!r}, "
                f"least_hits={self.least_hits}, context={self.context!r}, "
                f"energy_statistics={self.energy_statistics}."
            )
        if self.is_fitted:
            self.energy_scale  # noqa: B018 (its constants are checked)

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads: of particles also which one each hit is of."""
        schema = super().schema
        needed = {"particle"} if self.of == "particle" else set()
        columns = (replace(one, required=one.required or one.name in needed) for one in schema.columns)
        return replace(schema, columns=tuple(columns))

    @property
    def energy_scale(self) -> RobustStandardisation:
        """From energies in MeV to those of the network, and back."""
        return self.robust_scale

    @property
    def model_input_names(self) -> list[str]:
        """The names of the tensors that networks take, by its settings."""
        names = ["grid_coordinates", "energy", "offset"]
        names += ["context"] if self.context != "none" else []
        return names + (["event_offset"] if self.of == "particle" else [])

    @property
    def frame(self) -> ImageFrame:
        """How voxels of the detector become images."""
        return ImageFrame(tuple(self.shape), tuple(self.size), self.framing, self.context)

    @property
    def context_features(self) -> int:
        """Numbers of an image beside its voxels."""
        return CONTEXT_SIZES[self.context]

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events of this processor's detector; see `example_point_clouds`."""
        rows = super().example_events(events)
        if self.of == "particle":
            rows = [row | {"particle": (np.arange(len(row["x"])) % 2).astype(np.int32)} for row in rows]
        return rows

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network for other images or other numbers beside them, or one that is asked a question.

        A network that tells particles of an event together is for images of these.
        """
        super().check_agrees(config)
        target = "label" if self.of == "event" else "particle_pid"
        if (other := getattr(config, "target", target)) != target:
            raise ProcessorModelMismatchError(
                f"expected images that have the model's target {other!r}, got those of {self.of}s, "
                f"which have {target!r}: set of of the processor, or target of the model"
            )
        for name, own in self.network_fields().items():
            if (other := getattr(config, name, own)) != own:
                raise ProcessorModelMismatchError(
                    f"expected a processor for the model's {name} {other}, got one for {own}: use the "
                    "processor that is saved with the model"
                )

    def network_fields(self) -> dict[str, Any]:
        """Give the voxels of an image and the numbers beside them."""
        return {"grid_shape": self.size, "context_features": self.context_features}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        return image_facts(vars(self), self.context_features)

    def instructions(self) -> dict[str, Any]:
        """Say how its tensors are made, for those who make them without it; see `EventProcessor`."""
        return image_instructions(vars(self), self.context_features)

    def __call__(
        self,
        rows: Any,
        *,
        targets: Sequence[str] = (),
        detector: str | None = None,
        return_particles: bool = False,
        return_tensors: str | None = "pt",
        **unknown: Any,
    ) -> BatchFeature:
        """Make the images of one event or of a batch of events.

        Args:
            rows: see `NuPointCloudFeatureExtractor.__call__`.
            targets: column with the class of each event, or of each particle.
            detector: accept rows of this detector although the processor is made for another one.
            return_particles: also say which particle each image is of.
            return_tensors: "pt" for torch, "np" for NumPy.
            **unknown: refused by name.

        Returns:
            `grid_coordinates`, int64 (points, 3), from 0; `energy`, float32 (points, 1), dimensionless;
            `offset`, int64 (images,), where each image's points end; `context`, float32 (images, numbers),
            unless there is none; with of="particle" `event_offset`, int64 (events,), where each event's
            images end. With `return_particles` also `particle`, int64 (images,), the row of its particle, and
            `event`. With targets `labels`, int64 (images,).

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            ProcessorSettingError: an option is unknown or out of range.
            EventError: see `nuzoo.files.events.event_errors` and `nuzoo.processors.input_errors`.
        """
        rows = self.opened(rows, unknown)
        hits, images = self._images(rows, detector)
        energy = self.energy_scale.forward(torch.from_numpy(images.energy)).float()
        batch = {
            "grid_coordinates": torch.from_numpy(images.cells),
            "energy": energy[:, None],
            "offset": torch.from_numpy(images.offset),
        }
        if self.context != "none":
            batch["context"] = torch.from_numpy(images.context.astype(np.float32))
        if self.of == "particle":
            batch["event_offset"] = torch.from_numpy(hits.per_event.cumsum())
        if return_particles:
            batch["particle"] = torch.from_numpy(hits.particle)
            batch["event"] = torch.from_numpy(hits.event)
        if self.of == "event":
            batch |= read_target(rows, targets, len(hits.per_event))
        else:
            batch |= labels_of_particles(rows, self.schema, targets, hits)
        return BatchFeature(batch, tensor_type=return_tensors)

    def _energies(self, rows: Any, detector: str | None) -> NDArray[np.float64]:
        return self._images(rows, detector)[1].energy

    def _images(self, rows: Any, detector: str | None) -> tuple[HitImages, Images]:
        self.check_detector(rows, detector)
        hits = read_hit_rows(rows, self.schema, self._layout)
        if self.of == "event":
            chosen = image_of_each_event(hits.event, len(hits.counts))
        else:
            particle = read_hits(rows, self.schema)["particle"].values.astype(np.int64)
            chosen = image_of_each_particle(hits.event, particle, len(hits.counts), self.least_hits)
        voxels = CloudFrame(self._layout, "voxel").cells_of_hits(hits.position[chosen.rows], chosen.image)
        points = merge_hits(chosen.image, voxels, hits.energy[chosen.rows])
        image, voxels = chosen.image[points.kept], voxels[points.kept]
        return chosen, self.frame.images(image, voxels, points.energy, chosen.per_event)
