"""Keys and commands: whatever is bound, no two commands ever share a key, and what is saved is what is loaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.ui.keymap import Command, Keymap, portable

COMMANDS = (
    Command("play", "Play", ("Space",)),
    Command("save", "Save", ("Ctrl+S",)),
    Command("delete", "Delete", ("Del", "Backspace")),
    Command("about", "About"),
)
NAMES = st.sampled_from([c.id for c in COMMANDS])
KEYS = st.sampled_from(["Space", "Ctrl+S", "Del", "Backspace", "A", "ctrl+a", "F5", "Alt+1", "Ctrl+Shift+Z", "Delete"])
STEPS = st.lists(st.tuples(NAMES, st.lists(KEYS, max_size=3), st.booleans()), max_size=12)
ANYTHING = st.dictionaries(
    NAMES | st.text(max_size=5), st.lists(KEYS | st.text(max_size=8) | st.sampled_from(["Up", "Esc", "Ctrl+K, B"])), max_size=6
)


def shared(keymap: Keymap) -> list[str]:
    """Keys that more than one command has."""
    keys = [key for name in keymap.commands for key in keymap.keys(name)]
    return [key for key in keys if keys.count(key) > 1]


@given(STEPS)
def test_no_two_commands_ever_share_a_key(steps):
    keymap = Keymap(COMMANDS, {})
    for name, keys, replace in steps:
        before = {n: keymap.keys(n) for n in keymap.commands}
        others = keymap.bind(name, keys, replace=replace)
        assert not shared(keymap)
        if others and not replace:
            assert {n: keymap.keys(n) for n in keymap.commands} == before
        else:
            assert set(keymap.keys(name)) == {portable(key) for key in keys}
            lost = {n for n in before if n != name and keymap.keys(n) != before[n]}
            assert lost == {other.id for other in others}


@given(STEPS)
def test_what_is_stored_is_what_is_loaded(steps):
    keymap = Keymap(COMMANDS, {})
    for name, keys, replace in steps:
        keymap.bind(name, keys, replace=replace)
    again = Keymap(COMMANDS, keymap.changes())
    assert {n: again.keys(n) for n in again.commands} == {n: keymap.keys(n) for n in keymap.commands}
    assert again.changes() == keymap.changes()


@given(ANYTHING)
def test_whatever_is_stored_gives_keys_that_no_two_share(stored):
    keymap = Keymap(COMMANDS, stored)
    assert not shared(keymap)
    for name in keymap.commands:
        assert not set(keymap.keys(name)) & set(keymap.fixed)
        assert all(portable(key) == key for key in keymap.keys(name))


@pytest.mark.parametrize(
    "stored",
    [
        {"fly": ["F5"]},
        {"save": ["Ctrl+"]},
        {"save": ["F5", "no key"]},
        {"save": ["Ctrl+K, Ctrl+S"]},
        {"save": ["Ctrl+Shift"]},
        {"save": ["Up"]},
        {"save": ["F5"], "play": ["F5"]},
        {"save": ["f5"], "play": ["A", "F5"]},
    ],
)
def test_stored_keys_that_cannot_be_used_leave_the_defaults(stored):
    keymap = Keymap(COMMANDS, stored)
    assert not keymap.changes()
    assert keymap.keys("save") == ("Ctrl+S",)


def test_a_key_of_the_users_own_goes_before_a_default():
    keymap = Keymap(COMMANDS, {"about": ["Del"]})
    assert keymap.keys("about") == ("Del",)
    assert keymap.keys("delete") == ("Backspace",)


def test_a_command_may_be_left_without_keys():
    keymap = Keymap(COMMANDS, {"save": []})
    assert keymap.keys("save") == ()
    assert keymap.changes() == {"save": []}


def test_a_clash_names_the_other_command_and_changes_nothing():
    keymap = Keymap(COMMANDS, {})
    assert [c.name for c in keymap.bind("about", ["Space", "F5"])] == ["Play"]
    assert not keymap.changes()
    keymap.bind("about", ["Space", "F5"], replace=True)
    assert keymap.changes() == {"about": ["Space", "F5"], "play": []}
    keymap.reset()
    assert not keymap.changes()


@pytest.mark.parametrize("key", ["Tab", "Backtab", "Shift+Tab", "Left", "Esc", "Escape", "", "Shift", "Ctrl+", "nothing"])
def test_keys_that_no_command_can_have_are_refused_in_a_sentence(key):
    keymap = Keymap(COMMANDS, {})
    with pytest.raises(InputError, match="press"):
        keymap.bind("about", [key])
    assert not keymap.changes()


@pytest.mark.parametrize(("key", "spelled"), [("Delete", "Del"), ("ctrl+s", "Ctrl+S"), (" F5 ", "F5"), ("Ctrl++", "Ctrl++")])
def test_a_key_has_one_spelling(key, spelled):
    assert portable(key) == spelled
