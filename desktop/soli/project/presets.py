"""Settings of the decomposition as plain tables that preferences can hold, and back."""

import typing
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from soli.decompose.settings import ModelSettings
from soli.errors import InputError

Table = dict[str, str | int | float | bool]

OF_THE_RECORDING = frozenset({"tuning_cents"})  # measured, not chosen


def to_table(settings: ModelSettings) -> Table:
    """The fields that are not None, but for those that the recording decides."""
    return {name: value for name, value in asdict(settings).items() if value is not None and name not in OF_THE_RECORDING}


def from_table(table: Mapping[str, Any]) -> ModelSettings:
    """Settings from a table of any origin; the defaults where it is no such table, or its values do not go together.

    Fields that are not there are None where that is a choice; unknown ones, of a newer Soli, are passed over.
    """
    if not table:
        return ModelSettings()
    hints = typing.get_type_hints(ModelSettings)
    chosen: dict[str, Any] = {}
    for field in fields(ModelSettings):
        if field.name in OF_THE_RECORDING:
            continue
        allowed = typing.get_args(hints[field.name]) or (hints[field.name],)
        if field.name in table:
            value = table[field.name]
            if float in allowed and type(value) is int:
                value = float(value)
            fits = type(value) in allowed or (isinstance(value, str) and value in allowed)
            if not fits:
                return ModelSettings()
            chosen[field.name] = value
        elif type(None) in allowed:
            chosen[field.name] = None
    try:
        return ModelSettings(**chosen)
    except InputError:
        return ModelSettings()
