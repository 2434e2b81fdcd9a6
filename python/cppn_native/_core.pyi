"""
Native kernels, training loops and codec of cppn_native. Arguments are checked by the Python layer.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Backend', 'CODERS', 'CascadeRecord', 'Cpu', 'CudaDevice', 'Descent', 'DescentPlan', 'DescentState', 'DeviceError', 'Draw', 'FormatError', 'GeneticSearch', 'HAS_CUDA', 'Layers', 'ListRecord', 'MAX_CHANNELS', 'MAX_CORNERS', 'MAX_MLP_LAYERS', 'MAX_MLP_WIDTH', 'MAX_NEURONS', 'MAX_OCTAVES', 'MAX_SHAPES', 'MAX_SHAPE_TERMS', 'MAX_WAVES', 'MAX_WAVE_LEVEL', 'Perceptron', 'PerceptronDescent', 'Shape', 'ShapesDescent', 'Task', 'WavesFilter', 'WavesRecord', 'across', 'activations', 'convolve', 'cuda_devices', 'decode', 'decode_info', 'decode_list', 'decode_waves', 'descent_noise', 'descent_rate', 'encode', 'encode_list', 'encode_waves', 'encoded_size', 'file_kind', 'filter_layers', 'filter_shape', 'fit_prior', 'freeze', 'hardware_threads', 'integer_moves', 'inverse', 'isas', 'list_info', 'nearest_step_code', 'open_cuda', 'paint_entities', 'prior_bits', 'render_shapes', 'render_waves', 'run_perceptrons', 'shape_parameters', 'shapes_gradient', 'solve', 'step_grid', 'wave_axes', 'wave_influence', 'wave_odds', 'wave_order', 'waves_info']
class Shape:
    """
    The sizes of a cascade and the activation (by number) of every neuron.
    """
    def __init__(self, neurons: typing.SupportsInt | typing.SupportsIndex, channels: typing.SupportsInt | typing.SupportsIndex, radius: bool, octaves: typing.SupportsInt | typing.SupportsIndex, activations: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    @property
    def channels(self) -> int:
        ...
    @property
    def inputs(self) -> int:
        ...
    @property
    def neurons(self) -> int:
        ...
    @property
    def weights(self) -> int:
        ...
class Backend:
    """
    A device and its kernels.
    """
    def activations(self, shape: Shape, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], grid: bool) -> numpy.typing.NDArray[numpy.float32]:
        """
        (N, pixels) float32 activations of all neurons, bit-exact everywhere.
        """
    def peak(self, seconds: typing.SupportsFloat | typing.SupportsIndex = 0.2) -> float:
        """
        GFLOP/s of multiply-adds from registers, the whole device together.
        """
    def render(self, shape: Shape, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], grid: bool) -> numpy.typing.NDArray[numpy.float32]:
        """
        (pixels, C) float32 activations of the output neurons, bit-exact everywhere.
        """
    def render_bytes(self, shape: Shape, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], grid: bool) -> numpy.typing.NDArray[numpy.uint8]:
        """
        (pixels, C) uint8: floor(256 a), clipped; bit-exact everywhere.
        """
    @property
    def name(self) -> str:
        ...
class Cpu(Backend):
    """
    A CPU backend: kernels of an instruction set, and threads.
    """
    def __init__(self, isa: str = '', threads: typing.SupportsInt | typing.SupportsIndex = 1) -> None:
        ...
    @property
    def threads(self) -> int:
        ...
class Task:
    """
    A network and the picture it is to fit, target (C, pixels); or B of both, target (B, C, pixels).
    """
    def __init__(self, backend: Backend, shape: Shape, x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], grid: bool, target: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        ...
    def gradient(self, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> tuple[typing.Any, ...]:
        """
        (loss, gradient (K,)); (losses (B,), gradients (B, K)) for B pictures.
        """
    def loss(self, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> typing.Any:
        """
        The score: (256/255)^2 times the sum of squared differences; (B,) of them for B pictures.
        """
    def normal(self, weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> numpy.typing.NDArray[numpy.float64]:
        """
        (K, K) Gauss-Newton matrix: half the Hessian of the loss.
        """
    @property
    def pictures(self) -> int:
        ...
class Draw:
    """
    Members:
    
      plain
    
      noise
    
      stochastic
    """
    __members__: typing.ClassVar[dict[str, Draw]]
    noise: typing.ClassVar[Draw]
    plain: typing.ClassVar[Draw]
    stochastic: typing.ClassVar[Draw]
    @typing.overload
    def __eq__(self, other: Draw) -> bool:
        ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getstate__(self) -> int:
        ...
    def __hash__(self) -> int:
        ...
    def __index__(self) -> int:
        ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __int__(self) -> int:
        ...
    @typing.overload
    def __ne__(self, other: Draw) -> bool:
        ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __str__(self) -> str:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def value(self) -> int:
        ...
class DescentPlan:
    draw: Draw
    def __init__(self) -> None:
        ...
    @property
    def b1(self) -> float:
        ...
    @b1.setter
    def b1(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def b2(self) -> float:
        ...
    @b2.setter
    def b2(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def decay(self) -> float:
        ...
    @decay.setter
    def decay(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def eps(self) -> float:
        ...
    @eps.setter
    def eps(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def limit(self) -> float:
        ...
    @limit.setter
    def limit(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def noise(self) -> float:
        ...
    @noise.setter
    def noise(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def noise_rise(self) -> float:
        ...
    @noise_rise.setter
    def noise_rise(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def quantize_first(self) -> float:
        ...
    @quantize_first.setter
    def quantize_first(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def quantize_rate(self) -> float:
        ...
    @quantize_rate.setter
    def quantize_rate(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def rate(self) -> float:
        ...
    @rate.setter
    def rate(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def rate_floor(self) -> float:
        ...
    @rate_floor.setter
    def rate_floor(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def seed(self) -> int:
        ...
    @seed.setter
    def seed(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def steps(self) -> int:
        ...
    @steps.setter
    def steps(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def warmup(self) -> int:
        ...
    @warmup.setter
    def warmup(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class DescentState:
    has_best: bool
    def __init__(self) -> None:
        ...
    @property
    def best_loss(self) -> float:
        ...
    @best_loss.setter
    def best_loss(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def best_u(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @best_u.setter
    def best_u(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        ...
    @property
    def floating(self) -> int:
        ...
    @floating.setter
    def floating(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def loss(self) -> float:
        ...
    @loss.setter
    def loss(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def m(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @m.setter
    def m(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        ...
    @property
    def q(self) -> float:
        ...
    @q.setter
    def q(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def step(self) -> int:
        ...
    @step.setter
    def step(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def u(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @u.setter
    def u(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        ...
    @property
    def v(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @v.setter
    def v(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        ...
class Descent:
    """
    The training loop; run() releases the GIL and is stopped by Ctrl-C.
    """
    @typing.overload
    def __init__(self, task: Task, plan: DescentPlan, grid: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], mask: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], start: DescentState) -> None:
        ...
    @typing.overload
    def __init__(self, task: Task, plan: DescentPlan, grid: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], mask: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], start: collections.abc.Sequence[DescentState]) -> None:
        ...
    def run(self, count: typing.SupportsInt | typing.SupportsIndex) -> int:
        ...
    def state(self, picture: typing.SupportsInt | typing.SupportsIndex = 0) -> DescentState:
        ...
class Layers:
    """
    Dense layers, one after the other: [(weights (O, I), bias (O), function, normalize, residual)].
    """
    def __init__(self, layers: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, bool]]) -> None:
        ...
    def forward(self, cpu: Cpu, columns: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], rows: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], radius: tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32]] | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """
        (H, W, C) float32 at columns (A, W) x rows (B, H) and, with radius (rx, ry), sqrt(rx^2 + ry^2).
        """
class Perceptron:
    """
    Dense layers [(outputs, activation, norm)] on batches of at most `most` pixels.
    """
    def __init__(self, cpu: Cpu, inputs: typing.SupportsInt | typing.SupportsIndex, layers: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, bool]], most: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def gradient(self, params: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], loss: str = 'mse') -> tuple[float, numpy.typing.NDArray[numpy.float32]]:
        """
        (loss, gradient (K,)) over the batch x (P, I), y (P, O).
        """
    def moments(self) -> list[tuple[list[float], list[float]]]:
        """
        (mean, biased variance) of every normalized layer over the last batch.
        """
class PerceptronDescent:
    """
    Adam on a perceptron; state is (step, params, m, v, running).
    """
    def __init__(self, cpu: Cpu, inputs: typing.SupportsInt | typing.SupportsIndex, layers: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, bool]], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], state: tuple[typing.SupportsInt | typing.SupportsIndex, typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float64]], loss: str = 'mse', batch: typing.SupportsInt | typing.SupportsIndex = 0, seed: typing.SupportsInt | typing.SupportsIndex = 0, decay: typing.SupportsFloat | typing.SupportsIndex = 0, in_order: bool = False, alone: bool = False) -> None:
        ...
    def run(self, rates: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], noise: typing.SupportsFloat | typing.SupportsIndex = 0) -> float:
        """
        A step for every rate; the mean loss.
        """
    def set_targets(self, y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None:
        """
        Other y (P, O) from now on.
        """
    def state(self) -> tuple[typing.Any, ...]:
        """
        (step, params (K,), m (K,), v (K,), running moments).
        """
class ShapesDescent:
    """
    AdamW on shapes; state is (step, params, m, v, best, best loss).
    """
    def __init__(self, cpu: Cpu, shape: tuple[str, str, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], target: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], state: tuple[typing.SupportsInt | typing.SupportsIndex, typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.Annotated[numpy.typing.ArrayLike, numpy.float32], typing.SupportsFloat | typing.SupportsIndex], loss: str = 'root', decay: typing.SupportsFloat | typing.SupportsIndex = 0.009999999776482582) -> None:
        ...
    def look(self) -> tuple[float, float]:
        """
        (loss, sum of squared errors) of the parameters as they are.
        """
    def run(self, rates: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> list[tuple[float, float]]:
        """
        A step for every rate; (loss, sum of squared errors) of each.
        """
    def state(self) -> tuple[typing.Any, ...]:
        """
        (step, params (K,), m (K,), v (K,), best (K,), best loss).
        """
class GeneticSearch:
    """
    A painting in search of its entities; target (H, W, C).
    """
    def __init__(self, cpu: Cpu, grid: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], target: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], background: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], entities: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], corners: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], population: typing.SupportsInt | typing.SupportsIndex, generations: typing.SupportsInt | typing.SupportsIndex, survivors: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def add(self, step: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        One more entity; false if none lessens the error.
        """
    def drop(self, count: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Leaves out the last ones.
        """
    def entities(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        (n, row)
        """
    def put(self, n: typing.SupportsInt | typing.SupportsIndex, entity: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> None:
        """
        Entity n (1, row) replaced.
        """
    def refine(self, n: typing.SupportsInt | typing.SupportsIndex, step: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        Entity n searched anew; false if it stays.
        """
    def weigh(self, entity: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], n: typing.SupportsInt | typing.SupportsIndex) -> tuple[typing.Any, ...]:
        """
        (change of the error, best colours) of an entity (1, row) at place n.
        """
    @property
    def error(self) -> float:
        ...
class DeviceError(RuntimeError):
    """
    A device that cannot run here, or failed; the message says why.
    """
class CudaDevice:
    """
    A GPU; `why` says why it cannot be used, empty if it can.
    """
    @property
    def architecture(self) -> str:
        ...
    @property
    def multiprocessors(self) -> int:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def why(self) -> str:
        ...
class CascadeRecord:
    """
    What a .cppn file holds: the fields of docs/format.md.
    """
    radius: bool
    def __eq__(self, other: object) -> bool:
        ...
    def __init__(self) -> None:
        ...
    @property
    def activations(self) -> list[int]:
        ...
    @activations.setter
    def activations(self, arg0: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    @property
    def channels(self) -> int:
        ...
    @channels.setter
    def channels(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def coords(self) -> int:
        ...
    @coords.setter
    def coords(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def height(self) -> int:
        ...
    @height.setter
    def height(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def levels(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @levels.setter
    def levels(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> None:
        ...
    @property
    def neurons(self) -> int:
        ...
    @neurons.setter
    def neurons(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def octaves(self) -> int:
        ...
    @octaves.setter
    def octaves(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def steps(self) -> typing.Annotated[list[float], "FixedSize(3)"]:
        ...
    @steps.setter
    def steps(self, arg0: typing.Annotated[collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], "FixedSize(3)"]) -> None:
        ...
    @property
    def width(self) -> int:
        ...
    @width.setter
    def width(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class ListRecord:
    """
    What a .cppn file of entities or shapes holds: docs/format.md, kind 2.
    """
    def __init__(self) -> None:
        ...
    @property
    def alphas(self) -> int:
        ...
    @alphas.setter
    def alphas(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def background(self) -> list[int]:
        ...
    @background.setter
    def background(self, arg0: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    @property
    def channels(self) -> int:
        ...
    @channels.setter
    def channels(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def choices(self) -> int:
        ...
    @choices.setter
    def choices(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def colours(self) -> int:
        ...
    @colours.setter
    def colours(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def formula(self) -> int:
        ...
    @formula.setter
    def formula(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def height(self) -> int:
        ...
    @height.setter
    def height(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def levels(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @levels.setter
    def levels(self, arg1: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> None:
        ...
    @property
    def points(self) -> int:
        ...
    @points.setter
    def points(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def resolution(self) -> int:
        ...
    @resolution.setter
    def resolution(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def steps(self) -> list[int]:
        ...
    @steps.setter
    def steps(self, arg0: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    @property
    def terms(self) -> int:
        ...
    @terms.setter
    def terms(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def type(self) -> int:
        ...
    @type.setter
    def type(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def vertices(self) -> int:
        ...
    @vertices.setter
    def vertices(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def width(self) -> int:
        ...
    @width.setter
    def width(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class WavesRecord:
    """
    A picture of waves: docs/format.md, kind 3.
    """
    def __init__(self, width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, step: typing.SupportsInt | typing.SupportsIndex, filter: typing.SupportsInt | typing.SupportsIndex, strength: typing.SupportsInt | typing.SupportsIndex, mean: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], angles: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], levels: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> None:
        ...
    @property
    def angles(self) -> list[int]:
        ...
    @property
    def counts(self) -> list[int]:
        ...
    @property
    def filter(self) -> int:
        ...
    @property
    def levels(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def mean(self) -> list[int]:
        ...
    @property
    def size(self) -> tuple[int, int]:
        ...
    @property
    def step(self) -> int:
        ...
    @property
    def strength(self) -> int:
        ...
class WavesFilter:
    """
    What is made of the waves within a grid: docs/format.md, kind 3.
    """
    def __init__(self, cpu: Cpu, width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, filter: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def apply(self, planes: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], strength: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float32]:
        """
        (3, rows, columns) of levels, filtered.
        """
    def gradient(self, planes: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], targets: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], strength: typing.SupportsInt | typing.SupportsIndex, axes: typing.SupportsInt | typing.SupportsIndex) -> tuple[typing.Any, ...]:
        """
        Sum of squares of what the first axes of filtered planes lack to targets, and half its gradient by planes.
        """
def across() -> list[tuple[str, str, str]]:
    """
    The same of the functions of all features of a pixel at once, whose numbers follow those of the activations.
    """
def activations() -> list[tuple[str, str, str]]:
    """
    (name, formula in z, description) of every activation, in the order of their numbers in a file.
    """
def convolve(cpu: Cpu, pictures: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], layers: collections.abc.Sequence[tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.float32], bool]]) -> numpy.typing.NDArray[numpy.float32]:
    """
    pictures (B, C, H, W) through layers [(weights (F, C, 7, 7), upsample)]: cross-correlation with zeros outside, max(0, .), and, if asked for, every pixel twice both ways; bit-exact everywhere.
    """
def cuda_devices() -> list[CudaDevice]:
    """
    Every GPU that CUDA sees; where it sees none, one nameless entry that says why. Never raises.
    """
def decode(data: bytes) -> CascadeRecord:
    """
    The record of a file. Raises FormatError, naming the byte, for anything else.
    """
def decode_info(data: bytes) -> dict[str, typing.Any]:
    """
    How a file is made up: coder, bytes of each part, sizes.
    """
def decode_list(data: bytes) -> ListRecord:
    """
    The record of a file. Raises FormatError for anything else.
    """
def decode_waves(data: bytes) -> WavesRecord:
    """
    The record of a file. Raises FormatError for anything else.
    """
def descent_noise(plan: DescentPlan, step: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    Width of the noise in a step, from 0.
    """
def descent_rate(plan: DescentPlan, step: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    Learning rate of a step, from 0.
    """
def encode(record: CascadeRecord, coder: typing.SupportsInt | typing.SupportsIndex = -1) -> bytes:
    """
    The bytes of a .cppn file: the shortest of all coders, or that of coder number `coder`.
    """
def encode_list(record: ListRecord, quick: bool = False) -> bytes:
    """
    The bytes of a .cppn file.
    """
def encode_waves(record: WavesRecord) -> bytes:
    """
    The bytes of a .cppn file.
    """
def encoded_size(record: CascadeRecord, coder: typing.SupportsInt | typing.SupportsIndex = -1) -> int:
    """
    len(encode(record, coder)).
    """
def file_kind(data: bytes) -> int:
    """
    1: a cascade, 2: a list, 3: waves. Raises FormatError for what is no .cppn file.
    """
def filter_layers() -> list:
    """
    The filter's layers, each weights (3, 3, inputs, outputs) and a bias, outputs filled up with zeros.
    """
def filter_shape(width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, filter: typing.SupportsInt | typing.SupportsIndex) -> tuple[typing.Any, ...]:
    """
    (rows, columns) of a filter's grid.
    """
def fit_prior(levels: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> tuple[int, int]:
    """
    (a_code, b_code) of the prior that makes the levels shortest.
    """
def freeze(backend: Cpu, inverse: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], u: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], count: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsFloat | typing.SupportsIndex, bits: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], kind: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], price: typing.SupportsFloat | typing.SupportsIndex) -> tuple[typing.Any, ...]:
    """
    (u, fixed): `count` weights rounded, cheapest first, the others compensating.
    """
def hardware_threads() -> int:
    """
    Processors this process may use.
    """
def integer_moves(hessian: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], g: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], u: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], most: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsFloat | typing.SupportsIndex, bits: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], kind: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], price: typing.SupportsFloat | typing.SupportsIndex) -> tuple[typing.Any, ...]:
    """
    (u, moves, gain): greedy steps of +-1 on the model.
    """
def inverse(backend: Cpu, a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any:
    """
    The inverse of a symmetric positive definite (n, n) float64 matrix; None if it is not.
    """
def isas() -> list[str]:
    """
    Instruction sets this machine can run, best first.
    """
def list_info(data: bytes) -> dict[str, typing.Any]:
    """
    How a file is made up.
    """
def nearest_step_code(step: typing.SupportsFloat | typing.SupportsIndex) -> int:
    """
    The code whose step is nearest in ratio.
    """
def open_cuda(index: typing.SupportsInt | typing.SupportsIndex = 0) -> Backend:
    """
    A backend on that GPU. Raises DeviceError.
    """
def paint_entities(cpu: Cpu, grid: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], background: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], entities: typing.Annotated[numpy.typing.ArrayLike, numpy.int32], width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, region: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]) -> numpy.typing.NDArray[numpy.float32]:
    """
    (H, W, C): entities (n, row) over a background (C), in levels of a grid (vertices, channels, points, colours, alphas); bit-exact everywhere.
    """
def prior_bits(a_code: typing.SupportsInt | typing.SupportsIndex, b_code: typing.SupportsInt | typing.SupportsIndex, max_level: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    """
    (max_level + 1,) ideal code length of a level of magnitude 0, 1, ... in bits, sign and escape included.
    """
def render_shapes(cpu: Cpu, shape: tuple[str, str, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex], params: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> numpy.typing.NDArray[numpy.float32]:
    """
    (H, W, C) of the shape (kind, formula, n, terms, channels, unit) at columns x (W,) and rows y (H,).
    """
def render_waves(cpu: Cpu, record: WavesRecord, width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, region: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]) -> numpy.typing.NDArray[numpy.float32]:
    """
    (H, W, C): (255 shown + 1/2) / 256; bit-exact everywhere.
    """
def run_perceptrons(cpu: Cpu, descents: collections.abc.Sequence[PerceptronDescent], rates: collections.abc.Sequence[collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]], noise: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> list[float]:
    """
    The same for several networks that were made `alone`, a network to a thread; their mean losses.
    """
def shape_parameters(kind: str) -> list[tuple[str, str, float, float]]:
    """
    (name, map, scale, offset) of every parameter, in the order they are packed: value = scale map(raw) + offset.
    """
def shapes_gradient(cpu: Cpu, shape: tuple[str, str, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex], params: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], target: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float32], loss: str = 'root') -> tuple[float, float, numpy.typing.NDArray[numpy.float32], numpy.typing.NDArray[numpy.float32]]:
    """
    (loss, sum of squared errors, gradient (K,), params (K,) with the colours set that follow from the target).
    """
def solve(backend: Cpu, a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any:
    """
    x with a x = b, a symmetric positive definite (n, n) float64; None if it is not.
    """
def step_grid(code: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    The step of a code 0..255: 2^((code & 15)/16 + (code >> 4) - 12).
    """
def wave_axes(angles: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> numpy.typing.NDArray[numpy.float32]:
    """
    (3, 3): RGB of the axes, a column each.
    """
def wave_influence(record: WavesRecord) -> numpy.typing.NDArray[numpy.float32]:
    """
    (n, 2): the bits that the levels after it would cost more were a level's size one more, and that they cost more because it is not one less; to first order.
    """
def wave_odds(record: WavesRecord) -> numpy.typing.NDArray[numpy.float32]:
    """
    (n, 3): of every level, as a decoder expects it, the logarithms of the odds that it is not zero, then more than one, then one more.
    """
def wave_order(width: typing.SupportsInt | typing.SupportsIndex, height: typing.SupportsInt | typing.SupportsIndex, count: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.int32]:
    """
    (count, 2): half turns down and across of the waves of a picture, in the order of the file.
    """
def waves_info(data: bytes) -> dict[str, typing.Any]:
    """
    How a file is made up.
    """
CODERS: tuple = ('mixed-radix', 'static', 'learning')
HAS_CUDA: bool = False
MAX_CHANNELS: int = 4
MAX_CORNERS: int = 8
MAX_MLP_LAYERS: int = 64
MAX_MLP_WIDTH: int = 1024
MAX_NEURONS: int = 128
MAX_OCTAVES: int = 7
MAX_SHAPES: int = 65536
MAX_SHAPE_TERMS: int = 16
MAX_WAVES: int = 32767
MAX_WAVE_LEVEL: int = 2047
__version__: str = '0.1.0'

class FormatError(ValueError): ...
