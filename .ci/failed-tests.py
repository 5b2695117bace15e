"""Prints each failed test of the Maven reports below this folder: name, message and the stack trace's start.

The last words of a failed run: Maven names what failed far above its closing lines.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

TRACE_LINES = 25

root = pathlib.Path(__file__).resolve().parent.parent
for report in sorted(root.glob("*/target/*-reports/TEST-*.xml")):
    try:
        cases = ElementTree.parse(report).getroot().iter("testcase")
    except ElementTree.ParseError as broken:
        # A fork that died left half a report.
        print(f"\n{report.relative_to(root)}: {broken}")
        continue
    for case in cases:
        for outcome in [child for child in case if child.tag in ("failure", "error", "flakyFailure", "flakyError")]:
            print(f"\n{outcome.tag}: {case.get('classname')}.{case.get('name')} ({report.name})")
            lines = (outcome.text or outcome.get("message") or "").strip().splitlines()
            print("\n".join(lines[:TRACE_LINES]))
for dump in sorted(root.glob("*/target/*-reports/*.dump*")):
    print(f"\n{dump.relative_to(root)}:\n{dump.read_text(errors='replace')[:2000]}")
sys.stdout.flush()
