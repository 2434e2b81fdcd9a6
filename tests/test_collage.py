"""Many perceptrons at once, and all of them on one sheet."""

import json

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.cli import main
from cppn_native.fit.perceptron_crew import train_crew
from cppn_native.fit.perceptron_state import PerceptronPlan
from cppn_native.image import save_image
from cppn_native.progress import Reporter

PLAN = PerceptronPlan(cn.recipes.plain(), steps=60, batch=128)
CONFIG = cn.PerceptronConfig((8, 8), "gelu", 2)


def band(number, size=(24, 16)):
    picture = np.full((size[1], size[0], 3), 40 * number % 255, np.float32)
    picture[: size[1] // 2, :, number % 3] = 255
    return picture


def crew(count, threads, plan=PLAN, callback=None):
    pictures = [lambda n=n: band(n) for n in range(count)]
    cpu = _core.Cpu(_core.isas()[0], threads)
    return dict(train_crew(pictures, CONFIG, plan, cpu, threads, Reporter(False, callback)))


def test_a_crew_finds_the_models_that_each_would_be_alone():
    models = crew(5, 2)
    assert sorted(models) == [0, 1, 2, 3, 4]
    for n in (0, 4):
        alone = cn.train(
            band(n).astype(np.uint8),
            CONFIG,
            steps=60,
            batch=128,
            recipe=cn.recipes.plain(),
            progress=False,
            rate=PLAN.rate,
        )
        for name, array in alone.state_dict().items():
            np.testing.assert_array_equal(array, models[n].state_dict()[name], err_msg=name)


def test_any_number_of_threads_gives_the_same_models():
    for a, b in zip(crew(3, 1).items(), sorted(crew(3, 3).items()), strict=True):
        np.testing.assert_array_equal(a[1].render(), b[1].render())


def test_reports_count_what_is_done_and_a_true_one_ends_it():
    seen = []
    assert len(crew(3, 1, callback=lambda report: seen.append(report) or report.finished == 2)) == 2
    assert [report.pictures for report in seen] == [3] * len(seen)
    assert [report.fraction for report in seen] == sorted(report.fraction for report in seen)


def test_minutes_are_for_all_together():
    from dataclasses import replace

    models = crew(2, 1, replace(PLAN, steps=10**9, minutes=0.005))
    assert len(models) == 2 and all(10 < model.history[-1][0] < 10**6 for model in models.values())


def test_a_collage_holds_every_picture_upright_ones_too():
    models = [
        cn.train(band(1, size).astype(np.uint8), CONFIG, steps=1, progress=False)
        for size in ((24, 16), (10, 40), (30, 30))
    ]
    sheet = cn.collage(models, 2, names=["a", "b", "c"], width=60)
    for model, size in zip(models, ((60, 40), (15, 60), (60, 60)), strict=True):
        shown = model.render(size)
        height, width = shown.shape[:2]
        places = [(y, x) for y in range(sheet.shape[0] - height) for x in range(sheet.shape[1] - width)]
        corner = [(y, x) for y, x in places if (sheet[y, x : x + 4] == shown[0, :4]).all()]
        assert any((sheet[y : y + height, x : x + width] == shown).all() for y, x in corner)
    for wrong, message in (({"names": ["a"]}, "names must be"), ({"columns": 0}, "columns"), ({"width": 1}, "width")):
        with pytest.raises(ValueError, match=message):
            cn.collage(models, **wrong)
    with pytest.raises(ValueError, match="at least one"):
        cn.collage([])


def test_the_command_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for n in range(3):
        save_image(f"flag{n}.png", band(n).astype(np.uint8))
    files = [f"flag{n}.png" for n in range(3)]
    assert main(["collage", *files[:2], "--steps", "30", "-o", "sheet.png", "--quiet"]) == 0
    first = (tmp_path / "sheet-nets" / "flag0.safetensors").read_bytes()
    assert main(["collage", *files, "--steps", "30", "-o", "sheet.png", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == 3 and set(said["psnr"]) == {"flag0", "flag1", "flag2"}
    assert (tmp_path / "sheet-nets" / "flag0.safetensors").read_bytes() == first


def test_transparent_margins_are_cut_off(tmp_path, monkeypatch):
    from cppn_native.cli.collage import _read

    image = np.zeros((30, 40, 4), np.uint8)
    image[5:25, 10:35] = (200, 10, 20, 255)
    save_image(tmp_path / "flag.png", image)
    assert _read(str(tmp_path / "flag.png")).shape == (20, 25, 3)


def test_two_pictures_of_one_name_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["collage", "a/x.png", "b/x.png"]) == 1
    assert "two pictures are called x" in capsys.readouterr().err
