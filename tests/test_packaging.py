"""The set-up scripts, run against an apt, a dpkg and a Python that only write down what they are asked."""

import configparser
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("packaging/run.sh", "packaging/test.sh", ".ci/run")

# Each stand-in adds its call to $CALLS; what is installed is the list of words in $INSTALLED.
STAND_INS = {
    "dpkg-query": """
        for name in "$@"; do grep -qx -- "$name" "$INSTALLED" && printf '[installed]'; done
        exit 1  # as the real one: some name is always unknown to it
    """,
    "apt-get": """
        echo "apt-get $*" >>"$CALLS"
        if [ -e "$BROKEN_APT" ]; then echo "mirror unreachable" >&2; exit 100; fi
        for word in "$@"; do echo "$word" >>"$INSTALLED"; done
    """,
    "id": "echo ${FAKE_UID:-0}",
    "sudo": 'echo "sudo" >>"$CALLS"; exec "$@"',
    "sleep": "true",
    "python3": """
        case "$*" in
            *version_info*) case "$*" in *%d.%d*) echo 3.11 ;; *) exit ${OLD_PYTHON:-0} ;; esac ;;
            *python_version*) echo 3.9.2 ;;
            *ensurepip*) grep -qx python3.11-venv "$INSTALLED" ;;
            "-V") echo Python 3.11.2 ;;
            "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo venv >>"$CALLS" ;;
            "-m pip"*) echo "pip ${@: -1}" >>"$CALLS" ;;
            *QGuiApplication*) echo "could not connect to display"; exit ${DEAD_DISPLAY:-0} ;;
            "-m soli"*) echo "soli ${*:3}" >>"$CALLS" ;;
        esac
    """,
}


class Machine:
    """A checkout in a folder with spaces, on a machine whose package manager is a stand-in."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a musician's folder" / "soli"
        self.elsewhere = folder / "else where"
        self.elsewhere.mkdir()
        shutil.copytree(ROOT / "packaging", self.checkout / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        self.calls, self.installed, self.broken_apt = (folder / name for name in ("calls", "installed", "broken"))
        self.installed.touch()
        programs = folder / "bin"
        programs.mkdir()
        for name, body in STAND_INS.items():
            (programs / name).write_text(f"#!/bin/bash\n{body}\n")
            (programs / name).chmod(0o755)
        self.environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "CALLS": str(self.calls),
            "INSTALLED": str(self.installed),
            "BROKEN_APT": str(self.broken_apt),
        }

    def run(self, script: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Run a script from another folder; its result, and the calls it made."""
        self.calls.write_text("")
        done = subprocess.run(
            [self.checkout / script],
            cwd=self.elsewhere,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        return done, self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_executable_and_reads_well(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_the_first_run_installs_and_separates_the_demo_where_there_is_no_display(machine):
    done, calls = machine.run("packaging/run.sh")
    assert done.returncode == 0, done.stderr
    assert any(call.startswith("apt-get") and "install" in call and "libportaudio2" in call for call in calls)
    assert any("python3.11-venv" in call for call in calls)
    assert calls[-3:] == ["venv", f"pip {machine.checkout}", "soli demo --headless -o ./soli-demo"]
    assert "no display" in done.stdout
    assert f"{machine.elsewhere}/soli-demo" in done.stdout


def test_the_second_run_installs_nothing(machine):
    machine.run("packaging/run.sh")
    _, calls = machine.run("packaging/run.sh")
    assert calls == ["soli demo --headless -o ./soli-demo"]


def test_a_package_renamed_for_64_bit_time_counts_as_installed(machine):
    machine.run("packaging/run.sh")
    names = machine.installed.read_text().splitlines()
    machine.installed.write_text("\n".join(f"{name}t64" if name == "libglib2.0-0" else name for name in names))
    _, calls = machine.run("packaging/run.sh")
    assert not any("apt-get" in call for call in calls)


@pytest.mark.parametrize("change", ["pyproject.toml", "moved"])
def test_what_the_environment_was_made_for_is_made_again_when_it_changes(machine, change):
    machine.run("packaging/run.sh")
    if change == "moved":
        machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    else:
        with (machine.checkout / "pyproject.toml").open("a") as file:
            file.write("# another line\n")
    _, calls = machine.run("packaging/run.sh")
    assert f"pip {machine.checkout}" in calls


def test_the_window_opens_where_a_display_does(machine):
    _, calls = machine.run("packaging/run.sh", DISPLAY=":7")
    assert calls[-1] == "soli demo"


def test_a_display_that_refuses_is_said_and_the_demo_separated(machine):
    done, calls = machine.run("packaging/run.sh", DISPLAY=":7", DEAD_DISPLAY="1")
    assert calls[-1] == "soli demo --headless -o ./soli-demo"
    assert "could not connect to display" in done.stdout


def test_sudo_is_used_by_a_user_and_not_by_root(machine):
    _, calls = machine.run("packaging/run.sh", FAKE_UID="1000")
    assert "sudo" in calls
    machine.installed.write_text("")
    _, calls = machine.run("packaging/run.sh")
    assert "sudo" not in calls


def test_an_old_python_is_told_in_one_sentence(machine):
    done, calls = machine.run("packaging/run.sh", OLD_PYTHON="1", PYTHON="python3")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "3.11 or newer and found 3.9.2" in done.stderr
    assert calls == []


def test_a_mirror_that_fails_is_tried_a_bounded_number_of_times_and_told(machine):
    machine.broken_apt.touch()
    done, calls = machine.run("packaging/run.sh")
    assert done.returncode == 1
    assert sum("install" in call.split() for call in calls) == 3
    assert "could not install" in done.stderr.splitlines()[-1]


def test_ci_calls_the_test_script_and_nothing_else(machine):
    script = machine.checkout / "packaging" / "test.sh"
    script.write_text('#!/bin/bash\necho "the tests: $*" >>"$CALLS"\nexit 3\n')
    done, calls = machine.run(".ci/run")
    assert (done.returncode, calls) == (3, ["the tests: "])


def test_every_check_runs_though_one_fails_and_the_exit_says_so(machine):
    for script in ("packaging/run.sh", "packaging/test.sh"):
        machine.run(script)
    programs = machine.checkout / ".venv" / "bin"
    for name in ("ruff", "mypy", "lint-imports", "pytest"):
        status = int(name == "mypy")
        (programs / name).write_text(
            f'#!/bin/bash\necho "{name} $* $QT_QPA_PLATFORM ${{DISPLAY-none}}" >>"$CALLS"\nexit {status}\n'
        )
        (programs / name).chmod(0o755)
    done, calls = machine.run("packaging/test.sh", DISPLAY=":7")
    assert [call.split()[0] for call in calls] == ["ruff", "ruff", "mypy", "lint-imports", "pytest", "pytest"]
    together, alone = (call.split()[1:-2] for call in calls[-2:])
    left_out = [word.removeprefix("--ignore=") for word in together if word.startswith("--ignore=")]
    assert left_out == alone, "what the one run of pytest leaves out the other one does not run"
    assert all((ROOT / folder).is_dir() for folder in alone)
    assert all(call.endswith("offscreen none") for call in calls[-2:])
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "soli: failed: mypy --strict"


def test_the_desktop_entry_starts_the_command_that_the_package_installs():
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(ROOT / "packaging" / "soli.desktop", encoding="utf-8")
    fields = entry["Desktop Entry"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert fields["Exec"].split()[0] in project["scripts"]
    assert fields["Name"] == "Soli"
    assert fields["MimeType"].endswith(";")
    assert "Icon" not in fields or not fields["Icon"].startswith("/")


def test_an_installed_wheel_finds_its_demo_and_has_the_command(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=200)
    (wheel,) = tmp_path.glob("soli-*.whl")
    installed = tmp_path / "site packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "soli = soli.__main__:main" in entry_points.read_text(encoding="utf-8")
    code = "from soli.assets import asset; print(asset('demo', 'recording.flac'))"
    environment = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == str(installed / "soli" / "resources" / "demo" / "recording.flac")
