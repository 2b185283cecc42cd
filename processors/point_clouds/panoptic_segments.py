"""Instances of hits from what queries tell of points, in the form that transformers gives segmentations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nuzoo.files.events.event_errors import ShapeError
from nuzoo.processors.point_clouds.matrix_suppression import suppressed_scores

NO_SEGMENT = -1
"""Of a hit that belongs to no instance, or that no point stands for. Instances are numbered from 1."""


@dataclass(frozen=True)
class SegmentRules:
    """What is taken for an instance.

    Attributes:
        threshold: least probability of a class, and least score after suppression.
        mask_threshold: probability from above which a point is of a mask.
        overlap_mask_area_threshold: least part of a mask that better ones leave over.
        min_points: least number of points, before and after better masks took theirs.
        label_ids_to_fuse: classes whose instances become one in each event.
        stuff_label_ids: classes that no instance has.
    """

    threshold: float = 0.5
    mask_threshold: float = 0.5
    overlap_mask_area_threshold: float = 0.0
    min_points: int = 2
    label_ids_to_fuse: Collection[int] = ()
    stuff_label_ids: Collection[int] = ()


@dataclass(frozen=True)
class Candidates:
    """The masks of the queries of each event.

    Attributes:
        inside: bool (points, queries), the points of each.
        sizes: (events, queries), how many.
        labels: int64 (events, queries).
        scores: (events, queries), 0 of what is no instance.
    """

    inside: Tensor
    sizes: Tensor
    labels: Tensor
    scores: Tensor


def segments_of_hits(outputs: Any, batch: Mapping[str, Tensor], rules: SegmentRules) -> list[dict[str, Any]]:
    """Give each event's instances, as Panda's detector does (arXiv 2512.01324).

    A query tells of an instance if its class is one, sure enough, and its mask is not too small. Its score is
    the probability of the class times the mean one of its mask. Masks of one class suppress each other; those
    that are left take their points, the best first. Points that are likelier to belong to none have none.

    Args:
        outputs: of the network: `class_queries_logits`, `masks_queries_logits` and `stuff_logits`, or None.
        batch: `offset`; with `inverse` and `inverse_offset` the instances are those of hits, without of
            points.
        rules: what is taken for an instance.

    Returns:
        For each event `segmentation`, int64 (hits,), and `segments_info`, for each instance its `id`,
        `label_id`, `was_fused`, `score`, and `query_id`, the number of the query that told of it.

    Raises:
        ShapeError: the outputs are of other points.
    """
    masks, classes, offset = outputs.masks_queries_logits, outputs.class_queries_logits, batch["offset"]
    points = int(offset[-1]) if len(offset) else 0
    if masks.shape != (points, classes.shape[1]) or len(classes) != len(offset):
        raise ShapeError(
            f"expected masks ({points}, {classes.shape[1]}) and classes ({len(offset)}, …) of the batch, got "
            f"shapes {tuple(masks.shape)} and {tuple(classes.shape)}: give the batch that the network was "
            "asked about"
        )
    counts = torch.diff(offset, prepend=offset.new_zeros(1)).to(masks.device)
    found = _candidates(classes.float(), masks.float(), getattr(outputs, "stuff_logits", None), counts, rules)
    scores = suppressed_scores(found.scores, found.labels, found.sizes, _shared(found.inside, counts))
    scores = scores * (scores >= rules.threshold)
    painted, ids = _painted(found, scores, counts, rules)
    numbers, infos = _numbered(found.labels, scores, ids, rules.label_ids_to_fuse)
    event = torch.repeat_interleave(counts)
    segmentation = numbers.to(painted.device)[event, painted]
    segmentations = _of_hits(segmentation, batch)
    return [
        {"segmentation": one, "segments_info": info} for one, info in zip(segmentations, infos, strict=True)
    ]


def _candidates(
    classes: Tensor, masks: Tensor, stuff: Tensor | None, counts: Tensor, rules: SegmentRules
) -> Candidates:
    probability, labels = classes.softmax(dim=-1).max(dim=-1)
    none = [classes.shape[-1] - 1, *rules.stuff_label_ids]
    counts_as = ~torch.isin(labels, labels.new_tensor(none)) & (probability >= rules.threshold)
    of_mask = masks.sigmoid()
    inside = (of_mask > rules.mask_threshold) & counts_as[torch.repeat_interleave(counts)]
    if stuff is not None:
        inside &= (stuff < 0)[:, None]
    sizes = _sums(inside.float(), counts)
    mean = _sums(of_mask * inside, counts) / sizes.clamp(min=1)
    return Candidates(inside, sizes, labels, probability * mean * (sizes >= max(rules.min_points, 1)))


def _sums(values: Tensor, counts: Tensor) -> Tensor:
    """Sum over the points (points, …) of each event."""
    if not len(values):
        return values.new_zeros(len(counts), *values.shape[1:])
    return torch.segment_reduce(values, "sum", lengths=counts, axis=0)


def _shared(inside: Tensor, counts: Tensor) -> Tensor:
    """Count the points that two masks of an event share, (events, queries, queries)."""
    events = inside.float().split(counts.tolist())
    return torch.stack([event.T @ event for event in events])


def _painted(found: Candidates, scores: Tensor, counts: Tensor, rules: SegmentRules) -> tuple[Tensor, Tensor]:
    """Let masks take the points that better ones left, event by event at the same time.

    Returns:
        For each point the query that took it, or the number of queries for none; and bool (events, queries),
        which took any.
    """
    queries = scores.shape[1]
    event = torch.repeat_interleave(counts)
    order = scores.argsort(dim=1, descending=True, stable=True)
    painted = torch.full_like(event, queries)
    took = torch.zeros_like(scores, dtype=torch.bool)
    rounds = int((scores > 0).sum(dim=1).amax()) if scores.numel() else 0
    for rank in range(rounds):
        query = order[:, rank : rank + 1]
        takes = found.inside.gather(1, query[event])[:, 0] & (painted == queries)
        left = _sums(takes.float(), counts)
        least = rules.overlap_mask_area_threshold * found.sizes.gather(1, query)[:, 0]
        may = (left >= rules.min_points) & (left >= least) & (left > 0) & (scores.gather(1, query)[:, 0] > 0)
        painted = torch.where(takes & may[event], query[event, 0], painted)
        took.scatter_(1, query, may[:, None])
    return painted, took


def _numbered(
    labels: Tensor, scores: Tensor, took: Tensor, fused: Collection[int]
) -> tuple[Tensor, list[list[dict[str, Any]]]]:
    """Give the instances of each event numbers from 1, the best first, and say what each is.

    Returns:
        The number of the instance of each query, (events, queries + 1), `NO_SEGMENT` for none and last; and
        for each event its instances.
    """
    events, queries = labels.shape
    numbers = torch.full((events, queries + 1), NO_SEGMENT)
    infos: list[list[dict[str, Any]]] = [[] for _ in range(events)]
    order = scores.argsort(dim=1, descending=True, stable=True)
    tables = (table.tolist() for table in (order, labels, scores, took))
    for event, (ranks, label, score, is_one) in enumerate(zip(*tables, strict=True)):
        known: dict[int, int] = {}
        for query in (query for query in ranks if is_one[query]):
            if label[query] not in known:
                number = len(infos[event]) + 1
                infos[event].append(
                    {
                        "id": number,
                        "label_id": label[query],
                        "was_fused": label[query] in fused,
                        "score": score[query],
                        "query_id": query,
                    }
                )
                if label[query] in fused:
                    known[label[query]] = number
            numbers[event, query] = known.get(label[query], len(infos[event]))
    return numbers, infos


def _of_hits(segmentation: Tensor, batch: Mapping[str, Tensor]) -> list[Tensor]:
    """Take numbers of points (points,) for those of the hits that became them, event by event."""
    ends = batch["offset"]
    if "inverse" in batch:
        inverse, ends = batch["inverse"].to(segmentation.device), batch["inverse_offset"]
        known = inverse >= 0
        hits = segmentation.new_full(inverse.shape, NO_SEGMENT)
        segmentation = hits.index_put((known,), segmentation[inverse[known]])
    return list(segmentation.split(torch.diff(ends, prepend=ends.new_zeros(1)).tolist()))
