"""Files of point clouds of any format in one folder: what is read, and what is said of the rest."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from nuzoo.datasets_scripts.pilarnet_m import convert_files
from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles
from nuzoo.datasets_scripts.readers.folder_files import files_of_folders
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    ObjectArrayError,
    OtherDetectorError,
    TooFewHitsError,
    TruncatedFileError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.files.left_out import Omission
from nuzoo.simulation.errors import UnknownDetectorError

VOXEL = np.array([[1, 2, 3], [4, 5, 6]])
ENERGY = np.array([0.5, 1.5], np.float32)


def read(*paths, **options):
    return list(PointCloudFiles(paths, strict=True, **options))


@pytest.fixture
def shard(tmp_path, write, small):
    """A Parquet file of three events as conversion writes it."""
    source = write(tmp_path / "source" / "train" / "a.h5", [small] * 3)
    convert_files(tmp_path / "out", [source], min_points=0)
    return next((tmp_path / "out" / "data").glob("*.parquet"))


def test_what_is_stored_is_read_again(shard, tmp_path):
    rows, stored = (
        read(shard),
        load_dataset(str(shard.parents[1]), split="train", cache_dir=str(tmp_path / "c")),
    )
    assert len(rows) == len(stored) == 3
    for row, before in zip(rows, stored, strict=True):
        for name, value in before.items():
            if value is not None and name != "display":
                np.testing.assert_array_equal(row[name], value)
        assert row["x"].dtype == np.int16 and row["particle"].dtype == np.int32


def test_one_event_as_npz(tmp_path):
    np.savez(tmp_path / "e.npz", voxel=VOXEL, energy=ENERGY, motif=[1, 4], particle=[0, -1])
    files = PointCloudFiles([tmp_path / "e.npz"])
    (row,) = files
    assert [row[axis].tolist() for axis in "xyz"] == [[1, 4], [2, 5], [3, 6]]
    assert row["motif"].tolist() == [1, 4] and "pid" not in row and row["source"] == "e.npz"
    assert any("those of lartpc-cube-768" in note for note in files.notes.told())
    (row,) = read(tmp_path / "e.npz", detector="scintillator-cube-200")
    assert row["detector"] == "scintillator-cube-200"


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ({"voxel": VOXEL.astype(object), "energy": ENERGY}, ObjectArrayError, "without objects"),
        ({"voxel": VOXEL, "energy": np.array([None, 1], object)}, ObjectArrayError, "'energy.npy'"),
        ({"voxel": VOXEL[:, :2], "energy": ENERGY}, ArraySizeError, r"'voxel' of shape \(hits, 3\)"),
        ({"voxel": VOXEL, "energy": ENERGY[:1]}, WrongEventError, "column energy: expected as many entries"),
        ({"voxel": VOXEL, "energy": ENERGY, "motif": [1, 9]}, WrongEventError, "column motif: .*at most 4"),
        ({"voxel": VOXEL, "energy": ENERGY, "pid": [[1], [2]]}, WrongEventError, "column pid: .*flat list"),
        ({"voxel": VOXEL, "energy": np.array([1, 2])}, WrongEventError, "column energy: .*floating-point"),
        ({"voxel": VOXEL * 200, "energy": ENERGY}, WrongEventError, "expected at most 767"),
        ({"images": np.zeros((1, 2, 4, 4))}, NotThisFormatError, "pixel maps"),
        ({"numbers": np.zeros(3)}, NotThisFormatError, "other arrays"),
    ],
)
def test_bad_npz_is_named(tmp_path, arrays, error, words):
    np.savez(tmp_path / "e.npz", **arrays)
    with pytest.raises(error, match=rf"e.npz.*{words}"):
        read(tmp_path / "e.npz")


def line_of_hits(file, energy):
    """Write an event of hits in a row."""
    np.savez(file, voxel=np.arange(len(energy))[:, None] * [1, 1, 1], energy=np.float32(energy))
    return file


@pytest.mark.parametrize("factor", [1e-3, 1e3, 0.0], ids=["GeV", "keV", "nothing"])
def test_energies_in_another_unit_are_refused(tmp_path, write, small, factor):
    """Also where all hits are below the threshold of PILArNet-M, and the event would look empty."""
    file = line_of_hits(tmp_path / "e.npz", np.linspace(0.2, 1.5, 12) * factor)
    with pytest.raises(WrongEventError, match=r"median of 0\.01 to 100 MeV"):
        read(file)
    points = small["point"].copy()
    points[:, 3] *= factor
    with pytest.raises(WrongEventError, match=r"median of 0\.01 to 100 MeV"):
        read(write(tmp_path / "a.h5", [small | {"point": points}]))


def test_hits_and_events_that_are_not_wanted_are_left_out_of_any_format(tmp_path, shard):
    file = line_of_hits(tmp_path / "e.npz", [0.1, 0.5, 0.9])
    (row,) = read(file, energy_threshold=0.4)
    assert row["energy"].tolist() == pytest.approx([0.5, 0.9]) and row["x"].tolist() == [1, 2]
    most = pq.read_table(shard)["energy"].to_pylist()[0]
    limit = sorted(most)[len(most) // 2]
    row = read(shard, energy_threshold=limit)[0]
    assert len(row["energy"]) == len(row["motif"]) == sum(one > limit for one in most)
    with pytest.raises(TooFewHitsError, match="at least 4 points"):
        read(file, min_points=4)
    files = PointCloudFiles([file], energy_threshold=5.0)
    assert [len(row["energy"]) for row in files] == [0]
    assert any("no hit is above 5 MeV" in note for note in files.notes.told())


def test_a_scale_of_charges_is_refused_for_energies(tmp_path, shard):
    for file in (line_of_hits(tmp_path / "e.npz", [0.5]), shard):
        with pytest.raises(UnknownScaleError, match="leave --mev-per-charge out"):
            read(file, mev_per_charge=0.1)


def test_rows_that_do_not_say_whose_they_are_are_told(shard):
    pq.write_table(pq.read_table(shard).drop_columns(["detector", "positions"]), shard)
    files = PointCloudFiles([shard])
    assert len(list(files)) == 3
    told = " ".join(files.notes.told())
    assert "name no detector: taken as lartpc-cube-768" in told and "taken as voxel" in told


def replaced(shard, **columns):
    table = pq.read_table(shard)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    pq.write_table(table, shard)
    return shard


@pytest.mark.parametrize(
    ("columns", "error", "words"),
    [
        ({"detector": ["lartpc-cube-768", "none-such", None]}, OtherDetectorError, "got 'none-such'"),
        ({"detector": ["lartpc-cube-768", "modular-2x2x7", None]}, OtherDetectorError, "got 'modular-2x2x7'"),
        ({"positions": ["voxel", "mm", "voxel"]}, WrongEventError, "column positions: expected 'voxel'"),
        ({"x": [None, [1], [1]]}, WrongEventError, "column x: expected a list, got null"),
        (
            {"source": ["a", "nuzoo-simulation 1 seed=0 event=1 detector=d", "b"]},
            WrongEventError,
            "column source",
        ),
    ],
)
def test_bad_rows_of_parquet_are_named(shard, columns, error, words):
    with pytest.raises(error, match=words):
        read(replaced(shard, **columns))


def test_parquet_of_something_else_is_named(tmp_path, shard):
    pq.write_table(pa.table({"xz_index": [1]}), tmp_path / "maps.parquet")
    with pytest.raises(NotThisFormatError, match="expected columns x, y, z, energy"):
        read(tmp_path / "maps.parquet")
    shard.write_bytes(shard.read_bytes()[:-7])
    with pytest.raises(TruncatedFileError):
        read(shard)


def test_a_folder_of_everything(tmp_path, write, small):
    folder = tmp_path / "all"
    write(folder / "b.h5", [small], counts=np.array([21]))
    np.savez(folder / "a.npz", voxel=VOXEL, energy=ENERGY)
    (folder / "notes.txt").write_text("nothing")
    (folder / "c.h5").write_bytes(b"no HDF5")
    files = PointCloudFiles([folder])
    assert [row["source"] for row in files] == ["all/a.npz", "all/b.h5#0"]
    assert {item.path.name: item.passed_over for item in files.left_out} == {"c.h5": False, "notes.txt": True}
    assert files.lost == 1
    wanted = PointCloudFiles([folder / "b.h5"], formats=["pilarnet-2020"])
    assert not list(wanted)
    (left,) = wanted.left_out
    assert "give --format pilarnet-m" in Omission.of(left.path, left.error).reason


def test_a_detector_of_maps_is_refused(tmp_path):
    with pytest.raises(UnknownDetectorError, match="expected one of point clouds"):
        PointCloudFiles([tmp_path], detector="modular-2x2x7")


def test_readers_of_pixel_maps_say_what_point_clouds_are(tmp_path, write, small):
    with pytest.raises(MissingViewError, match=r"point clouds of PILArNet-M: .*give --format pilarnet-m"):
        list(DetectorFiles([write(tmp_path / "a.h5", [small])], strict=True))


def test_what_lies_beside_the_shards_of_a_dataset_is_no_event(tmp_path):
    for name in ("plan.json", "manifest.json", "event.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plan.json").write_text("{}")
    found = [file.relative_to(tmp_path).as_posix() for part in files_of_folders(tmp_path) for file in part]
    assert found == ["event.json", "other/plan.json"]
