#!/usr/bin/env python3
"""`pop3 fetch` into a Maildir beside mpop and curl, from the same Dovecot, in turns.

`python3 benches/clients.py [--rounds N] [--folder DIR]`, as root, with dovecot-pop3d, mpop, curl and strace installed. Prints medians of
the wall clock, the processor's time, memory and how often the client asks the disk to be sure. What was fetched is looked through: every
message has to be there. Nothing is removed between the runs: file systems are slow to use again what has just become free.
"""
import argparse, os, pathlib, re, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mail import LOAD, POP3, Server, build, fill, free_port, median, wait_for

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--folder")
options = parser.parse_args()
SYNCS = ("fsync", "fdatasync", "syncfs")


def client(name, port, out, messages):
    """The command line."""
    if name == "pop3 fetch":
        return [POP3, "fetch", "127.0.0.1", out / "Maildir", "--port", str(port), "--user", "u1", "--quiet", "--dangerously-cleartext"]
    if name == "mpop":
        for sub in ("tmp", "new", "cur"):
            (out / "Maildir" / sub).mkdir(parents=True)
        rc = out / "mpoprc"
        rc.write_text(f"account default\nhost 127.0.0.1\nport {port}\nuser u1\npassword pw\nauth user\ntls off\nkeep on\n"
                      f"received_header off\ndelivery maildir {out}/Maildir\nuidls_file {out}/uidls\n")
        rc.chmod(0o600)
        return ["mpop", "-C", rc, "-q"]
    (out / "Maildir/new").mkdir(parents=True)
    return ["curl", "-s", "-u", "u1:pw", f"pop3://127.0.0.1:{port}/[1-{messages}]", "-o", f"{out}/Maildir/new/#1"]


def fetch(name, port, out, messages, prefix=()):
    out.mkdir()
    command = [*prefix, *client(name, port, out, messages)]
    begin = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, "POP3_PASSWORD": "pw"})
    memory = 0
    while True:
        try:
            text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            memory = int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024
        except (OSError, TypeError):
            pass  # It has ended.
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.002)
    wall = time.monotonic() - begin
    found = sum(file.stat().st_size > 0 for file in (out / "Maildir/new").iterdir())
    if status or found != messages:
        raise SystemExit(f"{name}: status {status}, {found} of {messages} messages")
    return wall, used.ru_utime + used.ru_stime, memory


def syncs(name, port, out, messages):
    trace = out.with_suffix(".trace")
    fetch(name, port, out, messages, ["strace", "-f", "-o", trace, "-e", f"trace={','.join(SYNCS)}"])
    return len(re.findall(rf" ({'|'.join(SYNCS)})\(", trace.read_text()))


# A disk that takes a millisecond to be sure, as many do; this machine's may say so at once.
SLOW_DISK = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={','.join(SYNCS)}", "-e", f"inject={','.join(SYNCS)}:delay_exit=1000"]


def compare(what, names, port, folder, messages, rounds, prefix=()):
    results = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            results[name].append(fetch(name, port, folder / f"{what} {name} {number}".replace(" ", "-"), messages, prefix))
    ours = median(wall for wall, _, _ in results["pop3 fetch"])
    for name in names:
        wall, processor, memory = (median(values) for values in zip(*results[name]))
        if prefix:
            processor = memory = float("nan")  # Those are strace's.
        count = syncs(name, port, folder / f"{what} {name} syncs".replace(" ", "-"), messages)
        print(f"| {what} | {name} | {wall:.2f} s | {processor:.2f} s | {memory:.0f} MiB | {count} | {wall / ours:.1f} |", flush=True)


build()
print("| mail | client | wall clock | processor | memory | syncs | time, ours is 1 |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
with tempfile.TemporaryDirectory(dir=options.folder) as folder:
    folder = pathlib.Path(folder)
    folder.chmod(0o755)
    fill(folder / "small", 1, 2000, 1600)
    with Server("Dovecot", folder / "small", 1) as server:
        server.load("login")
        compare("2,000 of 1.6 kB", ("pop3 fetch", "mpop"), server.port, folder, 2000, options.rounds)
        compare("the same, 1 ms a sync", ("pop3 fetch", "mpop"), server.port, folder, 2000, options.rounds, SLOW_DISK)
        near = free_port()
        with subprocess.Popen([LOAD, "delay", f"127.0.0.1:{near}", server.address, "20"], stdin=subprocess.PIPE) as delay:
            wait_for(near)
            compare("the same, 20 ms away", ("pop3 fetch", "mpop"), near, folder, 2000, max(1, options.rounds // 2))
            delay.stdin.close()
    fill(folder / "large", 1, 40, 5_000_000)
    with Server("Dovecot", folder / "large", 1) as server:
        server.load("login")
        compare("200 MB in 40", ("pop3 fetch", "curl", "mpop"), server.port, folder, 40, options.rounds)
