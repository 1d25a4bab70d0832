"""The program's entry: what is said where the window cannot even be loaded."""

import sys

import pytest

from soli import __main__ as program

MISSING = "libEGL.so.1: cannot open shared object file: No such file or directory"


class NoApp:
    """Fails the import of the window as the dynamic loader does."""

    def __init__(self, reason):
        self.reason = reason

    def find_spec(self, name, *_):
        if name == "soli.app":
            raise ImportError(self.reason)


@pytest.fixture
def without_app(monkeypatch):
    import soli

    def lack(reason):
        monkeypatch.delitem(sys.modules, "soli.app", raising=False)
        monkeypatch.delattr(soli, "app", raising=False)
        monkeypatch.setattr(sys, "meta_path", [NoApp(reason), *sys.meta_path])
        monkeypatch.setattr(sys, "argv", ["soli"])

    return lack


def test_a_library_that_the_system_lacks_is_named_in_one_line(without_app, capsys):
    without_app(MISSING)
    assert program.main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("soli: ")
    assert "libEGL.so.1" in err
    assert "README" in err


def test_any_other_failing_import_is_a_fault_of_the_program(without_app):
    without_app("cannot import name 'x' from 'soli.ui'")
    with pytest.raises(ImportError, match="cannot import name"):
        program.main()
