"""Preferences: kept as they were, and never a reason for Soli not to start."""

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from soli import settings
from soli.settings import MOST_RECENT, Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
TABLE = st.dictionaries(TEXT, TEXT | st.booleans() | NUMBERS, max_size=4)
SOME = st.builds(
    Settings,
    theme=TEXT,
    folder=TEXT,
    export_folder=TEXT,
    export_format=TEXT,
    follow_playhead=st.booleans(),
    device=TEXT,
    window=st.just([]) | st.lists(st.integers(-(2**31), 2**31), min_size=4, max_size=4),
    maximised=st.booleans(),
    recent=st.lists(TEXT, max_size=5),
    latency=TEXT,
    keys=st.dictionaries(TEXT, st.lists(TEXT, max_size=3), max_size=4),
    decomposition=TABLE,
    presets=st.dictionaries(TEXT, TABLE, max_size=3),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "soli" / "settings.toml"


@examples(deadline=None)
@given(SOME)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, preferences):
    path = tmp_path_factory.getbasetemp() / "settings" / "settings.toml"
    before = asdict(preferences)
    settings.save(path, preferences)
    assert settings.load(path) == preferences
    assert asdict(preferences) == before
    assert list(path.parent.iterdir()) == [path]


def test_without_a_file_there_are_the_defaults(path):
    assert settings.load(path) == Settings()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"theme = ", b"= =\n", b"theme = 'light", b"[[[[", b"\x00" * 99, b"x = " + b"[" * 5000]
)
def test_a_broken_file_gives_the_defaults(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert settings.load(path) == Settings()


def test_a_folder_in_its_place_gives_the_defaults_and_takes_no_harm(path):
    path.mkdir(parents=True)
    assert settings.load(path) == Settings()
    settings.save(path, Settings(theme="light"))
    assert path.is_dir()
    assert list(path.parent.iterdir()) == [path]


def test_values_of_another_type_are_passed_over_and_the_rest_is_kept(path):
    path.parent.mkdir()
    path.write_text(
        'theme = 3\nfolder = "kept"\nfollow_playhead = "yes"\nmaximised = 1\nrecent = ["a", 2, "b"]\nwindow = [1, "2", 3, 4]\n'
        "unknown = true\n[table]\nx = 1\n"
    )
    assert settings.load(path) == Settings(folder="kept", recent=["a", "b"])


@pytest.mark.parametrize("window", ["[1, 2, 3]", "[1, 2, 3, 4, 5]", "[true, 2, 3, 4]", "[1.5, 2, 3, 4]", '"all"'])
def test_a_window_that_is_no_rectangle_is_none(path, window):
    path.parent.mkdir()
    path.write_text(f"window = {window}\n")
    assert settings.load(path).window == []


def test_tables_keep_what_can_be_written_again(path):
    path.parent.mkdir()
    path.write_text(
        '[keys]\nsave = ["F5"]\nundo = "F6"\nredo = [1]\n[decomposition]\nbeta = 2.0\nprior = nan\nday = 2020-01-01\n'
        'iterations = 9\nlist = [1]\n[presets]\nnone = 3\n"a b" = {rate = inf, seed = 4}\n'
    )
    loaded = settings.load(path)
    assert loaded.keys == {"save": ["F5"]}
    assert loaded.decomposition == {"beta": 2.0, "iterations": 9}
    assert loaded.presets == {"a b": {"seed": 4}}
    settings.save(path, loaded)
    assert settings.load(path) == loaded


@pytest.mark.parametrize(("latency", "latency_s"), [("short", 0.03), ("normal", None), ("long", 0.3), ("odd", None)])
def test_the_latency_has_a_name(latency, latency_s):
    assert Settings(latency=latency).latency_s == latency_s


def test_a_place_that_cannot_be_written_is_passed_over(tmp_path):
    (tmp_path / "file").write_text("mine")
    settings.save(tmp_path / "file" / "settings.toml", Settings())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_save_that_fails_leaves_the_former_settings(monkeypatch, path):
    settings.save(path, Settings(theme="light"))

    def full(self: Path, _content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    settings.save(path, Settings(theme="dark"))
    assert settings.load(path).theme == "light"
    assert list(path.parent.iterdir()) == [path]


def test_a_name_in_no_encoding_costs_nothing_else(path):
    settings.save(path, Settings(theme="light", recent=["caf\udce9.wav", "b.wav"]))
    loaded = settings.load(path)
    assert loaded.theme == "light"
    assert loaded.recent[1] == "b.wav"


def test_recent_files_are_few_and_each_is_there_once(tmp_path):
    preferences = Settings()
    for i in [*range(15), 12]:
        preferences.remember(tmp_path / f"{i}.wav")
    names = [Path(name).name for name in preferences.recent]
    assert names == [f"{i}.wav" for i in (12, 14, 13, 11, 10, 9, 8, 7, 6, 5)]
    assert len(names) == MOST_RECENT


def test_the_place_is_the_platforms(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    assert settings.place().name == "settings.toml"
    assert "soli" in settings.place().parts
