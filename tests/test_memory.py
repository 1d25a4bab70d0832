"""How much memory there is."""

import pytest

from soli import memory


@pytest.fixture
def system(tmp_path):
    """Writes files of control groups, and asks what they grant to a process whose groups are told in `mine`."""

    def granted(mine: str, **limits: str) -> int:
        for name, text in limits.items():
            path = (
                tmp_path
                / "groups"
                / name.replace("__", "/").replace("_max", "/memory.max").replace("_limit", "/memory.limit_in_bytes")
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "mine").write_text(mine)
        return memory._granted(tmp_path / "groups", tmp_path / "mine")

    return granted


def test_this_computer_has_some_memory():
    assert 2**28 < memory.memory_bytes() < 2**50


def test_a_group_has_what_it_is_granted(system):
    assert system("0::/a/b\n", a__b_max="1000\n") == 1000


def test_a_group_has_no_more_than_those_it_is_in(system):
    assert system("0::/a/b\n", a__b_max="max\n", a_max="500\n") == 500
    assert system("0::/a/b\n", a__b_max="200\n", a_max="500\n") == 200


def test_older_systems_tell_it_elsewhere(system):
    assert system("5:cpu:/x\n3:memory:/x\n1:name=systemd:/\n", memory__x_limit="700\n") == 700


@pytest.mark.parametrize("mine", ["", "0::/\n", "0::/gone\n", "3:cpu:/a\n"])
def test_without_a_limit_there_is_none(system, mine):
    assert system(mine) == 0


def test_what_is_granted_counts_where_it_is_less(monkeypatch):
    monkeypatch.setattr(memory, "_physical", lambda: 8000)
    for granted, expected in ((0, 8000), (9000, 8000), (100, 100)):
        monkeypatch.setattr(memory, "_granted", lambda granted=granted: granted)
        assert memory.memory_bytes() == expected
    monkeypatch.setattr(memory, "_physical", lambda: 0)
    monkeypatch.setattr(memory, "_granted", lambda: 0)
    assert memory.memory_bytes() == 8 * 2**30
