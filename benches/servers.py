#!/usr/bin/env python3
"""`pop3 serve` with its default settings beside Dovecot tuned for throughput: the same Maildirs, the same load, in turns. What a server
reaches that has its answers in memory and looks at nothing is the limit that machine and load set.

`python3 benches/servers.py [--rounds N] [--seconds S] [--folder DIR]`, as root, with dovecot-pop3d installed. Prints medians. The mail
is made in a temporary folder and goes away; it needs 1 GB. `--million` adds a maildrop of 1,000,000 messages, for ours alone.
"""
import argparse, pathlib, socket, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mail import LOAD, Server, build, fill, median

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=2)
parser.add_argument("--folder")
parser.add_argument("--million", action="store_true")
parser.add_argument("--only", help="sessions, large, small, many, or - for none of them")
options = parser.parse_args()
NAMES = ("Dovecot", "ours", "memory")
rows = []


def row(what, unit, measure, servers, more_is_better=True, limit=True):
    """In turns, so that what else the machine does hits both alike."""
    names = NAMES[:3 if limit else 2]
    values = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            values[name].append(measure(servers[name]))
    theirs, ours = (median(values[name]) for name in NAMES[:2])
    most = f"{median(values['memory']):,.4g} {unit}" if limit else ""
    ratio = ours / theirs if more_is_better else theirs / ours
    spread = f"{min(values['ours']):,.4g}–{max(values['ours']):,.4g}"
    rows.append(f"| {what} | {theirs:,.4g} {unit} | {ours:,.4g} {unit} | {spread} | {ratio:.1f} | {most} |")
    print(rows[-1], flush=True)


def with_all(home, users, octets, work):
    with Server("Dovecot", home, users) as dovecot, Server("ours", home, users) as ours, Server("memory", home, users, octets) as memory:
        work({"Dovecot": dovecot, "ours": ours, "memory": memory})


def idle(server, users):
    before = server.memory()
    load = subprocess.Popen([LOAD, "idle", server.address, str(users)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    load.stdout.readline()
    time.sleep(1)
    after = server.memory()
    load.stdin.close()
    load.wait()
    time.sleep(1)
    return (after - before) / users


def sessions(servers):
    for server in servers.values():
        server.load("sessions", 1000, 16, 2)
    for clients in (1, 16, 64):
        row(f"sessions, {clients} at once", "/s", lambda server: server.load("sessions", 1000, clients, options.seconds)[0], servers)
    # Once: what processes keep is not given back between rounds.
    rounds, options.rounds = options.rounds, 1
    row("memory for an idle session, 1,000 of them", "KiB", lambda server: idle(server, 1000), servers, False, False)
    options.rounds = rounds


def large(servers):
    for clients, window in ((1, 1), (2, 1), (8, 1)):
        rate = lambda server: server.load("retrieve", clients, options.seconds, window, 38)[1]
        row(f"RETR of 5 MB, {clients} at once", "MB/s", rate, servers)


def small(servers):
    for server in servers.values():
        # Dovecot looks at each message once; that is not what is asked here.
        server.load("retrieve", 8, 5, 32, 10_000)
    for clients, window in ((1, 1), (1, 32), (8, 1)):
        what = f"RETR of 1.6 kB, {clients} at once, window {window}"
        row(what, "/s", lambda server: server.load("retrieve", clients, options.seconds, window, 10_000)[0], servers)
    for command in ("LIST", "UIDL"):
        row(f"{command} of 10,000", "ms", lambda server: server.load("listing", command, 21)[0], servers, False)


def many(home):
    def forget():
        for file in (home / "u1/Maildir").iterdir():
            if file.is_file():
                file.unlink()

    def cold(server):
        forget()
        return server.load("login")[0]

    def warm(server):
        server.load("login")
        time.sleep(0.5)
        server.load("login")
        return server.load("login")[0]

    def both(servers):
        row("login to 100,000, no index and no sizes in names", "ms", cold, servers, False, False)
        row("login to 100,000, the third", "ms", warm, servers, False, False)

    return both


class Pings:
    """A session that says NOOP again and again: how long it waits for the answer."""

    def __init__(self, server, user):
        self.stream = socket.create_connection(("127.0.0.1", server.port))
        self.lines, self.times, self.over = self.stream.makefile("rb"), [], False
        self.lines.readline()
        for command in (f"USER {user}", "PASS pw"):
            self.ask(command)

    def ask(self, command):
        self.stream.sendall(command.encode() + b"\r\n")
        assert self.lines.readline().startswith(b"+OK")

    def __enter__(self):
        def ping():
            while not self.over:
                begin = time.monotonic()
                self.ask("NOOP")
                self.times.append((time.monotonic() - begin) * 1e3)
                time.sleep(0.002)

        self.thread = threading.Thread(target=ping)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.ask("QUIT")

    def __str__(self):
        times = sorted(self.times)
        return f"median {median(times):.2f} ms, 99 % below {times[len(times) * 99 // 100]:.2f} ms"


def million(home):
    fill(home, 1, 1_000_000, 70)
    for sub in ("tmp", "new", "cur"):
        (home / f"u2/Maildir/{sub}").mkdir(parents=True)
    with Server("ours", home, 2) as server:
        before = server.memory()
        with Pings(server, "u2") as alone:
            time.sleep(1)
        with Pings(server, "u2") as beside:
            (first,) = server.load("login")
        time.sleep(0.5)
        server.load("login")
        (again,) = server.load("login")
        load = subprocess.Popen([LOAD, "idle", server.address, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        load.stdout.readline()
        octets = (server.memory() - before) * 1024 / 1e6
        load.stdin.close()
        load.wait()
    print(f"\n1,000,000 messages: login {first:,.0f} ms, the third {again:,.0f} ms; {octets:.0f} octets of memory a message")
    print(f"A NOOP of another session: {alone}; while the first login goes on: {beside}")


build()
print("| work | Dovecot | ours | from–to | ours is better by | answers from memory |\n| --- | ---: | ---: | ---: | ---: | ---: |")
with tempfile.TemporaryDirectory(dir=options.folder) as folder:
    folder = pathlib.Path(folder)
    folder.chmod(0o755)
    for name, users, count, octets, work in (
        ("sessions", 1000, 20, 1600, sessions),
        ("large", 8, 38, 5_000_000, large),
        ("small", 8, 10_000, 1600, small),
        ("many", 1, 100_000, 1500, None),
    ):
        if options.only not in (None, name):
            continue
        fill(folder / name, users, count, octets)
        with_all(folder / name, users, octets, work or many(folder / name))
    if options.million:
        million(folder / "million")
