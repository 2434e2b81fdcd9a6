"""Tiny coordinate networks that paint a picture: fit one, keep it in a kilobyte, render it at any size.

>>> import cppn_native as cn
>>> model = cn.train("photo.jpg")            # doctest: +SKIP
>>> model.save("photo.cppn")                 # doctest: +SKIP
"""

from . import kaseorg
from ._core import __version__
from .activations import ACTIVATIONS
from .art.latent import Latent
from .art.painter import Painter, paint
from .classify import PointClassifier
from .codec import info, load
from .devices import Device, devices
from .errors import DeviceError, DivergedError, ExportError, FormatError
from .many import train_many
from .models.base import Model
from .models.cascade import Cascade, CascadeConfig
from .motion import latent_walk, morph
from .progress import Progress
from .training import train
from .video import write_video

__all__ = [
    "ACTIVATIONS",
    "Cascade",
    "CascadeConfig",
    "Device",
    "DeviceError",
    "DivergedError",
    "ExportError",
    "FormatError",
    "Latent",
    "Model",
    "Painter",
    "PointClassifier",
    "Progress",
    "__version__",
    "devices",
    "info",
    "kaseorg",
    "latent_walk",
    "load",
    "morph",
    "paint",
    "train",
    "train_many",
    "write_video",
]
