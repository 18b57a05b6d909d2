#!/usr/bin/env python3
"""Draws what `pop3 demo` prints as docs/demo.svg, the picture in the README.

    cargo run --release -- demo --once | python3 docs/demo.py
"""
import pathlib, sys, unicodedata
from xml.sax.saxutils import escape

COLORS = {"C": "#79c0ff", "S": "#a5d6a7", "─": "#ffd580"}
CHARACTER, LINE, MARGIN = 8.4, 19, 16


def columns(line):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def color(line):
    return COLORS.get(line.lstrip()[:1], "#e6e6e6")


lines = sys.stdin.read().rstrip().split("\n")
width = max(map(columns, lines)) * CHARACTER + 2 * MARGIN
height = len(lines) * LINE + 2 * MARGIN
text = "\n".join(
    f'<text x="{MARGIN}" y="{MARGIN + LINE * (number + 0.75):.0f}" fill="{color(line)}" xml:space="preserve">{escape(line)}</text>'
    for number, line in enumerate(lines)
    if line
)
picture = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="14">
<title>What pop3 demo prints</title>
<rect width="100%" height="100%" rx="8" fill="#1b1f24"/>
{text}
</svg>
"""
(pathlib.Path(__file__).resolve().parent / "demo.svg").write_text(picture)
