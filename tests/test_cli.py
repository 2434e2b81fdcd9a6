"""The command line does what it says, refuses early in its own words, and never shows a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.cli import main
from cppn_native.image import load_image, save_image
from cppn_native.sheets import activation_sheet

COMMANDS = (
    "fit",
    "render",
    "info",
    "neurons",
    "export",
    "paint",
    "latent",
    "morph",
    "sample",
    "shapes",
    "collage",
    "devices",
)
QUICK = ("--steps", "20", "--neurons", "5")
posix = pytest.mark.skipif(os.name != "posix", reason="signals, pipes and devices of POSIX")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with a picture and a model in it, half as wide again as high."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    y, x = np.mgrid[0:16, 0:24]
    save_image("photo.png", np.stack([10 * x, 15 * y, 5 * (x + y)], axis=2).astype(np.uint8))
    config = cn.CascadeConfig(neurons=6)
    levels = np.random.default_rng(0).integers(-20, 21, config.weights)
    model = cn.Cascade(config, (24, 16), levels)
    model.save("model.cppn")
    model.save("model.safetensors")
    return tmp_path


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(cn, "train", lambda *_, **__: pytest.fail("training began"))


def environment(**extra):
    """A child process finds the package wherever this one did."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **extra}


def cppn(*arguments, **options):
    """The command in a process of its own: (exit code, standard output, standard error)."""
    command = [sys.executable, "-m", "cppn_native", *arguments]
    options = {"stdout": subprocess.PIPE, "env": environment(), **options}
    done = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def pixels(path):
    return load_image(path).astype(np.uint8)


def refused(capsys, *arguments):
    """The one line of a command that exits with 1."""
    assert main([*arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("cppn: error: ") and err.count("\n") == 1, err
    return err.removeprefix("cppn: error: ").rstrip("\n")


def misused(capsys, *arguments):
    """The last line of a command that exits with 2, after a reminder of the usage."""
    with pytest.raises(SystemExit) as exit_:
        main([*arguments])
    out, err = capsys.readouterr()
    assert exit_.value.code == 2 and out == "" and err.startswith("usage: cppn"), err
    return err.rstrip("\n").rsplit("\n", 1)[-1]


# -- fit -----------------------------------------------------------------------------------------------------


def test_fit_writes_every_output_and_says_so_in_one_line():
    code, out, err = cppn(
        "fit", "photo.png", *QUICK, "--seed", "3", "-o", "a.png", "-o", "a.cppn", "-o", "a.safetensors",
        "--side-by-side", "both.png",
    )  # fmt: skip
    assert code == 0, err
    model = cn.load("a.cppn")
    same = cn.train("photo.png", steps=20, neurons=5, seed=3, progress=False)
    assert Path("a.cppn").read_bytes() == same.to_bytes()
    assert np.array_equal(model.render(), pixels("a.png"))
    assert np.array_equal(model.render(), cn.load("a.safetensors").render())
    both = pixels("both.png")
    assert both.shape[1] > 2 * both.shape[0] - 100
    score, psnr = model.score("photo.png"), model.psnr("photo.png")
    want = rf"{model.nbytes} bytes · score {score:.1f} · {psnr:.1f} dB · [\d.]+ s"
    assert re.fullmatch(want + r" · a\.png, a\.cppn, a\.safetensors, both\.png\n", out)
    assert "Ctrl-C keeps the best" in err and "score" in err, "progress is on standard error"


def test_fit_writes_a_cppn_of_the_same_name_into_the_current_folder(folder, capsys):
    (folder / "elsewhere").mkdir()
    (folder / "photo.png").rename("elsewhere/photo.v2.png")
    assert main(["fit", "elsewhere/photo.v2.png", *QUICK]) == 0
    assert capsys.readouterr().out.endswith(" · photo.v2.cppn\n")
    assert cn.load("photo.v2.cppn").size == (24, 16)


def test_fit_of_so_many_bytes_is_whatever_is_best_unless_a_kind_is_asked_for(capsys):
    assert main(["fit", "photo.png", "--max-bytes", "60", "--seed", "1", "--quiet"]) == 0
    made = cn.load("photo.cppn")
    assert isinstance(made, cn.Waves) and made.nbytes <= 60
    assert main(["fit", "photo.png", "--max-bytes", "60", *QUICK, "--quiet"]) == 0
    assert isinstance(cn.load("photo.cppn"), cn.Cascade)
    Path("second.png").write_bytes(Path("photo.png").read_bytes())
    assert main(["fit", "photo.png", "second.png", "--max-bytes", "60", "--seed", "1", "--quiet", "-o", "both/"]) == 0
    assert {cn.load(f"both/{name}.cppn").to_bytes() for name in ("photo", "second")} == {made.to_bytes()}


def test_fit_takes_perceptrons_too(capsys):
    assert main(["fit", "photo.png", "--model", "mysterynet", "--steps", "5", "--quiet"]) == 0
    made = cn.load("photo.safetensors")
    assert made.n_params == 6675 and made.size == (24, 16)
    assert "must end in one of .safetensors" in refused(capsys, "fit", "photo.png", "--model", "siren", "-o", "a.cppn")
    assert "cppn collage" in refused(capsys, "fit", "photo.png", "photo.png", "--model", "siren")


def test_fit_passes_every_option_on(monkeypatch):
    got = {}

    def train(image, **options):
        got.update(options, image=image)
        return cn.load("model.cppn")

    monkeypatch.setattr(cn, "train", train)
    given = {
        "max_bytes": 512, "minutes": 1.5, "steps": 9, "seed": 4, "neurons": 8, "activation": "tanh",
        "output_activation": "identity", "coords": "seed", "octaves": 2, "method": "stochastic",
        "threads": 1, "device": "cpu", "checkpoint": "c.npz", "background": "black",
    }  # fmt: skip
    flags = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    assert main(["fit", "photo.png", *flags, "--radius", "--quiet"]) == 0
    assert got == {**given, "image": "photo.png", "radius": True, "progress": False}
    got.clear()
    assert main(["fit", "photo.png"]) == 0
    assert got == {"image": "photo.png", "progress": True}, "what is not given is left to train()"


def test_fit_json_is_one_object_on_standard_output(capsys):
    assert main(["fit", "photo.png", *QUICK, "--json", "-o", "a.cppn", "-o", "a.png"]) == 0
    found = json.loads(capsys.readouterr().out)
    model = cn.load("a.cppn")
    assert found.pop("seconds") > 0
    assert found == {
        "picture": "photo.png",
        "size": [24, 16],
        "bytes": model.nbytes,
        "weights": model.n_params,
        "score": model.score("photo.png"),
        "psnr": model.psnr("photo.png"),
        "stopped": "finished",
        "files": ["a.cppn", "a.png"],
    }


def test_a_perfect_fit_is_exact_and_still_json(capsys, monkeypatch):
    monkeypatch.setattr(cn, "train", lambda *_, **__: cn.load("model.cppn"))
    save_image("photo.png", cn.load("model.cppn").render())
    assert main(["fit", "photo.png", "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["psnr"] is None and found["score"] == 0
    assert main(["fit", "photo.png", "--side-by-side", "both.png"]) == 0
    assert " · score 0.0 · exact · " in capsys.readouterr().out


def test_quiet_says_nothing(capsys):
    assert main(["fit", "photo.png", *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_transparency_is_put_on_the_background_asked_for(capsys):
    rgba = np.zeros((16, 24, 4), np.uint8)
    save_image("clear.png", rgba)
    for colour, level in (("white", 255), ("#336699", 0x33)):
        main(["fit", "clear.png", "--steps", "300", "--neurons", "3", "--background", colour, "--json"])
        assert abs(cn.load("clear.cppn").render()[:, :, 0].astype(int) - level).max() <= 24
        score = cn.load("clear.cppn").score("clear.png", background=colour)
        assert json.loads(capsys.readouterr().out)["score"] == score


def test_a_checkpoint_is_written_and_continued(capsys):
    assert main(["fit", "photo.png", *QUICK, "--checkpoint", "c.npz", "-o", "a.cppn"]) == 0
    assert main(["fit", "photo.png", "--checkpoint", "c.npz", "-o", "b.cppn"]) == 0
    assert Path("a.cppn").read_bytes() == Path("b.cppn").read_bytes()
    assert "continuing c.npz at step 20" in capsys.readouterr().err


@posix
def test_ctrl_c_writes_the_best_so_far_and_exits_with_130():
    command = [sys.executable, "-m", "cppn_native", "fit", "photo.png", "--minutes", "9", "-o", "a.cppn"]
    child = subprocess.Popen(
        [*command, "-o", "a.png", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while "descend" not in child.stderr.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 130
    assert err.endswith("cppn: interrupted; the best so far is kept\n") and "Traceback" not in err
    found = json.loads(out)
    assert found["stopped"] == "interrupt" and found["bytes"] == Path("a.cppn").stat().st_size <= 1024
    assert np.array_equal(cn.load("a.cppn").render(), pixels("a.png"))


def test_ctrl_c_before_there_is_a_model_exits_with_130_as_well(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("cppn_native.image.load_image", interrupted)
    assert main(["fit", "photo.png"]) == 130
    assert capsys.readouterr() == ("", "cppn: interrupted\n")
    assert not Path("photo.cppn").exists()


def test_divergence_is_an_error_that_keeps_the_best(capsys, monkeypatch):
    def diverges(*_, **__):
        raise cn.DivergedError("training diverged at step 7", cn.load("model.cppn"))

    monkeypatch.setattr(cn, "train", diverges)
    assert refused(capsys, "fit", "photo.png", "-o", "a.cppn") == "training diverged at step 7"
    assert Path("a.cppn").read_bytes() == Path("model.cppn").read_bytes()


def test_an_output_that_fails_does_not_keep_the_others_from_being_written(capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "a.png")

    monkeypatch.setattr("cppn_native.image.save_image", full)
    line = refused(capsys, "fit", "photo.png", *QUICK, "--quiet", "-o", "a.png", "-o", "a.cppn")
    assert line == "a.png: No space left on device"
    assert cn.load("a.cppn").size == (24, 16)


def test_models_are_written_before_pictures(monkeypatch):
    saved = []
    monkeypatch.setattr("cppn_native.image.save_image", lambda path, _: saved.append(Path("a.cppn").exists()))
    assert main(["fit", "photo.png", *QUICK, "--quiet", "-o", "a.png", "-o", "a.cppn"]) == 0
    assert saved == [True]


@pytest.mark.parametrize("option", ["-o", "--side-by-side", "--checkpoint"])
def test_a_missing_folder_is_refused_before_training(capsys, no_training, option):
    line = refused(capsys, "fit", "photo.png", option, "nowhere/a.png")
    assert line == f"{option} nowhere/a.png: its folder does not exist"


@pytest.mark.parametrize("option", ["-o", "--side-by-side", "--checkpoint"])
def test_the_input_is_never_overwritten_by_whatever_name(capsys, no_training, option):
    Path("here").symlink_to(".")
    for name in ("photo.png", "./here/photo.png"):
        line = refused(capsys, "fit", "photo.png", option, name)
        assert line == f"{option} {name}: would overwrite the input photo.png"


def test_one_file_for_two_outputs_is_refused(capsys, no_training):
    line = refused(capsys, "fit", "photo.png", "-o", "a.png", "--side-by-side", "./a.png")
    assert line == "--side-by-side ./a.png: would overwrite another output, a.png"


def test_formats_that_cannot_be_written_are_refused_before_training(capsys, no_training):
    for name in ("a.txt", "a", "", "a.gif"):
        line = refused(capsys, "fit", "photo.png", "-o", name)
        assert line.startswith(f"-o {name}: must end in one of .cppn, .safetensors, .png, ")
    assert ".cppn" not in refused(capsys, "fit", "photo.png", "--side-by-side", "a.cppn").split("one of")[1]
    Path("folder.png").mkdir()
    assert refused(capsys, "fit", "photo.png", "-o", "folder.png") == "-o folder.png: is a folder"


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused_before_training(capsys, no_training):
    Path("locked").mkdir(mode=0o555)
    line = refused(capsys, "fit", "photo.png", "-o", "locked/a.cppn")
    assert line == "-o locked/a.cppn: its folder cannot be written to"


def test_a_missing_or_unreadable_picture_is_refused_by_name(capsys, no_training):
    assert refused(capsys, "fit", "nowhere.png") == "nowhere.png: No such file or directory"
    assert "'model.cppn' is not a picture" in refused(capsys, "fit", "model.cppn", "-o", "a.png")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-bytes", "3"),
        ("--minutes", "0"),
        ("--minutes", "nan"),
        ("--steps", "-1"),
        ("--seed", "-1"),
        ("--neurons", "999"),
        ("--octaves", "99"),
        ("--threads", "0"),
        ("--device", "gpu"),
        ("--background", "no colour"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_option(capsys, option, value):
    line = refused(capsys, "fit", "photo.png", option, value, "--quiet")
    assert re.match(rf"{option} must be .* got ", line), line
    assert not Path("photo.cppn").exists()


def test_a_device_that_is_not_there_is_refused_with_the_reason(capsys, monkeypatch):
    monkeypatch.setattr(cn, "train", lambda *_, **__: (_ for _ in ()).throw(cn.DeviceError("no driver")))
    assert refused(capsys, "fit", "photo.png", "--device", "cuda") == "no driver"


def test_a_checkpoint_that_is_none_is_refused(capsys):
    line = refused(capsys, "fit", "photo.png", "--checkpoint", "model.cppn", "--quiet")
    assert line.startswith("--checkpoint model.cppn is damaged or not a checkpoint")


# -- fit, several pictures ------------------------------------------------------------------------------------


@pytest.fixture
def two(folder):
    """A second picture, in a folder of its own."""
    (folder / "more").mkdir()
    save_image("more/other.png", pixels("photo.png")[::-1].copy())
    return ("photo.png", "more/other.png")


def test_several_pictures_become_a_model_each_named_after_them(capsys, two):
    assert main(["fit", *two, *QUICK, "-o", "models/"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    for line, picture, path in zip(lines, two, ("models/photo.cppn", "models/other.cppn"), strict=True):
        want = cn.train(picture, steps=20, neurons=5, progress=False)
        assert Path(path).read_bytes() == want.to_bytes()
        facts = rf"{want.nbytes} bytes · score {want.score(picture):.1f} · {want.psnr(picture):.1f} dB"
        assert line == f"{picture} · {facts} · {path}"
    assert "2 pictures of 24 x 16: 5 neurons" in err and "2/2 done" in err
    assert sorted(os.listdir("models")) == ["other.cppn", "photo.cppn"]


def test_several_pictures_go_into_the_current_folder_if_none_is_named(capsys, two):
    assert main(["fit", *two, *QUICK, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["picture"], one["files"]) for one in found] == [(two[0], ["photo.cppn"]), (two[1], ["other.cppn"])]
    assert all(one["bytes"] == Path(one["files"][0]).stat().st_size for one in found)
    assert main(["fit", *two, *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_folder_takes_one_picture_as_well(capsys):
    assert main(["fit", "photo.png", *QUICK, "-o", "models/"]) == 0
    assert os.listdir("models") == ["photo.cppn"]


def test_several_pictures_are_refused_before_training_if_a_file_would_be_lost(capsys, monkeypatch, two):
    monkeypatch.setattr(cn, "train_many", lambda *_, **__: pytest.fail("training began"))
    save_image("more/photo.jpg", pixels("photo.png"))
    line = refused(capsys, "fit", "photo.png", "more/photo.jpg")
    assert line == "-o photo.cppn: would be written for both photo.png and more/photo.jpg"
    (Path("more") / "photo.cppn").symlink_to("../photo.png")
    assert refused(capsys, "fit", *two, "-o", "more") == "-o more/photo.cppn: would overwrite the input photo.png"
    Path("more/photo.cppn").rename("more/other.cppn")
    assert refused(capsys, "fit", *two, "-o", "more") == "-o more/other.cppn: would overwrite the input photo.png"
    assert refused(capsys, "fit", *two, "-o", "a.cppn").startswith("-o a.cppn: must be a folder")
    assert refused(capsys, "fit", *two, "-o", "no/where/").startswith("-o no/where: its folder does not exist")
    assert refused(capsys, "fit", *two, "-o", "a", "-o", "b") == "-o b: several pictures go into one folder, got 2"
    for option in ("--checkpoint", "--side-by-side"):
        assert refused(capsys, "fit", *two, option, "a.png") == f"{option} is for one picture, got 2"


def test_an_error_in_one_of_several_pictures_names_it(capsys, two):
    Path("seed").write_text("no picture")
    assert refused(capsys, "fit", *two, "nowhere.png") == "nowhere.png: No such file or directory"
    assert "'seed' is not a picture" in refused(capsys, "fit", "seed", *two, "--seed", "4")


def test_the_models_of_the_others_are_written_if_one_diverges(capsys, monkeypatch, two):
    def diverges(images, names, **_):
        raise cn.DivergedError(f"{names[0]}: training diverged", None, [None, cn.load("model.cppn")])

    monkeypatch.setattr(cn, "train_many", diverges)
    assert refused(capsys, "fit", *two, "-o", "models/") == "photo.png: training diverged"
    assert os.listdir("models") == ["other.cppn"]


# -- render --------------------------------------------------------------------------------------------------


def test_render_writes_what_the_model_renders(capsys):
    model = cn.load("model.cppn")
    assert main(["render", "model.cppn"]) == 0
    assert capsys.readouterr().out == "24 x 16 pixels · model.png\n"
    assert np.array_equal(pixels("model.png"), model.render())
    main(
        [
            "render",
            "model.safetensors",
            "--size",
            "50x40",
            "--supersample",
            "2",
            "-o",
            "a.png",
            "-o",
            "b.webp",
        ]
    )
    assert np.array_equal(pixels("a.png"), model.render((50, 40), supersample=2))
    assert np.array_equal(pixels("b.webp"), pixels("a.png"))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["--size", "60x"], (60, 40)),
        (["--size", "x40"], (60, 40)),
        (["--size", "60X7"], (60, 7)),
        (["--size", "1x"], (1, 1)),
        (["--scale", "4"], (96, 64)),
        (["--scale", "0.25"], (6, 4)),
        (["--scale", "0.001"], (1, 1)),
    ],
)
def test_a_size_can_be_given_in_part_or_as_a_scale(options, size, capsys):
    assert main(["render", "model.cppn", *options, "-o", "a.png"]) == 0
    assert np.array_equal(pixels("a.png"), cn.load("model.cppn").render(size))
    assert capsys.readouterr().out.startswith(f"{size[0]} x {size[1]} pixels")


@pytest.mark.parametrize(
    ("region", "options", "size"),
    [
        ("0.25,0.25,0.75,0.75", [], (24, 16)),
        ("-0.5,-.5,1.5,1.5", [], (24, 16)),
        ("0,0,0.5,1", [], (12, 16)),
        ("0,0,1,0.5", ["--scale", "2"], (48, 16)),
        ("0,0,0.5,1", ["--size", "30x"], (30, 40)),
        ("0,0,0.5,1", ["--size", "24x16"], (24, 16)),
    ],
)
def test_a_region_is_shown_undistorted_unless_a_size_says_otherwise(region, options, size):
    assert main(["render", "model.cppn", "--region", region, *options, "-o", "a.png"]) == 0
    corners = tuple(map(float, region.split(",")))
    assert np.array_equal(pixels("a.png"), cn.load("model.cppn").render(size, region=corners))


def test_render_refuses_what_cannot_be(capsys):
    assert refused(capsys, "render", "nowhere.cppn") == "nowhere.cppn: No such file or directory"
    assert refused(capsys, "render", "photo.png").startswith("photo.png: byte 0: not a .cppn file")
    assert refused(capsys, "render", "model.cppn", "-o", "a.cppn").startswith("-o a.cppn: must end in one of .png")
    assert refused(capsys, "render", "model.cppn", "-o", "no/a.png") == "-o no/a.png: its folder does not exist"
    assert refused(capsys, "render", "model.cppn", "--supersample", "0").startswith("--supersample must be")
    assert refused(capsys, "render", "model.cppn", "--size", "99999x99999").startswith("--size 99999 x 99999 is")
    assert refused(capsys, "render", "model.cppn", "--scale", "1e300").startswith("size must be")
    assert refused(capsys, "render", "model.cppn", "--region", "-1e308,0,1e308,1").startswith("size must be")
    both = refused(capsys, "render", "model.cppn", "--scale", "2", "--size", "3x")
    assert both.startswith("--size and --scale exclude each other")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--size", ("100", "x", "0x5", "5x0", "-3x4", "1.5x2", "3x4x5", "", "axb")),
        ("--scale", ("0", "-1", "inf", "nan", "two", "")),
        ("--region", ("0,0,1", "0,0,0,1", "1,0,0,1", "a,b,c,d", "0,0,nan,1", "")),
    ],
)
def test_sizes_scales_and_regions_that_are_none_are_wrong_usage(capsys, option, values):
    for value in values:
        line = misused(capsys, "render", "model.cppn", f"{option}={value}")
        assert line.startswith(f"cppn render: error: argument {option}: must be ") and repr(value) in line


def test_a_damaged_model_is_refused_by_name(capsys):
    data = bytearray(Path("model.cppn").read_bytes())
    data[-1] ^= 1
    Path("broken.cppn").write_bytes(data)
    Path("broken.safetensors").write_bytes(b"nonsense")
    for name in ("broken.cppn", "broken.safetensors"):
        for command in ("render", "neurons"):
            assert refused(capsys, command, name).startswith(f"{name}: ")


# -- info, neurons, devices ----------------------------------------------------------------------------------


def test_info_of_waves_counts_them_and_names_the_filter(capsys):
    example = Path(__file__).parents[1] / "examples" / "starry_night_waves.cppn"
    assert main(["info", str(example)]) == 0
    out = capsys.readouterr().out
    assert "1807 waves, of the first 14911" in out and re.search(r"filter +1\.45 times", out) and "4.5 bits" in out


def test_info_lists_what_is_in_each_file(capsys):
    assert main(["info", "model.cppn", "model.cppn"]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert first + "\n" == second
    name, *rows = first.splitlines()
    assert name == "model.cppn"
    assert len({re.match(r"  [a-z ]+  +", row).end() for row in rows}) == 1, "aligned"
    found = cn.info("model.cppn")
    header, payload = found["header_bytes"], found["payload_bytes"]
    shown = dict(re.match(r"  ([a-z ]+?)  +(.*)", row).groups() for row in rows)
    assert shown["size"] == "24 x 16 pixels"
    assert shown["network"] == "cascade, 6 neurons, 33 weights"
    assert shown["bytes"] == f"{found['file_bytes']}: header {header}, payload {payload}, checksum 2"
    assert shown["checksum"] == f"{found['checksum']:04x}"
    assert shown["per weight"] == f"{found['bits_per_weight']:.2f} bits"


def test_info_counts_mixed_activations(capsys):
    config = cn.CascadeConfig(neurons=6, activation=("sine", "tanh", "sine"))
    cn.Cascade(config, (5, 4), np.zeros(config.weights, int)).save("mixed.cppn")
    assert main(["info", "mixed.cppn"]) == 0
    assert re.search(r"activation +2 sine, 1 tanh; outputs sigmoid\n", capsys.readouterr().out)


def test_info_json_is_one_object_on_a_line_for_each_file(capsys):
    assert main(["info", "--json", "model.cppn", "model.cppn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    want = json.loads(json.dumps({"file": "model.cppn", **cn.info("model.cppn")}))
    assert [json.loads(line) for line in lines] == [want, want]


def test_info_goes_on_after_a_file_that_is_none_and_exits_with_1(capsys):
    assert main(["info", "nowhere.cppn", "photo.png", "model.cppn"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("model.cppn\n")
    first, second = err.splitlines()
    assert first == "cppn: error: nowhere.cppn: No such file or directory"
    assert second.startswith("cppn: error: photo.png: byte 0: not a .cppn file")


def test_neurons_writes_the_sheet(capsys):
    model = cn.load("model.cppn")
    assert main(["neurons", "model.cppn"]) == 0
    sheet = activation_sheet(model)
    assert np.array_equal(pixels("model-neurons.png"), sheet)
    assert capsys.readouterr().out == f"{sheet.shape[1]} x {sheet.shape[0]} pixels · model-neurons.png\n"
    assert main(["neurons", "model.cppn", "--columns", "2", "-o", "two.png"]) == 0
    assert np.array_equal(pixels("two.png"), activation_sheet(model, 2))
    capsys.readouterr()
    assert refused(capsys, "neurons", "model.cppn", "--columns", "0").startswith("--columns must be a positive")
    assert refused(capsys, "neurons", "model.cppn", "-o", "a.cppn").startswith("-o a.cppn: must end in one of .png")


def test_devices_are_a_table_with_the_reason_why_not(capsys, monkeypatch):
    there, missing = cn.Device("cpu", "avx2", 8), cn.Device("cuda:0", available=False, why="no driver")
    monkeypatch.setattr(cn, "devices", lambda: [there, missing])
    assert main(["devices"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "DEVICE  INSTRUCTIONS  THREADS  STATE",
        "cpu     avx2          8        ready",
        "cuda:0  -             -        not available: no driver",
    ]


def test_devices_fit_80_columns_and_describe_a_gpu(capsys, monkeypatch):
    why = "this build has no CUDA kernels: nvcc was not found when it was built. Install the CUDA toolkit first"
    gpu = cn.Device("cuda:0", "sm_90", 0, True, "", "NVIDIA H200, 132 multiprocessors")
    monkeypatch.setattr(cn, "devices", lambda: [gpu, cn.Device("cuda:1", available=False, why=why)])
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "cuda:0  sm_90         -        ready: NVIDIA H200, 132 multiprocessors"
    assert max(map(len, lines)) <= 80 and len({len(line) - len(line.lstrip()) for line in lines[3:]}) == 1
    assert " ".join(line[31:] for line in lines[2:]) == f"not available: {why}"


@pytest.mark.parametrize("command", [("fit", "photo.png", *QUICK), ("fit", "photo.png", *QUICK, "-o", "models/")])
def test_a_gpu_that_fails_is_a_line_of_warning(capsys, monkeypatch, command):
    gpu = SimpleNamespace(name="Imitation", architecture="sm_90", multiprocessors=1, why="")

    def broken(_):
        raise cn.DeviceError("out of memory")

    monkeypatch.setattr(_core, "cuda_devices", lambda: [gpu])
    monkeypatch.setattr(_core, "open_cuda", broken)
    assert main([*command]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "cppn: warning: cuda:0 failed: out of memory; the CPU goes on"
    assert refused(capsys, *command, "--device", "cuda") == (
        'device="cuda" cannot run: out of memory; use device="cpu"'
    )
    assert refused(capsys, "render", "model.cppn", "--device", "cuda:0").startswith('device="cuda:0" cannot run')
    assert refused(capsys, "render", "model.cppn", "--device", "gpu").startswith("--device must be")


def test_a_forced_instruction_set_that_is_not_there_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("CPPN_ISA", "none")
    assert refused(capsys, "devices").startswith("CPPN_ISA=none cannot run here")


# -- export --------------------------------------------------------------------------------------------------


def test_export_writes_programs_by_suffix_and_says_their_size(capsys):
    assert main(["export", "model.cppn", "-o", "a.py", "-o", "a.c", "-o", "a.html"]) == 0
    model, out = cn.load("model.cppn"), capsys.readouterr().out
    for name in ("a.py", "a.c", "a.html"):
        assert Path(name).read_text() == model.export(target=Path(name).suffix, verify=False)
        assert f"{Path(name).stat().st_size} bytes · {name}" in out


def test_export_to_a_picture_draws_the_neurons():
    assert main(["export", "model.cppn", "-o", "sheet.png"]) == 0
    np.testing.assert_array_equal(pixels("sheet.png"), activation_sheet(cn.load("model.cppn")))


def test_export_without_an_output_is_a_page_in_the_current_folder():
    assert main(["export", "model.safetensors"]) == 0
    assert Path("model.html").read_text().lower().startswith("<!doctype html>")


def test_export_runs_the_program_unless_told_not_to(capsys, monkeypatch):
    from cppn_native.export import TARGETS

    monkeypatch.setitem(TARGETS, "py", lambda program: "raise SystemExit('broken')")
    assert "broken" in refused(capsys, "export", "model.cppn", "-o", "a.py")
    assert not Path("a.py").exists()
    assert main(["export", "model.cppn", "-o", "a.py", "--no-verify"]) == 0


def test_export_refuses_other_suffixes_before_any_work(capsys):
    assert ".html" in refused(capsys, "export", "model.cppn", "-o", "a.doc")


# -- the program ---------------------------------------------------------------------------------------------


def test_the_version_is_that_of_the_package():
    assert cppn("--version") == (0, f"cppn {cn.__version__}\n", "")


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_fits_80_columns_and_gives_an_example(capsys, command):
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])
    out = capsys.readouterr().out
    assert exit_.value.code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert f"\nexamples:\n  {' '.join(('cppn', *command))}" in out
    assert out.count("\n") > 8 and "None" not in out


def test_the_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"^ +{name} +\w", out, re.M)


def test_no_command_shows_the_help_as_wrong_usage(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("usage: cppn")


@pytest.mark.parametrize(
    "arguments",
    [
        ["paint-the-fence"],
        ["fit"],
        ["fit", "photo.png", "--nonsense"],
        ["fit", "photo.png", "--min", "3"],
        ["fit", "photo.png", "--steps", "many"],
        ["fit", "photo.png", "--activation", "relu9"],
        ["info"],
        ["render"],
    ],
)
def test_wrong_usage_exits_with_2_and_names_what_is_wrong(capsys, no_training, arguments):
    line = misused(capsys, *arguments)
    wrong = arguments[-2] if arguments[-1] in ("3", "many", "relu9") else arguments[-1]
    missing = {"fit": "picture", "info": "file", "render": "file"}
    assert missing.get(wrong, wrong) in line


def test_it_imports_nothing_heavy_beyond_the_package():
    code = (
        "import sys, cppn_native; before = set(sys.modules)\n"
        "from cppn_native.cli import main\n"
        "try: main(['fit', '--help'])\n"
        "except SystemExit: pass\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "sys.exit(', '.join(sorted(new - {'cppn_native'})) or 'cppn_native.sheets' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@posix
@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["info", *["model.cppn"] * 99], (1,)),
        (["info", "model.cppn"], (1,)),
        (["--help"], (0, 1)),  # some versions of argparse pass over what they cannot print
    ],
)
def test_a_reader_that_leaves_early_is_no_traceback(arguments, codes):
    read, write = os.pipe()
    os.close(read)
    try:
        code, _, err = cppn(*arguments, stdout=write)
    finally:
        os.close(write)
    assert code in codes and err == ""


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_under_standard_output_is_one_line():
    with open("/dev/full", "w") as full:
        code, _, err = cppn("info", "model.cppn", stdout=full)
    assert code == 1 and re.fullmatch(r"cppn: error: .*No space left on device\n", err), err


def test_output_that_the_terminal_cannot_show_is_replaced():
    code, out, err = cppn("fit", "photo.png", *QUICK, env=environment(PYTHONIOENCODING="ascii"))
    assert code == 0, err
    assert " bytes ? score " in out


@posix
def test_a_closed_standard_output_is_no_error():
    command = f'"{sys.executable}" -m cppn_native info model.cppn >&-'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
