#!/usr/bin/env python3
"""Makes the twins of the driver for tokio: what is not a runtime's own (`src/runtime.rs`, `src/lib.rs`) is written once, there.

`python3 crates/twins.py` writes the files; with --check it fails where one is stale.
"""
import pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent
FILES = ["src/client.rs", "src/connect.rs", "src/proxy_handshake.rs", "src/message.rs", "src/server.rs", "src/serving.rs",
         "src/session.rs",
         "tests/cancel.rs", "tests/contract.rs", "tests/server.rs", "tests/session.rs", "tests/tls.rs"]


def without_async(text):
    """The same without a runtime: nothing is awaited."""
    text = text.replace("async move {", "move || {")
    text = re.sub(r"\basync (fn|\|)", r"\1", text)
    text = re.sub(r"(\n\s*)?\.await\b", "", text)
    return text.replace("#[tokio::test]", "#[test]").replace("(dyn Fn() -> Option<Box<dyn Observer>> + Sync)", "dyn Fn() -> Option<Box<dyn Observer>>")


def for_std(text):
    return without_async(text).replace("pop3_tokio", "pop3_blocking").replace("use tokio::net::", "use std::net::")


def for_async_std(text):
    text = text.replace("#[tokio::test]", "#[async_std::test]").replace("pop3_tokio", "pop3_async_std")
    return text.replace("use tokio::net::", "use async_std::net::")


stale = []
for crate, translate in {"pop3-blocking": for_std, "pop3-async-std": for_async_std}.items():
    if not (root / crate).exists():
        continue
    for name in FILES:
        source, twin = root / "pop3-tokio" / name, root / crate / name
        if crate == "pop3-blocking" and name == "tests/cancel.rs":
            continue  # Nothing can be cancelled there.
        text = f"// Made from pop3-tokio/{name} by crates/twins.py: change it there.\n\n" + translate(source.read_text())
        text = subprocess.run(["rustfmt", "--edition", "2024", "--config-path", str(root.parent)], input=text, capture_output=True,
                              text=True, check=True).stdout
        if not twin.exists() or twin.read_text() != text:
            stale.append(str(twin.relative_to(root)))
            if "--check" not in sys.argv:
                twin.write_text(text)
if stale and "--check" in sys.argv:
    sys.exit(f"run python3 crates/twins.py: {', '.join(stale)}")
print(f"{len(stale)} files written" if stale else "the twins are the same")
