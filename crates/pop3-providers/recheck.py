#!/usr/bin/env python3
"""Compares the table of providers with Mozilla's autoconfig database, where a copy of it is at hand.

    git clone https://github.com/thunderbird/autoconfig
    crates/pop3-providers/recheck.py autoconfig/ispdb

Prints where host, port or TLS of a provider are not among the POP3 servers that the database has for its domains. Ends with 1 if there
are any: look at both sources, and correct the table or write down in it why it is right.
"""
import pathlib, sys, tomllib, xml.etree.ElementTree as xml

if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
    sys.exit(__doc__)
table = tomllib.loads((pathlib.Path(__file__).parent / "providers.toml").read_text())["provider"]
SECURITY = {"SSL": "implicit", "STARTTLS": "stls"}

servers = {}
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        provider = xml.parse(file).getroot().find("emailProvider")
    except (xml.ParseError, IsADirectoryError):
        continue
    if provider is None:
        continue
    found = {(server.findtext("hostname", "").strip().lower(), int(server.findtext("port", "0")), SECURITY.get(server.findtext("socketType")))
             for server in provider.findall("incomingServer") if server.get("type") == "pop3"}
    for domain in provider.findall("domain"):
        servers[(domain.text or "").strip().lower()] = (file.name, found)

differs, compared = 0, 0
for provider in table:
    known = {servers[domain][0]: servers[domain][1] for domain in provider["domains"] if domain in servers}
    if "host" not in provider or not known:
        continue
    compared += 1
    ours = (provider["host"], provider["port"], provider["tls"])
    for file, theirs in known.items():
        if theirs and ours not in theirs:
            differs += 1
            print(f"{provider['name']}: {ours} here, {sorted(theirs, key=str)} in {file}")
print(f"{compared} of {len(table)} providers were compared; {differs} differ", file=sys.stderr)
sys.exit(1 if differs else 0)
