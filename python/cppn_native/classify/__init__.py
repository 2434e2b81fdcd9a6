"""A classifier of points that draws what it has learned."""

from .classifier import PointClassifier
from .data import random_points

__all__ = ["PointClassifier", "random_points"]
