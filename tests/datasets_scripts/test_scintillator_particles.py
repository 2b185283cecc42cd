"""Scintillator events as torch.save wrote them, and pickles that must not be run."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from nuzoo.cli import main
from nuzoo.commands.options import PARTIAL
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    HostilePickleError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongEventError,
)
from nuzoo.datasets_scripts.readers.torch_arrays import read_torch_arrays
from nuzoo.datasets_scripts.scintillator_particles import convert_files, source_split

HITS = np.array(
    [
        [-995, -995, -995, 10],  # the centre of the first cube
        [995, -995, 5, 20],  # the last cube along x, and number 100 along z
        [-2000, 2000, 0, 5],  # beyond the edges
        [-994, -996, -995, 7],  # the first cube again
    ],
    np.float64,
)


def save(file, hits=HITS, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"reco_hits": hits, "true_nodes": np.zeros((len(hits), 3))}, file, **options)
    return file


def read(file, **options):
    return list(PointCloudFiles([file], strict=True, **options))


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8"])
def test_hits_are_put_into_cubes(tmp_path, archive, dtype):
    file = save(
        tmp_path / "training" / "pion" / "event7.pt",
        HITS.astype(dtype),
        _use_new_zipfile_serialization=archive,
    )
    (row,) = read(file, mev_per_charge=0.1)
    assert row["event_id"] == "training/pion/event7" and row["detector"] == "scintillator-cube-200"
    hits = {tuple(int(row[axis][hit]) for axis in "xyz"): float(row["energy"][hit]) for hit in range(3)}
    # numbers round half to even, as rint does: z = 0 mm lies between cubes 99 and 100
    assert hits == pytest.approx({(0, 0, 0): 1.7, (199, 0, 100): 2.0, (0, 199, 100): 0.5})
    assert row["label"] == 1 and "particle" not in row


def test_fortran_order_and_more_columns_are_read(tmp_path):
    more = np.asfortranarray(np.c_[HITS, np.ones((4, 2))])
    assert len(read(save(tmp_path / "muon" / "event1.pt", more))[0]["x"]) == 3


def test_the_energy_of_charge_is_said(tmp_path):
    file = save(tmp_path / "proton" / "event1.pt")
    files = PointCloudFiles([file])
    (row,) = files
    np.testing.assert_allclose(row["energy"].sum(), 0.02 * 42, rtol=1e-6)
    assert any("not a calibration" in note for note in files.notes.told())


class Runs:
    """An object whose pickle runs a command."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def archive_with(file, data):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return file


@pytest.mark.parametrize("archive", [True, False])
def test_a_hostile_pickle_is_refused_and_nothing_is_run(tmp_path, archive):
    mark, file = tmp_path / "run", tmp_path / "muon" / "event1.pt"
    file.parent.mkdir()
    torch.save({"reco_hits": HITS, "x": Runs(mark)}, file, _use_new_zipfile_serialization=archive)
    with pytest.raises(HostilePickleError, match=r"event1.pt: .*nothing else, got a call of posix.system"):
        read(file)
    files = PointCloudFiles([tmp_path])
    assert not list(files) and len(files.left_out) == 1
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"c_codecs\ndecode\n(S'x'\ntR.",
        b"cnumpy._core.multiarray\nfromfile\n.",
    ],
)
def test_no_other_function_is_called(tmp_path, data):
    with pytest.raises(HostilePickleError, match="got a call of"):
        read_torch_arrays(archive_with(tmp_path / "a.pt", data))


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\nndarray\n(I1000000000000\ntR.",  # an array of any size
        b"c_codecs\nencode\nN}S'__defaults__'\nI1\ns\x86b.",  # a change of a function of ours
        b"cnumpy\ndtype\n)R(I1\nI2\ntb.",
    ],
)
def test_what_arrays_are_made_with_does_nothing_else(tmp_path, data):
    with pytest.raises(SourceFileError):
        list(PointCloudFiles([archive_with(tmp_path / "a.pt", data)], strict=True))


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02}r\xff\xff\xff\x7f.",  # remembered as number 2,147,483,647
        b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"abc.",  # 1 TB of bytes that may change
        b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"abc.",
    ],
)
def test_no_room_is_made_for_what_a_pickle_declares(tmp_path, data):
    (tmp_path / "old.pt").write_bytes(data)
    for file in (archive_with(tmp_path / "a.pt", data), tmp_path / "old.pt"):
        with pytest.raises(TruncatedFileError):
            read_torch_arrays(file)


def test_bad_files_are_named(tmp_path):
    folder = tmp_path / "muon"
    good = save(folder / "a.pt")
    (folder / "cut.pt").write_bytes(good.read_bytes()[:-100])
    with pytest.raises(TruncatedFileError, match=r"cut.pt: expected a whole archive"):
        read(folder / "cut.pt")
    old = save(folder / "old.pt", _use_new_zipfile_serialization=False).read_bytes()
    (folder / "old.pt").write_bytes(old[:200])
    with pytest.raises(TruncatedFileError):
        read(folder / "old.pt")
    (folder / "text.pt").write_text("hello")
    with pytest.raises(SourceFileError, match=r"text.pt: expected"):
        read(folder / "text.pt")
    torch.save({"reco_hits": torch.zeros(3, 4)}, folder / "tensor.pt")
    with pytest.raises(SourceFileError, match=r"tensor.pt: .*nothing else, got"):
        read(folder / "tensor.pt")
    torch.save({"reco_hits": np.array([None, 1], object)}, folder / "objects.pt")
    with pytest.raises(ObjectArrayError, match=r"objects.pt"):
        read(folder / "objects.pt")
    torch.save([HITS], folder / "list.pt")
    with pytest.raises(NotThisFormatError, match="got list"):
        read(folder / "list.pt")
    torch.save({"hits": HITS}, folder / "other.pt")
    with pytest.raises(NotThisFormatError, match="expected an array 'reco_hits', got hits"):
        read(folder / "other.pt")
    with pytest.raises(ArraySizeError, match=r"shape \(hits, 4\), got \(4, 3\)"):
        read(save(folder / "narrow.pt", HITS[:, :3]))
    for column, name in ((0, "x"), (3, "energy")):
        broken = HITS.copy()
        broken[2, column] = np.nan
        with pytest.raises(WrongEventError, match=f"column {name}: expected finite"):
            read(save(folder / "nan.pt", broken))
    with pytest.raises(
        UnknownLabelError, match="expected a folder named proton, pion, muon, electron, got 'kaon'"
    ):
        read(save(tmp_path / "kaon" / "a.pt"))
    assert "label" not in next(iter(PointCloudFiles([tmp_path / "kaon"], truth=False)))


def test_an_event_without_hits_is_legal(tmp_path):
    (row,) = read(save(tmp_path / "muon" / "a.pt", np.zeros((0, 4))))
    assert row["x"].size == 0 and row["label"] == 2


def test_splits_are_those_of_the_folders(tmp_path, capsys):
    for folder in ("training", "testing"):
        for name in ("proton", "electron"):
            for number in range(10):
                save(tmp_path / "in" / folder / name / f"event{number}.pt")
    stream = io.BytesIO()
    pickle.dump(Runs(tmp_path / "run"), stream)
    archive_with(tmp_path / "in" / "training" / "proton" / "hostile.pt", stream.getvalue())
    out = ["--format", "scintillator-particles", "--out", str(tmp_path / "out")]
    assert main(["convert", str(tmp_path / "in"), *out]) == PARTIAL
    said = capsys.readouterr()
    assert "converted 40 events" in said.out and "left out 1" in said.out and "0.02 MeV" in said.out
    assert not (tmp_path / "run").exists()
    tests = (tmp_path / "out" / "manifests" / "test.txt").read_text().split()
    assert len(tests) == 20 and all(name.startswith("testing/") for name in tests)
    assert {source_split(f"training/muon/event{n}") for n in range(200)} == {"train", "validation"}
    made = convert_files(tmp_path / "one", [tmp_path / "in" / "testing" / "electron"])
    assert made.manifest["splits"] == {"test": 10}
