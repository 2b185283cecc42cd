import hashlib
import json
import math
from types import SimpleNamespace

import datasets
import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from scipy.sparse import coo_array, coo_matrix, csr_array
from transformers import AutoImageProcessor

from nuzoo.files.errors import CorruptedFileError, FormatVersionError
from nuzoo.files.events import event_errors
from nuzoo.processors import input_errors as errors
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.simulation.detectors import DETECTORS

VIEWS = ("xz", "yz")
HEIGHT, WIDTH = 6, 8


def make_processor(**settings):
    fields = {"height": HEIGHT, "width": WIDTH, "scale": "linear", "active_rms": [1.0, 1.0]}
    return NuPixelMapImageProcessor(**(fields | settings))


def pixels(inputs, processor=None, **options):
    return (processor or make_processor())(inputs, **options)["pixel_values"].numpy()


def make_dense(events=5, seed=0):
    """Energies in MeV: a quarter of the pixels active, the second event empty."""
    rng = np.random.default_rng(seed)
    shape = (events, 2, HEIGHT, WIDTH)
    dense = (rng.exponential(2, shape) * (rng.random(shape) < 0.25)).astype(np.float32)
    dense[1] = 0
    return dense


def make_rows(dense, detector="here"):
    rows = []
    for number, event in enumerate(dense):
        row = {"event_id": f"sim-0-{number}", "detector": detector, "label": 1}
        for view, image in zip(VIEWS, event, strict=True):
            row[f"{view}_index"] = np.flatnonzero(image).astype(np.uint32)
            row[f"{view}_energy"] = image.ravel()[np.flatnonzero(image)]
        rows.append(row)
    return rows


def as_lists(rows):
    return [{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in row.items()} for row in rows]


def test_scatter_by_hand():
    row = {
        "xz_index": [0, 9, 47],
        "xz_energy": [1.0, 2.0, 3.0],
        "yz_index": [],
        "yz_energy": [],
    }
    image = pixels(row)
    assert image.shape == (1, 2, 6, 8) and image.dtype == np.float32
    assert (image[0, 0, 0, 0], image[0, 0, 1, 1], image[0, 0, 5, 7]) == (1, 2, 3)
    assert image.sum() == 6


def test_rebin_by_hand():
    """Pixels (0,0), (0,1), (1,1) share a 2 × 2 square; (2,0) starts the next one below."""
    row = {
        "xz_index": [0, 1, 9, 16],
        "xz_energy": [1.0, 2.0, 4.0, 8.0],
        "yz_index": [47],
        "yz_energy": [5.0],
    }
    image = pixels(row, make_processor(rebin=2))
    assert image.shape == (1, 2, 3, 4)
    assert (image[0, 0, 0, 0], image[0, 0, 1, 0], image[0, 1, 2, 3]) == (7, 8, 5)
    assert np.count_nonzero(image) == 3


def test_rebin_is_a_block_sum_before_the_logarithm():
    dense = make_dense()
    image = pixels(dense, make_processor(rebin=2, scale="log", reference_energy=0.5))
    blocks = dense.reshape(5, 2, HEIGHT // 2, 2, WIDTH // 2, 2).sum((3, 5))
    np.testing.assert_allclose(image, np.log1p(blocks / 0.5), rtol=1e-6)


def test_every_form_of_the_same_events_gives_the_same_images():
    dense = make_dense()
    rows = make_rows(dense)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    table = pa.table(columns)
    dataset = datasets.Dataset.from_list(as_lists(rows))
    csr = {
        f"{view}_{column}": np.concatenate([row[f"{view}_{column}"] for row in rows])
        for view in VIEWS
        for column in ("index", "energy")
    }
    for view in VIEWS:
        counts = [len(row[f"{view}_index"]) for row in rows]
        csr[f"{view}_offsets"] = np.cumsum([0, *counts])
    forms = {
        "dense": dense,
        "double": dense.astype(np.float64),
        "tensor": torch.from_numpy(dense),
        "list of dense": list(dense),
        "list of lists of maps": [list(event) for event in dense],
        "rows": rows,
        "rows of lists": as_lists(rows),
        "rows of mixed integers": [
            row | {"xz_index": row["xz_index"].astype(dtype)}
            for row, dtype in zip(rows, (np.uint64, np.int64, np.int16, np.uint8, ">i4"), strict=True)
        ],
        "batch": columns,
        "arrow table": table,
        "chunked arrow table": pa.concat_tables([table[:2], table[2:]]),
        "sliced arrow table": pa.concat_tables([table, table])[5:],
        "record batch": table.to_batches()[0],
        "dataset": dataset,
        "dataset slice": dataset[:],
        "arrow dataset": dataset.with_format("arrow")[:],
        "numpy dataset": dataset.with_format("numpy")[:],
        "shuffled dataset": datasets.concatenate_datasets([dataset, dataset]).select(range(5, 10)),
        "csr columns": csr,
        "coo arrays": [[coo_array(view) for view in event] for event in dense],
        "coo matrices": [[coo_matrix(view) for view in event] for event in dense],
        "csr arrays": [[csr_array(view) for view in event] for event in dense],
        "pairs": [[(r[f"{v}_index"], r[f"{v}_energy"]) for v in VIEWS] for r in rows],
        "named pairs": [{v: (r[f"{v}_index"], r[f"{v}_energy"]) for v in VIEWS} for r in rows],
        "sparse views": [
            {v: SimpleNamespace(index=r[f"{v}_index"], energy=r[f"{v}_energy"]) for v in reversed(VIEWS)}
            for r in rows
        ],
    }
    for name, form in forms.items():
        np.testing.assert_array_equal(pixels(form), dense, err_msg=name)
    for name in ("dense", "tensor", "rows", "coo arrays", "pairs", "sparse views", "rows of lists"):
        np.testing.assert_array_equal(pixels(forms[name][0]), dense[:1], err_msg=name)
        np.testing.assert_array_equal(pixels(forms[name][1]), dense[1:2], err_msg=name)


def test_images_are_counts_times_their_energy():
    counts = np.random.default_rng(0).integers(0, 256, (3, 2, HEIGHT, WIDTH)).astype(np.uint8)
    counts[:, :, ::2] = 0
    images = [[Image.fromarray(view) for view in event] for event in counts]
    expected = counts.astype(np.float32) * np.float32(0.25)
    np.testing.assert_array_equal(pixels(images, mev_per_count=0.25), expected)
    np.testing.assert_array_equal(pixels(images, make_processor(mev_per_count=0.25)), expected)
    np.testing.assert_array_equal(pixels(images[0], mev_per_count=0.25), expected[:1])
    np.testing.assert_array_equal(pixels(counts, mev_per_count=0.25), expected)


def test_single_view_detector():
    dense = make_dense()[:, :1]
    processor = make_processor(views=["z"], active_rms=[2.0])
    np.testing.assert_array_equal(pixels(dense[0, 0], processor), dense[:1] / 2)
    np.testing.assert_array_equal(pixels(dense, processor), dense / 2)
    line = np.eye(HEIGHT, WIDTH, dtype=np.uint8)
    np.testing.assert_array_equal(
        pixels(Image.fromarray(4 * line), processor, mev_per_count=1.0), [[2 * line]]
    )


def test_fit_is_the_root_mean_square_of_the_scaled_active_pixels():
    dense = make_dense()
    processor = make_processor(scale="log", reference_energy=2.0, active_rms=None)
    assert processor.fit(make_rows(dense)) is processor
    for channel in range(2):
        active = [math.log1p(e / 2.0) for e in dense[:, channel].ravel() if e > 0]
        rms = math.sqrt(sum(value**2 for value in active) / len(active))
        assert processor.active_rms[channel] == pytest.approx(rms, rel=1e-6)
    image = pixels(dense, processor)
    for channel in range(2):
        active = image[:, channel][dense[:, channel] > 0]
        assert np.sqrt((active.astype(float) ** 2).mean()) == pytest.approx(1, rel=1e-5)
    assert (image[dense == 0] == 0).all()


@pytest.mark.parametrize("form", ["rows", "generator", "dataset", "dense"])
def test_fit_in_steps_is_fit_at_once(form, monkeypatch):
    dense = make_dense(events=11)
    rows = as_lists(make_rows(dense))
    forms = {
        "rows": rows,
        "generator": iter(rows),
        "dataset": datasets.Dataset.from_list(rows),
        "dense": dense,
    }
    at_once = make_processor(active_rms=None).fit(dense).active_rms
    module = "nuzoo.processors.pixel_maps.image_processing_nu_pixel_map.EVENTS_PER_FIT_STEP"
    monkeypatch.setattr(module, 4)
    assert make_processor(active_rms=None).fit(forms[form]).active_rms == pytest.approx(at_once)


def test_half_resolution_keeps_or_halves_the_size_of_objects():
    dense = make_dense()
    blocks = dense.reshape(5, 2, HEIGHT // 2, 2, WIDTH // 2, 2).sum((3, 5))
    coarse = pixels(dense, half_resolution="energy")
    np.testing.assert_allclose(coarse, np.kron(blocks / 4, np.ones((2, 2))), rtol=1e-6)
    assert coarse.sum() == pytest.approx(dense.sum(), rel=1e-5)
    small = pixels(dense, half_resolution="image")
    np.testing.assert_allclose(small, blocks / 4, rtol=1e-6)
    logarithmic = make_processor(scale="log", active_rms=[0.5, 2.0])
    expected = np.log1p(blocks / 4) / np.array([0.5, 2.0])[:, None, None]
    np.testing.assert_allclose(pixels(dense, logarithmic, half_resolution="image"), expected, rtol=1e-6)
    with pytest.raises(errors.ProcessorSettingError, match="half_resolution"):
        pixels(dense, half_resolution="quarter")


def test_example_events_fit_the_processor():
    images = pixels(make_processor().example_events(5))
    assert images.shape == (5, 2, HEIGHT, WIDTH)
    assert [int(np.count_nonzero(image)) for image in images[:2]] == [0, 1]
    assert all(image.any() for image in images[2:])
    np.testing.assert_array_equal(pixels(make_processor().example_events(5)), images)


def test_empty_events_are_legal():
    empty = {f"{view}_{column}": [] for view in VIEWS for column in ("index", "energy")}
    assert pixels(empty).shape == (1, 2, HEIGHT, WIDTH)
    assert not pixels([empty, empty]).any()
    assert not pixels(np.zeros((1, 2, HEIGHT, WIDTH), np.float32)).any()


def test_saved_processor_is_the_same(tmp_path):
    processor = make_processor(
        detector="here", pixel_pitch_mm=5.0, rebin=2, scale="log", pad_to_multiple=7, active_rms=None
    ).fit(make_dense())
    processor.save_pretrained(tmp_path)
    loaded = NuPixelMapImageProcessor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    np.testing.assert_array_equal(pixels(make_dense(), loaded), pixels(make_dense(), processor))
    overridden = NuPixelMapImageProcessor.from_pretrained(tmp_path, detector="there")
    assert overridden.detector == "there"


def test_auto_image_processor_finds_it(tmp_path):
    make_processor().save_pretrained(tmp_path)
    assert type(AutoImageProcessor.from_pretrained(tmp_path)) is NuPixelMapImageProcessor


def test_unfitted_processor_refuses():
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        make_processor(active_rms=None)(make_dense())
    with pytest.raises(errors.MissingStatisticsError, match="active pixels"):
        make_processor().fit(np.zeros((1, 2, HEIGHT, WIDTH), np.float32))


@pytest.mark.parametrize(
    "settings",
    [
        {"views": []},
        {"views": ["xz", "xz"]},
        {"scale": "square"},
        {"reference_energy": 0.0},
        {"rebin": 0},
        {"rebin": 4},
        {"pad_to_multiple": 0},
        {"active_rms": [1.0]},
        {"active_rms": [1.0, 0.0]},
        {"active_rms": [1.0, float("nan")]},
        {"rebinn": 2},
        {"pixel_size_mm": 5.0},
        {"pixel_pitch_mm": 0.0},
        {"pixel_pitch_mm": [5.0, float("nan")]},
        {"pixel_pitch_mm": [5.0, 4.0, 3.0]},
        {"pixel_pitch_mm": "5 mm"},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(errors.ProcessorSettingError):
        make_processor(**settings)


@pytest.mark.parametrize("loader", [NuPixelMapImageProcessor, AutoImageProcessor])
@pytest.mark.parametrize("missing", ["null", "no key"])
def test_file_without_statistics_is_refused(tmp_path, loader, missing):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    keys = json.loads(file.read_text()) | {"active_rms": None}
    if missing == "no key":
        del keys["active_rms"]
    file.write_text(json.dumps(keys))
    with pytest.raises(errors.MissingStatisticsError, match=f"{tmp_path}: expected active_rms"):
        loader.from_pretrained(tmp_path)
    assert loader.from_pretrained(tmp_path, active_rms=[1.0, 2.0]).active_rms == [1.0, 2.0]


@pytest.mark.parametrize("loader", [NuPixelMapImageProcessor, AutoImageProcessor])
@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("detectr", "did you mean detector"),
        ("pixel_size_mm", "did you mean pixel_pitch_mm"),
        ("do_normalize", "It has views"),
    ],
)
def test_override_that_is_no_setting_is_refused(tmp_path, loader, key, meant):
    make_processor().save_pretrained(tmp_path)
    with pytest.raises(errors.ProcessorSettingError, match=f"'{key}'.*{meant}"):
        loader.from_pretrained(tmp_path, **{key: 5.0})
    loader.from_pretrained(tmp_path, trust_remote_code=True, code_revision=None, device_map="auto")


def test_unfitted_processor_is_not_saved(tmp_path):
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        make_processor(active_rms=None).save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_file_of_a_later_format_is_refused(tmp_path):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    assert json.loads(file.read_text())["format_version"] == 2
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format_version": 3}))
    with pytest.raises(FormatVersionError, match="update nuzoo"):
        NuPixelMapImageProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize(("size", "pitch"), [(5.0, [[5.0, 5.0], [5.0, 5.0]]), (None, None)])
def test_file_of_format_1_becomes_one_of_format_2(tmp_path, size, pitch):
    old = {
        "image_processor_type": "NuPixelMapImageProcessor",
        **{"views": ["xz", "yz"], "height": 6, "width": 8, "active_rms": [1.0, 2.0]},
        "pixel_size_mm": size,
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(old))
    processor = NuPixelMapImageProcessor.from_pretrained(tmp_path)
    assert (processor.pixel_pitch_mm, processor.active_rms) == (pitch, [1.0, 2.0])
    processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert (saved.get("pixel_pitch_mm"), saved["format_version"]) == (pitch, 2)
    assert "pixel_size_mm" not in saved
    assert NuPixelMapImageProcessor.from_pretrained(tmp_path).to_dict() == processor.to_dict()


@pytest.mark.parametrize("loader", [NuPixelMapImageProcessor, AutoImageProcessor])
def test_file_that_differs_from_its_checksum_is_refused(tmp_path, loader):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    (tmp_path / "checksums.json").write_text(json.dumps({"algorithm": "sha256", "files": sums}))
    loader.from_pretrained(tmp_path)
    file.write_text(file.read_text().replace("1.0", "1.5", 1))
    with pytest.raises(CorruptedFileError, match=r"preprocessor_config\.json"):
        loader.from_pretrained(tmp_path)
    make_processor().save_pretrained(tmp_path)
    assert not (tmp_path / "checksums.json").exists()
    loader.from_pretrained(tmp_path)


def test_truncated_file_is_refused(tmp_path):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    file.write_text(file.read_text()[:40])
    with pytest.raises(OSError, match=r"preprocessor_config\.json' is not a valid JSON file"):
        NuPixelMapImageProcessor.from_pretrained(tmp_path)


def test_unknown_key_in_the_file_is_refused(tmp_path):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"image_mean": 0.5}))
    with pytest.raises(errors.ProcessorSettingError, match="image_mean"):
        NuPixelMapImageProcessor.from_pretrained(tmp_path)


def changed(**columns):
    return [make_rows(make_dense())[0], make_rows(make_dense())[2] | columns]


def without(column):
    return [{k: v for k, v in row.items() if k != column} for row in changed()]


@pytest.mark.parametrize(
    ("inputs", "error", "says"),
    [
        (changed(xz_index=[3, 48], xz_energy=[1.0, 1.0]), event_errors.RangeError, "event 1.*47.*48"),
        (changed(xz_index=[-1], xz_energy=[1.0]), event_errors.RangeError, "got -1"),
        (
            changed(yz_index=[3], yz_energy=[np.nan]),
            event_errors.NonFiniteError,
            "'yz_energy' of event 1.*nan",
        ),
        (changed(yz_index=[3], yz_energy=[np.inf]), event_errors.NonFiniteError, "got inf at entry 0"),
        (changed(yz_index=[3], yz_energy=[-2.0]), event_errors.RangeError, "-2.0 at entry 0"),
        (
            changed(yz_index=[3], yz_energy=[1e30]),
            event_errors.RangeError,
            "'yz_energy' of event 1.*at most 1000000 MeV, got 1e.30",
        ),
        (np.full((2, HEIGHT, WIDTH), 2.1e6), event_errors.RangeError, "2100000.0 at entry 0"),
        (changed(yz_index=[3, 4], yz_energy=[1.0]), event_errors.ShapeError, "event 1.*2, got 1"),
        (changed(yz_index=[[3]], yz_energy=[[1.0]]), event_errors.ShapeError, r"\(1, 1\)"),
        (changed(yz_index=None), event_errors.MissingColumnError, "null"),
        (changed(xz_index=[1.5, 2.5], xz_energy=[1.0, 1.0]), event_errors.DtypeError, "float64"),
        (changed(xz_index=[1], xz_energy=["1 MeV"]), event_errors.DtypeError, "got <U"),
        (without("yz_energy"), event_errors.MissingColumnError, "yz_energy"),
        (np.zeros((2, 3, HEIGHT, WIDTH), np.float32), errors.ViewError, r"2 views \(xz, yz\).*got 3"),
        (np.zeros((HEIGHT, WIDTH), np.float32), errors.ViewError, "got 1"),
        (np.zeros((2, WIDTH, HEIGHT), np.float32), event_errors.ShapeError, r"\(8, 6\)"),
        ([[coo_array((5, 8)), coo_array((6, 8))]], event_errors.ShapeError, r"\(5, 8\)"),
        (np.zeros((2, HEIGHT, WIDTH), np.uint8), event_errors.UnitError, "mev_per_count"),
        (np.full((2, HEIGHT, WIDTH), np.nan, np.float32), event_errors.NonFiniteError, "nan"),
        (np.full((2, HEIGHT, WIDTH), -1.0), event_errors.RangeError, "-1.0"),
        ([Image.new("L", (8, 6)), Image.new("L", (8, 6))], event_errors.UnitError, "mev_per_count"),
        ([Image.new("RGB", (8, 6))] * 2, event_errors.ShapeError, "RGB"),
        (np.zeros(5), errors.InputFormError, r"\(5,\)"),
        ("event.gz", errors.InputFormError, "str"),
        (7, errors.InputFormError, "int"),
    ],
)
def test_bad_input_is_named(inputs, error, says):
    with pytest.raises(error, match=f"(?s){says}") as raised:
        pixels(inputs)
    assert isinstance(raised.value, event_errors.EventError)
    assert "expected" in str(raised.value) and "got" in str(raised.value)


def test_bad_arrow_tables_are_named():
    table = pa.table({"xz_index": [[1], None], "xz_energy": [[1.0], [2.0]]})
    with pytest.raises(event_errors.MissingColumnError, match="1 nulls"):
        pixels(table, make_processor(views=["xz"], active_rms=[1.0]))
    with pytest.raises(event_errors.MissingColumnError, match="yz_index"):
        pixels(pa.table({"xz_index": [[1]], "xz_energy": [[1.0]]}))
    with pytest.raises(event_errors.ShapeError, match=r"event 0.*2, got 1"):
        pixels(
            pa.table({"xz_index": [[1, 2]], "xz_energy": [[1.0]]}),
            make_processor(views=["xz"], active_rms=[1.0]),
        )


@pytest.mark.parametrize("form", ["rows", "row", "batch", "table", "dataset"])
def test_another_detector_is_refused_unless_accepted(form):
    rows = as_lists(make_rows(make_dense(), detector="there"))
    table = pa.Table.from_pylist(rows)
    forms = {
        "rows": rows,
        "row": rows[0],
        "batch": table.to_pydict(),
        "table": table,
        "dataset": datasets.Dataset.from_list(rows),
    }
    with pytest.raises(errors.DetectorMismatchError, match="for events of here, these are of there"):
        pixels(forms[form], make_processor(detector="here"))
    assert pixels(forms[form], make_processor(detector="here"), detector="there").any()
    assert pixels(forms[form], make_processor(detector="there")).any()


def test_another_pixel_pitch_is_refused():
    processor = make_processor(pixel_pitch_mm=5.0)
    assert processor.pixel_pitch_mm == [[5.0, 5.0], [5.0, 5.0]]
    says = r"'xz': expected pixels of 5\.0 × 5\.0 mm.*got 4\.67 × 4\.67 mm"
    with pytest.raises(errors.PixelSizeError, match=says):
        pixels(make_dense(), processor, pixel_pitch_mm=4.67)
    assert pixels(make_dense(), processor, pixel_pitch_mm=5.0).any()
    assert pixels(make_dense(), make_processor(), pixel_pitch_mm=5.0).any()


def test_pitch_is_compared_along_rows_and_columns_of_each_view():
    processor = make_processor(pixel_pitch_mm=[(5.1, 4.67), (5.1, 4.79)])
    assert pixels(make_dense(), processor, pixel_pitch_mm=[(5.1, 4.67), (5.12, 4.79)]).any()
    for view, other in (("xz", (5.1, 4.79)), ("xz", (4.67, 5.1)), ("yz", [(5.1, 4.67), (5.1, 4.67)])):
        with pytest.raises(errors.PixelSizeError, match=f"'{view}'"):
            pixels(make_dense(), processor, pixel_pitch_mm=other)


@pytest.mark.parametrize("detector", ["dune-like-3view", "modular-2x2x7"])
def test_every_simulated_detector_records_its_pitch(detector):
    processor = NuPixelMapImageProcessor(**DETECTORS[detector].geometry())
    views = DETECTORS[detector].readout.views
    assert processor.pixel_pitch_mm == [[view.row_pitch_mm, view.column_pitch_mm] for view in views]


def test_half_resolution_of_an_odd_number_of_pixels_loses_no_energy():
    processor = NuPixelMapImageProcessor(views=["z"], height=5, width=5, scale="linear", active_rms=[1.0])
    dense = np.arange(25, dtype=np.float32).reshape(1, 5, 5)
    dense[dense % 2 == 1] = 0
    coarse = processor(dense, half_resolution="energy")["pixel_values"]
    assert coarse.shape == (1, 1, 5, 5)
    assert coarse[0, 0, 0, 0] == (0 + 6) / 4
    assert coarse[0, 0, 4, 4] == 24 / 4
    assert processor(dense, half_resolution="image")["pixel_values"].sum() == dense.sum() / 4


@pytest.mark.parametrize(("rebin", "size", "half"), [(1, (10, 10), (5, 5)), (2, (5, 5), (5, 5))])
def test_padding_is_empty_pixels_behind_the_image(rebin, size, half):
    dense = make_dense()
    plain, padded = make_processor(rebin=rebin), make_processor(rebin=rebin, pad_to_multiple=5)
    for how, expected in ((None, size), ("energy", size), ("image", half)):
        image, without = (pixels(dense, one, half_resolution=how) for one in (padded, plain))
        rows, columns = without.shape[2:]
        assert image.shape[2:] == expected
        np.testing.assert_array_equal(image[:, :, :rows, :columns], without)
        assert np.count_nonzero(image) == np.count_nonzero(without) > 0
    assert padded.image_size == size


def test_full_size_map_is_padded_for_patches_of_14():
    processor = NuPixelMapImageProcessor(pad_to_multiple=14, active_rms=[1.0, 1.0])
    assert processor.image_size == (518, 518)
    dense = np.zeros((1, 2, 512, 512), np.float32)
    dense[..., -1, -1] = 3.0
    image = pixels(dense, processor)
    assert image.shape == (1, 2, 518, 518)
    assert (image[..., 511, 511] > 0).all()
    half = pixels(dense, processor, half_resolution="image")
    assert half.shape == (1, 2, 266, 266)
    assert (half[..., 255, 255] > 0).all()


def test_a_file_without_padding_means_none(tmp_path):
    make_processor().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    keys = json.loads(file.read_text())
    del keys["pad_to_multiple"]
    file.write_text(json.dumps(keys))
    assert NuPixelMapImageProcessor.from_pretrained(tmp_path).image_size == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (np.full((2, HEIGHT, WIDTH), 3.0, np.float32), "at most 50% of the pixels lit"),
        (np.eye(HEIGHT, WIDTH, dtype=np.float32)[None].repeat(2, 0) * 3e5, "at most 1 TeV in a view"),
    ],
)
def test_arrays_that_no_event_makes_are_refused_as_in_files(event, problem):
    with pytest.raises(event_errors.RangeError, match=problem):
        pixels(event)


def test_rows_of_a_data_frame_are_rows():
    rows = make_rows(make_dense())
    frame = datasets.Dataset.from_list(rows).to_pandas()
    processor = make_processor()
    assert not processor.is_single_event(frame)
    assert len(processor.split_events(frame)) == len(rows)
    np.testing.assert_array_equal(pixels(frame), pixels(rows))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("nue", "in place of an event"),
        ((make_dense()[0], 1), "without their labels"),
        (None, "in place of an event"),
    ],
)
def test_what_is_no_event_is_told_so(event, message):
    with pytest.raises(errors.InputFormError, match=message):
        pixels([make_dense()[0], event])
