import re

import pytest

from nuzoo.training.vlm.event_captions import HADRONS, LEPTONS, MissingTruthError, caption, every_word


def row(lepton: int, energy: float = 2.4, protons: int = 0, charged: int = 0, neutral: int = 0):
    particles = {"n_protons": protons, "n_charged_pions": charged, "n_neutral_pions": neutral}
    return {"lepton_pdg": lepton, "lepton_energy": energy, **particles}


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (row(11, 2.1), "An electron shower of about 2 GeV starts at the vertex, with no protons or pions."),
        (row(13, 0.7, protons=1), "A muon track of under 1 GeV leaves the vertex, with one proton."),
        (
            row(-13, 3.6, 2, 1),
            "An antimuon track of about 4 GeV leaves the vertex, with two protons and one charged pion.",
        ),
        (
            row(14, 9.0, 2, 5, 1),
            "Only hadrons leave the vertex: two protons, many charged pions and one neutral pion.",
        ),
        (row(-12, 9.0, neutral=3), "Only hadrons leave the vertex: three neutral pions."),
        (row(12), "Only hadrons leave the vertex: no protons or pions."),
    ],
)
def test_captions_tell_what_left_the_vertex(event, sentence):
    assert caption(event) == sentence


def test_captions_do_not_name_the_class():
    for sentence in every_word():
        assert not re.search(r"Nu|CC|Neutral|[Cc]urrent|neutrino", sentence)


def test_every_word_of_a_caption_is_known_beforehand():
    known = set(re.findall("[A-Za-z]+", " ".join(every_word())))
    for lepton in (*LEPTONS, 14, -14):
        for count in range(12):
            sentence = caption(row(lepton, 0.5 * count, count, 11 - count, count // 2))
            assert set(re.findall("[A-Za-z]+", sentence)) <= known


@pytest.mark.parametrize("name", ["lepton_pdg", "lepton_energy", *HADRONS])
def test_events_without_truth_are_not_captioned(name):
    with pytest.raises(MissingTruthError, match=name):
        caption(row(11) | {name: None})
