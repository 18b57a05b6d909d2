#!/usr/bin/env python3
"""Counts the instructions (by valgrind's callgrind) and the allocations of the work in benches/src/work.rs.

`python3 benches/budget.py` prints them beside the budget in benches/budget.json and fails where one is more than 3 % beyond it.
With --write the counts become the budget. Instructions depend on the compiler: write the budget again with a new one.
"""
import concurrent.futures, json, pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent
budget_file = root / "budget.json"
subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", "-p", "pop3-benches", "--example", "work"], cwd=root.parent, check=True)
program = root.parent / "target/release/examples/work"
compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def count(index, rounds):
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(index), str(rounds)]
    run = subprocess.run(valgrind, capture_output=True, text=True, check=True)
    name, allocations = run.stdout.strip().split("\t")
    return name, int(allocations), int(re.search(r"Collected : (\d+)", run.stderr)[1])


def measure(work):
    index, units = work
    # What more rounds cost more is the work; what both runs share is its preparation.
    rounds = max(2, 4_000_000 // units)
    (name, allocations, few), (*_, many) = count(index, 0), count(index, rounds)
    return name, round((many - few) / rounds / units, 3), round(allocations / units, 3)


pieces = [int(units) for units in subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()]
with concurrent.futures.ThreadPoolExecutor() as pool:
    measured = pool.map(measure, enumerate(pieces))
    counts = {name: [instructions, allocations] for name, instructions, allocations in measured}
if "--write" in sys.argv:
    budget_file.write_text(json.dumps({"compiler": compiler, "counts": counts}, indent=1) + "\n")
budget = json.loads(budget_file.read_text())
beyond = []
print(f"| work | instructions | allocations | budget |\n| --- | ---: | ---: | ---: |")
for name, (instructions, allocations) in counts.items():
    most, most_allocations = budget["counts"].get(name, [0, 0])
    print(f"| {name} | {instructions:.4g} | {allocations:g} | {most:.4g} |")
    if instructions > most * 1.03 or allocations > most_allocations:
        beyond.append(name)
if beyond and compiler != budget["compiler"]:
    print(f"beyond the budget, but that is of {budget['compiler']}, and this is {compiler}: {', '.join(beyond)}")
elif beyond:
    sys.exit(f"beyond the budget: {', '.join(beyond)}. If that is meant, --write it and say why in the commit.")
