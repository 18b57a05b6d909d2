#!/usr/bin/env python3
"""Plants one fault after the other and expects the tests to fail.

    fuzz/planted/run.py                 every patch in this folder
    fuzz/planted/run.py --sample 4      four of them, evenly spread: what CI does
    fuzz/planted/run.py 021 scram       those whose names have this in them

Each patch begins with `What:`, a sentence about the fault, and `Tests:`, which tests notice it. It is applied to a
copy of the last commit in target/planted. Fails if a patch does not apply, does not compile, or passes.
"""
import argparse, os, pathlib, re, shutil, subprocess, sys

folder = pathlib.Path(__file__).resolve().parent
project = folder.parent.parent
scratch = project / "target/planted"
tree = scratch / "tree"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="*", help="parts of the names of patches")
parser.add_argument("--sample", type=int, help="so many patches, evenly spread")
options = parser.parse_args()


def head(patch, field):
    found = re.search(rf"^{field}: (.+)$", patch.read_text(), re.M)
    if not found:
        sys.exit(f"{patch.name} has no line '{field}:'")
    return found[1]


def cargo(*arguments):
    command = ["timeout", "600", "cargo", "test", "--locked", "--quiet", *arguments]
    environment = os.environ | {"CARGO_TARGET_DIR": str(scratch / "built")}
    return subprocess.run(command, cwd=tree, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def copy():
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=project, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", tree], stdin=archive.stdout, check=True)
    if archive.wait():
        sys.exit("the last commit cannot be copied")


def plant(patch):
    """Whether the tests notice the fault."""
    apply = lambda *how: subprocess.run(["patch", "-p1", "--forward", "--batch", "--fuzz=3", *how, "-i", patch], cwd=tree, stdout=subprocess.PIPE).returncode
    if apply():
        sys.exit(f"{patch.name} no longer applies: adapt it to the code")
    try:
        # Tests of the documentation cannot be built alone; the crate that they belong to can.
        built = cargo("--no-run", *[word for word in head(patch, "Tests").split() if word != "--doc"])
        if built.returncode:
            sys.exit(f"{patch.name} does not compile, so it proves nothing:\n{built.stdout[-3000:]}")
        tested = cargo(*head(patch, "Tests").split())
    finally:
        if apply("--reverse"):
            copy()
    # A test that hangs has noticed nothing.
    noticed = tested.returncode not in (0, 124)
    print(f"{'noticed' if noticed else 'NOT NOTICED'}: {patch.stem}: {head(patch, 'What')}", flush=True)
    return noticed


def run():
    patches = sorted(folder.glob("*.patch"))
    if options.names:
        patches = [patch for patch in patches if any(name in patch.name for name in options.names)]
    if options.sample:
        patches = patches[options.sample // 2 :: max(1, len(patches) // options.sample)][: options.sample]
    if not patches:
        sys.exit("there is no such patch")
    copy()
    missed = [patch.stem for patch in patches if not plant(patch)]
    print(f"{len(patches) - len(missed)} of {len(patches)} faults were noticed")
    if missed:
        sys.exit("not noticed: " + ", ".join(missed))


run()
