"""The page: a model, an event, a button, and what the model says."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Any

import gradio as gr

from nuzoo.app.asking import ANY, Asker, find_model
from nuzoo.app.fragments import about_model
from nuzoo.app.limits import KEPT_SECONDS, MOST_WAITING, Limits
from nuzoo.app.offered import OfferedModel, offered_models, silent_models
from nuzoo.app.uploads import too_large
from nuzoo.registry import MODALITIES, import_object

TITLE = "nuzoo: models for neutrino detectors"
FIRST_SEED = 1
TOO_LARGE = "TOO_LARGE"


def make_page(asker: Asker) -> gr.Blocks:
    """Build the page.

    Args:
        asker: Answers what it asks.
    """
    models = offered_models()
    first = next(iter(models.values()))
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(_introduction(asker.limits))
        with gr.Row():
            with gr.Column(scale=2, min_width=380):
                choices = [(f"{name}: {of.about[0]}", name) for name, of in models.items()]
                model = gr.Dropdown(choices, label="model", elem_id="model")
                about = gr.HTML(about_model(first), elem_classes="answer")
                with gr.Tab("a simulated event"):
                    wanted = gr.Dropdown(elem_id="class", **_classes(first))
                    seed = gr.Number(FIRST_SEED, label="seed: each gives another event", elem_id="seed")
                    of_sample = gr.Button("ask about this event", variant="primary", elem_id="ask-sample")
                with gr.Tab("my own file"):
                    uploaded = gr.File(file_count="multiple", label="files of an event", elem_id="files")
                    vars(uploaded)["async_move_resource_to_block_cache"] = _as_it_is
                    readable = gr.HTML(_readable(first), elem_classes="answer")
                    number = gr.Number(1, label="which event of the files", elem_id="number")
                    of_files = gr.Button("ask about this event", variant="primary", elem_id="ask-files")
            with gr.Column(scale=5, min_width=480):
                told = gr.HTML(elem_classes="answer", elem_id="told")
                with gr.Tab("picture"):
                    picture = gr.HTML(elem_classes="answer", elem_id="picture")
                with gr.Tab("interactive"):
                    interactive = gr.HTML(elem_classes="answer", elem_id="interactive")
                with gr.Tab("why"):
                    why = gr.HTML(elem_classes="answer", elem_id="why")
        shown = [told, picture, interactive, why]
        model.change(_of_model, model, [about, wanted, readable], api_visibility="private", queue=False)
        once: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": asker.limits.at_once}
        once["preprocess"] = False  # what is sent is checked by `asker`, and no path of it is followed before
        of_sample.click(asker.of_sample, [model, wanted, seed], shown, api_name="sample", **once)
        files_gone = [*shown, uploaded]
        of_files.click(asker.of_files, [model, uploaded, number], files_gone, api_name="file", **once)
    return page.queue(max_size=MOST_WAITING)


def style(limits: Limits) -> str:
    """Return the style sheet of the page, with the sentence that stands for Gradio's "Error" of an upload."""
    text = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return text.replace(TOO_LARGE, too_large(limits, "more"))


def theme() -> gr.themes.Base:
    """Return a theme whose fonts are those of the reader's system: none is fetched."""
    return gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


async def _as_it_is(path: str) -> str:
    """Take a path as it is sent, in place of Gradio's copy of the file, or of what a URL leads to."""
    return path


def _introduction(limits: Limits) -> str:
    silent = ", ".join(silent_models())
    return (
        "# Try a model for neutrino detectors\n\nChoose a model that comes with nuzoo, and an event: one "
        "that is simulated now as those that the model was trained on, with the truth beside it, or one "
        "of your own files. These are small models, trained on a simulation: what they say of other "
        "events is no measurement.\n\n"
        f"Files, {limits.upload_mb} MB at most together, are removed once they are answered, and "
        f"{KEPT_SECONDS // 60} minutes after they came at the latest. Not offered, since they have learnt "
        f"without answers: {silent}."
    )


def _of_model(name: str) -> tuple[str, Any, str]:
    model = find_model(name)
    return about_model(model), gr.update(**_classes(model)), _readable(model)


def _classes(model: OfferedModel) -> dict[str, Any]:
    """Offer the true classes that an event can have, where it has one."""
    visible = bool(model.classes)
    return {"choices": [ANY, *model.classes], "value": ANY, "label": "true class", "visible": visible}


def _readable(model: OfferedModel) -> str:
    """Say which files are read for a model."""
    reader = import_object(MODALITIES[model.modality].reader)
    return f"<p>{escape(f'Files that nuzoo predict reads for this model: {reader([]).endings}.')}</p>"
