#!/usr/bin/env python3
"""Counts the lines of code of each driver: lines of `src` that are neither blank nor comments, without unit tests. Writes the table in
docs/drivers.md; with --check it fails where the table is stale. Fails above 350 lines.

    crates/lines.py [--check]
"""
import pathlib, re, sys

root = pathlib.Path(__file__).resolve().parent
LIMIT = 350
DRIVERS = ["pop3-tokio", "pop3-blocking", "pop3-futures", "pop3-async-std"]


def code(path):
    text = path.read_text().split("#[cfg(test)]\nmod tests")[0]
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("//"))


lines = {driver: sum(code(path) for path in (root / driver / "src").rglob("*.rs")) for driver in DRIVERS}
table = "".join(f"| `{driver}` | {count} |\n" for driver, count in lines.items())
print(table, end="")
docs = root.parent / "docs/drivers.md"
text = docs.read_text()
new = re.sub(r"(<!-- lines: crates/lines.py -->\n).*?(<!-- end -->)", rf"\1\n| driver | lines |\n| --- | ---: |\n{table}\n\2", text, flags=re.S)
if "--check" not in sys.argv:
    docs.write_text(new)
elif new != text:
    sys.exit("docs/drivers.md is stale: run crates/lines.py")
if too_long := [driver for driver, count in lines.items() if count > LIMIT]:
    sys.exit(f"more than {LIMIT} lines: {', '.join(too_long)}")
