"""What every network must do that finds the instances of events, by queries."""

import pytest
import torch

from ..inputs import EVENTS, example_inputs, truth_for


def applies(task, schema):
    """To the task alone."""
    return task.name == "particle-segmentation"


def test_outputs_are_one_for_each_query(headed, inputs):
    output = headed(**inputs)
    queries, classes = headed.config.queries, headed.config.num_labels
    assert output.class_queries_logits.shape == (EVENTS, queries, classes + 1)
    assert output.masks_queries_logits.shape == (len(inputs["coordinates"]), queries)
    assert output.stuff_logits.shape == (len(inputs["coordinates"]),)


def test_labels_change_no_result(headed, inputs):
    plain, learning = headed(**inputs), headed(**inputs, **truth_for(headed, inputs))
    assert plain.loss is None and learning.loss > 0
    for name in ("class_queries_logits", "masks_queries_logits", "stuff_logits"):
        assert torch.equal(plain[name], learning[name])


def test_numbers_of_instances_mean_nothing(headed, inputs):
    """Only which points share one."""
    truth = truth_for(headed, inputs)
    renumbered = truth | {"particle_labels": 7 - 3 * truth["particle_labels"]}
    first, second = (headed(**inputs, **labels).loss for labels in (truth, renumbered))
    torch.testing.assert_close(first, second)


def test_the_loss_of_a_batch_is_that_of_its_events(headed, processor):
    """All with the same number of points, so that means over points agree too."""
    event = processor.example_events(EVENTS)[-1]
    alone, twice = (example_inputs(processor, [event] * times) for times in (1, 2))
    losses = [headed(**inputs, **truth_for(headed, alone)).loss for inputs in (alone,)]
    truth = {name: torch.cat([value, value]) for name, value in truth_for(headed, alone).items()}
    assert headed(**twice, **truth).loss.item() == pytest.approx(losses[0].item(), rel=1e-5)


def test_outputs_become_instances_of_hits(headed, processor, events):
    """A hit has at most one, whatever an untrained network says, and each instance has some."""
    batch = dict(processor(events, return_inverse=True))
    outputs = headed(**{name: batch[name] for name in processor.model_input_names})
    found = processor.post_process_panoptic_segmentation(outputs, batch, threshold=0.05)
    assert [len(event["segmentation"]) for event in found] == [len(event["x"]) for event in events]
    for event in found:
        numbers = set(event["segmentation"].tolist()) - {-1}
        assert numbers == {one["id"] for one in event["segments_info"]}
