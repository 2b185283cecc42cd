import json
from types import SimpleNamespace

from transformers import TrainerControl, TrainerState, TrainingArguments

from nuzoo.training.curves import DrawCurves, draw_curves, epoch_line, summary, with_training_loss
from nuzoo.training.progress import EpochLines

HISTORY = [
    {"loss": 1.0, "epoch": 0.5, "step": 5},
    {"eval_loss": 0.9, "eval_accuracy": 0.5, "eval_runtime": 1.0, "epoch": 1.0, "step": 10},
    {"loss": 0.5, "epoch": 1.5, "step": 15},
    {"eval_loss": 1.1, "eval_accuracy": 0.625, "eval_runtime": 1.0, "epoch": 2.0, "step": 20},
    {"train_runtime": 2.0, "train_loss": 0.7, "epoch": 2.0, "step": 20},
]


def test_a_training_ends_with_its_best_and_last_numbers(tmp_path):
    state = {"log_history": HISTORY, "best_global_step": 10, "global_step": 20, "epoch": 2.0}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    assert summary(tmp_path) == [
        "best epoch 1: validation loss 0.9, accuracy 0.5",
        "last epoch 2 (20 steps): validation loss 1.1, accuracy 0.625, training loss 0.5",
    ]


def test_without_evaluation_the_loss_is_all_there_is(tmp_path):
    state = {"log_history": [HISTORY[0]], "best_global_step": None, "global_step": 1, "epoch": 0.5}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    assert summary(tmp_path) == ["last epoch 0.5 (1 step): training loss 1"]
    assert summary(tmp_path / "nowhere") == []


def test_curves_are_drawn_as_picture_and_for_print(tmp_path):
    draw_curves(HISTORY, tmp_path, best_epoch=1.0)
    assert (tmp_path / "training_curves.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "training_curves.pdf").read_bytes().startswith(b"%PDF")


def test_epochs_are_counted_in_whole_numbers_where_there_is_one_too(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    draw_curves(HISTORY[1:2], tmp_path, best_epoch=1.0)
    ticks = {label for panel in drawn[0].axes for label in panel.get_xticks()}
    assert 1.0 in ticks and all(tick == round(tick) for tick in ticks)


def test_curves_are_drawn_again_after_each_evaluation_alone(tmp_path):
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    state, draw, file = TrainerState(), DrawCurves(), tmp_path / "training_curves.png"
    state.is_world_process_zero = True
    for length, drawn in ((1, False), (2, True), (3, False), (4, True)):
        state.log_history = HISTORY[:length]
        draw.on_save(arguments, state, TrainerControl())
        assert file.exists() is drawn
        file.unlink(missing_ok=True)


def test_an_epoch_is_told_in_a_line():
    assert epoch_line(HISTORY[:2]) == "epoch 1: training loss 1, validation loss 0.9, accuracy 0.5"
    assert epoch_line(HISTORY[1:2]) == "epoch 1: validation loss 0.9, accuracy 0.5"


def test_a_short_run_shows_its_mean_training_loss():
    assert with_training_loss(HISTORY) == HISTORY
    assert [entry["loss"] for entry in with_training_loss(HISTORY[1:2] + HISTORY[4:])] == [0.7]


def test_a_training_writes_lines_and_no_dictionaries(tmp_path):
    written, state = [], TrainerState(log_history=HISTORY[:2])
    lines = EpochLines()
    lines.training_bar = SimpleNamespace(write=written.append)
    for logs in HISTORY[:2]:
        lines.on_log(None, state, TrainerControl(), logs=logs)
    assert written == [epoch_line(HISTORY[:2])]


def test_metrics_of_another_unit_have_another_axis(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    draw_curves([HISTORY[1] | {"eval_vertex_median_mm": 135.0}], tmp_path, best_epoch=None)
    assert [panel.get_ylabel() for panel in drawn[0].axes] == [
        "loss (nats)",
        "validation metric",
        "validation metric (mm)",
    ]
