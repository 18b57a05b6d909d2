"""The differences that docs/divergences.md has a reason for: the first column of the table of each of the others."""
import functools, pathlib, re

root = pathlib.Path(__file__).resolve().parent.parent.parent


@functools.cache
def reasons(other):
    table = re.search(rf"^\| difference \| ours \| {other} \|.*\n.*\n((?:\|.*\n)+)", (root / "docs/divergences.md").read_text(), re.M)
    return [row.split("|")[1].strip() for row in table[1].splitlines()]
