"""What commands say: results to stdout, progress and warnings to stderr."""

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
                sys.stderr.write(f"\r\x1b[K{progress.what} {100 * progress.fraction:3.0f} %")
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
    sys.stderr.write(text + "\n")


def tell(text: str) -> None:
    """A line of the result."""
    # A file name may hold signs that the terminal or the pipe has no code for.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()
