"""The ``.cppn`` file: a model to bytes and back (docs/format.md is the specification)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from .activations import ACTIVATIONS
from .coords import CONVENTIONS
from .errors import FormatError
from .listing import decode_list, list_info
from .models.base import check_size
from .models.cascade import Cascade, CascadeConfig
from .models.foreign import from_tensors
from .models.genetic import Genetic
from .models.perceptron import Perceptron
from .models.quantized import QuantizedShapes
from .models.shapes import Shapes
from .models.waves import Waves

if TYPE_CHECKING:
    from .models.base import Model

__all__ = ["decode", "encode", "encoded_size", "info", "load"]

MAX_FILE_BYTES = 1 << 20
"""No model of ours comes near; more is not read into memory on a file's word."""
LIST = 2
"""The kind of file that holds entities or shapes."""
WAVES = 3
"""The kind that holds waves; all others are left to the cascade's decoder."""
MAX_TENSOR_BYTES = 1 << 29


def encode(model: Cascade) -> bytes:
    """The file of a quantized model; ``ValueError`` if its weights are still floats."""
    if not model.quantized:
        raise ValueError("the model's weights are floats; call quantize() first, or save as .safetensors")
    return _core.encode(record(model.config, model.size, model.levels, model.steps))


def encoded_size(
    config: CascadeConfig,
    size: tuple[int, int],
    levels: NDArray[np.int32],
    steps: Sequence[float],
    *,
    quick: bool = False,
) -> int:
    """Length of the file that these weights would make.

    ``quick`` asks the static coder alone: some 2 % more bytes than the best coder needs, in a tenth of its time.
    """
    r = record(config, size, levels, steps)
    return _core.encoded_size(r, _core.CODERS.index("static")) if quick else _core.encoded_size(r)


def record(
    config: CascadeConfig, size: tuple[int, int], levels: NDArray[np.int32], steps: Sequence[float]
) -> _core.CascadeRecord:
    """The native form of a model."""
    r = _core.CascadeRecord()
    r.width, r.height = size
    r.neurons, r.channels = config.neurons, config.channels
    r.coords = CONVENTIONS.index(config.coords)
    r.radius, r.octaves = config.radius, config.octaves
    r.activations = [ACTIVATIONS[name].number for name in config.activation_names]
    r.steps = list(steps)
    r.levels = np.ascontiguousarray(levels, np.int32)
    return r


def decode(data: bytes) -> Cascade | Genetic | QuantizedShapes | Waves:
    """The model in a file's bytes; ``FormatError`` names the offset and the reason."""
    kind = _core.file_kind(data)
    if kind == WAVES:
        return Waves.from_bytes(data)
    return decode_list(data) if kind == LIST else _decode_cascade(data)


def _decode_cascade(data: bytes) -> Cascade:
    r = _core.decode(data)
    names = list(ACTIVATIONS)
    if max(r.activations) >= len(names):
        raise FormatError(f"activation {max(r.activations)} is not known to this version")
    if r.coords >= len(CONVENTIONS):
        raise FormatError(f"coordinate convention {r.coords} is not known to this version")
    hidden = [names[number] for number in r.activations[: r.neurons - r.channels]]
    outputs = {names[number] for number in r.activations[r.neurons - r.channels :]}
    if len(outputs) != 1:
        raise FormatError("outputs of different activations are not known to this version")
    output = outputs.pop()
    config = CascadeConfig(
        neurons=r.neurons,
        channels=r.channels,
        activation=hidden[0] if len(set(hidden)) == 1 else tuple(hidden) or output,
        output_activation=output,
        coords=CONVENTIONS[r.coords],
        radius=r.radius,
        octaves=r.octaves,
    )
    return Cascade(config, (r.width, r.height), r.levels, r.steps)


def load(source: str | os.PathLike[str] | bytes, *, size: tuple[int, int] | None = None) -> Model:
    """A model from a ``.cppn`` or ``.safetensors`` file, or from the bytes of a ``.cppn``.

    size  (width, height) of the picture in a MysteryNet that PyTorch saved, which does not say it; None: 320 pixels
          wide, of the aspect that its statistics speak for

    Raises ``FormatError`` for bytes that are not ours or damaged, ``OSError`` for a file that cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return decode(bytes(source))
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"source must be a path or bytes, got {type(source).__name__}")
    if Path(source).suffix.lower() == ".safetensors":
        return _load_safetensors(source, None if size is None else check_size(size))
    return decode(_read(source))


def info(source: str | os.PathLike[str] | bytes) -> dict[str, Any]:
    """What a ``.cppn`` holds, without rendering it: sizes, network, coder, checksum."""
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else _read(source)
    kind = _core.file_kind(data)
    if kind == LIST:
        return list_info(data)
    if kind == WAVES:
        return _waves_info(data)
    found: dict[str, Any] = dict(_core.decode_info(data))
    model = _decode_cascade(data)
    config = model.config
    found.update(
        activation=config.activation,
        output_activation=config.output_activation,
        coords=config.coords,
        radius=config.radius,
        octaves=config.octaves,
        weights=config.weights,
        steps=model.steps,
        bits_per_weight=8 * len(data) / config.weights,
    )
    return found


def _waves_info(data: bytes) -> dict[str, Any]:
    model = Waves.from_bytes(data)
    found = {**_core.waves_info(data), "kind": Waves.KIND, "config": model.config, "parameters": model.n_params}
    return found | {"n": len(model.levels), "bits_per_wave": 8 * len(data) / max(1, model.n_params)}


def _read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"{os.fspath(path)} is larger than any .cppn file")
    return data


def _load_safetensors(path: str | os.PathLike[str], size: tuple[int, int] | None) -> Model:
    from safetensors import SafetensorError, safe_open

    try:
        if os.path.getsize(path) > MAX_TENSOR_BYTES:
            raise FormatError(f"{os.fspath(path)} is larger than any model of cppn_native")
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if metadata.get("kind") == Cascade.KIND:
                return Cascade.from_state(tensors, metadata)
            if metadata.get("kind") == Perceptron.KIND:
                return Perceptron.from_state(tensors, metadata)
            if metadata.get("kind") == Genetic.KIND:
                return Genetic.from_state(tensors, metadata)
            if metadata.get("kind") == Waves.KIND:
                return Waves.from_state(tensors, metadata)
            if metadata.get("kind") == Shapes.KIND:
                return Shapes.from_state(tensors, metadata)
            if metadata.get("format", "pt") == "pt" and "dense_head.weight" in tensors:
                return from_tensors(tensors, size)
            raise FormatError(f"{os.fspath(path)} holds no model of cppn_native")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{os.fspath(path)}: {error}") from error
