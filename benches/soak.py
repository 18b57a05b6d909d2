#!/usr/bin/env python3
"""Floods `pop3 serve` in every way that H30 to H41 name, and measures what it costs: memory, places, and what others notice of it.

`python3 benches/soak.py [--short]`, as root. Takes three minutes, or one with --short. Fails where a limit does not hold; a figure is
printed for each, and none on time is held against anybody.
"""
import argparse, pathlib, resource, signal, socket, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mail import POP3, build, free_port, wait_for

parser = argparse.ArgumentParser()
parser.add_argument("--short", action="store_true")
options = parser.parse_args()
rows = []


def row(what, figure):
    rows.append(f"| {what} | {figure} |")
    print(rows[-1], flush=True)


class Server:
    """`pop3 serve` with its default limits but for what is said, and so many file descriptors."""

    def __init__(self, folder, *arguments, files=4096):
        self.port = free_port()
        command = [POP3, "serve", "--listen", f"127.0.0.1:{self.port}", "--users", folder / "users", "--mail", f"{folder}/%u", "--dangerously-cleartext"]
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=self.log, preexec_fn=limit)
        wait_for(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def logged(self, what):
        """How often this is in the log."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace").count(what)

    def connect(self, source=1, patience=20):
        stream = socket.socket()
        stream.settimeout(patience)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Loopback is a network of sixteen million sources.
        stream.bind((f"127.{source >> 16 & 255}.{source >> 8 & 255}.{source & 255}", 0))
        stream.connect(("127.0.0.1", self.port))
        return stream

    def memory(self):
        """KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def serves(self, user="good"):
        """Somebody else logs in, reads and leaves; how many milliseconds that takes."""
        begin = time.monotonic()
        stream = self.connect(source=0x7F_0001)
        lines = stream.makefile("rb")
        stream.sendall(f"USER {user}\r\nPASS pw\r\nSTAT\r\nQUIT\r\n".encode())
        answers = [lines.readline() for _ in range(5)]
        assert all(answer.startswith(b"+OK") for answer in answers), answers
        return (time.monotonic() - begin) * 1e3


def heard(stream):
    try:
        return stream.recv(512)
    except (OSError, TimeoutError):
        return b""


def flood(folder):
    count = 2_000 if options.short else 10_000
    with Server(folder, "--max-sessions", "300", files=256) as server:
        before, streams = server.memory(), []
        peak = before
        for number in range(count):
            try:
                # Where the queue of the operating system is full nobody gets in for now.
                streams.append(server.connect(1 + number, patience=0.01))
            except OSError:
                pass
            peak = max(peak, server.memory())
            if len(streams) > 1_500:
                streams.pop(0).close()
        assert peak < before + 50_000, peak
        assert not server.logged("Too many open files"), "H39: more sessions were taken than there are descriptors for"
        for stream in streams:
            stream.close()
        for _ in range(100):
            try:
                took = server.serves()
                break
            except (AssertionError, OSError):
                time.sleep(0.2)
        else:
            raise SystemExit("H39: nobody is served after the flood")
        row(f"{count:,} connections to a server with 256 file descriptors: memory at the most (H39)", f"{before:,} → {peak:,} KiB")
        row("a login behind them", f"{took:.0f} ms")


def one_source(folder):
    with Server(folder, "--max-sessions-per-source", "20") as server:
        streams = [server.connect() for _ in range(200)]
        taken = sum(heard(stream).startswith(b"+OK") for stream in streams)
        assert taken == 20, taken
        row("200 connections from one source, of which 20 may be: taken (H39)", str(taken))
        row("a login from another source meanwhile", f"{server.serves():.0f} ms")


def before_login(folder):
    with Server(folder, "--max-sessions", "3000") as server:
        count = 500 if options.short else 2_000
        before = server.memory()
        streams = [server.connect(1 + number) for number in range(count)]
        for stream in streams:
            assert heard(stream).startswith(b"+OK")
            # As long a line as is taken, without its end.
            stream.sendall(b"AUTH PLAIN " + b"x" * 900)
        time.sleep(1)
        each = (server.memory() - before) / count
        assert each < 32, each
        row(f"memory for each of {count:,} sessions with half a line, before login (H31)", f"{each:.1f} KiB")
        begin, closed = time.monotonic(), 0
        if not options.short:
            # A byte now and then gives nobody more time than a minute (H35).
            while time.monotonic() - begin < 70 and streams:
                left = []
                for stream in streams:
                    try:
                        stream.sendall(b"x")
                        left.append(stream)
                    except OSError:
                        closed += 1
                streams = left
                time.sleep(2)
            assert not streams, f"{len(streams)} are still there"
            row(f"{closed:,} of them that go on dripping: all are sent away after (H35)", f"{time.monotonic() - begin:.0f} s")


def stalled(folder):
    # Threads and their heaps are a fixed cost that few clients would seem to have for themselves.
    count = 150 if options.short else 200
    with Server(folder) as server:
        server.serves("large1")
        before = server.memory()
        streams = []
        for number in range(count):
            stream = server.connect(1 + number)
            stream.sendall(f"USER large{number}\r\nPASS pw\r\n".encode() + b"RETR 1\r\n" * 20)
            # The greeting, the login, and the beginning of the first message.
            said = b""
            while b" octets\r\n" not in said:
                said += (now := heard(stream))
                assert now, said
            streams.append(stream)
        time.sleep(2)
        each = (server.memory() - before) / count
        assert each < 400, each
        row(f"memory for each of {count} clients that ask for 160 MB and read nothing (H33, H37)", f"{each:.0f} KiB")
        row("a login meanwhile", f"{server.serves():.0f} ms")


def guess(folder):
    with Server(folder, "--max-sessions-per-source", "20") as server:
        until = time.monotonic() + 15

        def guesses():
            while time.monotonic() < until:
                try:
                    stream = server.connect(9, patience=0.3)
                    stream.sendall(b"USER good\r\nPASS wrong\r\n" * 3)
                    # A right password would be answered at once, so who guesses waits no longer.
                    while heard(stream):
                        pass
                    stream.close()
                except OSError:
                    pass

        threads = [threading.Thread(target=guesses) for _ in range(20)]
        for thread in threads:
            thread.start()
        took = server.serves()
        for thread in threads:
            thread.join()
        tried = server.logged("login refused")
        assert 0 < tried < 300, tried
        row("passwords that one source can try in 15 s, by 20 sessions at once that do not wait for the answer (H40)", str(tried))
        row("a login from another source meanwhile", f"{took:.0f} ms")


def hashed(folder):
    """Many sessions try wrong passwords for users with hashes, while another user reads and others log in."""
    count = 95
    with Server(folder) as server:
        before, running = server.memory(), True
        peak, waits, read = before, [], []

        def guesses(stream):
            stream.sendall(b"USER hashed\r\nPASS wrong\r\n" * 3)
            while heard(stream):
                pass

        def reads():
            with server.connect(source=0x7F_0002, patience=60) as stream:
                stream.sendall(b"USER large1\r\nPASS pw\r\nRETR 1\r\nQUIT\r\n")
                begin, longest, octets = time.monotonic(), 0, 0
                while piece := stream.recv(65536):
                    longest, begin, octets = max(longest, time.monotonic() - begin), time.monotonic(), octets + len(piece)
                read.append((octets, longest))

        def watches():
            nonlocal peak
            while running:
                peak = max(peak, server.memory())
                time.sleep(0.01)

        watcher = threading.Thread(target=watches)
        watcher.start()
        # Bound to its source before it begins, so that all begin at once.
        streams = [server.connect(9, patience=20) for _ in range(count)]
        threads = [threading.Thread(target=guesses, args=[stream]) for stream in streams] + [threading.Thread(target=reads)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            waits.append(server.serves("hashed"))
        for thread in threads:
            thread.join()
        running = False
        watcher.join()
        for stream in streams:
            stream.close()
        assert peak < 64 * 1024, peak
        assert read and read[0][0] > 7_000_000, read
        row(f"{count} sessions of one source that try three wrong passwords of a hashed user: memory at the most (H39)", f"{before:,} → {peak:,} KiB")
        row("five logins of that user from elsewhere meanwhile: the slowest", f"{max(waits):.0f} ms")
        row("a message of 8 MB that somebody reads meanwhile: the longest pause in it", f"{read[0][1] * 1e3:.0f} ms")


def nonsense(folder):
    with Server(folder) as server:
        stream = server.connect()
        answers = 0
        try:
            stream.sendall(b"\r\n".join(b"\xff" * (number % 300) for number in range(100_000)))
        except OSError:
            pass  # It was sent away.
        while found := heard(stream):
            answers += found.count(b"-ERR")
        assert 0 < answers <= 12, answers
        row("answers to 100,000 lines of nonsense before login (H38)", str(answers))


def run():
    build()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        users = ["good", *(f"large{number}" for number in range(200))]
        (folder / "users").write_text("".join(f"{user}:{{PLAIN}}pw\n" for user in users))
        (folder / "users").chmod(0o600)
        users.append("hashed")
        subprocess.run([POP3, "passwd", folder / "users", "hashed"], input=b"pw\n", stdout=subprocess.DEVNULL, check=True)
        large = b"Subject: large\n\n" + (b"x" * 78 + b"\n") * 100_000
        for user in users:
            for sub in ("tmp", "new", "cur"):
                (folder / user / sub).mkdir(parents=True)
            if user == "large0":
                (folder / user / "cur/1700000000.1.host:2,").write_bytes(large)
            elif user.startswith("large"):
                (folder / user / "cur/1700000000.1.host:2,").hardlink_to(folder / "large0/cur/1700000000.1.host:2,")
        print("| what | figure |\n| --- | ---: |")
        for part in (flood, one_source, before_login, stalled, guess, hashed, nonsense):
            part(folder)


run()
