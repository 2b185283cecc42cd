"""Point clouds for sparse networks: hits in space become normalised points, and scores their labels."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedConfig
from transformers.feature_extraction_utils import BatchFeature

from nuzoo.files.events.point_cloud_events import VOXEL
from nuzoo.processors.input_errors import ProcessorModelMismatchError, ProcessorSettingError
from nuzoo.processors.point_clouds.cloud_frame import CloudFrame, Grid
from nuzoo.processors.point_clouds.cloud_processor import CloudProcessor
from nuzoo.processors.point_clouds.energy_scale import LogEnergyScale
from nuzoo.processors.point_clouds.hit_labels import labels_of_hits
from nuzoo.processors.point_clouds.hit_rows import HitRows, check_layout, read_hit_rows, taken
from nuzoo.processors.point_clouds.keypoint_proposals import proposals_of_events
from nuzoo.processors.point_clouds.merging import CELLS_PER_AXIS, NO_POINT, MergedHits, merge_hits
from nuzoo.processors.point_clouds.panoptic_segments import SegmentRules, segments_of_hits
from nuzoo.processors.point_clouds.point_cloud_words import cloud_facts, cloud_instructions
from nuzoo.processors.point_clouds.point_targets import read_targets
from nuzoo.processors.standardisation import RobustStandardisation, Transform, check_transform

Normalisation = Literal["panda", "robust"]

CHANNELS = 4
"""Numbers of a point: its coordinates and its energy."""
TINY_VOXELS = 64


class NuPointCloudFeatureExtractor(CloudProcessor):
    """Turn the hits of events into points: `coordinates`, `energy`, `grid_coordinates`, and `offset`.

    The points of event after event lie in a row; `offset` says where each event's end. Coordinates are
    relative to the middle of the detector, in halves of its diagonal, so that all of it lies in the unit
    ball. A hit in voxels is at the voxel's number, not half a voxel further, as in Panda.

    Hits in the same cell of the grid become one point: their energies are added, and the hit of most energy
    gives position and truth (of equal ones that which comes first). Points are in the order of their hits.
    What an event becomes depends on nothing else in the batch.

    Args:
        detector: identifier of the detector; rows of another one are refused. None takes any.
        positions: "voxel" or "mm", what the positions of hits are given in.
        shape: voxels along x, y and z.
        pitch_mm: edges of a voxel.
        origin_mm: the lower corner of the first voxel, in the detector's frame.
        classes: of whole events, where these have a class.
        normalisation: of energies. "panda" is the logarithmic scale of `LogEnergyScale`, "robust" is
            `RobustStandardisation`, whose constants `fit` measures.
        energy_offset_mev: of "panda".
        energy_max_mev: of "panda", what becomes +1.
        energy_transform: of "robust".
        energy_statistics: of "robust": k in MeV, mu and sigma.
        energy_threshold_mev: hits of no more energy are left out, before any are merged. None keeps all.
        grid: "voxel" for the detector's voxels, counted from its corner; or the edge of a cell in units of
            the coordinates, counted from the first cell of the event in use. Panda's weights need 0.001,
            which is 0.665 of a voxel of its detector.
        **kwargs: see `SavedProcessor`.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    fitted_quantity: ClassVar[str] = "energies of points"
    model_input_names: ClassVar[list[str]] = ["coordinates", "energy", "grid_coordinates", "offset"]
    kept_from_network: ClassVar[tuple[str, ...]] = ("inverse", "inverse_offset")

    def __init__(
        self,
        detector: str | None = None,
        positions: str = VOXEL,
        shape: Sequence[int] = (768, 768, 768),
        pitch_mm: Sequence[float] = (3.0, 3.0, 3.0),
        origin_mm: Sequence[float] = (0.0, 0.0, 0.0),
        classes: Sequence[str] = (),
        normalisation: Normalisation = "panda",
        energy_offset_mev: float = 0.01,
        energy_max_mev: float = 20.0,
        energy_transform: Transform = "log1p",
        energy_statistics: dict[str, float] | None = None,
        energy_threshold_mev: float | None = None,
        grid: Grid = "voxel",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.detector = detector
        self.positions = positions
        self.shape, self.pitch_mm, self.origin_mm = list(shape), list(pitch_mm), list(origin_mm)
        self.classes = list(classes)
        self.normalisation = normalisation
        self.energy_offset_mev, self.energy_max_mev = energy_offset_mev, energy_max_mev
        self.energy_transform = energy_transform
        self.energy_statistics = energy_statistics
        self.energy_threshold_mev = energy_threshold_mev
        self.grid = grid
        self._check_settings()

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one for tests."""
        return cls(shape=(TINY_VOXELS,) * 3)

    @property
    def needed_statistics(self) -> tuple[str, ...]:
        """Names of the settings that `fit` measures."""
        return ("energy_statistics",) if self.normalisation == "robust" else ()

    def _check_settings(self) -> None:
        check_layout(self._layout)
        check_transform(self.energy_transform)
        finest = 2 / CELLS_PER_AXIS
        numbers = (self.energy_offset_mev, self.energy_max_mev, self.energy_threshold_mev or 0.0)
        problems = {
            f"normalisation must be one of {get_args(Normalisation)}": self.normalisation
            not in get_args(Normalisation),
            "energy_offset_mev and energy_max_mev must be above 0, energy_threshold_mev not below": (
                not all(0 < number < np.inf for number in numbers[:2]) or not 0 <= numbers[2] < np.inf
            ),
            f"grid must be 'voxel' or a number from {finest:.2g} to 1": self.grid != VOXEL
            and (isinstance(self.grid, str) or not finest <= self.grid <= 1),
            "energy_statistics must be k, mu and sigma": self.energy_statistics is not None
            and self.energy_statistics.keys() != {"k", "mu", "sigma"},
        }
        if wrong := [problem for problem, found in problems.items() if found]:
            raise ProcessorSettingError(
                f"{'; '.join(wrong)}. Got normalisation={self.normalisation!r}, "
                f"energy_offset_mev={self.energy_offset_mev}, energy_max_mev={self.energy_max_mev}, "
                f"energy_threshold_mev={self.energy_threshold_mev}, grid={self.grid!r}, "
                f"energy_statistics={self.energy_statistics}."
            )
        if self.energy_statistics is not None:
            RobustStandardisation(self.energy_transform, **self.energy_statistics)

    @property
    def energy_scale(self) -> LogEnergyScale | RobustStandardisation:
        """From energies in MeV to those of the network, and back."""
        if self.normalisation == "panda":
            return LogEnergyScale(self.energy_offset_mev, self.energy_max_mev)
        return self.robust_scale

    @property
    def frame(self) -> CloudFrame:
        """Where points are: the unit of coordinates, and the grid."""
        return CloudFrame(self._layout, self.grid)

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network that reads other than points of `CHANNELS` numbers, or a question as well."""
        super().check_agrees(config)
        if (channels := getattr(config, "in_channels", CHANNELS)) != CHANNELS:
            raise ProcessorModelMismatchError(
                f"expected a processor for the model's {channels} numbers of a point, got one for {CHANNELS} "
                "(three coordinates and the energy): use the processor that is saved with the model"
            )

    def network_fields(self) -> dict[str, Any]:
        """Give the numbers of a point and the shape of the grid."""
        return {"in_channels": CHANNELS, "grid_shape": self.frame.grid_shape}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        return cloud_facts(vars(self), self.frame.mm_per_unit)

    def instructions(self) -> dict[str, Any]:
        """Say how its tensors are made, for those who make them without it; see `EventProcessor`."""
        return cloud_instructions(vars(self), self.frame.mm_per_unit)

    def __call__(
        self,
        rows: Any,
        *,
        targets: Sequence[str] = (),
        detector: str | None = None,
        return_inverse: bool = False,
        return_tensors: str | None = "pt",
        **unknown: Any,
    ) -> BatchFeature:
        """Make the points of one event or of a batch of events.

        Args:
            rows: a dataset row or a list of them, a batch as a dataset's slice gives it, an Arrow table or a
                `datasets.Dataset`.
            targets: columns with the truth; see `read_targets` for what they become.
            detector: accept rows of this detector although the processor is made for another one.
            return_inverse: also say which point each hit became, which
                `post_process_semantic_segmentation` takes.
            return_tensors: "pt" for torch, "np" for NumPy.
            **unknown: refused by name.

        Returns:
            `coordinates`, float32 (points, 3), dimensionless; `energy`, float32 (points, 1), dimensionless;
            `grid_coordinates`, int64 (points, 3), from 0; `offset`, int64 (events,), where each event's
            points end. With `return_inverse` also `inverse`, int64 (hits,), the point of each hit, -1 of one
            that was left out, and `inverse_offset`, int64 (events,). With targets the truth.

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            ProcessorSettingError: an option is unknown or out of range.
            EventError: see `nuzoo.files.events.event_errors` and `nuzoo.processors.input_errors`.
        """
        rows = self.opened(rows, unknown)
        hits, above, cells, points = self._points(rows, detector)
        kept = taken(above, points.kept)
        coordinates = self.frame.placed(taken(hits.position, kept)).astype(np.float32, order="C")
        energy = self.energy_scale.forward(torch.from_numpy(points.energy)).float()
        offset = np.bincount(taken(hits.event, kept), minlength=len(hits.counts)).cumsum()
        batch = {
            "coordinates": torch.from_numpy(coordinates),
            "energy": energy[:, None],
            "grid_coordinates": torch.from_numpy(np.ascontiguousarray(taken(cells, points.kept))),
            "offset": torch.from_numpy(offset),
        }
        if return_inverse:
            inverse = np.full(len(hits.event), NO_POINT)
            inverse[above] = points.inverse
            batch["inverse"] = torch.from_numpy(inverse)
            batch["inverse_offset"] = torch.from_numpy(np.cumsum(hits.counts))
        truth = read_targets(rows, self.schema, targets, len(hits.counts), kept, self.frame.placed)
        return BatchFeature(batch | truth, tensor_type=return_tensors)

    def _energies(self, rows: Any, detector: str | None) -> NDArray[np.float64]:
        return self._points(rows, detector)[3].energy

    def _points(
        self, rows: Any, detector: str | None
    ) -> tuple[HitRows, NDArray[np.int64], NDArray[np.int64], MergedHits]:
        """Read hits: all of them; which have enough energy, their cells, and the points that they become."""
        self.check_detector(rows, detector)
        hits = read_hit_rows(rows, self.schema, self._layout)
        threshold = -1.0 if self.energy_threshold_mev is None else self.energy_threshold_mev
        above = np.flatnonzero(hits.energy > threshold)
        event = taken(hits.event, above)
        cells = self.frame.cells_of_hits(taken(hits.position, above), event)
        return hits, above, cells, merge_hits(event, cells, taken(hits.energy, above))

    def post_process_semantic_segmentation(
        self, outputs: Any, batch: Mapping[str, Tensor], return_segmentation_scores: bool = False
    ) -> list[Any]:
        """Turn scores of points into labels of hits; see `labels_of_hits`.

        Args:
            outputs: of the network, with `logits` (points, classes).
            batch: what the network was asked about: `offset`, and, where the labels shall be those of all
                recorded hits, `inverse` and `inverse_offset`.
            return_segmentation_scores: also return the logits.

        Returns:
            For each event int64 (hits,), -1 for a hit that was left out; or mappings with that as
            `segmentation` and `segmentation_scores`, (classes, hits).
        """
        return labels_of_hits(outputs.logits, batch, return_segmentation_scores)

    def post_process_panoptic_segmentation(
        self,
        outputs: Any,
        batch: Mapping[str, Tensor],
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.0,
        label_ids_to_fuse: Collection[int] | None = None,
        stuff_label_ids: Collection[int] = (),
        min_points: int = 2,
    ) -> list[dict[str, Any]]:
        """Turn what queries tell of points into instances of hits; see `segments_of_hits`.

        Args:
            outputs: of the network.
            batch: what the network was asked about, see `post_process_semantic_segmentation`.
            threshold: see `SegmentRules`, as the others.
            mask_threshold: see there.
            overlap_mask_area_threshold: see there; 0 as in Panda, where transformers takes 0.8.
            label_ids_to_fuse: see there; None fuses none.
            stuff_label_ids: see there; a network's are `config.background_labels`.
            min_points: see there.

        Returns:
            For each event `segmentation`, int64 (hits,), -1 for a hit of no instance, where transformers has
            0; and `segments_info`.
        """
        rules = SegmentRules(
            threshold,
            mask_threshold,
            overlap_mask_area_threshold,
            min_points,
            label_ids_to_fuse or (),
            stuff_label_ids,
        )
        return segments_of_hits(outputs, batch, rules)

    def post_process_keypoint_detection(
        self, outputs: Any, batch: Mapping[str, Tensor], radius: float, threshold: float = 0.5
    ) -> list[dict[str, Tensor]]:
        """Turn what points propose into points of interest; see `proposals_of_events`.

        Args:
            outputs: of the network.
            batch: what the network was asked about.
            radius: within which of two proposals the better one stays, in units of the coordinates; a
                network's is `config.keypoint_radius`.
            threshold: least probability.

        Returns:
            For each event, best first, `keypoints`, float32 (n, 3) in the unit of its positions, `scores`
            (n,) and `labels`, int64 (n,).
        """
        found = proposals_of_events(outputs, batch, threshold, radius)
        for event in found:
            places = self.frame.positions(event["keypoints"].cpu().double().numpy())
            event["keypoints"] = torch.from_numpy(places).float()
        return found
