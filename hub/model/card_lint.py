"""What must be true of the card of a published model or dataset."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import ModelCard

from nuzoo.files.names import CARD_FILE
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.errors import IncompleteCardError

REQUIRED = ("license", "library_name", "pipeline_tag", "datasets", "model_name")
COMMIT = re.compile(r"[0-9a-f]{40}")
PLACEHOLDER = re.compile(r"\$[a-z_]+\b")


def check_model_card(folder: Path) -> None:
    """Refuse a card that does not parse, has gaps, or states results without their origin.

    Raises:
        IncompleteCardError: With all that is wrong.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        raise IncompleteCardError(f"expected a card in {CARD_FILE}, got none; publish with `nuzoo publish`")
    try:
        card = ModelCard(path.read_text(encoding="utf-8"))
    except Exception as error:  # YAML, and whatever the parser of model-index trips over
        raise IncompleteCardError(
            f"{CARD_FILE} has no metadata that can be read: {error}; publish with `nuzoo publish`"
        ) from error
    problems = [f"no {key}" for key in REQUIRED if not getattr(card.data, key, None)]
    problems += [f"an empty section {heading!r}" for heading in empty_sections(card.text)]
    problems += [f"a placeholder {name} left" for name in PLACEHOLDER.findall(card.text)]
    results = getattr(card.data, "eval_results", None) or []
    if not results:
        problems.append("no measured results (model-index)")
    if any(not COMMIT.fullmatch(result.dataset_revision or "") for result in results):
        problems.append("results without the commit of their dataset")
    if problems:
        raise IncompleteCardError(f"{CARD_FILE} has {', '.join(problems)}; publish with `nuzoo publish`")
