"""Settings of the decomposition as tables: what goes in comes out, and odd tables give the defaults."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.decompose.settings import RANGES, ModelSettings
from soli.project.presets import from_table, to_table

SOME = st.builds(
    ModelSettings,
    method=st.sampled_from(["nmf", "nae"]),
    updates=st.sampled_from(["multiplicative", "gradient"]),
    iterations=st.integers(1, 10_000),
    beta=st.floats(0.0, 2.0),
    after_s=st.none() | st.floats(*RANGES["after_s"]),
    harmonics=st.none() | st.integers(1, 1000),
    grouping=st.sampled_from(["instrument", "track", "one"]),
    seed=st.integers(0, 2**63 - 1),
)
ODD = st.dictionaries(
    st.sampled_from(["method", "iterations", "beta", "harmonics", "new", "seed", "updates"]),
    st.text(max_size=5) | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.sampled_from(["nae", "relu"]),
)


@given(SOME)
def test_what_is_kept_is_what_comes_back(settings):
    assert from_table(to_table(settings)) == settings


def test_the_tuning_belongs_to_the_recording():
    table = to_table(replace(ModelSettings(), tuning_cents=30.0))
    assert from_table(table) == ModelSettings()
    assert from_table(table | {"tuning_cents": 30.0}) == ModelSettings()


@given(ODD)
def test_any_table_gives_settings_that_can_be_used(table):
    settings = from_table(table)
    assert isinstance(settings, ModelSettings)
    assert isinstance(settings.iterations, int)
    assert isinstance(settings.beta, float)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"method": "magic"},
        {"iterations": 2.5},
        {"iterations": True},
        {"beta": "2"},
        {"beta": 9.0},
        {"updates": "relu", "method": "nmf", "beta": 2.0},
        {"harmonics": 2.5},
    ],
)
def test_a_table_that_cannot_be_used_gives_the_defaults(table):
    assert from_table(table) == ModelSettings()


def test_fields_of_a_newer_soli_are_passed_over():
    assert from_table({"iterations": 9, "sparkle": 3}).iterations == 9
