"""``cppn fit`` of several pictures, or of one into a folder: a model each, named after its picture."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cppn_native as cn

from .files import MODELS, check_outputs, pictures, report_fit, say_interrupted, warnings_in_a_line

if TYPE_CHECKING:
    from ..models.base import Model

__all__ = ["fit_many"]


def fit_many(args: argparse.Namespace, given: dict[str, Any]) -> int:
    """See ``commands.fit``."""
    one_by_one = given.get("model", "cascade") in ("best", "waves")
    if not one_by_one and given.get("model", "cascade") != "cascade":
        raise ValueError(f"model {given['model']} is fitted to one picture at a time; cppn collage takes several")
    paths = _outputs(args)
    begin = time.monotonic()
    try:
        with warnings_in_a_line():
            if one_by_one:
                models: Sequence[Model] = _one_by_one(args, given)
            else:
                models = cn.train_many(args.picture, progress=not args.quiet, names=args.picture, **given)
    except cn.DivergedError as error:
        _save(zip(error.models or (), paths, strict=False))
        raise
    seconds = time.monotonic() - begin
    _save(zip(models, paths, strict=False))  # an interrupt ends waves before the last
    if args.json or not args.quiet:
        background = given.get("background", "white")
        for picture, model, path in zip(args.picture, models, paths, strict=False):
            score, psnr = (measure(picture, background=background) for measure in (model.score, model.psnr))
            report_fit(args, picture, model, score, psnr, seconds, [path], several=True)
    return say_interrupted(any(model.stopped == "interrupt" for model in models))


def _one_by_one(args: argparse.Namespace, given: dict[str, Any]) -> list[Model]:
    models: list[Model] = []
    for picture in args.picture:
        models.append(cn.train(picture, progress=not args.quiet, **given))
        if models[-1].stopped == "interrupt":
            break
    return models


def _outputs(args: argparse.Namespace) -> list[str]:
    """A path for every picture; ``ValueError`` now for what would be lost or could not be written."""
    if args.side_by_side or "checkpoint" in args:
        option = "--side-by-side" if args.side_by_side else "--checkpoint"
        raise ValueError(f"{option} is for one picture, got {len(args.picture)}")
    if len(args.output) > 1:
        raise ValueError(f"-o {args.output[1]}: several pictures go into one folder, got {len(args.output)}")
    folder = args.output[0] if args.output else "."
    if not os.path.isdir(folder):
        _make(folder)
    paths = [os.path.normpath(os.path.join(folder, f"{Path(picture).stem}.cppn")) for picture in args.picture]
    inputs = {os.path.realpath(picture): picture for picture in args.picture}
    taken: dict[str, str] = {}
    for picture, path in zip(args.picture, paths, strict=True):
        check_outputs(picture, [("-o", path, ())])
        real = os.path.realpath(path)
        if real in inputs:
            raise ValueError(f"-o {path}: would overwrite the input {inputs[real]}")
        if real in taken:
            raise ValueError(f"-o {path}: would be written for both {taken[real]} and {picture}")
        taken[real] = picture
    return paths


def _make(folder: str) -> None:
    if os.path.exists(folder) or Path(folder).suffix.lower() in (*MODELS, *pictures()):
        raise ValueError(f"-o {folder}: must be a folder, as several pictures are fitted")
    check_outputs("", [("-o", folder.rstrip(os.sep), ())])
    os.mkdir(folder)


def _save(models: Iterable[tuple[Model | None, str]]) -> None:
    """Every model is tried; the first failure is raised when the others are written."""
    failures: list[OSError] = []
    for model, path in models:
        try:
            if model is not None:
                model.save(path)
        except OSError as error:
            failures.append(error)
    if failures:
        raise failures[0]
