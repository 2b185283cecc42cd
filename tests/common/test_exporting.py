"""What networks of fixed inputs must do for `torch.export` and `torch.jit`: any number of events."""

import pytest
import torch


def repeated(inputs, times):
    return {name: torch.cat([value] * times) for name, value in inputs.items()}


@pytest.fixture
def graph(headed):
    if not headed.exports_graph:
        pytest.skip("the network is no graph of fixed inputs")
    return headed


def test_exported_graph_takes_any_number_of_events(graph, inputs):
    batch = torch.export.Dim("batch", min=1)
    shapes = {name: {0: batch} for name in inputs}
    with torch.no_grad():
        program = torch.export.export(graph, (), inputs, dynamic_shapes=shapes, strict=False)
        for given in (repeated(inputs, 2), {name: value[:1] for name, value in inputs.items()}):
            torch.testing.assert_close(program.module()(**given).logits, graph(**given).logits)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_trace_takes_any_number_of_events(graph, inputs):
    with torch.no_grad():
        traced = torch.jit.trace(graph, example_kwarg_inputs=inputs, strict=False)
        given = repeated(inputs, 2)
        torch.testing.assert_close(traced(**given)["logits"], graph(**given).logits)
