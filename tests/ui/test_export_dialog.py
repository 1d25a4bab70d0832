"""The export dialog: what it would write, what it says beforehand, and what it remembers."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog

from soli.playback.mixer import Strip
from soli.project.export import Order
from soli.project.state import RESIDUAL
from soli.ui.dialogs.export_dialog import ExportDialog, Piece

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def dialog(separated, tmp_path, qtbot):
    """A dialog over the small piece, two of its notes selected and a loop drawn."""

    def opened(form="wav32f", choices=None, **changes) -> ExportDialog:
        document = separated.document
        strips = changes.pop("strips", None)
        state = document.state if strips is None else replace(document.state, strips=MappingProxyType(strips))
        separated.document._state = state
        piece = Piece(document.separation, state, "Small piece", selected={0, 1}, loop=(0.5, 1.5), **changes)
        made = ExportDialog(separated.window, piece, tmp_path / "out", form, choices or {}, separated.session.exports.peaks)
        qtbot.addWidget(made)
        made.show()
        return made

    return opened


def choose(combo, data) -> None:
    index = next(i for i in range(combo.count()) if combo.itemData(i) == data)
    combo.setCurrentIndex(index)


def names(dialog: ExportDialog) -> list[str]:
    return dialog.preview.text().splitlines()


def test_it_begins_with_all_layers_and_says_what_it_would_write(dialog, tmp_path):
    shown = dialog()
    assert shown.order == Order(stems=(0, 1, RESIDUAL))
    assert names(shown) == ["Right hand.wav", "Left hand.wav", "residual.wav"]
    assert shown.says.text().startswith("Writes 3 files, about 0.")
    assert shown.export.isEnabled()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "residual.flac").write_bytes(b"")
    choose(shown.how.form, "flac")
    assert "Replaces residual.flac" in shown.says.text()


def test_every_choice_becomes_part_of_the_order(dialog):
    shown = dialog()
    shown.what.tick(0, ticked=False)
    shown.what.mix.setChecked(True)
    shown.what.all_but.setChecked(True)
    choose(shown.what.all_but_layer, 1)
    shown.what.notes.setChecked(True)
    shown.what.in_place.setChecked(True)
    choose(shown.how.form, "wav16")
    choose(shown.how.rate, 48000)
    shown.how.range.setCurrentIndex(1)
    shown.how.dither.setChecked(False)
    shown.how.normalise.setChecked(True)
    shown.pattern.setText("{index} {layer}")
    assert shown.order == Order(
        stems=(1, RESIDUAL),
        mix=True,
        all_but=(1,),
        notes=(0, 1),
        notes_in_place=True,
        range_s=(0.5, 1.5),
        form="wav16",
        rate=48000,
        dither=False,
        peak_dbfs=-1.0,
        pattern="{index} {layer}",
    )
    assert names(shown)[:3] == ["01 Left hand.wav", "02 residual.wav", "03 mix.wav"]


def test_notes_of_the_ticked_layers_can_be_files(dialog):
    shown = dialog()
    shown.what.notes.setChecked(True)
    choose(shown.what.which_notes, "layers")
    shown.what.tick(0, ticked=False)
    assert shown.what.note_ids == (10, 11, 12)
    assert names(shown)[-1] == "and 2 more"


def test_the_selected_notes_give_a_range(dialog):
    shown = dialog()
    shown.how.range.setCurrentIndex(2)
    assert shown.how.range_s == (0.2, 1.1)
    assert "Selected notes, 0:00.20 to 0:01.10" in shown.how.range.currentText()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d, _: [d.what.tick(i, ticked=False) for i in (0, 1, RESIDUAL)], "Choose at least one layer"),
        (lambda d, _: d.folder_edit.clear(), "Choose a folder"),
        (lambda d, place: d.folder_edit.setText(str(place / "file")), "File is a file"),
        (lambda d, _: d.pattern.setText("{when}"), "The pattern has {when}"),
        (lambda d, _: (choose(d.how.form, "mp3"), choose(d.how.rate, 96000)), "MP3 does not take 96000 Hz"),
    ],
)
def test_what_stands_against_it_is_said_at_once_and_can_be_mended(dialog, tmp_path, spoil, says):
    (tmp_path / "file").write_text("")
    shown = dialog()
    spoil(shown, tmp_path)
    assert says in shown.says.text()
    assert shown.says.objectName() == "bad"
    assert not shown.export.isEnabled()
    for i in (0, 1, RESIDUAL):
        shown.what.tick(i, ticked=True)
    shown.folder_edit.setText(str(tmp_path / "out"))
    shown.pattern.setText("{layer}")
    shown.how.rate.setCurrentIndex(0)
    assert shown.export.isEnabled()
    assert shown.says.objectName() == "quiet"


def test_a_disk_without_room_is_told_before(dialog, monkeypatch):
    import shutil
    from types import SimpleNamespace

    shown = dialog()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10_000))
    shown.how.dither.toggle()
    shown.what.mix.setChecked(True)
    assert "free" in shown.says.text()
    assert not shown.export.isEnabled()


def test_clipping_is_said_before_and_normalising_mends_it(dialog, qtbot):
    shown = dialog("wav16", strips={0: Strip(gain_db=40.0)})
    qtbot.waitUntil(lambda: "Nothing clips" in shown.level.text(), timeout=10_000)
    shown.what.mix.setChecked(True)
    qtbot.waitUntil(lambda: "mix.wav clips by" in shown.level.text(), timeout=10_000)
    assert shown.level.objectName() == "warn"
    shown.how.normalise.setChecked(True)
    qtbot.waitUntil(lambda: "highest peak is −1.0 dBFS, in mix.wav" in shown.level.text(), timeout=10_000)
    choose(shown.how.form, "wav32f")
    assert shown.level.text() == ""


def test_dither_is_offered_where_there_is_rounding_alone(dialog):
    shown = dialog()
    assert not shown.how.dither.isEnabled()
    choose(shown.how.form, "wav16")
    assert shown.how.dither.isEnabled()


def test_what_was_chosen_is_chosen_again(dialog):
    first = dialog("flac")
    first.pattern.setText("{project} {layer}")
    first.how.normalise.setChecked(True)
    choose(first.how.rate, 44100)
    first.what.tick(RESIDUAL, ticked=False)
    again = dialog(first.order.form, first.choices())
    assert again.order == first.order


@pytest.mark.parametrize("choices", [{"pattern": 3, "rate": "x", "dither": "no"}, {"rate": -1, "normalise": 2}])
def test_choices_of_any_origin_do_no_harm(dialog, choices):
    shown = dialog("none such", choices)
    assert shown.order.rate is None
    assert shown.order.peak_dbfs is None


def test_edits_since_the_run_are_told_of(dialog):
    assert dialog(stale=True).stale.isVisible()
    assert not dialog().stale.isVisible()


def test_all_of_it_has_a_name_and_can_be_reached_by_keys(dialog, qtbot):
    shown = dialog()
    for field in (shown.pattern, shown.folder_edit, shown.how.range, shown.how.form, shown.how.rate, shown.what.which_notes):
        assert field.accessibleName()
    reached = set()
    for _ in range(40):
        qtbot.keyClick(shown.focusWidget(), Qt.Key.Key_Tab)
        reached.add(shown.focusWidget())
    for box in (*shown.findChildren(QCheckBox), shown.pattern, shown.folder_edit, shown.how.form, shown.export):
        assert box in reached or not box.isEnabled(), box


def test_the_dialog_writes_and_its_choices_are_kept(separated, tmp_path, qtbot, monkeypatch):
    def accept(dialog):
        dialog.folder_edit.setText(str(tmp_path / "stems"))
        choose(dialog.how.form, "wav24")
        dialog.pattern.setText("{index} {layer}")
        dialog.what.tick(1, ticked=False)
        return True

    monkeypatch.setattr(ExportDialog, "exec", accept)
    exported = []
    separated.session.exported.connect(exported.append)
    separated.window.actions_["export"].trigger()
    qtbot.waitUntil(lambda: bool(exported), timeout=20_000)
    assert [path.name for path in exported[0]] == ["01 Right hand.wav", "02 residual.wav"]
    assert separated.settings.export_format == "wav24"
    assert separated.settings.export["pattern"] == "{index} {layer}"
    assert separated.settings.export_folder == str(tmp_path)


@pytest.mark.parametrize(
    ("action", "name"), [("export_picture", "roll.svg"), ("export_picture", "roll"), ("export_factors", "f")]
)
def test_picture_and_factors_are_written_where_asked(separated, tmp_path, qtbot, monkeypatch, action, name):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), ""))
    exported = []
    separated.session.exported.connect(exported.append)
    separated.window.actions_[action].trigger()
    qtbot.waitUntil(lambda: bool(exported), timeout=20_000)
    (path,) = exported[0]
    assert path == tmp_path / {"roll": "roll.png", "f": "f.npz"}.get(name, name)
    assert path.stat().st_size > 1000


def test_a_cancelled_export_leaves_nothing_and_says_so(separated, tmp_path, qtbot, monkeypatch):
    said = []
    separated.session.said.connect(lambda *words: said.append(words))
    separated.session.started.connect(lambda job, _curve: job.cancel())
    separated.session.exports.layers(tmp_path / "out", Order())
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert said == [("information", "Export cancelled; nothing was left behind")]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_exported_files_hold_what_the_dialog_showed(separated, tmp_path, qtbot):
    exported = []
    separated.session.exported.connect(exported.append)
    separated.session.exports.layers(tmp_path / "out", Order(stems=(0,), range_s=(0.5, 1.5)))
    qtbot.waitUntil(lambda: bool(exported), timeout=20_000)
    samples, rate = soundfile.read(Path(exported[0][0]), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(samples, separated.document.separation.layers[0][rate // 2 : rate // 2 * 3])
