"""From the arrays of an event of FASERCal, as the public converter names them, to a row of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.fasercal_arrays import Arrays
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.files.events.detector_event_columns import DATA_VERSION, PARTICLE_LISTS
from nuzoo.files.events.detector_event_labels import charm_of, flavour_of
from nuzoo.files.events.event_schema import EventSchema, Ragged

LAYERS_PER_MODULE = 20

_HITS = ("reco_hits", "ecal_hits", "ahcal_hits", "muspec_info")
_TRUTH = (
    "in_neutrino_pdg",
    "in_neutrino_energy",
    "is_cc",
    "is_tau",
    "is_charmed",
    "tau_decay_mode",
    "primary_vertex",
    "true_hits",
    "indptr",
    "true_index",
    "link_weight",
)
"""An event without these is none to learn from."""

_SCALARS = {
    "run_number": "run_number",
    "event_number": "event_id",
    "neutrino_pdg": "in_neutrino_pdg",
    "neutrino_energy": "in_neutrino_energy",
    "lepton_pdg": "out_lepton_pdg",
    "lepton_energy": "out_lepton_energy",
    "is_cc": "is_cc",
    "is_es": "is_es",
    "is_tau": "is_tau",
    "is_charmed": "is_charmed",
    "tau_decay_length": "tau_decay_length",
    "tau_kink_angle": "tau_kink_angle",
    "e_vis": "e_vis",
    "pt_miss": "pt_miss",
    "muon_count": "muspec_ntracks",
}
_VECTORS = {
    "neutrino_momentum": "in_neutrino_momentum",
    "lepton_momentum": "out_lepton_momentum",
    "tau_vis_momentum": "tau_vis_momentum",
    "primary_vertex": "primary_vertex",
    "momentum": "sp_momentum",
    "vis_momentum": "vis_sp_momentum",
    "jet_momentum": "jet_momentum",
}
_MUON = ("charge", "n_points", "px", "py", "pz", "p", "chi2", "ndof", "p_value", "p_error", "inverse_p_error")
_TRUE = ("track", "parent", "primary", "pdg", "x", "y", "z", "module", "energy")
_FLAGS = ("is_primary", "is_secondary", "is_tau_decay", "is_charm_decay")
_LISTS = dict(zip(("po", "tau_decay", "charm_decay"), PARTICLE_LISTS, strict=True))
_NAMED_BY = ("run_number", "event_id")

USED = {*_NAMED_BY, *_HITS, *_TRUTH, *_SCALARS.values(), *_VECTORS.values(), *_LISTS, "ghost_mask"}
"""Names of the arrays that are read."""


class MissingArrayError(SourceFileError):
    """An event without an array that it needs."""


class ArrayShapeError(SourceFileError):
    """An array of another shape than the files have."""


class WrongNumbersError(SourceFileError):
    """Numbers that should be whole and finite, and are not."""


class BrokenLinksError(SourceFileError):
    """Links from hits to true hits that do not add up."""


class FewHitsError(SourceFileError):
    """An event with fewer hits than were asked for."""

    passed_over = True


def row_of(where: Path | str, arrays: Arrays, *, truth: bool = True) -> Row:
    """Return the columns of an event, not yet checked against their schema.

    Args:
        where: The file, for messages.
        arrays: Its arrays by name.
        truth: Whether truth must be there; it is unknown where it is missing otherwise.

    Returns:
        The columns, and `is_local`: whether layers were numbered in each module.

    Raises:
        SourceFileError: An array is missing, or has another shape, or contradicts another.
    """
    for name in (*_NAMED_BY, *_HITS, *(_TRUTH if truth else ())):
        if name not in arrays:
            remedy = "make the file with the converter of version 7" + (
                "" if name in (*_NAMED_BY, *_HITS) else ", or read it without truth"
            )
            raise MissingArrayError(where, f"the array {name!r}", ", ".join(sorted(arrays)) or "none", remedy)
    cal = _table(where, "reco_hits", arrays["reco_hits"], 6)
    z, is_local = _layers(where, cal)
    row: Row = {
        "event_id": "run_{}_event_{}".format(*(_code(where, arrays, name) for name in _NAMED_BY)),
        "data_version": DATA_VERSION,
        "cal_x": _whole(where, "reco_hits", cal[:, 0], np.int64),
        "cal_y": _whole(where, "reco_hits", cal[:, 1], np.int64),
        "cal_z": z,
        "cal_module": _whole(where, "reco_hits", cal[:, 3], np.int64),
        "cal_energy": cal[:, 4].astype(np.float32),
        "cal_status": _whole(where, "reco_hits", cal[:, 5], np.int64),
        "ecal_energy": _table(where, "ecal_hits", arrays["ecal_hits"], 5, rows=5).astype(np.float32).ravel(),
        **_ahcal(where, arrays["ahcal_hits"]),
        **_muons(where, arrays["muspec_info"]),
        "is_local": is_local,
    }
    _check_ghosts(where, arrays, row["cal_status"])
    return row | _links(where, arrays, len(cal)) | _true_hits(where, arrays, is_local) | _event(where, arrays)


def hits_of_row(row: Row, schema: EventSchema) -> dict[str, Ragged]:
    """Return the numbers of a row as a schema checks them."""
    found = {}
    for column in schema.columns:
        value = row.get(column.name)
        if column.is_ragged and column.is_number and value is not None:
            values = np.asarray(value)
            found[column.name] = Ragged(values, np.array([len(values)]))
    return found


def _table(
    where: Path | str, name: str, array: NDArray[Any], columns: int, rows: int | None = None
) -> NDArray[np.float64]:
    """Check shape and type of a table of numbers."""
    is_empty = array.size == 0 and rows is None
    if not is_empty and (array.ndim != 2 or array.shape[1] != columns or (rows and array.shape[0] != rows)):
        expected = f"{name!r} of shape ({rows or 'hits'}, {columns})"
        raise ArrayShapeError(
            where, expected, str(array.shape), "make the file with the converter of version 7"
        )
    if array.dtype.kind not in "iufb":
        raise WrongNumbersError(where, f"numbers in {name!r}", str(array.dtype), "save them as float32")
    return array.reshape(-1, columns).astype(np.float64)


def _whole(where: Path | str, name: str, values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        wrong = values[~(np.isfinite(values) & (values == np.rint(values)))][0]
        remedy = "positions are numbers of cells, and codes are whole: correct them"
        raise WrongNumbersError(where, f"whole numbers in {name!r}", f"{wrong}", remedy)
    if (np.abs(values) > np.iinfo(np.int32).max).any():
        raise WrongNumbersError(
            where, f"numbers of 32 bits in {name!r}", f"{np.abs(values).max()}", "correct them"
        )
    return values.astype(dtype)


def _layers(where: Path | str, cal: NDArray[np.float64]) -> tuple[NDArray[np.int64], bool]:
    """Return layers numbered through all modules, and whether they were numbered in each."""
    z = _whole(where, "reco_hits", cal[:, 2], np.int64)
    module = _whole(where, "reco_hits", cal[:, 3], np.int64)
    is_local = bool(len(z)) and bool((module > 0).any() and (z >= 0).all() and (z < LAYERS_PER_MODULE).all())
    return (z + LAYERS_PER_MODULE * module if is_local else z), is_local


def _ahcal(where: Path | str, array: NDArray[Any]) -> Row:
    table = _table(where, "ahcal_hits", array, 4)
    cells = {
        f"ahcal_{axis}": _whole(where, "ahcal_hits", table[:, i], np.int64) for i, axis in enumerate("xyz")
    }
    return {**cells, "ahcal_energy": table[:, 3].astype(np.float32)}


def _muons(where: Path | str, array: NDArray[Any]) -> Row:
    tracks = array.T if array.ndim == 2 else array
    table = _table(where, "muspec_info", tracks, len(_MUON))
    whole = ("n_points", "ndof")
    return {
        f"muon_{name}": _whole(where, "muspec_info", table[:, i], np.int64)
        if name in whole
        else table[:, i].astype(np.float32)
        for i, name in enumerate(_MUON)
    }


def _check_ghosts(where: Path | str, arrays: Arrays, status: NDArray[np.int64]) -> None:
    mask = arrays.get("ghost_mask")
    if mask is not None and (
        mask.shape != status.shape or not np.array_equal(mask.astype(bool), status == 1)
    ):
        expected, got = "'ghost_mask' where the status is 1, and nowhere else", "another one"
        raise BrokenLinksError(where, expected, got, "make the file again")


def _links(where: Path | str, arrays: Arrays, hits: int) -> Row:
    if not {"indptr", "true_index", "link_weight"} <= arrays.keys():
        return {}
    indptr, index, weight = (arrays[name].ravel() for name in ("indptr", "true_index", "link_weight"))
    indptr = _whole(where, "indptr", indptr, np.int64)
    remedy = "write hits and links together"
    if len(indptr) != hits + 1:
        got = f"{len(indptr)} of {hits} hits"
        raise BrokenLinksError(where, "'indptr' with one entry more than hits", got, remedy)
    if indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(index) or len(index) != len(weight):
        expected = f"'indptr' rising from 0 to the {len(index)} links of 'true_index' and 'link_weight'"
        got = f"from {indptr[0]} to {indptr[-1]}, and {len(weight)} weights"
        raise BrokenLinksError(where, expected, got, remedy)
    return {
        "cal_link_count": np.diff(indptr).astype(np.int32),
        "link_true": _whole(where, "true_index", index, np.int32),
        "link_weight": weight.astype(np.float32),
    }


def _true_hits(where: Path | str, arrays: Arrays, is_local: bool) -> Row:
    if "true_hits" not in arrays:
        return {}
    table = _table(where, "true_hits", arrays["true_hits"], len(_TRUE) + len(_FLAGS))
    found = {name: table[:, i] for i, name in enumerate((*_TRUE, *_FLAGS))}
    energy, module = found.pop("energy"), _whole(where, "true_hits", found.pop("module"), np.int64)
    row = {f"true_{name}": _whole(where, "true_hits", values, np.int32) for name, values in found.items()}
    if is_local:
        row["true_z"] = row["true_z"] + LAYERS_PER_MODULE * module.astype(np.int32)
    return {**row, "true_energy": energy.astype(np.float32)}


def _event(where: Path | str, arrays: Arrays) -> Row:
    """Return truth of the whole event, as far as it is known, and its labels."""
    row: Row = {column: _number(where, arrays, name) for column, name in _SCALARS.items()}
    for column, name in _VECTORS.items():
        row[column] = arrays[name].astype(np.float64).ravel() if name in arrays else None
    mode = _number(where, arrays, "tau_decay_mode")
    row["tau_decay_mode"] = (mode if row["is_tau"] else 0) if mode is not None else None
    lists = [(kind, arrays[name]) for name, kind in _LISTS.items() if _is_list(arrays.get(name))]
    if lists:
        fields = {"track": "track_id", "parent": "parent_id", "pdg": "pdg"}
        kinds = [np.full(len(entries), PARTICLE_LISTS.index(kind)) for kind, entries in lists]
        row["particle_list"] = np.concatenate(kinds)
        for column, field in fields.items():
            row[f"particle_{column}"] = np.concatenate([entries[field] for _, entries in lists]).astype(
                np.int32
            )
    if None not in (row["neutrino_pdg"], row["is_cc"], row["tau_decay_mode"]):
        row["flavour"] = flavour_of(row["neutrino_pdg"], bool(row["is_cc"]), row["tau_decay_mode"])
    if row["is_charmed"] is not None and _is_list(arrays.get("charm_decay")):
        row["charm"] = charm_of(bool(row["is_charmed"]), arrays["charm_decay"]["pdg"])
    return row


def _is_list(entries: NDArray[Any] | None) -> bool:
    return entries is not None and {"track_id", "parent_id", "pdg"} <= {*(entries.dtype.names or ())}


def _number(where: Path | str, arrays: Arrays, name: str) -> Any:
    """Return the number in an array of one; None where there is none."""
    array = arrays.get(name)
    if array is None or not array.size:
        return None
    if array.size > 1 or array.dtype.kind not in "iufb":
        remedy = "make the file with the converter of version 7"
        raise ArrayShapeError(
            where, f"one number in {name!r}", f"{array.dtype} of shape {array.shape}", remedy
        )
    value = array.reshape(-1)[0]
    return int(value) if isinstance(value, np.bool_) else value.item()


def _code(where: Path | str, arrays: Arrays, name: str) -> int:
    """Return the whole number in an array of one, which an event is named by."""
    value = _number(where, arrays, name)
    if value is None or not float(value).is_integer():
        raise WrongNumbersError(where, f"a whole number in {name!r}", f"{value}", "number runs and events")
    return int(value)
