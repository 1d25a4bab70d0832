"""What commands say: results to stdout, progress and warnings to stderr."""

import re
import sys

from soli.progress import Result, Steps


def show(steps: Steps[Result]) -> Result:
    """Drive `steps`, telling each new stage on stderr (and each step, where stderr is a terminal).

    A stage of a single step is over before it is read; left out, what is wrong with the input stands alone.
    """
    live, said = sys.stderr.isatty(), ""
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if live:
                sys.stderr.write(f"\r\x1b[K{visible(progress.what)} {100 * progress.fraction:3.0f} %")
                sys.stderr.flush()
            elif progress.what != said and progress.total > 1:
                say(progress.what)
            said = progress.what
    finally:
        steps.close()
        if live and said:
            sys.stderr.write("\r\x1b[K")


def say(text: str) -> None:
    """A line for who watches."""
    sys.stderr.write(visible(text) + "\n")


def tell(text: str) -> None:
    """A line of the result."""
    # A file name may hold signs that the terminal or the pipe has no code for.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(visible(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def visible(text: str, *, lines: bool = True) -> str:
    """`text` with the signs by which a terminal is commanded spelled out: names come from files. lines: line feeds stay."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: "\n" if lines and found[0] == "\n" else f"\\x{ord(found[0]):02x}", text)
