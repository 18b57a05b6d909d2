#!/usr/bin/env python3
"""Prints the medians of the last run of the benches as tables: `cargo bench -p pop3-benches && python3 benches/table.py`.

With --write they replace the tables in benches/README.md.
"""
import json, pathlib, sys

root = pathlib.Path(__file__).resolve().parent
groups = {}
for file in sorted((root.parent / "target/criterion").glob("*/*/new/benchmark.json")):
    bench = json.loads(file.read_text())
    median = json.loads((file.parent / "estimates.json").read_text())["median"]["point_estimate"]
    (unit, count), = bench["throughput"].items()
    row = (median / count, f"{median / count:.1f} ns each") if unit == "Elements" else (median / count, f"{count / median:.1f} GB/s")
    groups.setdefault(bench["group_id"], []).append((*row, bench["function_id"]))
out = []
for group, rows in sorted(groups.items()):
    compared = 0 < sum("pop3-proto" in name for _, _, name in rows) < len(rows)
    first = next((time for time, _, name in rows if "pop3-proto" in name), 1)
    out += [f"| {group} | median |" + (" time, ours is 1 |" if compared else ""), "| --- | ---: |" + (" ---: |" if compared else "")]
    for time, text, name in sorted(rows):
        out.append(f"| {name} | {text} |" + (f" {time / first:.2f} |" if compared else ""))
    out.append("")
text = "\n".join(out)
if "--write" in sys.argv:
    readme = root / "README.md"
    before, _, rest = readme.read_text().partition("<!-- tables -->\n")
    _, _, after = rest.partition("<!-- end -->")
    readme.write_text(before + "<!-- tables -->\n" + text + "<!-- end -->" + after)
else:
    print(text)
