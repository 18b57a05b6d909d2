"""What the benches with servers share: mail, certificates that nobody needs, Dovecot, and processes that end."""
import os, pathlib, pwd, random, shutil, signal, socket, statistics, subprocess, time

root = pathlib.Path(__file__).resolve().parent.parent
LOAD, POP3 = root / "target/release/examples/load", root / "target/release/pop3"
WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua".split()
DOVECOT = """
base_dir = {run}
state_dir = {run}
log_path = {run}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100000
first_valid_uid = 1
default_client_limit = 20000
default_process_limit = 5000
pop3_lock_session = no
passdb {{
  driver = passwd-file
  args = {run}/passwd
}}
userdb {{
  driver = passwd-file
  args = {run}/passwd
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
}}
service pop3 {{
  service_count = 10000
  process_min_avail = 8
  process_limit = 4000
}}
service anvil {{
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
mail_fsync = never
maildir_very_dirty_syncs = yes
mailbox_list_index = no
pop3_no_flag_updates = yes
auth_cache_size = 16M
"""


def build():
    packages = ["-p", "pop3-cli", "-p", "pop3-benches", "--bin", "pop3", "--example", "load"]
    subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", *packages], cwd=root, check=True)


def message(octets, chance):
    lines, size = ["From: someone@example.org", f"Subject: {chance.random()}", ""], 0
    while size < octets:
        lines.append(" ".join(chance.choices(WORDS, k=11)))
        size += len(lines[-1])
    return ("\n".join(lines) + "\n").encode()


def fill(home, users, count, octets, kinds=20):
    """Maildirs for u1, u2, …; they share a few files, by hard links."""
    chance = random.Random(1)
    home.mkdir(parents=True)
    files = [home / f"message{kind}" for kind in range(min(kinds, count))]
    for file in files:
        file.write_bytes(message(octets, chance))
    for user in range(1, users + 1):
        maildir = home / f"u{user}/Maildir"
        for sub in ("tmp", "new", "cur"):
            (maildir / sub).mkdir(parents=True)
        for number in range(count):
            os.link(files[number % len(files)], maildir / f"cur/{1_700_000_000 + number}.M{number}P1.mail:2,")
    subprocess.run(["chown", "-R", "nobody", home], check=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


class Server:
    """One of the two, over the mail in a folder. `stored` is what is stored as the password `pw` of each user; `more` are options of ours."""

    def __init__(self, name, home, users, octets=0, stored="{PLAIN}pw", more=(), run="run"):
        self.name, self.port = name, free_port()
        self.address = f"127.0.0.1:{self.port}"
        run = self.run = home / f"{name}-{run}"
        run.mkdir()
        names = [f"u{user}" for user in range(1, users + 1)]
        if name == "Dovecot":
            uid = pwd.getpwnam("nobody")
            lines = [f"{user}:{stored}:{uid.pw_uid}:{uid.pw_gid}::{home}/{user}::\n" for user in names]
            (run / "passwd").write_text("".join(lines))
            (run / "conf").write_text(DOVECOT.format(run=run, port=self.port))
            command = ["dovecot", "-F", "-c", run / "conf"]
        elif name == "memory":
            command = [LOAD, "canned", self.address, str(octets)]
        else:
            (run / "users").write_text("".join(f"{user}:{stored}\n" for user in names))
            (run / "users").chmod(0o600)
            command = [POP3, "serve", "--listen", self.address, "--users", run / "users", "--mail", f"{home}/%u/Maildir",
                       "--dangerously-cleartext", "--max-sessions", "20000", "--max-sessions-per-source", "20000", *more]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=open(run / "stderr", "w"))
        wait_for(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.run)

    def load(self, *words):
        run = subprocess.run([LOAD, words[0], self.address, *map(str, words[1:])], capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"{self.name}, {words}: {run.stderr}")
        return [float(word) for word in run.stdout.split()]

    def memory(self):
        """KiB of all its processes, what they share counted once."""
        parents = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parents.setdefault(int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(folder.name))
            except OSError:
                pass
        total, left = 0, [self.process.pid]
        while left:
            process = left.pop()
            left += parents.get(process, [])
            try:
                lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            except (OSError, StopIteration):
                pass
        return total


median = statistics.median
