"""Settings of the decomposition as they are typed: NAME=VALUE on a command line, a cell in a list."""

import contextlib
from dataclasses import fields
from typing import Any

from soli.decompose.settings import RANGES, ModelSettings
from soli.errors import InputError


def setting(name: str, text: str) -> tuple[str, Any]:
    """A field of ModelSettings and its value: a number, none, or a word. Raises InputError for one that is none."""
    known = {f.name: f for f in fields(ModelSettings)}
    if name not in known:
        raise InputError(f"there is no setting {name!r}; choose one of {', '.join(known)}")
    if text.casefold() == "none":
        return name, None
    whole = known[name].type in (int, int | None)
    for kind in (int,) if whole else (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(text)
    if name in RANGES:
        kind_name, (low, high) = "whole number" if whole else "number", RANGES[name]
        raise InputError(f"{name}: {text!r} is no {kind_name}; choose one from {low:g} to {high:g}")
    return name, text
