from nuzoo.app.told import scores_in, tables_in


def test_probabilities_are_found_wherever_a_result_has_them():
    classified = {"label": "nc", "score": 0.7, "scores": {"nue_cc": 0.3, "nc": 0.7}}
    (whole,) = scores_in(classified)
    assert (whole.title, whole.scores) == ("", {"nue_cc": 0.3, "nc": 0.7})
    reconstructed = {"flavour": classified, "vertex": {"value": [1.0, -2.0, 3.25], "unit": "mm"}}
    (named,) = scores_in(reconstructed)
    assert named.title == "flavour"
    (table,) = tables_in(reconstructed)
    assert table.rows == [("vertex", "1, -2, 3.25 mm")]


def test_labels_of_hits_are_counted_and_their_scores_are_no_probabilities_of_classes():
    result = {"labels": ["track", "track", "shower", "track"], "scores": [0.9, 0.8, 0.7, 0.6]}
    assert scores_in(result) == []
    (table,) = tables_in(result)
    assert table.rows == [("track", "3", "75.0%"), ("shower", "1", "25.0%")]


def test_of_many_things_the_first_are_shown_and_all_are_counted():
    segments = [{"id": number, "label": "muon", "score": 0.5, "hits": number} for number in range(40)]
    table, _ = tables_in({"segments": segments, "labels": ["muon"]})
    assert table.header == ["label", "score", "hits"]
    assert len(table.rows) == 30 and table.rows[7] == ["muon", "0.5", "7"]
    assert table.note == "40 segments were found; the first 30 are shown."


def test_an_empty_event_has_nothing_to_tell():
    assert tables_in({"labels": [], "scores": [], "segments": []}) == []
