#!/usr/bin/env python3
"""Checks what imports what inside each crate: no circle of files, and in pop3-proto no import from a lower module to a higher one.

    crates/arrows.py [--print CRATE]

Reads `use` declarations. An import of a name that a module re-exports counts as an import of the file that defines it; unit tests, and what
only documentation uses, do not count.
"""
import pathlib, re, sys

root = pathlib.Path(__file__).resolve().parent
# In pop3-proto from bottom to top; a module may import those before it.
ORDER = [["swar", "codec", "secret", "cleartext_login", "read_buffer", "transport", "state"], ["sasl"], ["client"], ["server"], ["transcript"]]
# Modules that know nothing of each other.
APART = {("client", "server"), ("server", "client")}


def declarations(text):
    """The paths of all `use` declarations, braces expanded, with `pub` or not."""
    text = re.split(r"#\[cfg\((?:all\()?test[^\n]*\nmod tests", text)[0]
    text = re.sub(r"#\[cfg\(doc\)\]\s*use [^;]*;", "", text)
    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
    for public, path in re.findall(r"^\s*(pub(?:\([^)]*\))? )?use ([^;]+);", text, re.M):
        for one in expand(re.sub(r"\s+", "", path)):
            yield bool(public), one


def expand(path):
    at = path.find("{")
    if at < 0:
        return [re.sub(r"as\w+$", "", path) if re.search(r"[a-z_]as[A-Z_]", path) else path]
    head, inner, depth, parts, start = path[:at], path[at + 1 : path.rindex("}")], 0, [], 0
    for index, letter in enumerate(inner):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and not depth:
            parts.append(inner[start:index])
            start = index + 1
    parts.append(inner[start:])
    return [whole for part in parts if part for whole in expand(head + part)]


def check(crate):
    source = root / crate / "src"
    files = {}
    for path in sorted(source.rglob("*.rs")):
        parts = path.relative_to(source).with_suffix("").parts
        if parts[-1] in ("mod", "lib", "main"):
            parts = parts[:-1]
        if path.name != "tests.rs" and "fuzzing" not in parts:
            files[parts] = path
    uses = {module: list(declarations(path.read_text())) for module, path in files.items()}

    def absolute(module, path):
        names = path.split("::")
        if names[0] == "crate":
            return names[1:]
        if names[0] in ("self", "super"):
            base = list(module)
            while names and names[0] in ("self", "super"):
                if names.pop(0) == "super":
                    base = base[:-1]
            return base + names
        return None if not module + (names[0],) in files else list(module) + names

    def find(names, seen=()):
        """The file that defines what this path names."""
        length = max(length for length in range(len(names) + 1) if tuple(names[:length]) in files)
        module, rest = tuple(names[:length]), names[length:]
        if rest and rest[0] not in ("*", "self") and (module, rest[0]) not in seen:
            for public, path in uses[module]:
                if public and path.split("::")[-1] == rest[0] and (target := absolute(module, path)):
                    return find(target, (*seen, (module, rest[0])))
        return module

    edges = {module: set() for module in files}
    for module, paths in uses.items():
        for public, path in paths:
            target = absolute(module, path)
            # A module that re-exports what its children define does not use it.
            if target is None or (public and tuple(target[: len(module)]) == module):
                continue
            found = find(target)
            if found != module:
                edges[module].add(found)
    problems = []

    def visit(module, path):
        if module in path:
            problems.append("circle: " + " → ".join("/".join(one) or "lib" for one in (*path[path.index(module) :], module)))
        elif module not in done:
            for target in sorted(edges[module]):
                visit(target, (*path, module))
            done.add(module)

    done = set()
    for module in files:
        visit(module, ())
    if crate == "pop3-proto":
        rank = {name: index for index, names in enumerate(ORDER) for name in names}
        for module, targets in edges.items():
            for target in targets:
                if module and target and (rank[target[0]] > rank[module[0]] or (module[0], target[0]) in APART):
                    problems.append(f"upward: {'/'.join(module)} imports {'/'.join(target)}")
    if "--print" in sys.argv and crate in sys.argv:
        for module, targets in sorted(edges.items()):
            print("/".join(module) or "lib", "→", ", ".join(sorted("/".join(one) or "lib" for one in targets)))
    return [f"{crate}: {problem}" for problem in problems]


crates = sorted(path.parent.parent.name for path in root.glob("*/src/lib.rs"))
problems = [problem for crate in crates for problem in check(crate)]
print("\n".join(problems) or f"no circle in {len(crates)} crates")
sys.exit(bool(problems))
