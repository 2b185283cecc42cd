"""Publish a trained model or a dataset on the Hugging Face Hub, complete and checked, as one commit.

Of a model goes out: weights, processor, pipeline, the code that loads them without nuzoo, a card with the
measured results and their pictures, golden outputs and checksums. It must have been evaluated, and its
dataset must be on the Hub. Of a dataset: the Parquet files, checked row by row, lists of events and a card;
several folders become configurations of one dataset. Log in first with `hf auth login`. Nothing is published
unless all of it is good, and the same command can be repeated.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuzoo.hub.upload import Commit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="of a run, or of datasets")
    parser.add_argument("--repo", required=True, help="ORGANISATION/NAME")
    parser.add_argument("--type", choices=("model", "dataset"), default="model")
    parser.add_argument("--report", type=Path, help="folder of the evaluation (default: FOLDER/report)")
    parser.add_argument(
        "--dataset", help="ORGANISATION/NAME[@REVISION] of a model's dataset (default: that of its recipe)"
    )
    parser.add_argument("--base", help="ORGANISATION/NAME[@REVISION] of the network that an adapter is for")
    parser.add_argument("--licence", help="identifier of the Hub (default: apache-2.0 for what nuzoo made)")
    parser.add_argument("--private", action="store_true", default=None, help="create a private repository")
    parser.add_argument("--message", help="of the commit")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    missing = [str(folder) for folder in args.folders if not folder.is_dir()]
    if missing:
        raise ValueError(f"expected the folder of a run or a dataset, got no folder: {', '.join(missing)}")
    with _told_to_end_as_interrupted(), _libraries_quiet():
        commit = _publish_dataset(args) if args.type == "dataset" else _publish_model(args)
    said = "published" if commit.changed else "nothing to publish, it is all there already:"
    print(f"{said} {commit.repo_id} at {commit.revision}\n{commit.url}")
    return 0


@contextmanager
def _told_to_end_as_interrupted() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C: nothing half done stays on the Hub or on the disk."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _libraries_quiet() -> Iterator[None]:
    """Leave the console to progress and findings: no warnings and bars of what libraries do inside."""
    import transformers.utils.logging as transformers_logging
    from huggingface_hub.utils import enable_progress_bars

    client = logging.getLogger("huggingface_hub.hf_api")
    level = client.level
    client.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            transformers_logging.disable_progress_bar()
            enable_progress_bars()  # of the upload, which that disables as well
            yield
    finally:
        client.setLevel(level)
        transformers_logging.enable_progress_bar()


def _publish_dataset(args: argparse.Namespace) -> Commit:
    from nuzoo.hub.dataset.publish import publish_dataset

    models = [str(folder) for folder in args.folders if (folder / "config.json").exists()]
    if models:
        raise ValueError(f"{', '.join(models)} holds a model: leave out --type dataset")
    folders = {folder.resolve().name: folder for folder in args.folders}
    if len(folders) < len(args.folders):
        raise ValueError("expected folders of different names: each names its configuration; rename one")
    return publish_dataset(
        folders, args.repo, licence=args.licence, private=args.private, message=args.message
    )


def _publish_model(args: argparse.Namespace) -> Commit:
    from nuzoo.files.hub_access import check_access
    from nuzoo.files.names import PLAN_FILE
    from nuzoo.hub.model.publish import publish_model
    from nuzoo.pipelines.loading import load_model

    if len(args.folders) > 1:
        raise ValueError(f"expected one folder of a model, got {len(args.folders)}")
    [run_folder] = args.folders
    if (run_folder / PLAN_FILE).exists():
        raise ValueError(f"{run_folder} holds a dataset: add --type dataset")
    check_access(args.repo)
    model, processor = load_model(str(run_folder))
    return publish_model(
        run_folder,
        model,
        processor,
        args.repo,
        report=args.report,
        dataset=args.dataset,
        base=args.base,
        licence=args.licence or "apache-2.0",
        private=args.private,
        message=args.message,
    )
