#!/usr/bin/env python3
"""The same replies of a server to our client and to Python's poplib: what each makes of them, and every difference by its reason.

    fuzz/differential/client.py [--cases 1000000] [--seed 1]

Ours must always be what the rules give, which are written down here once more, naively. A difference to poplib must have one of the
reasons of docs/divergences.md. All else is a failure.
"""
import argparse, collections, io, poplib, random, re, subprocess, sys

from reasons import reasons, root
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
    if chance.random() < 0.02:
        said = chance.choice([b"\r\n", b" \r\n", b"\r\n\r\n"]) + said
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


def is_number(word, limit):
    return word.isdigit() and int(word) < limit


def expected(command, said):
    """What a client has to make of it. The connection has seen CR LF as the line end, so it is that and nothing else (H16)."""
    lines = said.split(b"\r\n")
    cut = lines.pop()
    # A line of blanks may be the delay of the reply (Q42), and is passed over once.
    if lines and not lines[0].strip(b" \t"):
        lines.pop(0)
    if not lines:
        return "broken"
    first = lines.pop(0)
    if re.match(rb"-ERR([ \t]|\Z)", first):
        return "refused"
    if not re.match(rb"\+OK([ \t]|\Z)", first):
        return "broken"
    text = first[3:].strip(b" \t")
    words = [word for word in re.split(rb"[ \t]", text) if word]
    if command == "STAT":
        if not words or not is_number(words[0], 2**32):
            return "broken"
        octets = int(words[1]) if len(words) > 1 and is_number(words[1], 2**64) else "?"
        return f"ok {int(words[0])} {octets}"
    # Some answer with a listing where one line was asked for (Q25).
    one = command in ("LIST 1", "UIDL 1") and words and (len(words) == 1 or words[0].isdigit())
    if one or command in ("DELE 1", "NOOP"):
        return "ok " + text.hex()
    if b"." not in lines:
        return "broken"
    lines = lines[:lines.index(b".")]
    return "ok " + b"".join(line.removeprefix(b".") + b"\r\n" for line in lines).hex()


def reason(command, said, ours, other):
    """Why poplib differs from what is right. The first that fits; what is as the RFC has it has none."""
    if re.fullmatch(PLAIN[command], said) or re.fullmatch(rb"-ERR( [^\r\n]*)?\r\n", said):
        return None
    first = said.split(b"\n")[0].removesuffix(b"\r")
    kind, their_kind = ours.split(" ")[0], other.split(" ")[0]
    if kind == "broken" and not said.endswith(b"\n") and not re.search(rb"(?<!\r)\n|\r(?!\n)", said):
        return "a reply that was cut"
    if re.search(rb"(?<!\r)\n", said):
        return "a lone LF"
    if re.search(rb"\r(?!\n)", said):
        return "a lone CR"
    if first.strip(b" \t") == b"":
        return "a blank line before the reply"
    if first.startswith(b"+") and not re.match(rb"\+OK([ \t]|$)", first):
        return "a status that is none"
    if command == "STAT" and their_kind == "broken" and kind == "ok":
        return "a drop listing with a size that is none"
    if command == "STAT" and kind == "broken" and their_kind == "ok":
        return "a drop listing with a number that is none, or too large"
    if command == "STAT" and their_kind == kind == "ok":
        return "a size that does not fit"
    if command in ("LIST 1", "UIDL 1"):
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
    counts, wrong, unknown, same = collections.Counter(), [], [], 0
    for (command, said), mine in zip(cases, ours):
        other, right = theirs(command, said), expected(command, said)
        if mine != right and not (mine.startswith("broken ") and right == "broken"):
            wrong.append((command, said, mine, right))
        if mine == other or (mine.startswith("broken") and other.startswith("broken")):
            same += 1
            continue
        why = reason(command, said, mine, other)
        counts[why] += 1
        if why not in reasons("poplib"):
            unknown.append((command, said, mine, other))
    print(f"seed {args.seed}: {len(cases):,} replies to our client and to poplib: {same:,} alike")
    for why, count in counts.most_common():
        print(f"{count:>9,}  {why}")
    for what, found in (("not what is right, which comes last", wrong), ("without a reason", unknown)):
        print(f"{len(found):>9,}  {what}")
        for one in found[:20]:
            print(*one, sep="\n    ")
    sys.exit(1 if wrong or unknown else 0)


run()
