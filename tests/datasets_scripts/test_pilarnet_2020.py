"""PILArNet of 2020: files in larcv3's layout, those of larcv 1 and 2 refused, and the published split."""

import h5py
import numpy as np
import pytest

from nuzoo.datasets_scripts.pilarnet_2020 import convert_files, published_splits
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    OtherOrderError,
    WrongEventError,
)

from .larcv_files import EVENT, EXTENT, ORIGIN, PARTICLE, SIDE
from .larcv_files import larcv_event as event
from .larcv_files import write_larcv as write


def read(file, **options):
    return list(PointCloudFiles([file], strict=True, **options))


def test_an_event_with_its_particles(tmp_path):
    first, second = event(EVENT), event([EVENT[1]])
    rows = read(write(tmp_path / "set" / "a.h5", [first, second]))
    assert [row["event_id"] for row in rows] == ["set/a#0", "set/a#1"]
    for row, source in zip(rows, (first, second), strict=True):
        np.testing.assert_array_equal(np.stack([row[axis] for axis in "xyz"], -1), source["voxels"])
    row = rows[0]
    assert row["particle_pdg"].tolist() == [13, -11] and row["particle_pid"].tolist() == [2, 1]
    assert row["particle"].tolist() == [0] * 40 + [1] * 9 + [-1] * 46
    assert row["motif"].tolist() == [1] * 40 + [2] * 9 + [0] * 4 + [1] * 20 + [4] * 22
    assert row["pid"].tolist() == [2] * 40 + [1] * 9 + [0] * 4 + [5] * 20 + [4] * 20 + [5] * 2
    assert row["particle_parent"].tolist() == [-1, 0] and row["particle_hits"].tolist() == [40, 9]
    np.testing.assert_allclose(row["particle_momentum"], [500, 30])
    np.testing.assert_allclose(row["particle_pz"], [400, 0])
    np.testing.assert_allclose(
        [row[f"particle_{axis}"][0] for axis in "xyz"], [100.5, 20.5, 600.5], rtol=1e-5
    )
    np.testing.assert_allclose(row["particle_energy"][0], row["energy"][:40].sum(), rtol=1e-6)
    assert "interaction" not in row


def test_voxels_in_the_order_of_larcv_1_and_2_are_refused(tmp_path):
    file = write(tmp_path / "a.h5", [event(EVENT)] * 3, backwards=True, meta=True)
    with h5py.File(file, "r+") as content:  # the origin is told along x, y, z whatever voxels are numbered by
        for name in ("data", "group"):
            meta = content[f"Data/sparse3d_{name}_group/image_meta"][()]
            meta["origin"] = ORIGIN
            content[f"Data/sparse3d_{name}_group/image_meta"][()] = meta
    with pytest.raises(OtherOrderError, match=r"a.h5: expected voxel numbers whose x is slowest"):
        read(file)


@pytest.mark.parametrize("lacking", ["meta", "steps"])
def test_where_the_order_cannot_be_told_that_is_said(tmp_path, lacking):
    file = write(tmp_path / "a.h5", [event(EVENT)], **{lacking: False})
    files = PointCloudFiles([file])
    (row,) = files
    assert any("order of voxel numbers cannot be told" in note for note in files.notes.told())
    assert "particle_x" not in row


def test_broken_files_and_events_are_named(tmp_path):
    whole = [event(EVENT), event(EVENT)]
    with pytest.raises(ArraySizeError, match=r"expected \(768, 768, 768\) voxels"):
        read(write(tmp_path / "small.h5", whole, sizes=(512,) * 3))
    nan = {**whole[0], "energy": np.full(len(whole[0]["voxels"]), np.nan)}
    files = PointCloudFiles([write(tmp_path / "nan.h5", [nan, whole[1]])])
    assert [row["source"] for row in files] == ["nan.h5#1"]
    assert isinstance(files.left_out[0].error, WrongEventError) and "nan.h5#0" in str(files.left_out[0].error)
    cut = write(tmp_path / "cut.h5", whole)
    with h5py.File(cut, "r+") as content:
        kept = content["Data/sparse3d_data_group/voxels"][:-3]
        del content["Data/sparse3d_data_group/voxels"]
        content["Data/sparse3d_data_group/voxels"] = kept
    files = PointCloudFiles([cut])
    assert [row["source"] for row in files] == ["cut.h5#0"]
    assert "expected 95 entries from 95" in str(files.left_out[0].error)
    with h5py.File(cut, "r+") as content:
        del content["Data/particle_mcst_group"]
    with pytest.raises(NotThisFormatError, match="expected a dataset 'Data/particle_mcst_group/particles'"):
        read(cut)
    with h5py.File(cut, "r+") as content:
        content["Data/sparse3d_data_group/voxels"][0] = (SIDE**3, 1.0)
        content["Data/particle_mcst_group/particles"] = np.zeros(0, PARTICLE)
        content["Data/particle_mcst_group/extents"] = np.zeros(2, EXTENT)
    with pytest.raises(WrongEventError, match="the file is of another cube"):
        read(cut)


SIGNED = np.dtype([("first", "i8"), ("ID", "i8"), ("N", "i8")])


@pytest.mark.parametrize(
    ("field", "value", "kept"), [("N", 3, [0, 2]), ("N", -5, [0, 2]), ("first", -5, [2])]
)
def test_events_whose_entries_do_not_follow_each_other(tmp_path, field, value, kept):
    file = write(tmp_path / "a.h5", [event(EVENT), event(EVENT[:2]), event(EVENT[:1])])
    with h5py.File(file, "r+") as content:
        extents = content["Data/sparse3d_data_group/voxel_extents"][:].astype(SIGNED)
        extents[field][1] = value
        del content["Data/sparse3d_data_group/voxel_extents"]
        content["Data/sparse3d_data_group/voxel_extents"] = extents
    files = PointCloudFiles([file])
    assert [row["source"] for row in files] == [f"a.h5#{number}" for number in kept]
    assert {type(left.error) for left in files.left_out} == {ArraySizeError}


def test_groups_that_are_no_particles_are_said(tmp_path):
    whole = event(EVENT)
    file = write(tmp_path / "a.h5", [{**whole, "group": np.where(np.arange(95) == 3, 77, whole["group"])}])
    files = PointCloudFiles([file])
    (row,) = files
    assert row["particle"][3] == -1 and any(
        "no particle of their event" in note for note in files.notes.told()
    )
    file = write(tmp_path / "b.h5", [{**whole, "group": np.where(np.arange(95) == 3, 0.5, whole["group"])}])
    with pytest.raises(WrongEventError, match=r"groups that are whole, got 0.5 at entry 3"):
        read(file)


def test_no_particle_at_all_is_legal(tmp_path):
    (row,) = read(write(tmp_path / "a.h5", [event([EVENT[2]])]))
    assert row["particle"].tolist() == [-1] * 6 and row["particle_pdg"].size == 0


def test_the_published_split():
    names = [f"e{number:06d}" for number in range(100_000)]
    rule = published_splits(names)
    by_split = {
        split: [name for name in names if rule.of(name) == split] for split in ("train", "validation", "test")
    }
    assert by_split["train"] == names[:80_000]
    chosen = np.sort(np.random.default_rng(42).choice(np.arange(80_000, 100_000), size=2000, replace=False))
    assert by_split["validation"] == [names[number] for number in chosen]
    assert len(by_split["test"]) == 18_000
    assert rule.of("another") is None and "published split" in rule.plan()["splits"]
    assert published_splits(names[:-1]).plan() == {}


def test_conversion_says_which_split_it_took(tmp_path, monkeypatch):
    file = write(tmp_path / "set" / "a.h5", [event(EVENT)] * 10)
    made = convert_files(tmp_path / "out", [file])
    assert sum(made.manifest["splits"].values()) == 10
    assert any("expected 100,000 events" in note for note in made.notes)
    for name, number in (("TRAINING", 6), ("VALIDATION", 1), ("TEST", 3), ("PUBLISHED", 10)):
        monkeypatch.setattr(f"nuzoo.datasets_scripts.pilarnet_2020.{name}", number)
    monkeypatch.setattr(published_splits, "__defaults__", (6, 1, 3))
    made = convert_files(tmp_path / "published", [file])
    assert made.manifest["splits"] == {"train": 6, "validation": 1, "test": 3}
