"""Answers the questions of the program at a terminal. POP3 names the program."""
import json, os, pty, select, subprocess, sys, tempfile, time

PROGRAM = os.environ["POP3"]
folder = tempfile.mkdtemp()
message = os.path.join(folder, "message.eml")
with open(message, "w") as file:
    file.write("Subject: x\n\ny\n")


def run(arguments, answers, home):
    """Returns the exit code and the end of what is printed."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(HOME=home, LC_ALL="C")
        os.environ.pop("POP3_PASSWORD", None)
        os.environ.pop("XDG_CONFIG_HOME", None)
        os.execv(PROGRAM, [PROGRAM, *arguments])
    printed = b""
    for question, answer in answers:
        end = time.monotonic() + 60
        while question not in printed:
            assert time.monotonic() < end, printed
            if select.select([terminal], [], [], 1)[0]:
                printed += os.read(terminal, 4096)
        os.write(terminal, answer)
    try:
        while True:
            printed += os.read(terminal, 4096)
    except OSError:
        pass
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), printed.decode()


mock = subprocess.Popen([PROGRAM, "mock", "--until-eof", message], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
server = json.loads(mock.stdout.readline())
certificate = os.path.join(folder, "ca.pem")
with open(certificate, "w") as file:
    file.write(server["certificate"])
options = ["--user", "joe", "--port", str(server["tls_port"]), "--ca-file", certificate]

# A password is stored if its owner agrees, for them alone. The end of input (Ctrl-D) is no agreement.
for answer, is_stored in [(b"\n", True), (b"y\n", True), (b"n\n", False), (b"\x04", False)]:
    home = tempfile.mkdtemp()
    arguments = ["accounts", "add", "localhost", os.path.join(home, "mail"), "--name", "a", *options]
    code, printed = run(arguments, [(b"Password", b"secret\n"), (b"[Y/n]", answer)], home)
    stored = os.path.join(home, ".config/pop3/a.password")
    assert code == 0 and os.path.exists(stored) == is_stored, (answer, printed)
    assert not is_stored or os.stat(stored).st_mode & 0o777 == 0o600
    assert "secret" not in printed, printed

# A message is deleted after a yes, and after nothing else.
for answer, is_deleted in [(b"\n", False), (b"\x04", False), (b"n\n", False), (b"y\n", True)]:
    code, printed = run(["read", "localhost", *options, "--delete", "1"], [(b"Password", b"secret\n"), (b"[y/N]", answer)], tempfile.mkdtemp())
    assert code == 0 and ("1 message is deleted" in printed) == is_deleted, (answer, printed)
    assert ("Nothing is deleted" in printed) != is_deleted, (answer, printed)
mock.stdin.close()
mock.wait()
