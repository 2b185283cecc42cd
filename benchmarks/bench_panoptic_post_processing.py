"""Times of panoptic post-processing beside the forward pass of the network that it is for.

Run as `python benchmarks/bench_panoptic_post_processing.py`; one thread, events of hits along lines.
"""

import argparse
import time
from statistics import median

import torch

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

PARTICLES = dict(enumerate(["photon", "electron", "muon", "pion", "proton", "none"]))
TRACKS = 24


def cloud(points, seed=0):
    """One event: straight tracks of one voxel after another."""
    torch.manual_seed(seed)
    start, direction = 100 + 500 * torch.rand(TRACKS, 1, 3), torch.randn(TRACKS, 1, 3)
    along = torch.arange(points // TRACKS + 1)[:, None] * 1.8
    cells = (start + along * direction / direction.norm(dim=-1, keepdim=True)).round().long() % 768
    cells = torch.unique(cells.flatten(0, 1), dim=0)[:points]
    return {
        "coordinates": (cells - 384) / 665.1,
        "energy": torch.rand(len(cells), 1),
        "grid_coordinates": cells,
        "offset": torch.tensor([len(cells)]),
    }


def as_if_trained(outputs, batch):
    """Masks as a trained network gives them: each of a part of the event, most of one of the classes."""
    place = batch["coordinates"][:, :1] * 10
    queries = outputs.masks_queries_logits.shape[1]
    outputs.masks_queries_logits = 4 - 6 * (place - torch.linspace(-4, 4, queries)).abs()
    outputs.class_queries_logits = torch.randn_like(outputs.class_queries_logits)
    outputs.class_queries_logits[..., 2] += 4
    outputs.stuff_logits = torch.randn_like(outputs.stuff_logits) - 1
    return outputs


def seconds(action, repeats):
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="base", choices=["base", "small", "tiny"])
    parser.add_argument("--points", type=int, nargs="+", default=[1_200, 4_700, 19_400])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = getattr(NuPointConfig, arguments.preset)(id2label=PARTICLES)
    model, processor = NuPointForUniversalSegmentation(config).eval(), NuPointCloudFeatureExtractor()
    options = {"stuff_label_ids": config.background_labels}
    print(f"{arguments.preset}, {config.queries} queries, one thread")
    print("| points | forward, s | decoder and heads, s | post-processing, s | part of forward | instances |")
    for points in arguments.points:
        batch = cloud(points)
        with torch.inference_mode():
            forward = seconds(lambda b=batch: model(**b), arguments.repeats)
            body = seconds(lambda b=batch: model.nu_point(**b), arguments.repeats)
            outputs = as_if_trained(model(**batch), batch)
            post = seconds(
                lambda o=outputs, b=batch: processor.post_process_panoptic_segmentation(o, b, **options),
                3 * arguments.repeats,
            )
            found = processor.post_process_panoptic_segmentation(outputs, batch, **options)[0]
        print(
            f"| {len(batch['coordinates']):,} | {forward:.3f} | {forward - body:.3f} | {post:.4f} "
            f"| {post / forward:.1%} | {len(found['segments_info'])} |"
        )


if __name__ == "__main__":
    main()
