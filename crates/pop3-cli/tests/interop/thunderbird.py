"""Lets a real Thunderbird set an account up for an address, from what its domain publishes, and fetch the mail.

    thunderbird.py ADDRESS PASSWORD CA.PEM PROFILE

Runs Thunderbird on the display that DISPLAY names, and prints the settings that it has found and the subject of each message that it has fetched.
Thunderbird looks for the settings and makes the account by its own code, which the dialog of a new account calls, too.
"""
import json
import pathlib
import re
import socket
import subprocess
import sys
import time

PORT = 2828
# A first start without questions, and without a word to any server but that of the address.
PREFERENCES = {
    "app.update.enabled": False,
    "browser.safebrowsing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "marionette.port": PORT,
    "network.dns.disableIPv6": True,
    "toolkit.telemetry.enabled": False,
}
FIND = """
    const [address, password, certificate, done] = arguments;
    (async () => {
        const certificates = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
        certificates.addCertFromBase64(certificate, "CTu,CTu,CTu");
        const load = name => ChromeUtils.importESModule(`resource:///modules/accountcreation/${name}.sys.mjs`);
        const { AccountConfig } = load("AccountConfig");
        const search = load("FindConfig").FindConfig.parallelAutoDiscovery(
            address.split("@")[1], address, new AbortController().signal);
        const config = (await search.next()).value;
        AccountConfig.replaceVariables(config, "Somebody", address, password);
        config.rememberPassword = true;
        const account = await load("CreateInBackend").CreateInBackend.createAccountInBackend(config);
        const server = account.incomingServer;
        const told = `${server.type} ${server.hostname} ${server.port} ${server.socketType} ${server.username} ${config.source}`;
        await new Promise((resolve, reject) => {
            const inbox = server.rootFolder.getChildNamed("Inbox");
            const listener = { OnStartRunningUrl() {}, OnStopRunningUrl(url, code) { code ? reject(code) : resolve(); } };
            MailServices.pop3.GetNewMail(null, listener, inbox, server);
        });
        const messages = [...server.rootFolder.getChildNamed("Inbox").messages].map(message => message.mime2DecodedSubject);
        return { told, messages };
    })().then(done, error => done({ error: `${error} ${error?.stack}` }));
"""


class Marionette:
    """The protocol by which Thunderbird is driven: JSON with a length before it."""

    def __init__(self, port):
        deadline = time.monotonic() + 60
        while True:
            try:
                self.stream = socket.create_connection(("127.0.0.1", port), timeout=90)
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.receive()
        self.call("WebDriver:NewSession", {})

    def receive(self):
        length = b""
        while not length.endswith(b":"):
            length += self.stream.recv(1) or sys.exit("Thunderbird has closed the connection")
        text = b""
        while len(text) < int(length[:-1]):
            text += self.stream.recv(65536)
        return json.loads(text)

    def call(self, command, parameters):
        text = json.dumps([0, 1, command, parameters]).encode()
        self.stream.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.receive()
        if error:
            sys.exit(f"{command}: {error}")
        return result


def main():
    address, password, certificate, profile = sys.argv[1:]
    profile = pathlib.Path(profile)
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    pem = pathlib.Path(certificate).read_text()
    base64 = "".join(re.search("-----BEGIN CERTIFICATE-----(.+?)-----END", pem, re.S)[1].split())
    thunderbird = subprocess.Popen(["thunderbird", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile], stderr=subprocess.DEVNULL)
    try:
        marionette = Marionette(PORT)
        marionette.call("Marionette:SetContext", {"value": "chrome"})
        marionette.call("WebDriver:SetTimeouts", {"script": 60000})
        arguments = {"script": FIND, "args": [address, password, base64]}
        result = marionette.call("WebDriver:ExecuteAsyncScript", arguments)["value"]
        if "error" in result:
            sys.exit(result["error"])
        print("found:", result["told"])
        for subject in result["messages"]:
            print("fetched:", subject)
    finally:
        thunderbird.kill()
        thunderbird.wait()


main()
