"""MysteryNet under PyTorch: the same gradient, the same steps, the same files."""

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.fit.perceptron_state import first_params, pack, unpack
from cppn_native.models.perceptron import PerceptronConfig

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn

CONFIG = PerceptronConfig()
WIDTHS = (2, 16, 32, 32, 32, 32, 32, 32, 16)


class MysteryNet(nn.Module):
    """Dense, GELU; after every second one batch normalization; a head."""

    def __init__(self):
        super().__init__()
        for n in range(1, 9):
            setattr(self, f"dense{n}", nn.Linear(WIDTHS[n - 1], WIDTHS[n]))
            if n % 2 == 0:
                setattr(self, f"bn{n}", nn.BatchNorm1d(WIDTHS[n]))
        self.dense_head = nn.Linear(16, 3)

    def forward(self, x):
        for n in range(1, 9):
            x = nn.functional.gelu(getattr(self, f"dense{n}")(x))
            x = getattr(self, f"bn{n}")(x) if n % 2 == 0 else x
        return self.dense_head(x)


def loaded(state):
    net = MysteryNet()
    net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, strict=True)
    return net


def problem(pixels=1000):
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (pixels, 2)).astype(np.float32)
    return x, rng.uniform(0, 1, (pixels, 3)).astype(np.float32), first_params(CONFIG, 5)


def start(params):
    running = np.concatenate([np.repeat((0.0, 1.0), o) for _, o, _, norm in CONFIG.layers if norm])
    return 0, params, np.zeros_like(params), np.zeros_like(params), running


def by_name(params, running):
    return unpack(CONFIG, (40, 25), params, running, 0).state_dict()


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_every_parameters_gradient_is_pytorchs(loss):
    x, y, params = problem()
    net = loaded(by_name(params, start(params)[4])).train().double()  # so that only our rounding is seen
    shown = net(torch.from_numpy(x).double())
    value = (nn.functional.mse_loss if loss == "mse" else nn.functional.l1_loss)(shown, torch.from_numpy(y).double())
    value.backward()
    task = _core.Perceptron(_core.Cpu(_core.isas()[0], 2), 2, CONFIG.native(), len(x))
    found, grad = task.gradient(params, x, y, loss)
    assert found == pytest.approx(float(value), rel=1e-5)
    # A bias before a normalization has almost no gradient: what cancels there is float32 (PyTorch's own is 4e-4 off).
    within = {"mse": 1e-4, "l1": 2e-4}[loss]
    largest = max(float(p.grad.abs().max()) for p in net.parameters())
    ours = by_name(grad, start(params)[4])
    for name, parameter in net.named_parameters():
        scale = max(float(parameter.grad.abs().max()), 1e-3 * largest)
        np.testing.assert_allclose(ours[name], parameter.grad.numpy(), rtol=0, atol=within * scale, err_msg=name)


def test_steps_of_adamw_and_running_moments_are_pytorchs():
    x, y, params = problem()
    net = loaded(by_name(params, start(params)[4])).train()
    adam = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.05)
    made = _core.PerceptronDescent(_core.Cpu(_core.isas()[0], 2), 2, CONFIG.native(), x, y, start(params), decay=0.05)
    for _ in range(5):
        adam.zero_grad()
        loss = nn.functional.mse_loss(net(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        adam.step()
        ours = made.run([0.01])
        assert ours == pytest.approx(float(loss), rel=2e-3)
    state = by_name(made.state()[1], made.state()[4])
    for name, tensor in net.state_dict().items():
        if "running" in name:
            np.testing.assert_allclose(state[name], tensor.numpy(), rtol=5e-3, atol=5e-3, err_msg=name)


@pytest.fixture(scope="module")
def model():
    picture = np.zeros((25, 40, 3), np.uint8)
    picture[:12], picture[:, 20:, 1] = (200, 30, 40), 120
    return cn.train(picture, "mysterynet", steps=200, batch=256, progress=False)


def test_pytorch_loads_our_file_and_shows_our_picture(model, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    model.save(tmp_path / "flag.safetensors")
    net = MysteryNet()
    net.load_state_dict(safetensors.load_file(tmp_path / "flag.safetensors"), strict=True)
    x, y = (2 * np.arange(40) + 1 - 40) / 40, (2 * np.arange(25) + 1 - 25) / 40
    points = torch.from_numpy(np.stack([np.tile(x, 25), np.repeat(y, 40)], axis=1).astype(np.float32))
    with torch.no_grad():
        shown = np.clip(256 * net.eval()(points).numpy(), 0, 255).astype(np.uint8).reshape(25, 40, 3)
    assert np.abs(shown.astype(int) - model.render()).max() <= 1


def test_a_file_that_pytorch_saved_loads_here(model, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    net = loaded(model.state_dict())
    safetensors.save_file(net.state_dict(), tmp_path / "torch.safetensors")
    again = cn.load(tmp_path / "torch.safetensors", size=(40, 25))
    assert again.size == (40, 25)
    difference = np.abs(again.render().astype(int) - model.render())
    assert difference.max() <= 1
    np.testing.assert_allclose(pack(again)[1], pack(model)[1], rtol=1e-6)
