"""What somebody may have meant by a name that is not known."""

from nuzoo.files.nearest_names import did_you_mean, nearest_names

KNOWN = ["rebin", "reference_energy", "views"]


def test_nearest_names_are_those_of_typing_errors():
    assert nearest_names(["rebbin", "views", "cache_dir"], KNOWN) == {"rebbin": "rebin"}


def test_hint_names_each_meant_name_once():
    assert (
        did_you_mean(["rebbin", "rebinn", "refrence_energy"], KNOWN)
        == ": did you mean rebin, reference_energy?"
    )
    assert did_you_mean(["colour"], KNOWN) == ""
