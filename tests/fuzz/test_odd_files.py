"""Whatever a name leads to, each reader gives the content or one sentence, and never waits."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soli.errors import InputError
from soli.score import midi
from soli.score.note_lists import read_note_list, write_note_list
from soli.score.notes import Note
from soli.signal import audio
from soli.signal.audio import Audio

NOTE = Note(0, 0.0, 1.0, 60)
READERS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "wav": (audio.read, lambda path: audio.write(path, Audio(np.ones((9, 1), np.float32), 8000))),
    "mid": (midi.read, lambda path: midi.write(path, [NOTE])),
    "csv": (read_note_list, lambda path: write_note_list(path, [NOTE])),
}
posix = pytest.mark.skipif(os.name == "nt", reason="files of this kind are POSIX's")


@pytest.fixture(params=sorted(READERS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def told(kind: str, path: Path) -> str:
    with pytest.raises(InputError) as error:
        READERS[kind][0](path)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "Übung in c♯",
        "弦楽四重奏曲",
        "e\u0301tude",
        unicodedata.normalize("NFC", "e\u0301tude"),
        "-rf",
        "a b",
        "$HOME",
        "🎻" * 60,
        ".hidden",
    ],
)
def test_names_of_any_language_and_length_are_written_and_read(tmp_path, kind, name):
    path = tmp_path / f"{name}.{kind}"
    READERS[kind][1](path)
    assert READERS[kind][0](path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_folder_no_file_and_nonsense_are_told(tmp_path, kind):
    (tmp_path / f"folder.{kind}").mkdir()
    assert "this is a folder" in told(kind, tmp_path / f"folder.{kind}")
    for name in ("none", "x" * 5000, "\0", "folder/none"):
        assert "no such file" in told(kind, tmp_path / f"{name}.{kind}")


@posix
@pytest.mark.timeout(20)
def test_pipes_and_devices_are_not_waited_for(tmp_path, kind):
    os.mkfifo(tmp_path / f"pipe.{kind}")
    (tmp_path / f"link.{kind}").symlink_to(tmp_path / f"pipe.{kind}")
    for path in (tmp_path / f"pipe.{kind}", tmp_path / f"link.{kind}", Path("/dev/zero"), Path("/dev/tty")):
        if path.exists():
            assert "this is no file" in told(kind, path)


@posix
def test_links_are_followed_and_broken_or_endless_ones_told(tmp_path, kind):
    whole, link = tmp_path / f"whole.{kind}", tmp_path / f"link.{kind}"
    READERS[kind][1](whole)
    link.symlink_to(whole)
    assert READERS[kind][0](link)
    whole.unlink()
    assert "no such file" in told(kind, link)
    endless = tmp_path / f"endless.{kind}"
    endless.symlink_to(endless)
    assert "no such file" in told(kind, endless)


def test_a_file_that_may_not_be_read_is_told(tmp_path, kind, monkeypatch):
    path = tmp_path / f"a.{kind}"
    READERS[kind][1](path)

    def denied(*_args: Any, **_options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be read (Permission denied)" in told(kind, path)


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 5000, b"\xff" * 5000, b"R", b"MThd", b"fLaC", b"OggS", b"ID3"])
def test_next_to_nothing_is_told(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    assert path.name in told(kind, path)


@posix
def test_a_file_that_vanishes_or_shrinks_in_between_is_told(tmp_path, kind, monkeypatch):
    """Between the look at the name and the reading of the content."""
    import soli.files

    path = tmp_path / f"a.{kind}"
    look = soli.files.check_readable
    for change in (path.unlink, lambda: os.truncate(path, 20)):
        READERS[kind][1](path)

        def changed(at: Path, choose: str, change: Callable[[], None] = change) -> None:
            look(at, choose)
            change()

        for module in (audio, midi, __import__("soli.score.note_lists", fromlist=["x"])):
            monkeypatch.setattr(module, "check_readable", changed)
        assert path.name in told(kind, path)


CLAIM = 500_000_000  # samples, 2 GB as they are worked on
PEAK_MB = """
import resource, sys
from pathlib import Path
from soli.signal import audio
assert audio.read(Path(sys.argv[1])).length < 10_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@posix
@pytest.mark.parametrize("level", [0.0, 0.5], ids=["silent", "loud"])
def test_samples_that_a_header_only_claims_take_no_memory(tmp_path, level):
    path = tmp_path / "claim.flac"
    audio.write(path, Audio(np.full((5000, 1), level, np.float32), 44_100), "flac")
    content = bytearray(path.read_bytes())
    # The last 36 bits of this word say how many there are.
    word = int.from_bytes(content[18:26], "big") >> 36 << 36 | CLAIM
    content[18:26] = word.to_bytes(8, "big")
    path.write_bytes(content)
    desktop = Path(__file__).parents[2] / "desktop"
    command, environment = [sys.executable, "-c", PEAK_MB, str(path)], {**os.environ, "PYTHONPATH": str(desktop)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500
