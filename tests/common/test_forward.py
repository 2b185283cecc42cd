"""What a network computes, and in what form it says so."""

import inspect
import typing

import pytest
import torch
from transformers.utils import ModelOutput

from .inputs import (
    EVENTS,
    assert_close,
    assert_equal,
    assert_event_agrees,
    by_event,
    example_inputs,
    known,
    results_of,
    stirred,
    tensors_of,
)


def convert(inputs, dtype):
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


def assert_near(results, expected, tolerance):
    """Relative deviation of each tensor as a whole."""
    assert len(results) == len(expected) > 0
    for one, other in zip(results, expected, strict=True):
        deviation = (one.double() - other.double()).norm() / other.double().norm()
        assert deviation < tolerance


def test_evaluation_is_deterministic(model, inputs):
    torch.manual_seed(1)
    first = results_of(model, inputs)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert_equal(first, results_of(model, inputs))
    assert torch.equal(state, torch.get_rng_state())


def test_events_of_a_batch_do_not_see_each_other(model, processor, events):
    stirred(model)
    inputs = example_inputs(processor, events)
    together = by_event(results_of(model, inputs), inputs, len(events))
    for position, event in enumerate(events):
        single = example_inputs(processor, [event])
        assert_event_agrees(together, by_event(results_of(model, single), single, 1), position)


def test_results_depend_on_the_event(model, inputs):
    """Otherwise agreement between batches says nothing."""
    results = known(by_event(results_of(stirred(model), inputs), inputs, EVENTS))
    assert all((one[-1] - one[-2]).abs().max() > 1e-3 for one in results)


def test_tuple_holds_the_same_tensors(model, inputs):
    plain = model(**inputs, return_dict=False)
    assert isinstance(plain, tuple)
    assert_equal(tensors_of(plain), tensors_of(model(**inputs)))
    model.config.return_dict = False
    assert isinstance(model(**inputs), tuple)


def test_hidden_states_are_returned_on_demand(model, inputs):
    with torch.no_grad():
        assert model(**inputs).hidden_states is None
        asked = model(**inputs, output_hidden_states=True).hidden_states
        assert len(asked) > 1
        model.config.output_hidden_states = True
        assert_equal(list(asked), list(model(**inputs).hidden_states or ()))
        assert model(**inputs, output_hidden_states=False).hidden_states is None


def test_hidden_states_are_those_of_the_computation(model, inputs):
    """Their gradients can be looked at: they are no copies made beside the way to the result."""
    output = model(**inputs, output_hidden_states=True)
    for state in output.hidden_states:
        state.retain_grad()
    results = [value for name, value in output.items() if name != "hidden_states"]
    sum(tensor.square().sum() for tensor in tensors_of(tuple(results))).backward()
    assert all(state.grad is not None and state.grad.any() for state in output.hidden_states)


def test_asking_for_hidden_states_changes_no_result(model, inputs):
    with torch.no_grad():
        plain, asked = model(**inputs), model(**inputs, output_hidden_states=True)
    for name, value in plain.items():
        assert_equal([value], [asked[name]])


def test_attentions_are_returned_on_demand(model, inputs):
    if not (model._supports_sdpa or model._supports_attention_backend):
        pytest.skip("the network has no attention")
    model.set_attn_implementation("eager")
    with torch.no_grad():
        assert model(**inputs).attentions is None
        attentions = model(**inputs, output_attentions=True).attentions
    assert attentions
    for attention in attentions:
        torch.testing.assert_close(attention.sum(-1), torch.ones(attention.shape[:-1]))


def test_attentions_are_those_of_the_computation(model, inputs):
    """Their gradients can be looked at: they are no views made after they were used."""
    if not (model._supports_sdpa or model._supports_attention_backend):
        pytest.skip("the network has no attention")
    model.set_attn_implementation("eager")
    output = model(**inputs, output_attentions=True)
    for attention in output.attentions:
        attention.retain_grad()
    results = [value for name, value in output.items() if name != "attentions"]
    sum(tensor.square().sum() for tensor in tensors_of(tuple(results))).backward()
    assert all(attention.grad is not None for attention in output.attentions)


def test_unknown_argument_is_refused_by_name(model, inputs):
    name = next(iter(inputs))
    misspelt = f"{name[:-2]}{name[-1]}{name[-2]}"
    with pytest.raises(TypeError, match=f"no argument '{misspelt}': did you mean {name}"):
        model(**inputs, **{misspelt: inputs[name]})
    model(**inputs, **{misspelt: None})


def test_eager_attention_agrees_with_sdpa(model, inputs):
    if not model._supports_sdpa:
        pytest.skip("the network has no scaled dot-product attention")
    results = {}
    for implementation in ("eager", "sdpa"):
        model.set_attn_implementation(implementation)
        assert model.config._attn_implementation == implementation
        results[implementation] = results_of(model, inputs)
    assert_close(results["eager"], results["sdpa"])


def test_output_is_of_the_stated_class(model, inputs):
    output = model(**inputs, output_hidden_states=True)
    assert isinstance(output, ModelOutput)
    assert typing.get_type_hints(type(model).forward)["return"] is type(output)


def test_every_field_and_argument_is_documented(model, inputs):
    text = inspect.getdoc(type(model).forward)
    arguments = inspect.signature(model.forward).parameters
    given = model(**inputs, output_hidden_states=True).keys()
    missing = [name for name in arguments if f"{name}:" not in text]
    missing += [name for name in given if f"`{name}`" not in text]
    assert not missing


def test_main_input_comes_first_and_from_the_processor(model, processor, inputs):
    first = next(iter(inspect.signature(model.forward).parameters))
    assert first == model.main_input_name
    assert first in inputs
    assert set(processor.model_input_names) == set(inputs)


def test_forward_names_its_arguments_and_takes_others(model, inputs):
    """Trainer, pipelines and PEFT look for the names, and pass more of them.

    A network around another one passes on what only that one knows.
    """
    parameters = inspect.signature(model.forward).parameters
    named = {name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD}
    assert set(inputs) <= named or model.config.sub_configs
    assert "output_hidden_states" in named
    assert any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def test_bfloat16_agrees_roughly(model, inputs):
    expected = results_of(model, inputs, output_hidden_states=True)
    model.to(torch.bfloat16)
    results = results_of(model, inputs, output_hidden_states=True)
    assert torch.bfloat16 in {tensor.dtype for tensor in results}
    assert_near(results, expected, 0.05)
    assert_equal(results, results_of(model, convert(inputs, torch.bfloat16), output_hidden_states=True))


def test_float64_agrees_closely(model, inputs):
    expected = results_of(model, inputs)
    results = results_of(model.double(), convert(inputs, torch.float64))
    assert {tensor.dtype for tensor in results} == {torch.float64}
    assert_near(results, expected, 1e-5)


def test_memory_layout_does_not_matter(model, inputs):
    expected = results_of(model, inputs)
    strided = {name: torch.stack([value, value], dim=-1)[..., 0] for name, value in inputs.items()}
    assert not any(value.is_contiguous() for value in strided.values())
    assert_close(results_of(model, strided), expected)
    swapped = {name: value.transpose(0, -1).contiguous().transpose(0, -1) for name, value in inputs.items()}
    assert_close(results_of(model, swapped), expected)


def test_inputs_are_not_modified(model, inputs):
    before = {name: (value.clone(), value._version) for name, value in inputs.items()}
    results_of(model, inputs)
    results_of(model.train(), inputs)
    for name, (value, version) in before.items():
        assert torch.equal(inputs[name], value)
        assert inputs[name]._version == version


def test_missing_input_is_refused(model):
    with pytest.raises((TypeError, ValueError), match=model.main_input_name):
        model()
