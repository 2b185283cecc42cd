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


def simulated(dataset, detector, **options):
    plan = {"dataset": dataset, "simulation": "1a2b", "events": 9, "seed": 2, "detector": detector}
    return config(**plan, shard_size=500, **options)


def test_simulated_neutrinos(tmp_path):
    file = predictions(tmp_path, 0.5, 2.0, 9.87)
    plan = simulated("lartpc-pixelmaps", "modular-2x2x7", spectrum="flat-0-10")
    story = dataset_story(plan, DATASET, file, {})
    assert story["training events"] == "1,200, the split train"
    assert story["splits"].startswith("1,200 train, 1 validation, 2 test; ")
    assert "flat in energy from 0 to 10 GeV" in story["neutrinos"] and "`flat-0-10`" in story["neutrinos"]
    expected = "2 of the test split, neutrino energies 0.5 to 9.9 GeV, half of them above 2 GeV"
    assert story["measured events"] == expected
    command = "nuzoo simulate lartpc-pixelmaps --events 9 --seed 2 --detector modular-2x2x7"
    assert story["made by"] == f"`{command} --spectrum flat-0-10`"


def test_simulated_events_of_several_interactions_are_not_called_neutrinos_of_files(tmp_path):
    file = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"event_id": ["a", "b"]}), file)
    story = dataset_story(simulated("lartpc-cubes", "lartpc-cube-768"), DATASET, file, {})
    assert "neutrinos" not in story and "converted" not in str(story)
    assert story["events"].startswith("Simulated by nuzoo")
    assert "1 to 3 vertices" in story["events"] and "0 to 3 cosmic muons" in story["events"]
    assert story["made by"] == "`nuzoo simulate lartpc-cubes --events 9 --seed 2 --detector lartpc-cube-768`"
    assert story["measured events"] == "2 of the test split"


def test_simulated_events_of_a_dataset_that_says_nothing_of_them(tmp_path):
    story = dataset_story(simulated("fasercal", "fasercal"), DATASET, predictions(tmp_path, 9.0), {})
    assert story["events"].startswith("Simulated by nuzoo") and "neutrinos" not in story


def test_converted_events_and_a_part_of_the_training_split(tmp_path):
    recipe = {"data": {"train_events": 1000}}
    file, every = predictions(tmp_path, None, float("nan")), SimpleNamespace(split="all", events=2)
    story = dataset_story(config(), every, file, recipe)
    assert story["training events"] == "the first 1,000 of 1,200 of the split train"
    assert story["events"] == "those of the files that the dataset was converted from"
    assert "neutrinos" not in story and "made by" not in story
    assert story["measured events"] == "2 labelled events of all splits, of unknown neutrino energy"
    recipe["data"]["train_events"] = 5000
    assert (
        dataset_story(config(), DATASET, predictions(tmp_path, 1.0), recipe)["training events"]
        == "1,200, the split train"
    )
