import pytest
from datasets import ClassLabel, Dataset, Features

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError, check_class_names


def rows(names):
    return Dataset.from_dict({"label": [0, 1]}, features=Features({"label": ClassLabel(names=names)}))


def test_classes_in_another_order_are_refused():
    check_class_names(rows(["nue_cc", "nc"]), ["nue_cc", "nc"], "here")
    with pytest.raises(UnusableDatasetError, match="here: expected labels that count the classes nue_cc, nc"):
        check_class_names(rows(["nc", "nue_cc"]), ["nue_cc", "nc"], "here")


def test_labels_without_names_are_taken_as_numbers():
    check_class_names(Dataset.from_dict({"label": [0, 1]}), ["nue_cc", "nc"], "here")
