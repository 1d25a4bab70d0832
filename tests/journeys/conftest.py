"""Journeys: the real program in a real window, driven by mouse and keys on a screen of its own."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from musician import Musician
from xserver import Program, XServer, missing_programs

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """A journey that fails leaves a picture of its screen, and says where."""
    report = yield
    screen = getattr(item, "funcargs", {}).get("screen")
    if report.failed and report.when == "call" and isinstance(screen, XServer):
        folder = item.funcargs["tmp_path"]
        try:
            report.sections.append(("screen", str(screen.screenshot(folder / "failed.png"))))
        except Exception as error:  # the picture is a help, never the failure itself
            report.sections.append(("screen", f"no picture: {error}"))
    return report


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[XServer]:
    """An empty screen with a window manager; skips where the programs for it are missing."""
    if missing := missing_programs():
        pytest.skip(f"a journey needs {', '.join(missing)} (packaging/test.sh installs them)")
    with XServer() as server:
        yield server


@pytest.fixture
def soli(screen: XServer, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """`soli(*arguments, env=None)` starts Soli on the screen, at home in tmp_path/home; ended with the test."""
    with ExitStack() as running:

        def start(*arguments: str | Path, env: dict[str, str] | None = None) -> Program:
            return running.enter_context(screen.soli(*arguments, home=tmp_path / "home", env=env))

        yield start


@pytest.fixture
def musician(screen: XServer, tmp_path: Path) -> Iterator[Callable[..., Musician]]:
    started = []

    def start(*arguments: str | Path) -> Musician:
        command = [sys.executable, str(HERE / "eyes.py"), *map(str, arguments)]
        program = screen.run(command, home=tmp_path / "home")
        started.append(program)
        return Musician(program, program.window("Soli"))

    yield start
    for program in started:
        program.stop()
