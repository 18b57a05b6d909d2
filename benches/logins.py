#!/usr/bin/env python3
"""What a hashed password costs clients that poll: sessions (connect, USER, PASS, STAT, QUIT) of 1,000 users, 16 at once, in turns. The hash is
argon2id as `pop3 passwd` makes it; Dovecot has its authentication cache on.

`python3 benches/logins.py [--rounds N] [--seconds S]`, as root, with dovecot-pop3d installed. Prints medians.
"""
import argparse, contextlib, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mail import POP3, Server, build, fill, median

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3)
options = parser.parse_args()
USERS = 1000

build()
with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, contextlib.ExitStack() as stack:
    home = pathlib.Path(folder) / "home"
    pathlib.Path(folder).chmod(0o755)
    fill(home, USERS, 10, 1600)
    users = home / "one"
    subprocess.run([POP3, "passwd", users, "u1"], input=b"pw\n", stdout=subprocess.DEVNULL, check=True)
    hashed = users.read_text().strip().split(":", 1)[1]
    servers = {
        "ours, passwords in the clear": ("ours", "{PLAIN}pw", ()),
        "ours, hashed, remembered (the default)": ("ours", hashed, ()),
        "ours, hashed each time (--login-cache 0)": ("ours", hashed, ("--login-cache", "0")),
        "Dovecot, hashed, auth_cache_size = 16M": ("Dovecot", "{ARGON2ID}" + hashed, ()),
    }
    running = {what: stack.enter_context(Server(name, home, USERS, 0, stored, more, f"run{number}"))
               for number, (what, (name, stored, more)) in enumerate(servers.items())}
    for server in running.values():
        # Each user logs in at least once before anything is measured.
        server.load("sessions", USERS, 16, 30)
    rates = {what: [] for what in running}
    for _ in range(options.rounds):
        for what, server in running.items():
            rates[what].append(server.load("sessions", USERS, 16, options.seconds)[0])
    clear = median(next(iter(rates.values())))
    print("| | sessions a second | as a part of those in the clear |\n| --- | --- | --- |")
    for what, values in rates.items():
        print(f"| {what} | {median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f}) | {median(values) / clear:.2f} |")
