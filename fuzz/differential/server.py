#!/usr/bin/env python3
"""The same commands after login to `pop3 serve` and to Dovecot over the same mail: what each answers, and every difference by its reason.

    fuzz/differential/server.py [--streams 1000000] [--seed 1]

As root, with dovecot-pop3d installed. A stream is five commands and RSET. Ours must always answer what the rules give, which are written
down here once more, naively. A difference to Dovecot must have one of the reasons of docs/divergences.md. All else is a failure.
"""
import argparse, collections, multiprocessing, pathlib, random, re, socket, subprocess, sys, tempfile, time

from reasons import reasons, root

sys.path.insert(0, str(root / "benches"))
from mail import Server

parser = argparse.ArgumentParser()
parser.add_argument("--streams", type=int, default=20_000)
parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
args = parser.parse_args()

MAIL = [b"Subject: one\n\nline\n.dot\n..\n.\nend\n", b"Subject: two\r\n\r\nCR LF\r\n", b"Subject: no body\n", b"Subject: cut\n\nend\n",
        b"\nno header\n", b"A: b\n\n" + b"x" * 3000 + b"\n" + b"y\n" * 300]
VERBS = ["STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET", "CAPA", "LAST", "USER", "PASS", "APOP", "AUTH", "STLS", "XYZZY", ""]
NUMBERS = ["1", "2", "3", "4", "5", "6", "7", "0", "01", "-1", "+1", "4294967295", "4294967296", "18446744073709551616", "1x", "x", ""]
# Behind each command: one that is good, so that nobody is sent away for bad ones, and one that is refused, which ends the answer.
SENTINEL = b"NOOP\r\nUIDL 99999\r\n"


def command(chance):
    verb = chance.choice(VERBS[:9] if chance.random() < 0.9 else VERBS)
    words = [verb]
    if verb in ("LIST", "UIDL") and chance.random() < 0.5 or verb in ("RETR", "DELE", "TOP"):
        words.append(chance.choice(NUMBERS[:7] if chance.random() < 0.8 else NUMBERS))
    if verb == "TOP":
        words.append(chance.choice(["0", "1", "2", "1000"] if chance.random() < 0.8 else NUMBERS))
    if chance.random() < 0.05:
        words.append(chance.choice(["x", "1", "\xe9", "\x00", "\t"]))
    line = chance.choice([" "] * 30 + ["  ", "\t", ""]).join(words)
    if chance.random() < 0.1:
        line = chance.choice([line.lower(), line.title(), line + " ", " " + line, line + "\t", line + "\r", line[:-1]])
    return line.encode("latin-1")


class Session:
    """A login to one of the two, renewed when it ends."""

    def __init__(self, port):
        self.port, self.socket, self.left = port, None, 0

    def ask(self, stream):
        """What is answered to each command, as far as it is not for people; `closed` where the session ended."""
        # Ours sends away who has said a hundred things that are none.
        if self.socket is None or self.left == 0:
            if self.socket:
                # Nothing is marked. The maildrop is free when the session has ended.
                self.socket.sendall(b"QUIT\r\n")
                self.lines.read()
                self.socket.close()
            self.left = 15
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            self.lines = self.socket.makefile("rb", 1 << 16)
            self.socket.sendall(b"USER u1\r\nPASS pw\r\n")
            assert [self.lines.readline()[:3] for _ in range(3)] == [b"+OK"] * 3
        self.left -= 1
        self.socket.sendall(b"".join(line + b"\r\n" + SENTINEL for line in stream) + b"RSET\r\n")
        answers = []
        for line in stream:
            first = self.lines.readline()
            if first.startswith(b"-ERR"):
                answers.append("refused")
                self.lines.readline(), self.lines.readline()
                continue
            rest = []
            while not (found := self.lines.readline()).startswith(b"-ERR"):
                if not found:
                    self.socket.close()
                    self.socket = None
                    return answers + ["closed"]
                rest.append(found)
            answers.append(answer(line, first, rest[:-1]))
        last = self.lines.readline()
        assert last.startswith(b"+OK"), (stream, answers, last)
        return answers


def answer(line, first, rest):
    words = line.split()
    verb = words[0].upper() if words else b""
    if verb == b"CAPA":
        return "capabilities"
    # What stands behind +OK is for people, but for these.
    told = first[4:].strip() if verb == b"STAT" or verb == b"LIST" and not rest else b""
    if verb == b"UIDL":
        # Each has unique-ids of its own.
        rest = [row.split()[0] + b"\r\n" for row in rest]
        told = first[4:].split(b" ")[0] if not rest else b""
    return f"ok {told.decode('latin-1')} {b''.join(rest).decode('latin-1')!r}"


def serve(port, streams, results):
    session = Session(port)
    for chunk in streams:
        results.send([session.ask(stream) for stream in chunk])
    results.close()


END = ".\r\n"


class Model:
    """What has to be answered about MAIL."""

    def __init__(self):
        # As it is sent: lines that end with CR LF, and dots doubled.
        self.lines = [text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n") for text in MAIL]
        self.octets = [sum(len(line) + 2 for line in lines) for lines in self.lines]
        self.marked = set()

    def text(self, index, body=None):
        lines = self.lines[index]
        if body is not None:
            header = lines.index(b"") + 1 if b"" in lines else len(lines)
            lines = lines[:header + body]
        return b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines) + END.encode()

    def answer(self, line):
        if re.search(rb"[\0\r]", line):
            return "refused"
        verb, *words = [word for word in re.split(rb"[ \t]", line.upper()) if word] or [b""]
        if not all(word.isdigit() for word in words):
            return "refused"
        numbers = [int(word) for word in words]
        there = [index for index in range(len(MAIL)) if index not in self.marked]
        if verb in (b"STAT", b"NOOP", b"RSET", b"CAPA", b"LIST", b"UIDL") and not words:
            if verb == b"RSET":
                self.marked.clear()
            rows = [f"{index + 1} {self.octets[index]}\r\n" if verb == b"LIST" else f"{index + 1}\r\n" for index in there]
            listing = f"ok  {''.join([*rows, END])!r}"
            drop = f"{len(there)} {sum(self.octets[index] for index in there)}"
            return {
                b"STAT": f"ok {drop} ''",
                b"CAPA": "capabilities",
                b"LIST": listing,
                b"UIDL": listing,
            }.get(verb, "ok  ''")
        known = {b"LIST": 1, b"UIDL": 1, b"RETR": 1, b"DELE": 1, b"TOP": 2}
        if len(words) != known.get(verb) or numbers[0] - 1 not in there or numbers[-1] >= 2**64:
            return "refused"
        index = numbers[0] - 1
        if verb == b"DELE":
            self.marked.add(index)
        return {
            b"LIST": f"ok {numbers[0]} {self.octets[index]} ''",
            b"UIDL": f"ok {numbers[0]} ''",
            b"RETR": f"ok  {self.text(index).decode('latin-1')!r}",
            b"TOP": f"ok  {self.text(index, numbers[-1]).decode('latin-1')!r}",
        }.get(verb, "ok  ''")


def reason(line, ours, other):
    """Why Dovecot differs from what is right. The first that fits; what is as the RFC has it has none."""
    number = rb"\d{1,9}"
    plain = rb"STAT|NOOP|RSET|(LIST|UIDL)( " + number + rb")?|(RETR|DELE) " + number + rb"|TOP " + number + rb" " + number
    if re.fullmatch(plain, line):
        return None
    words = line.strip().split()
    verb = words[0].upper() if words else b""
    if b"\0" in line:
        return "NUL"
    if line.endswith(b"\r"):
        return "CR before CR LF"
    if line[:1] in (b" ", b"\t"):
        return "a blank before the command"
    if b"\t" in line:
        return "a tab"
    if ours == "refused" and other.startswith(("ok", "cap")):
        if verb in (b"STAT", b"NOOP", b"RSET", b"CAPA") and len(words) > 1:
            return "an argument where none may be, or one too many"
        if any(not word.isdigit() for word in words[1:]):
            return "an argument that is no number"
        if len(words) > (3 if verb == b"TOP" else 2):
            return "an argument where none may be, or one too many"
    if other == "refused" and ours.startswith("ok"):
        if any(len(word) > 9 for word in words[1:]):
            return "a number that is larger than theirs may be"
        if line != line.strip() or b"  " in line:
            return "blanks where one would do"
    return None


def run():
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "pop3-cli", "--bin", "pop3"], cwd=root, check=True)
    chance = random.Random(args.seed)
    streams = [[command(chance) for _ in range(5)] for _ in range(args.streams)]
    chunks = [streams[at:at + 500] for at in range(0, len(streams), 500)]
    counts, wrong, unknown, same, commands, began = collections.Counter(), [], [], 0, 0, time.time()
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder) / "home"
        for sub in ("tmp", "new", "cur"):
            (home / "u1/Maildir" / sub).mkdir(parents=True)
        for number, text in enumerate(MAIL):
            (home / f"u1/Maildir/cur/{1_700_000_000 + number}.M{number}P1.mail:2,").write_bytes(text)
        subprocess.run(["chown", "-R", "nobody", home], check=True)
        pathlib.Path(folder).chmod(0o755)
        with Server("Dovecot", home, 1) as dovecot, Server("ours", home, 1) as mine:
            ends, processes = [], []
            for server in (dovecot, mine):
                ours_end, theirs_end = multiprocessing.Pipe(duplex=False)
                process = multiprocessing.Process(target=serve, args=(server.port, chunks, theirs_end))
                process.start()
                theirs_end.close()
                ends.append(ours_end)
                processes.append(process)
            for chunk in chunks:
                theirs, ours = ends[0].recv(), ends[1].recv()
                for stream, other_answers, my_answers in zip(chunk, theirs, ours):
                    model = Model()
                    right = [model.answer(line) for line in stream]
                    if my_answers != right:
                        wrong.append((stream, my_answers, right))
                    for line, other, my in zip(stream, other_answers, my_answers):
                        commands += 1
                        if my == other:
                            same += 1
                            continue
                        why = reason(line, my, other)
                        counts[why] += 1
                        if why not in reasons("Dovecot"):
                            unknown.append((stream, line, my[:300], other[:300]))
                        # What differed may have marked a message in one of them.
                        break
            for process in processes:
                process.join()
    print(f"seed {args.seed}: {len(streams):,} streams in {time.time() - began:.0f} s, {commands:,} commands to our server and to Dovecot: {same:,} alike")
    for why, count in counts.most_common():
        print(f"{count:>9,}  {why}")
    for what, found in (("not what is right, which comes last", wrong), ("without a reason", unknown)):
        print(f"{len(found):>9,}  {what}")
        for one in found[:20]:
            print(*one, sep="\n    ")
    sys.exit(1 if wrong or unknown or not commands else 0)


run()
