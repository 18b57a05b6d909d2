#!/usr/bin/env python3
"""Runs fuzz targets, on stable Rust and without a sanitizer (there is no unsafe code to sanitize), and keeps what is interesting.

    fuzz/run.py                            every target, 20,000 inputs each: what CI does
    fuzz/run.py client --executions 1e8    one target, so many inputs
    fuzz/run.py --minutes 60 --jobs 2      every target for an hour, two at a time
    fuzz/run.py --record --keep            note the run in RECORD.md, and put what it found interesting into corpus/*.txt

Starts from corpus/TARGET.txt; works in corpus/TARGET, which is not committed. Fails if a target has found something, and says how to
see it again. Needs `cargo install cargo-fuzz`.
"""
import argparse, concurrent.futures, datetime, os, pathlib, re, shutil, subprocess, sys

folder = pathlib.Path(__file__).resolve().parent
targets = re.findall(r'^name = "(\w+)"\npath = "fuzz_targets', (folder / "Cargo.toml").read_text(), re.M)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("targets", nargs="*", help="of " + ", ".join(targets))
parser.add_argument("--executions", type=float, help="inputs for each target")
parser.add_argument("--minutes", type=float, help="time for each target")
parser.add_argument("--jobs", type=int, default=1, help="targets that run at once")
parser.add_argument("--record", action="store_true", help="add a row for each target to RECORD.md")
parser.add_argument("--keep", action="store_true", help="write the smallest set of inputs that covers as much to corpus/TARGET.txt")
args = parser.parse_args()
if set(args.targets) - set(targets):
    parser.error(f"unknown target; there are {', '.join(targets)}")


def escape(data):
    special = {9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}
    return "".join(special.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in data)


def unescape(line):
    return line.encode().decode("unicode_escape").encode("latin-1")


def unpack(target):
    work = folder / "corpus" / target
    work.mkdir(parents=True, exist_ok=True)
    for at, line in enumerate((folder / "corpus" / f"{target}.txt").read_text().splitlines()):
        (work / f"kept-{at:04}").write_bytes(unescape(line))
    return work


def binary(target):
    return folder / "target" / host / "release" / target


def fuzz(target):
    work, artifacts = unpack(target), folder / "artifacts" / target
    artifacts.mkdir(parents=True, exist_ok=True)
    limits = []
    if args.minutes:
        limits.append(f"-max_total_time={int(args.minutes * 60)}")
    if args.executions or not args.minutes:
        limits.append(f"-runs={int(args.executions or 20_000)}")
    dictionary = folder / "dictionaries" / "pop3.dict"
    command = [binary(target), work, *limits, f"-dict={dictionary}", "-max_len=600", "-timeout=20", "-print_final_stats=1",
               f"-artifact_prefix={artifacts}/"]
    # What a body prints in a panic is wanted; what libFuzzer prints on its way is thousands of lines.
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, "RUST_BACKTRACE": "1"})
    (artifacts / "log").write_text(done.stderr)
    count = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    executions = int(count[1]) if count else 0
    found = re.findall(r"Test unit written to (\S+)", done.stderr)
    print(f"{target}: {executions:,} inputs, {edges[-1] if edges else '?'} edges{', FOUND ' + ' '.join(found) if found else ''}", flush=True)
    if done.returncode and not found:
        sys.stderr.write(done.stderr[-2000:])
    if args.record:
        with open(folder / "RECORD.md", "a") as record:
            record.write(f"| {datetime.date.today()} | {commit} | `{target}` | {executions:,} | {edges[-1] if edges else '?'} | {len(found) or 'none'} |\n")
    return target, executions, edges[-1] if edges else "?", found, done.returncode


def keep(target):
    """The smallest set of inputs that covers as much; short ones first."""
    work, least = folder / "corpus" / target, folder / "artifacts" / target / "least"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    subprocess.run([binary(target), "-merge=1", least, work], check=True, capture_output=True)
    inputs = sorted((path.read_bytes() for path in least.iterdir()), key=lambda data: (len(data), data))
    # Enough for the tests on stable; a fuzzer that starts from them finds the rest again.
    text, size = [], 0
    for line in map(escape, inputs):
        size += len(line)
        if size > 60_000:
            break
        text.append(line + "\n")
    (folder / "corpus" / f"{target}.txt").write_text("".join(text))
    print(f"{target}: {len(text)} of {len(inputs)} inputs kept", flush=True)


host = re.search(r"^host: (\S+)", subprocess.run(["rustc", "+stable", "-vV"], capture_output=True, text=True, check=True).stdout, re.M)[1]
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
subprocess.run(["cargo", "+stable", "fuzz", "build", "-s", "none", "--fuzz-dir", folder], check=True)
chosen = args.targets or targets
with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
    results = list(pool.map(fuzz, chosen))
if args.keep:
    for target in chosen:
        keep(target)
failed = [result for result in results if result[4]]
for target, _, _, found, _ in failed:
    for path in found:
        print(f"{target} fails over {path}; see it again with: cargo +stable fuzz run -s none {target} {path}")
sys.exit(1 if failed else 0)
