import pytest
from datasets import ClassLabel, Dataset, Features, Value

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.class_names import labels_by_name

MODEL = ["nue_cc", "numu_cc", "nc"]


def rows(labels, feature):
    features = Features({"label": feature, "event_id": Value("string")})
    names = [str(n) for n in range(len(labels))]
    return Dataset.from_dict({"label": labels, "event_id": names}, features=features)


@pytest.mark.parametrize(
    ("labels", "feature"),
    [
        ([0, 1, 2, None], ClassLabel(names=["nc", "nue_cc", "numu_cc"])),
        ([3, 0, 1, None], ClassLabel(names=["nue_cc", "numu_cc", "nutau_cc", "nc"])),
        (["nc", "nue_cc", "numu_cc", None], Value("string")),
    ],
)
def test_classes_are_those_of_the_model_by_name(labels, feature):
    mapped = labels_by_name(rows(labels, feature), MODEL)
    assert mapped.features["label"].names == MODEL
    assert list(mapped["label"]) == [2, 0, 1, None]
    assert list(mapped["event_id"]) == ["0", "1", "2", "3"]


def test_what_needs_no_mapping_is_left_as_it_is():
    for same in (rows([0, 2], ClassLabel(names=MODEL)), rows([0, 2], Value("int64"))):
        assert labels_by_name(same, MODEL) is same


def test_events_of_a_class_that_the_model_does_not_have_are_refused():
    taus = rows([0, 1, 1], ClassLabel(names=["nc", "nutau_cc"]))
    with pytest.raises(UnusableDatasetError, match=r"got 2 of nutau_cc: leave them out"):
        labels_by_name(taus, MODEL)
