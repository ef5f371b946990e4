#!/usr/bin/env python3
"""Checks the rules that a compiler does not know: layers, and what may appear where.

    check_layers.py [ROOT]

Reads src/LAYERS and every source file, and prints one line `file:line: rule` for each breach.
Exit status: 0 clean, 1 breaches found, 2 cannot check.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 400
CODE = {".h", ".cc"}
SCRIPTS = {".py", ".js", ".mjs", ".cjs", ".css", ".html", ".sh", ".bash"}
TEXTS = CODE | SCRIPTS | {".md", ".toml", ".yaml", ".yml", ".json", ".cmake", ".txt", ".proto", ""}
OURS = ("src", "sim", "bench", "tests", "tools", "web")
SKIPPED_AT_ROOT = {"build", "data"}
SKIPPED = {".git", "node_modules", "__pycache__"}

# The programs beside src/ that stand on its lower modules. Their tests may look at any.
PROGRAMS = {"sim": {"base", "net"}, "bench": {"base"}}


@dataclass(frozen=True)
class TextRule:
    """A pattern that must not appear; `where` and `unless` are matched against the path."""

    pattern: re.Pattern
    where: re.Pattern
    unless: re.Pattern
    message: str


def rule(pattern, message, where=r"^(src|sim|bench|tests)/", unless=r"(?!)"):
    return TextRule(re.compile(pattern), re.compile(where), re.compile(unless), message)


TEST = r"_test\.cc$|^tests/"
CODE_RULES = [
    rule(r"\bsystem_clock\s*::\s*now\b|\bgettimeofday\s*\(|\bCLOCK_REALTIME\b"
         r"|(?<![.>])\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
         "the system clock is read in src/base/clock.cc only; take a Clock",
         unless=r"^src/base/clock\.cc$"),
    rule(r"sqlite3|curl|boost/beast|std::mutex|libpq|hiredis",
         "the domain and the delivery name no backend and take no lock",
         where=r"^src/(otp|delivery)/", unless=TEST),
    rule(r"\bstd::rand\b|\bs?rand\s*\(|\bmt19937|\brandom_device\b",
         "randomness comes from otpd::Random", where=r"^src/", unless=TEST),
    rule(r"\b(mem|str|strn)cmp\s*\(",
         "bytes are compared with == (public) or crypto::equal_constant_time (secret)",
         where=r"^src/", unless=r"^src/crypto/"),
]
TEXT_RULES = [
    rule(r"(?<![\w.~$}*-])/(home|root|work|Users)/\w", "an absolute path of one machine", where=r""),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
LAYER_LINE = re.compile(r"^([a-z][a-z0-9_]*):((?:\s+[a-z][a-z0-9_]*)*)\s*$")
# A raw string, a string or character literal, or a comment.
LITERAL_OR_COMMENT = re.compile(
    r'R"(?P<mark>[^()\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


class Breaches(list):
    def add(self, path, line, message):
        self.append(f"{path}:{line}: {message}")


def without_comments(text):
    """The text with comments blanked out; line numbers stay."""

    def blank(match):
        token = match.group(0)
        return re.sub(r"[^\n]", " ", token) if token.startswith("/") else token

    return LITERAL_OR_COMMENT.sub(blank, text)


def read_layers(root, breaches):
    """LAYERS as {module: modules it may include}."""
    layers = {}
    path = root / "src" / "LAYERS"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LAYER_LINE.match(line)
        if not match:
            breaches.add("src/LAYERS", number, f"not `module: modules…`: {line!r}")
            continue
        module, may = match.group(1), match.group(2).split()
        if module in layers:
            breaches.add("src/LAYERS", number, f"{module} has a second line")
        for other in may:
            if other == module:
                breaches.add("src/LAYERS", number, f"{module} lists itself")
            elif other not in layers:
                # Every module stands below the line that names it, so a cycle cannot be written.
                breaches.add("src/LAYERS", number,
                             f"{module} may include {other}, which is no module above it: "
                             "unknown, or a cycle")
        layers[module] = set(may)
    return layers


def check_folders(root, layers, breaches):
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    for folder in sorted(folders - layers.keys()):
        breaches.add(f"src/{folder}", 1, "the module is missing from src/LAYERS")
    for module in sorted(layers.keys() - folders):
        breaches.add("src/LAYERS", 1, f"{module} has no folder src/{module}")


def check_includes(root, path, text, layers, breaches):
    parts = Path(path).parts
    if parts[0] == "src" and len(parts) > 2:
        module, may = parts[1], layers.get(parts[1], set()) | {parts[1]}
    elif parts[0] in PROGRAMS:
        module = parts[0]
        may = layers.keys() if path.endswith("_test.cc") else PROGRAMS[module] | {module}
    elif parts[0] == "tests":
        module, may = "tests", layers.keys() | {"tests"}
    else:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        if target.endswith(".pb.h"):
            continue  # generated, found in the build folder
        if parts[0] != "src" and "/" not in target and (root / path).with_name(target).exists():
            continue  # a neighbour, in the same folder
        other = target.split("/")[0]
        if "/" not in target or ".." in target or other not in layers.keys() | PROGRAMS.keys() | {
                "tests"}:
            breaches.add(path, number, f'"{target}" is not of the form "module/file.h"')
        elif other not in may:
            breaches.add(path, number, f"{module} may not include {other} (see src/LAYERS)")


def check_text(path, text, rules, breaches):
    active = [r for r in rules if r.where.search(path) and not r.unless.search(path)]
    if not active:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for one in active:
            if one.pattern.search(line):
                breaches.add(path, number, one.message)


def files_below(folder, root):
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in SKIPPED:
            continue
        if entry.is_dir():
            if folder != root or entry.name not in SKIPPED_AT_ROOT:
                yield from files_below(entry, root)
        elif entry.suffix in TEXTS:
            yield entry


def check_file(root, file, layers, breaches):
    path = file.relative_to(root).as_posix()
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return  # not a text
    if file.suffix in CODE:
        code = without_comments(text)
        check_includes(root, path, code, layers, breaches)
        check_text(path, code, CODE_RULES, breaches)
    check_text(path, text, TEXT_RULES, breaches)
    lines = text.count("\n")
    counted = file.suffix in CODE | SCRIPTS or text.startswith("#!")
    if counted and path.split("/")[0] in OURS and lines > MAX_LINES:
        breaches.add(path, MAX_LINES + 1, f"{lines} lines; a file has at most {MAX_LINES}")


def check(root):
    """Every breach below `root`, as `file:line: rule` lines."""
    breaches = Breaches()
    layers = read_layers(root, breaches)
    check_folders(root, layers, breaches)
    for file in files_below(root, root):
        check_file(root, file, layers, breaches)
    return breaches


def main(argv):
    root = Path(argv[1]) if len(argv) > 1 else Path(__file__).resolve().parent.parent
    if not (root / "src" / "LAYERS").is_file():
        print(f"check_layers: there is no {root}/src/LAYERS", file=sys.stderr)
        return 2
    breaches = check(root)
    for line in breaches:
        print(line)
    print(f"check_layers: {len(breaches)} breaches" if breaches else "check_layers: clean")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
