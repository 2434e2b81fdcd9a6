"""Tiny coordinate networks that paint a picture: fit one, keep it in a kilobyte, render it at any size.

>>> import cppn_native as cn
>>> model = cn.train("photo.jpg")            # doctest: +SKIP
>>> model.save("photo.cppn")                 # doctest: +SKIP
"""

from . import kaseorg, recipes, sophistication
from ._core import __version__
from .activations import ACTIVATIONS
from .art.latent import Latent
from .art.painter import Painter, paint
from .classify import PointClassifier
from .codec import info, load
from .collage import collage
from .devices import Device, devices
from .errors import DeviceError, DivergedError, ExportError, FormatError
from .many import train_many
from .models.base import Model
from .models.cascade import Cascade, CascadeConfig
from .models.genetic import Genetic, GeneticConfig
from .models.perceptron import Perceptron, PerceptronConfig
from .models.shapes import Shapes, ShapesConfig
from .models.waves import Waves, WavesConfig
from .motion import latent_walk, morph
from .progress import Progress
from .recipes import Recipe, Stage
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
    "Genetic",
    "GeneticConfig",
    "Latent",
    "Model",
    "Painter",
    "Perceptron",
    "PerceptronConfig",
    "PointClassifier",
    "Progress",
    "Recipe",
    "Shapes",
    "ShapesConfig",
    "Stage",
    "Waves",
    "WavesConfig",
    "__version__",
    "collage",
    "devices",
    "info",
    "kaseorg",
    "latent_walk",
    "load",
    "morph",
    "paint",
    "recipes",
    "sophistication",
    "train",
    "train_many",
    "write_video",
]
