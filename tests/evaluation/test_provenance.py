import pytest

from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.provenance import sample_tag

SIMULATED, OTHER = "nuzoo-simulation 0.1.0 seed=1", "events.h5"


@pytest.mark.parametrize(
    ("sources", "sample", "tag"),
    [
        ([SIMULATED], None, "nuzoo simulation"),
        ([SIMULATED], "my cuts", "my cuts (nuzoo simulation)"),
        ([SIMULATED, OTHER], "my cuts", "my cuts (in part nuzoo simulation)"),
        ([OTHER], "OPERA data", "OPERA data"),
        ([], "OPERA data", "OPERA data"),
    ],
)
def test_that_events_are_simulated_is_said_whatever_they_are_called(sources, sample, tag):
    assert sample_tag(sources, sample) == tag


@pytest.mark.parametrize("sources", [[OTHER], [SIMULATED, OTHER], []])
def test_events_of_other_origin_need_a_name(sources):
    with pytest.raises(EvaluationError, match='--sample "'):
        sample_tag(sources)
