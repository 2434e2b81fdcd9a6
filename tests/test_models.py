"""``cn.Cascade``: rendering at any size, scores, files, float and integer weights."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def model() -> cn.Cascade:
    config = cn.CascadeConfig(neurons=11)
    levels = np.random.default_rng(3).integers(-15, 16, config.weights)
    return cn.Cascade(config, (30, 20), levels)


def test_bytes_are_the_floor_of_256_times_the_activation(model: cn.Cascade) -> None:
    a = model.render_float()
    assert a.dtype == np.float32 and a.shape == (20, 30, 3)
    assert np.array_equal(model.render(), np.clip(np.floor(a * 256), 0, 255).astype(np.uint8))


def test_calling_the_model_at_pixel_centres_is_rendering_it(model: cn.Cascade) -> None:
    j, i = np.mgrid[0:20, 0:30]
    points = np.stack([(2 * i + 1 - 30) / 30, (2 * j + 1 - 20) / 30], axis=-1).reshape(-1, 2)
    assert np.array_equal(model(points).reshape(20, 30, 3), model.render_float())


def test_the_seed_convention_counts_pixels_from_the_top_left() -> None:
    config = cn.CascadeConfig(neurons=3, coords="seed", output_activation="identity")
    levels = np.zeros(12, np.int32)
    levels[1] = levels[5] = 1  # r = x; g sees 1, x, y, r: its y
    model = cn.Cascade(config, (7, 5), levels, (1.0, 1.0, 1.0))
    a = model.render_float()
    assert np.array_equal(a[0, :, 0], np.arange(7, dtype=np.float32) / 256)
    assert np.array_equal(a[:, 0, 1], np.arange(5, dtype=np.float32) / 256)


def test_every_third_pixel_of_a_triple_size_render_is_the_render(model: cn.Cascade) -> None:
    big = model.render_float((90, 60))
    np.testing.assert_allclose(big[1::3, 1::3], model.render_float(), atol=2e-5)


def test_a_region_is_the_same_part_of_a_whole_render(model: cn.Cascade) -> None:
    whole = model.render_float((60, 40))
    part = model.render_float((30, 20), region=(0.5, 0.5, 1.0, 1.0))
    np.testing.assert_allclose(part, whole[20:, 30:], atol=2e-5)


def test_supersampling_averages(model: cn.Cascade) -> None:
    fine = model.render((60, 40), dtype="float32").reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(model.render(supersample=2, dtype="float32"), fine, atol=1e-6)


def test_score_and_psnr_follow_their_formulas(model: cn.Cascade) -> None:
    shown = model.render()
    assert model.score(shown) == 0 and model.psnr(shown) == float("inf")
    other = shown.astype(int)
    other[0, 0] += np.where(other[0, 0] > 100, -51, 51)
    assert model.score(other.astype(np.uint8)) == pytest.approx(3 * (51 / 255) ** 2)
    assert model.psnr(other.astype(np.uint8)) == pytest.approx(10 * np.log10(20 * 30 * 3 / (3 * 0.04)))


def test_the_score_of_a_picture_of_another_size_is_refused(model: cn.Cascade) -> None:
    with pytest.raises(ValueError, match="image must have the model's size 30 x 20, got 20 x 30"):
        model.score(np.zeros((30, 20, 3), np.uint8))


def test_activations_end_with_the_outputs(model: cn.Cascade) -> None:
    maps = model.activations()
    assert maps.shape == (11, 20, 30)
    assert np.array_equal(np.moveaxis(maps[-3:], 0, 2), model.render_float())


@pytest.mark.parametrize("suffix", [".cppn", ".safetensors"])
def test_files_come_back_as_they_were(model: cn.Cascade, tmp_path: Path, suffix: str) -> None:
    model.save(tmp_path / f"m{suffix}")
    back = cn.load(tmp_path / f"m{suffix}")
    assert isinstance(back, cn.Cascade)
    assert back.config == model.config and back.size == model.size and back.steps == model.steps
    assert np.array_equal(back.levels, model.levels)


def test_float_weights_go_to_safetensors_and_not_to_cppn(model: cn.Cascade, tmp_path: Path) -> None:
    floats = model.with_levels(model.levels + np.float32(0.25))
    floats.save(tmp_path / "f.safetensors")
    back = cn.load(tmp_path / "f.safetensors")
    assert np.array_equal(back.render(), floats.render())
    with pytest.raises(ValueError, match="weights are floats; call quantize"):
        floats.save(tmp_path / "f.cppn")
    assert not (tmp_path / "f.cppn").exists()


def test_foreign_and_damaged_files_are_format_errors(model: cn.Cascade, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"levels": np.zeros(3, np.int32)}, tmp_path / "foreign.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "text.cppn").write_text("hello")
    (tmp_path / "huge.cppn").write_bytes(b"\0" * (2 << 20))
    save_file(
        {"levels": np.zeros(3, np.int32), "steps": np.ones(3, np.float32)},
        tmp_path / "short.safetensors",
        metadata=model._metadata(),
    )
    for name in ("foreign.safetensors", "text.safetensors", "text.cppn", "huge.cppn", "short.safetensors"):
        with pytest.raises(cn.FormatError):
            cn.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        cn.load(tmp_path / "absent.cppn")
    with pytest.raises(TypeError, match="source must be a path or bytes, got int"):
        cn.load(7)  # type: ignore[arg-type]


def test_info_says_what_is_in_the_file(model: cn.Cascade) -> None:
    found = cn.info(model.to_bytes())
    assert (found["width"], found["height"], found["neurons"], found["weights"]) == (30, 20, 11, 88)
    assert found["file_bytes"] == model.nbytes


def test_quantize_keeps_to_its_levels_bits_or_bytes(model: cn.Cascade) -> None:
    floats = model.with_levels(model.levels + np.float32(0.3))
    assert len(np.unique(floats.quantize(levels=9).levels)) <= 9
    assert len(np.unique(floats.quantize(bits=4).levels)) <= 16
    assert floats.quantize(max_bytes=60).nbytes <= 60
    with pytest.raises(ValueError, match="exactly one of levels, bits and max_bytes"):
        floats.quantize()
    with pytest.raises(ValueError, match="max_bytes=33 is too little"):
        # 125 activations of five kinds take 37 bytes of header alone.
        names = tuple(list(cn.ACTIVATIONS)[n % 5] for n in range(125))
        cn.Cascade(cn.CascadeConfig(neurons=128, activation=names), (3, 3), np.ones(8512)).quantize(max_bytes=33)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (0, 4)}, "size must be two integers"),
        ({"size": 5}, r"size must be \(width, height\)"),
        ({"size": (1 << 19, 1 << 19)}, "million"),
        ({"region": (0, 0, 0, 1)}, "region must be finite with left < right"),
        ({"region": (0, 1)}, "region must be"),
        ({"supersample": 0}, "supersample must be an integer from 1 to 16"),
        ({"dtype": "int8"}, "dtype must be"),
        ({"device": "abacus"}, "device must be"),
    ],
)
def test_renders_that_make_no_sense_are_refused(model: cn.Cascade, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.render(**arguments)


def test_points_of_the_wrong_shape_are_refused(model: cn.Cascade) -> None:
    for points in (np.zeros((0, 2)), np.zeros((3, 3)), np.zeros(4), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match=r"coords must be finite and of shape \(P, 2\)"):
            model(points)


def test_a_runaway_neuron_paints_black_or_white_but_never_crashes() -> None:
    config = cn.CascadeConfig(neurons=30, activation="identity", output_activation="identity")
    model = cn.Cascade(config, (5, 4), np.full(config.weights, 32767), (1e30, 1e30, 1e30))
    assert model.render().shape == (4, 5, 3)


def test_a_notebook_shows_the_picture(model: cn.Cascade) -> None:
    shown = Image.open(io.BytesIO(model._repr_png_()))
    assert np.array_equal(np.asarray(shown), model.render())
    assert "11 neurons" in repr(model)
