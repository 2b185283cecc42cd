"""Events: in any order, in any company, with no or one hit, and never nonsense."""

import numpy as np
import pytest
import torch
from transformers import AutoProcessor

from .inputs import (
    EMPTY,
    ONE_HIT,
    assert_close,
    assert_event_agrees,
    by_event,
    corrupted,
    example_inputs,
    hit_columns,
    known,
    permuted,
    results_of,
    stirred,
    unfitted_processor,
)


def refusal(processor, events):
    """The message with which the processor refuses the events, by an error of nuzoo."""
    with pytest.raises(ValueError) as caught:
        processor(events)
    assert type(caught.value).__module__.startswith("nuzoo.")
    return str(caught.value)


def quantity_of(column):
    """A column's name without its last word: the view or collection that it belongs to."""
    return column.rpartition("_")[0] or column


def energies(event):
    return [name for name in hit_columns(event, np.floating) if "energy" in name]


def assert_same_inputs(first, second):
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def event_results(model, processor, events):
    """Results with a row for each event."""
    inputs = example_inputs(processor, events)
    return by_event(results_of(model, inputs), inputs, len(events))


def test_order_of_hits_does_not_matter(model, processor, events):
    shuffled = [permuted(event) for event in events]
    assert any(
        not np.array_equal(one[name], other[name])
        for one, other in zip(events, shuffled, strict=True)
        for name in hit_columns(one, np.generic)
    )
    stirred(model)
    first, second = (known(event_results(model, processor, one)) for one in (events, shuffled))
    assert_close(first, second, rtol=1e-5, atol=1e-5)


def test_company_and_position_do_not_matter(model, processor):
    """Neither padding nor the length of the other events changes an event's results."""
    events = processor.example_events(6)
    stirred(model)
    for chosen in (ONE_HIT, 3):
        alone = event_results(model, processor, [events[chosen]])
        for order in (events, events[::-1]):
            together = event_results(model, processor, order)
            position = next(i for i, event in enumerate(order) if event is events[chosen])
            assert_event_agrees(together, alone, position)


@pytest.mark.parametrize("kind", ["empty", "one hit"])
def test_sparse_event_is_finite_and_disturbs_no_other(model, processor, events, kind):
    sparse, others = events[EMPTY if kind == "empty" else ONE_HIT], events[2:]
    results = event_results(stirred(model), processor, [sparse, *others])
    assert all(torch.isfinite(result).all() for result in known(results))
    for position, event in enumerate(others, start=1):
        assert_event_agrees(results, event_results(model, processor, [event]), position)


def test_batch_of_empty_events_is_finite(model, processor, events):
    results = known(event_results(stirred(model), processor, [events[EMPTY]] * 3))
    assert all(torch.isfinite(result).all() for result in results)
    assert_close([result[:1] for result in results], [result[-1:] for result in results])


def test_examples_hold_what_the_checks_need(processor, events):
    sizes = [
        max((len(event[name]) for name in hit_columns(event, np.generic)), default=0) for event in events
    ]
    assert sizes[EMPTY] == 0
    assert sizes[ONE_HIT] == 1
    assert min(sizes[2:]) > 10
    again = processor.example_events(len(events))
    for one, other in zip(events, again, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_processor_gives_finite_tensors_of_standard_type(inputs):
    assert inputs
    for name, value in inputs.items():
        assert isinstance(value, torch.Tensor), name
        assert torch.isfinite(value).all(), name
        assert value.dtype in {torch.float32, torch.int64, torch.int32, torch.bool}, name


def test_processor_leaves_the_events_as_they_are(processor, events):
    before = processor.example_events(len(events))
    processor(events)
    for one, other in zip(events, before, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in other)


def test_single_event_needs_no_list(processor, events):
    assert_same_inputs(example_inputs(processor, events[-1]), example_inputs(processor, events[-1:]))


def test_saved_processor_gives_the_same_tensors(architecture, processor, config, inputs, events, tmp_path):
    processor.save_pretrained(tmp_path)
    config.save_pretrained(tmp_path)
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert type(loaded) is architecture.processor_class()
    assert_same_inputs(example_inputs(loaded, events), inputs)


def test_processor_without_statistics_is_refused(architecture, events, tmp_path):
    processor = unfitted_processor(architecture)
    if processor.is_fitted:
        pytest.skip("the processor needs no statistics")
    assert "fit" in refusal(processor, events)
    with pytest.raises(ValueError, match="fit") as caught:
        processor.save_pretrained(tmp_path)
        type(processor).from_pretrained(tmp_path)(events)
    assert type(caught.value).__module__.startswith("nuzoo.")


def test_statistics_follow_the_events(architecture, events):
    processor = unfitted_processor(architecture)
    if processor.is_fitted:
        pytest.skip("the processor needs no statistics")
    first = processor.fit(events).to_dict()
    doubled = [event | {name: 2 * event[name] for name in energies(event)} for event in events]
    assert processor.fit(events).to_dict() == first
    assert processor.fit(doubled).to_dict() != first


def test_unknown_setting_is_named(processor, tmp_path):
    settings = {name: value for name, value in processor.to_dict().items() if not name.endswith("_type")}
    with pytest.raises(ValueError, match="hieght") as caught:
        type(processor)(**settings, hieght=3)
    assert type(caught.value).__module__.startswith("nuzoo.")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_number_that_is_not_finite_is_refused(processor, events, value):
    columns = hit_columns(events[-1], np.floating)
    assert columns
    for column in columns:
        message = refusal(processor, [*events[:-1], corrupted(events[-1], column, value)])
        assert "finite" in message
        assert quantity_of(column) in message


def test_negative_energy_is_refused(processor, events):
    columns = energies(events[-1])
    if not columns:
        pytest.skip("the events hold no energies")
    for column in columns:
        message = refusal(processor, [*events[:-1], corrupted(events[-1], column, -1.0)])
        assert quantity_of(column) in message
        assert "-1" in message


@pytest.mark.parametrize("value", [-1, 10**9], ids=["below", "above"])
def test_position_out_of_range_is_refused(processor, events, value):
    columns = hit_columns(events[-1], np.integer)
    if not columns:
        pytest.skip("the events hold no integer positions")
    for column in columns:
        message = refusal(processor, [*events[:-1], corrupted(events[-1], column, value)])
        assert quantity_of(column) in message
        assert str(value) in message


def test_columns_of_unequal_length_are_refused(processor, events):
    for column in hit_columns(events[-1], np.generic):
        short = events[-1] | {column: events[-1][column][:-1]}
        assert quantity_of(column) in refusal(processor, [*events[:-1], short])


def test_missing_column_is_named(processor, events):
    for column in hit_columns(events[-1], np.generic):
        partial = [{name: value for name, value in event.items() if name != column} for event in events]
        assert column in refusal(processor, partial)


def truth_for(column, event, number):
    """A class: one for the event, or one for each of its hits."""
    hits = len(event[hit_columns(event, np.generic)[0]]) if hit_columns(event, np.generic) else 0
    return np.full(hits, number) if column.is_ragged else number


def test_targets_become_whole_numbers(architecture, processor, events):
    target = next((name for task in architecture.tasks for name in task.targets), None)
    if target is None:
        pytest.skip("nothing is learnt from a truth")
    column = processor.schema[target]
    truth = [truth_for(column, event, number % 2) for number, event in enumerate(events)]
    labelled = [event | {target: value} for event, value in zip(events, truth, strict=True)]
    batch = processor(labelled, targets=(target,))
    assert batch["labels"].dtype == torch.int64
    assert batch["labels"].tolist() == np.hstack(truth).tolist()
    assert_same_inputs(
        example_inputs(processor, events),
        {name: value for name, value in batch.items() if name != "labels"},
    )
    for wrong in (None, truth_for(column, events[-1], 0.5)):
        with pytest.raises(ValueError, match=target) as caught:
            processor([*labelled[:-1], events[-1] | {target: wrong}], targets=(target,))
        assert type(caught.value).__module__.startswith("nuzoo.")


def test_processor_suits_the_network_and_reads_its_own_schema(processor, config, events):
    processor.check_agrees(config)
    assert {column.name for column in processor.schema.hits} <= set(events[0])
    assert processor.is_single_event(events[0]) and not processor.is_single_event(events)
    assert len(processor.split_events(events)) == len(events)
    assert processor.facts() and all(isinstance(value, str) for value in processor.facts().values())
