#!/usr/bin/env python3
"""Which requirement is proven by which test: writes docs/conformance.md, or with --check fails where that is stale.

A test proves a requirement whose number its name carries (`s14_...`, `q19_q21_...`); a transcript by the name of its file.
"""
import pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
proofs = {}
files = subprocess.run(["git", "ls-files", "crates", "fuzz"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
for name in files:
    path = root / name
    if name.endswith(".rs"):
        tests = re.findall(r"fn ((?:[sqh]\d\d_)+\w*)", path.read_text())
    elif "/transcripts/" in name:
        tests = [path.stem] if re.match(r"[sqh]\d\d_", path.stem) else []
    else:
        tests = []
    crate = name.split("/")[1]
    for test in tests:
        for number in re.match(r"(?:[sqh]\d\d_)+", test)[0].strip("_").split("_"):
            proofs.setdefault(number.upper(), set()).add(f"`{test}` ({crate})")

text = ["# Conformance", "", "Made by `python3 docs/conformance.py` from the names of the tests. A number without a test is not proven yet, which need not",
        "mean that it is not done.", "", "| | what | tests |", "| --- | --- | --- |"]
known = set()
for number, what in re.findall(r"^- \*\*([SQH]\d\d)\*\* (.*)$", (root / "docs/requirements.md").read_text(), re.M):
    known.add(number)
    what = re.split(r"(?<=[^.])[;.] ", what)[0].replace("|", "\\|")
    text.append(f"| {number} | {what} | {'<br>'.join(sorted(proofs.get(number, [])))} |")
strange = sorted(set(proofs) - known)
if strange:
    sys.exit(f"tests carry numbers that docs/requirements.md does not have: {strange}")
proven = len(set(proofs) & known)
text += ["", f"{proven} of {len(known)} are proven by a test of their own.", ""]
out = root / "docs/conformance.md"
if "--check" in sys.argv:
    if not out.exists() or out.read_text() != "\n".join(text):
        sys.exit("docs/conformance.md is stale: run python3 docs/conformance.py")
else:
    out.write_text("\n".join(text))
print(f"{proven} of {len(known)} requirements have a test with their number")
