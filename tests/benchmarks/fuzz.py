"""Many damaged files: `python tests/benchmarks/fuzz.py midi|audio|notes|project --count N --seed S`.

Each file is made from its seed, read in a child process with 5 s of CPU time and 1 GB of address space, and must end in a result
that holds together or in one sentence. Prints each seed that does not, and how the others ended; the exit code is 1 where any
failed.
"""

import argparse
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def main() -> int:
    sys.path[0] = str(TESTS)
    from fuzz.driver import CHECKS, examine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=sorted(CHECKS.keys() - {"sham"}))
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--sentences", action="store_true", help="print the sentences, the commonest first")
    asked = parser.parse_args()
    report = examine(asked.kind, range(asked.seed, asked.seed + asked.count), told=print)
    print(
        f"{asked.count} {asked.kind} files from seed {asked.seed}: {report.read} read, {report.refused} refused, "
        f"{len(report.failures)} failed; slowest {report.longest_s:.2f} s (seed {report.slowest}), peak {report.peak_mb:.0f} MB"
    )
    if report.printed:
        print(f"printed: {report.printed[:1000]}")
    if asked.sentences:
        for sentence, count in sorted(report.sentences.items(), key=lambda item: -item[1])[:60]:
            print(f"{count:6d}  {sentence}")
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
