"""Shapes against PyTorch: autograd through the notebooks' formulas, AdamW over some steps."""

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.coords import axes
from reference import shapes as reference
from test_shapes import CASES, assert_close, config_of, exact, pack, problem, unpack

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

SIZE = (48, 40)
PI = 3.141592


def mapped(kind, raw):
    s, t = torch.sigmoid, torch.tanh
    v = dict(raw)
    if kind in ("fourier", "article"):
        v |= {name: 3 * s(raw[name]) - 1 for name in ("posx", "posy")}
        v |= {name: 4 * s(raw[name]) for name in ("scale_x", "scale_y")}
        v["rotate"] = PI * raw["rotate"]
    if kind == "fourier":
        v |= {"radius": s(raw["radius"]), "colour": t(raw["colour"])}
    if kind == "depth":
        v |= {name: t(raw[name]) for name in ("posx", "posy")}
        v |= {name: 8 * s(raw[name]) for name in ("radius", "scale_x", "scale_y", "order")}
        v |= {"rotate": 8 * PI * s(raw["rotate"]), "colour": s(raw["colour"])}
        v |= {name: 2 * s(raw[name]) for name in ("w_sin", "w_cos")}
    if kind == "stroke":
        factors = {"scale_x": 16, "scale_y": 16, "width": 4096, "length": 128, "alpha": 16, "rotate": 8 * PI}
        v |= {name: factor * s(raw[name]) for name, factor in factors.items()}
    return v


def picture(kind, formula, raw, x, y, unit, target):
    """(H, W, C) as the notebooks write it, with everything (n, H, W)."""
    v = {name: a[:, None, None] if a.ndim == 1 else a for name, a in mapped(kind, raw).items()}
    dx, dy = x[None, None, :] - v["posx"], y[None, :, None] - v["posy"]
    if kind == "point":
        ink = torch.exp(-torch.sqrt(dx**2 + dy**2) / (0.5 / unit))
        return torch.exp(-4 * ink.sum(0))[:, :, None].expand(-1, -1, target.shape[2])
    cos, sin = torch.cos(v["rotate"]), torch.sin(v["rotate"])
    xx, yy = v["scale_x"] * (dx * cos - dy * sin), v["scale_y"] * (dx * sin + dy * cos)
    r = torch.sqrt(xx**2 + yy**2)
    theta = -torch.acos(xx / (r + 1e-4)) * torch.sign(yy)
    if kind == "article":
        f = torch.where(r < 0.2, torch.tanh(5 * (0.2 - r) / 0.2), 0 * r)
        order = torch.argsort(-(v["scale_x"] * v["scale_y"]).ravel(), stable=True)
        covered = (f[order] > 0).double()
        rank = torch.empty_like(f)
        rank[order] = torch.cumsum(covered, 0) - covered
        a = (1 - 0.001) * 0.001**rank * f
        colour = torch.einsum("nhw,hwc->nc", f, target) / (f.sum((1, 2)) + 1e-5)[:, None]
        return torch.einsum("nhw,nc->hwc", a, colour) / (a.sum(0) + 1e-4)[:, :, None]
    if kind == "stroke":
        f = torch.exp(-v["width"] * (v["radius"] - r) ** 2) * torch.pow(1 - torch.cos(theta / 2), v["length"])
        a = torch.exp(-v["alpha"]) * f
        return torch.einsum("nhw,nc->hwc", a, v["colour"]) / (a.sum(0) + 1e-5)[:, :, None]
    m = torch.arange(1, len(v["w_sin"]) + 1)[:, None, None, None]
    ws, wc = v["w_sin"][:, :, None, None], v["w_cos"][:, :, None, None]
    big_f = (ws * torch.sin(m * theta) + wc * torch.cos(m * theta)).sum(0)
    if formula == "notebook":
        soft = torch.tanh(16 * (v["radius"] * (1 + 0.1 * big_f) - r) / v["radius"])
    else:
        soft = torch.tanh(v["radius"] * big_f - r)
    f = soft * (soft > 0)
    if kind == "fourier":
        return torch.einsum("nhw,nc->hwc", f * f, v["colour"])
    a = torch.exp(-v["order"]) * f
    return torch.einsum("nhw,nc->hwc", a, v["colour"]) / (a.sum(0) + 1e-5)[:, :, None]


def in_torch(parameters, dtype):
    return {name: torch.tensor(array, dtype=dtype, requires_grad=True) for name, array in parameters.items()}


def loss_of(kind, formula, raw, x, y, target, weight, loss):
    e = picture(kind, formula, raw, x, y, max(SIZE), target) - target
    return (weight * e.abs()).mean() if loss == "l1" else (weight * e**2).mean().sqrt()


@pytest.mark.parametrize("loss", ["root", "l1"])
@pytest.mark.parametrize(("kind", "formula"), CASES)
def test_gradients_are_autograds(kind, formula, loss):
    config = config_of(kind, formula, n=12)
    parameters, x, y, target, weight = problem(config, SIZE, seed=8)
    given = exact(x, y, target, weight)

    def of(p):
        raw = in_torch(p, torch.float64)
        value = loss_of(kind, formula, raw, *map(torch.tensor, given), loss)
        value.backward()
        zero = np.zeros((config.n, 3))
        return value.item(), {name: zero if a.grad is None else a.grad.numpy() for name, a in raw.items()}

    (raw,) = exact(parameters)
    value, wanted = of(raw)
    expected, grad = reference.gradient(kind, formula, raw, given[0], given[1], max(SIZE), *given[2:], loss)
    assert value == pytest.approx(expected, rel=1e-12)
    for name in wanted:
        np.testing.assert_allclose(grad[name], wanted[name], atol=1e-8 * np.abs(wanted[name]).max(), rtol=1e-6)
    cpu = _core.Cpu(_core.isas()[0], 2)
    found, _, grad, _ = _core.shapes_gradient(cpu, config.native(SIZE), pack(parameters), x, y, target, weight, loss)
    assert found == pytest.approx(value, rel=1e-5)
    assert_close(unpack(config, grad), lambda p: of(p)[1], raw)


@pytest.mark.parametrize("kind", ["fourier", "depth", "stroke", "point"])
def test_steps_are_those_of_pytorchs_adamw(kind):
    """From the notebook's own initial values, float32 on both sides: the losses of fifteen steps."""
    from cppn_native.fit.shapes_state import first_parameters

    config = cn.ShapesConfig(kind, 8)
    _, x, y, target, weight = problem(config, SIZE)
    parameters, rate = first_parameters(config, SIZE, 4), 0.01
    weight = np.ones_like(weight)
    raw = in_torch(parameters, torch.float32)
    adam = torch.optim.AdamW(raw.values(), lr=rate)
    given = [torch.tensor(a) for a in (x, y, target, weight)]
    expected = []
    for _ in range(15):
        adam.zero_grad()
        value = loss_of(kind, "notebook", raw, *given, "root")
        value.backward()
        adam.step()
        expected.append(value.item())
    params = pack(parameters)
    zero = np.zeros_like(params)
    made = _core.ShapesDescent(
        _core.Cpu(_core.isas()[0], 2), config.native(SIZE), x, y, target, weight,
        (0, params, zero, zero, params, float("inf")),
    )  # fmt: skip
    losses = [loss for loss, _ in made.run([rate] * 15)]
    # A gradient of zero but for rounding is a step of full size in either direction: losses agree, not every parameter.
    np.testing.assert_allclose(losses, expected, rtol=1e-3)
    assert losses[-1] < losses[0]


def test_pytorch_has_no_number_in_the_middle_of_a_shape():
    """Where ours is finite (test_shapes.py), so nothing is asked of PyTorch there."""
    raw = in_torch({"posx": np.array([0.5]), "posy": np.array([0.5])}, torch.float64)
    x, y = axes("unit", (3, 3), (3, 3))
    target = torch.zeros((3, 3, 3), dtype=torch.float64)
    value = picture("point", "notebook", raw, torch.tensor(x).double(), torch.tensor(y).double(), 3, target).sum()
    value.backward()
    assert torch.isnan(raw["posx"].grad).any()
