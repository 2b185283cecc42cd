"""The network that an adapter is for: on the Hub, at a pinned commit, and the very one it was trained on."""

from __future__ import annotations

import json
from pathlib import Path

from nuzoo.files.checksums import sha256
from nuzoo.files.names import ADAPTER_FILE, CONFIG_FILE
from nuzoo.hub.errors import BaseModelError
from nuzoo.hub.pinned import Pinned, pin, remote_checksums, remote_sha256
from nuzoo.modeling.adapter_files import ADAPTER_FOLDER, name_base_of_adapter

WEIGHTS = "*.safetensors"


def find_base_model(run: Path, stated: str | None = None) -> Pinned | None:
    """Find the network of an adapter and pin it; None if the folder holds a whole model.

    Args:
        run: Folder of a model, or of an adapter.
        stated: "organisation/name" or "organisation/name@revision"; what the adapter names by default.

    Raises:
        BaseModelError: It is not on the Hub, or its weights are not those that the adapter was trained on.
        HubAccessError: The Hub does not have it, or cannot be reached.
    """
    adapter = find_adapter_folder(run)
    if adapter is None:
        if stated is not None:
            raise BaseModelError(f"--base {stated}: expected an adapter ({ADAPTER_FILE}) in {run}, got none")
        return None
    keys = json.loads((adapter / ADAPTER_FILE).read_text(encoding="utf-8"))
    named, revision = keys.get("base_model_name_or_path"), keys.get("revision")
    local = next((folder for folder in (run / (named or "-"), Path(named or "-")) if folder.is_dir()), None)
    if stated is not None:
        named, revision = stated, None
    elif local or not named:
        raise BaseModelError(
            f"the adapter is for {named or 'no network that it names'}; a published one names a network on "
            "the Hub: publish that (`nuzoo publish`, or `hf upload` for a model of transformers), then give "
            "`--base ORG/NAME`"
        )
    base = pin(named, "model", revision)
    if local:
        _refuse_other_weights(local, base)
    return base


def find_adapter_folder(run: Path) -> Path | None:
    """Find the adapter in a model's folder: itself, or the one of a vision-language model."""
    folders = (run, run / ADAPTER_FOLDER)
    return next((folder for folder in folders if (folder / ADAPTER_FILE).is_file()), None)


def name_base_model(folder: Path, base: Pinned) -> None:
    """Write the network and its commit, if it has one, into a saved adapter, where it is looked for."""
    name_base_of_adapter(find_adapter_folder(folder) or folder, base.repo_id, base.revision)
    config = folder / CONFIG_FILE
    if config.is_file():
        keys = json.loads(config.read_text(encoding="utf-8"))
        keys |= {"base_model": base.repo_id, "base_revision": base.revision}
        config.write_text(json.dumps(keys, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def adapter_facts(run: Path, base: Pinned) -> dict[str, object]:
    """Tell of an adapter's training, for the card."""
    adapter = find_adapter_folder(run) or run
    keys = json.loads((adapter / ADAPTER_FILE).read_text(encoding="utf-8"))
    on_the_hub = f"[`{base.repo_id}`](https://huggingface.co/{base.repo_id}) at `{base.revision}`"
    facts: dict[str, object] = {
        "base model": on_the_hub if base.revision else f"in the folder `{base.repo_id}`",
        "adapter": keys.get("peft_type"),
        "rank": keys.get("r"),
        "alpha": keys.get("lora_alpha"),
        "adapted modules": _names(keys.get("target_modules")),
        "modules trained whole": _names(keys.get("modules_to_save")),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _names(modules: str | list[str] | None) -> str:
    """Modules by name, or the pattern of their names."""
    return f"`{modules}`" if isinstance(modules, str) else ", ".join(sorted(modules or []))


def _refuse_other_weights(local: Path, base: Pinned) -> None:
    ours = {path.name: sha256(path) for path in local.glob(WEIGHTS) if not path.name.startswith("adapter")}
    published = remote_checksums(base.repo_id, revision=base.revision) or remote_sha256(base, sorted(ours))
    if not ours or any(published.get(name) != digest for name, digest in ours.items()):
        raise BaseModelError(
            f"{base.repo_id} at {base.revision[:12]} does not hold the weights of {local}, which the adapter "
            "was trained on: publish that model, or name its revision (`--base ORG/NAME@REVISION`)"
        )
