"""Make a trained and measured model one that comes with the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nuzoo.files.names import OWN_BASE_FOLDER
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.model.build import build_repository
from nuzoo.hub.model.dataset_reference import dataset_reference
from nuzoo.hub.model.measured_run import read_measured
from nuzoo.hub.model.report import read_report
from nuzoo.hub.pinned import Pinned
from nuzoo.hub.scratch import scratch_folder


def bundle_model(run: Path, name: str, out: Path, *, dataset: str, others: Sequence[Path] = ()) -> None:
    """Write what a published repository holds, but its code, into a folder.

    Args:
        run: Folder of the training, with a calibrated network, its processor and its report.
        name: Of the model.
        out: The folder; it must not exist.
        dataset: "organisation/name" of the dataset that it was trained and measured on.
        others: Report folders of other samples that it was measured on.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is written then.
    """
    if out.exists():
        raise NotPublishedError(f"{out}: expected a new folder, got one that is there; name another")
    measured = read_measured(run, None)
    elsewhere = [read_report(folder, run, measured.report.task) for folder in others]
    for report in elsewhere:
        report.check_model(measured.model, measured.processor)
    beside = base if (base := run / OWN_BASE_FOLDER).is_dir() else None
    published = measured.publication(
        name,
        dataset_reference(dataset, measured.told.recipe),
        base=Pinned(beside.name, "") if beside else None,
        bundled=True,
        beside=beside,
        others=elsewhere,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent) as scratch:
        folder = scratch / name
        build_repository(folder, published)
        folder.replace(out)
