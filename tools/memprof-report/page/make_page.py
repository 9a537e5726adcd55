# SPDX-License-Identifier: MIT
"""Puts the parts of the page together, and into a C file: all that comes before the data, and all after.

Only the scripts and the style that are in the page now may run in it: the policy names their hashes.

Usage: make_page.py PAGE_HTML PAGE_CSS PAGE_JS CHART_JS OUTPUT_C
"""

import base64
import hashlib
import sys


def source_of(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "'sha256-%s'" % base64.b64encode(digest).decode()


def policy(style, *scripts):
    return ("default-src 'none'; base-uri 'none'; form-action 'none'; style-src %s; script-src %s"
            % (source_of(style), " ".join(map(source_of, scripts))))


def array(name, text):
    numbers = ["%d" % byte for byte in text.encode()]
    lines = [",".join(numbers[i:i + 40]) for i in range(0, len(numbers), 40)]
    return "const unsigned char %s[] = {\n%s};\nconst size_t %s_size = sizeof(%s);\n" % (
        name, ",\n".join(lines), name, name)


def main(html, css, js, chart, output):
    page, style, script, chart = (open(path, encoding="utf-8").read() for path in (html, css, js, chart))
    for part in (script, chart):
        if "</script" in part.lower():
            sys.exit("make_page.py: a script holds </script, which would end it in the page")
    parts = {"@POLICY@": policy(style, chart, script), "@STYLE@": style, "@CHART@": chart,
             "@SCRIPT@": script}
    halves = page.split("@DATA@")
    for name, part in parts.items():
        halves = [half.replace(name, part, 1) for half in halves]
    with open(output, "w") as file:
        file.write('#include "page.h"\n\n%s\n%s' % (array("page_before", halves[0]),
                                                  array("page_after", halves[1])))


if __name__ == "__main__":
    main(*sys.argv[1:])
