#!/usr/bin/env python3
"""Which requirement is met where, and proven by which test: writes docs/conformance.md, or with --check fails where that is stale.

A test proves a requirement whose number its name carries (`s14_...`, `q19_q21_...`); a transcript by the name of its file. Code that
meets one cites its number in a comment. A requirement without a test must have a reason in docs/unproven.md, and none with a test may.
"""
import pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
files = subprocess.run(["git", "ls-files", "crates", "fuzz"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
proofs, places = {}, {}
for name in files:
    path, crate = root / name, name.split("/")[1]
    if name.endswith(".rs"):
        text = path.read_text()
        tests = re.findall(r"fn ((?:[sqh]\d\d_)+\w*)", text)
        if "/src/" in name and crate != "pop3-contract" and path.name != "tests.rs":
            for number in re.findall(r"\b[SQH]\d\d\b", text.split("#[cfg(test)]\nmod ")[0]):
                places.setdefault(number, set()).add(name.removeprefix("crates/").replace("/src/", "/").removesuffix(".rs"))
    else:
        tests = [path.stem] if "/transcripts/" in name and re.match(r"[sqh]\d\d_", path.stem) else []
    for test in tests:
        for number in re.match(r"(?:[sqh]\d\d_)+", test)[0].strip("_").split("_"):
            proofs.setdefault(number.upper(), {}).setdefault(test, set()).add(crate.removeprefix("pop3-"))

# Clauses, each with tests of its own.
clauses = {}
for number, clause, tests in re.findall(r"^- \*\*([SQH]\d\d)\*\* (.*?): (`.*`)$", (root / "docs/clauses.md").read_text(), re.M):
    clauses.setdefault(number, []).append((clause, re.findall(r"`(\w+)`", tests)))

item = r"^- \*\*([SQH]\d\d)\*\* (.*)$"
known = dict(re.findall(item, (root / "docs/requirements.md").read_text(), re.M))
reasons = re.findall(r"^- \*\*([SQH]\d\d)\*\* (.*(?:\n  .*)*)$", (root / "docs/unproven.md").read_text(), re.M)
reasons = {number: " ".join(reason.split()) for number, reason in reasons}
wrong = [f"{number} is in a test's name and not in docs/requirements.md" for number in sorted(set(proofs) - set(known))]
wrong += [f"{number} has neither a test nor a reason in docs/unproven.md" for number in sorted(set(known) - set(proofs) - set(reasons))]
wrong += [f"{number} has a test and a reason why there is none" for number in sorted(set(proofs) & set(reasons))]
wrong += [f"{number} is proven, and no code says where it is met" for number in sorted(set(proofs) - set(places))]
every_test = {name for tests in proofs.values() for name in tests}
for name in files:
    if name.endswith(".rs"):
        every_test |= set(re.findall(r"\bfn (\w+)", (root / name).read_text()))
for number, listed in clauses.items():
    wrong += [f"docs/clauses.md: {number}: there is no test {test}" for _, tests in listed for test in tests if test not in every_test]
    if len(listed) < len(re.split(r"; ", known.get(number, ""))):
        wrong.append(f"docs/clauses.md: {number} has more clauses than are listed")
if wrong:
    sys.exit("\n".join(wrong))

text = ["# Conformance", "", "Made by `python3 docs/conformance.py`: what [is required](requirements.md), the code that cites it, the tests that carry its",
        "number and the crates that they run in (`contract`: transcripts, played to the core and over every driver). What has no test",
        "has [a reason](unproven.md).", "", "| | what | where | tests |", "| --- | --- | --- | --- |"]
for number, what in known.items():
    what = what.replace("|", "\\|")
    where = "<br>".join(f"`{place}`" for place in sorted(places.get(number, [])))
    tests = "<br>".join(f"`{test}` ({', '.join(sorted(crates))})" for test, crates in sorted(proofs.get(number, {}).items()))
    text.append(f"| {number} | {what} | {where} | {tests or '*' + reasons[number] + '*'} |")
text += ["", "## Clause by clause", "", "A test's number says what it is about, not that it proves all of it. [These](clauses.md) are listed by clause:", "",
         "| | clause | tests |", "| --- | --- | --- |"]
for number, listed in sorted(clauses.items()):
    text += [f"| {number} | {clause} | {'<br>'.join(f'`{test}`' for test in tests)} |" for clause, tests in listed]
text += ["", f"{len(proofs)} of {len(known)} have a test with their number.", ""]
# The same for what must not break, in short, for docs/assurance.md.
hardening = [f"| {number} | {', '.join(f'`{test}`' for test in sorted(proofs.get(number, {}))) or '*' + reasons[number] + '*'} |"
             for number in known if number.startswith("H")]
assurance = root / "docs/assurance.md"
before, behind = re.match(r"(.*<!-- made by conformance.py -->\n).*?(<!-- end -->.*)", assurance.read_text(), re.S).groups()
pages = {root / "docs/conformance.md": "\n".join(text),
         assurance: before + "| | tests |\n| --- | --- |\n" + "\n".join(hardening) + "\n" + behind}
for page, now in pages.items():
    if "--check" not in sys.argv:
        page.write_text(now)
    elif not page.exists() or page.read_text() != now:
        sys.exit(f"{page.relative_to(root)} is stale: run python3 docs/conformance.py")
print(f"{len(proofs)} of {len(known)} requirements have a test with their number")
