#!/usr/bin/env python3
"""The same replies of a server to our client and to Python's poplib: what each makes of them, and every difference by its reason.

    fuzz/differential/client.py [--cases 1000000] [--seed 1]

A difference for which there is no reason here is a failure. docs/divergences.md tells of each.
"""
import argparse, collections, io, pathlib, poplib, random, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent.parent
parser = argparse.ArgumentParser()
parser.add_argument("--cases", type=int, default=100_000)
parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
args = parser.parse_args()

COMMANDS = ["STAT", "LIST", "UIDL", "RETR 1", "TOP 1 1", "DELE 1", "NOOP", "LIST 1", "UIDL 1"]
FIRST = [b"+OK", b"+OK 2 320", b"+OK 1 120", b"-ERR no", b"-ERR [IN-USE] busy", b"+OK 2 messages", b"+OK 0 0", b"+OK 1 abc", b"+ok", b"+OKAY",
         b"+OK 18446744073709551616 1", b"+OK\t3 4", b"OK", b"", b"-err", b"+OK 4294967296 5", b"+OK 1", b"+OK 1_0 2", b"+OK -1 2", b"+OK +1 2"]
LINES = [b"1 120", b"2 200", b"", b"..", b"..dot", b"text", b".x", b"3 abc uid", b"\xff\x00", b"x" * 90, b"a\rb", b"\r"]
ENDS = [b"\r\n"] * 12 + [b"\n", b"\r", b"\n\r", b"\r\r\n"]
EDITS = [b".", b"\r", b"\n", b"+", b"-", b" ", b"\0", b"\r\n.\r\n", b"\n.\n", b"9", b"\xe9"]


def case(chance):
    command = chance.choice(COMMANDS)
    said = chance.choice(FIRST) + chance.choice(ENDS)
    if command in ("LIST", "UIDL", "RETR 1", "TOP 1 1") or chance.random() < 0.1:
        for _ in range(chance.randrange(5)):
            said += chance.choice(LINES) + chance.choice(ENDS)
        said += b"." + chance.choice(ENDS)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        at = chance.randrange(len(said) + 1)
        said = said[:at] + chance.choice(EDITS) + said[at + chance.randrange(2):]
    if chance.random() < 0.05:
        said = said[:chance.randrange(len(said) + 1)]
    return command, said


class Silent:
    def sendall(self, _):
        pass


def theirs(command, said):
    client = poplib.POP3.__new__(poplib.POP3)
    client.sock, client._debugging, client._tls_established = Silent(), 0, False
    client.file = io.BytesIO(said)
    verb, *words = command.split()
    try:
        if verb == "STAT":
            messages, octets = client.stat()
            return f"ok {messages} {octets}"
        if verb in ("LIST", "UIDL", "RETR", "TOP") and command not in ("LIST 1", "UIDL 1"):
            method = getattr(client, verb.lower())
            _, lines, _ = method(*map(int, words)) if verb == "TOP" else method(*words)
            return "ok " + b"".join(line + b"\r\n" for line in lines).hex()
        reply = getattr(client, verb.lower())(*words)
        # What stands behind the status, as ours tells it.
        return "ok " + reply[3:].strip(b" \t").hex()
    except poplib.error_proto as error:
        text = error.args[0]
        return "refused" if isinstance(text, bytes) and re.match(rb"-ERR([ \t]|$)", text) else f"broken {text}"
    except (ValueError, IndexError, UnicodeError) as error:
        return f"broken {type(error).__name__}"


TEXT = rb"( [^\r\n]*)?"
NUMBER = rb"(0|[1-9]\d{0,8})"
PLAIN = {
    "STAT": rb"\+OK " + NUMBER + rb" " + NUMBER + rb"\r\n",
    "LIST": rb"\+OK" + TEXT + rb"\r\n(" + NUMBER + rb" " + NUMBER + rb"\r\n)*\.\r\n",
    "UIDL": rb"\+OK" + TEXT + rb"\r\n(" + NUMBER + rb" [!-~]+\r\n)*\.\r\n",
    "LIST 1": rb"\+OK " + NUMBER + rb" " + NUMBER + rb"\r\n",
    "UIDL 1": rb"\+OK " + NUMBER + rb" [!-~]+\r\n",
    "NOOP": rb"\+OK( [^\r\n]*)?\r\n",
    "DELE 1": rb"\+OK( [^\r\n]*)?\r\n",
    "RETR 1": rb"\+OK( [^\r\n]*)?\r\n((\.\.|[^.\r\n])[^\r\n]*\r\n|\r\n)*\.\r\n",
}
PLAIN["TOP 1 1"] = PLAIN["RETR 1"]


def reason(command, said, ours, other):
    """Why they differ. The first that fits; what is as the RFC has it has none."""
    if re.fullmatch(PLAIN[command], said) or re.fullmatch(rb"-ERR( [^\r\n]*)?\r\n", said):
        return None
    first = said.split(b"\n")[0].removesuffix(b"\r")
    kind, their_kind = ours.split(" ")[0], other.split(" ")[0]
    if kind == "broken" and "closed" in ours and not said.endswith(b"\n") and not re.search(rb"(?<!\r)\n|\r(?!\n)", said):
        return "a reply that was cut"
    if re.search(rb"(?<!\r)\n", said):
        return "a lone LF"
    if re.search(rb"\r(?!\n)", said):
        return "a lone CR"
    if first.strip(b" \t") == b"":
        return "a blank line before the reply"
    if first.startswith(b"+") and not re.match(rb"\+OK([ \t]|$)", first):
        return "a status that is none"
    if re.match(rb"-ERR[ \t]|-ERR$", first) is None and first.startswith(b"-") and kind == their_kind == "broken":
        return "the same"
    if command == "STAT" and their_kind == "broken" and kind == "ok":
        return "a drop listing with a size that is none"
    if command == "STAT" and kind == "broken" and their_kind == "ok":
        return "a drop listing with a number that is none, or too large"
    if command == "STAT" and their_kind == kind == "ok":
        return "a size that does not fit"
    if "nobody asked" in ours:
        return "something behind the reply"
    if command in ("LIST 1", "UIDL 1") and kind != their_kind:
        return "a listing where one line was asked for"
    if command in ("LIST 1", "UIDL 1") and kind == "ok":
        return "a listing where one line was asked for"
    if kind == their_kind == "ok" and re.search(rb"\r\n\.[^.\r]", said):
        return "a dot that nobody doubled"
    return None


def run():
    chance = random.Random(args.seed)
    cases = [case(chance) for _ in range(args.cases)]
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "pop3-contract", "--example", "outcomes"], cwd=root, check=True)
    text = b"".join(f"{command} {len(said)}\n".encode() + said for command, said in cases)
    done = subprocess.run([root / "target/release/examples/outcomes"], input=text, stdout=subprocess.PIPE, check=True)
    ours = done.stdout.decode(errors="replace").split("\n")
    assert len(ours) == len(cases) + 1
    counts, unknown, same = collections.Counter(), [], 0
    for (command, said), mine in zip(cases, ours):
        other = theirs(command, said)
        if mine == other or (mine.startswith("broken") and other.startswith("broken")):
            same += 1
            continue
        why = reason(command, said, mine, other)
        counts[why or "no reason"] += 1
        if why is None and len(unknown) < 20:
            unknown.append((command, said, mine, other))
    print(f"seed {args.seed}: {len(cases):,} replies to our client and to poplib: {same:,} alike")
    for why, count in counts.most_common():
        print(f"{count:>9,}  {why}")
    for one in unknown:
        print(*one, sep="\n    ")
    sys.exit(1 if unknown else 0)


run()
