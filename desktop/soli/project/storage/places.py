"""Where the files lie that a project names, and which of them may be opened without asking."""

import os
from collections.abc import Iterable
from pathlib import Path


def relative(path: Path, folder: Path | None) -> str:
    """`path` as seen from `folder`, so that both can move together; whole where there is no way, as from drive to drive."""
    if folder is None:
        return str(path.absolute())
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return str(path)


def resolved(name: str, folder: Path) -> Path:
    """The path that a project in `folder` calls `name`; nothing is looked up but the folder."""
    return Path(os.path.normpath(folder.resolve() / name))


def may_look_up(name: str, folder: Path, known: Iterable[Path] = ()) -> bool:
    """Whether a file that a project in `folder` names may be looked up without asking, by its name alone.

    It may where it lies in or below the folder of the project or a folder beside that one, or in one of the `known` folders,
    which the user has chosen files from. What lies elsewhere, perhaps on another computer, is not even looked up.
    """
    return _inside(resolved(name, folder), folder, known)


def may_follow(name: str, folder: Path, known: Iterable[Path] = ()) -> bool:
    """Whether it may be opened, too: links count as what they lead to."""
    path = resolved(name, folder)
    return _inside(path, folder, known) and _inside(Path(os.path.realpath(path)), folder, known)


def _inside(path: Path, folder: Path, known: Iterable[Path]) -> bool:
    here = folder.resolve()
    trees, chosen = [here], {Path(os.path.realpath(k)) for k in known}
    # Beside a folder of the home folder, or of the whole disk, lies everything.
    home = Path.home()
    if here.parent != home and here.parent not in home.parents and here.parent.parent != here.parent:
        trees.append(here.parent)
    return path.parent in chosen or any(path.is_relative_to(tree) for tree in trees)
