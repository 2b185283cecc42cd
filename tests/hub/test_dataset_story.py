"""What a card says of the events: against numbers that are written down here."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nuzoo.hub.model.dataset_reference import PublishedConfig
from nuzoo.hub.model.dataset_story import dataset_story, spectrum_words
from nuzoo.simulation.interactions import Spectrum
from nuzoo.simulation.spectra import SPECTRA

LISTS = {"train": [f"t{number}" for number in range(1200)], "validation": ["v"], "test": ["a", "b"]}
DATASET = SimpleNamespace(split="test", events=2)


def config(**plan):
    return PublishedConfig(LISTS, plan, {})


def predictions(folder, *energies):
    pq.write_table(pa.table({"neutrino_energy": energies}), folder / "predictions.parquet")
    return folder / "predictions.parquet"


@pytest.mark.parametrize(
    ("spectrum", "words"),
    [
        (SPECTRA["flat-0-10"], "flat in energy from 0 to 10 GeV, 74% charged-current interactions"),
        (SPECTRA["broad-0.5-40"], "flat in the logarithm of the energy from 0.5 to 40 GeV, 67% charged"),
        (Spectrum(energy_table=((1e3, 2e3, 6e3), (1, 2, 0))), "with a tabulated spectrum from 1 to 6 GeV"),
        (Spectrum((14,), (1.0,)), "100% muon neutrinos, flat"),
        (Spectrum((12, -14), (0.3, 0.7)), "30% electron neutrinos, 70% anti-muon neutrinos, flat"),
    ],
)
def test_spectra_in_words(spectrum, words):
    assert words in spectrum_words(spectrum)


def test_simulated_events(tmp_path):
    file = predictions(tmp_path, 0.5, 2.0, 9.87)
    story = dataset_story(config(spectrum="flat-0-10"), DATASET, file, {})
    assert story["training events"] == "1,200, the split train"
    assert story["splits"].startswith("1,200 train, 1 validation, 2 test; ")
    assert "flat in energy from 0 to 10 GeV" in story["neutrinos"] and "`flat-0-10`" in story["neutrinos"]
    expected = "2 of the test split, neutrino energies 0.5 to 9.9 GeV, half of them above 2 GeV"
    assert story["measured events"] == expected
    assert "made by" not in story  # the plan does not tell the rest
    plan = {"dataset": "maps", "events": 9, "seed": 2, "detector": "modular-2x2x7", "spectrum": "flat-0-10"}
    command = "`nuzoo simulate maps --events 9 --seed 2 --detector modular-2x2x7 --spectrum flat-0-10`"
    assert dataset_story(config(**plan), DATASET, file, {})["made by"] == command


def test_converted_events_and_a_part_of_the_training_split(tmp_path):
    recipe = {"data": {"train_events": 1000}}
    file, every = predictions(tmp_path, None, float("nan")), SimpleNamespace(split="all", events=2)
    story = dataset_story(config(), every, file, recipe)
    assert story["training events"] == "the first 1,000 of 1,200 of the split train"
    assert "files that the dataset was converted from" in story["neutrinos"]
    assert story["measured events"] == "2 labelled events of all splits, of unknown neutrino energy"
    recipe["data"]["train_events"] = 5000
    assert (
        dataset_story(config(), DATASET, predictions(tmp_path, 1.0), recipe)["training events"]
        == "1,200, the split train"
    )
