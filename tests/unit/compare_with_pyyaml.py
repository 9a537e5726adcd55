#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the configuration loader with PyYAML and pyaml-env on generated files.

Usage: compare_with_pyyaml.py PRINT_CONFIG [COUNT [SEED]]

Each file is loaded by PRINT_CONFIG (built from print_config.c) and by PyYAML's SafeLoader with
pyaml-env's constructor; our validation rules, restated below, turn the latter's result into
options. Both must agree on every option, or both must refuse the file.
"""
import os
import random
import re
import signal
import subprocess
import sys
import tempfile

import yaml

TYPES = {
    "enabled": "boolean", "interval_seconds": (10, 31536000), "top_n_classes": (1, 1000000),
    "follow_children": "boolean", "collect": "boolean", "count_untracked": "boolean",
    "snapshot_mode": ("auto", "inline", "fork"), "fork_timeout_seconds": (1, 3600),
    "max_overhead_percent": (1, 100), "snapshot_signal": "signal",
    "snapshot_at_exit": "boolean", "output": ("auto", "logging", "stderr"), "metrics": "boolean",
    "snapshot_file": "path", "snapshot_file_max_mb": (1, 1000000), "leak_detection": "boolean",
    "retention_classes": "names",
}
DEFAULTS = {
    "enabled": False, "interval_seconds": 60, "top_n_classes": 50, "follow_children": False,
    "collect": True, "count_untracked": False, "snapshot_mode": "auto", "fork_timeout_seconds": 60,
    "max_overhead_percent": 5, "snapshot_signal": "none", "snapshot_at_exit": False,
    "output": "auto", "metrics": True, "snapshot_file": "", "snapshot_file_max_mb": 64, "leak_detection": True,
    "retention_classes": [],
}
VARIABLES = {"SIXTY": "60", "YES": "yes", "WORD": "auto", "EMPTY": "", "NESTED": "${SIXTY}"}


class Refused(Exception):
    pass


BROKEN = ("a scalar PyYAML cannot construct",)


class Loader(yaml.SafeLoader):
    """PyYAML refuses a whole file for a bad scalar; we only do so for a value that is used."""

    def construct_object(self, node, deep=False):
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, Refused):
            self.recursive_objects.pop(node, None)
            return BROKEN


def construct_env(loader, node):
    """pyaml_env/parse_config.py 1.2.1, constructor_env_variables, with its default arguments."""
    pattern = re.compile(r".*?\$\{([^}{:]+)(:[^}]+)?\}.*?")
    type_tag_pattern = re.compile(r"(tag:yaml.org,2002:\w+\s)")
    value = loader.construct_scalar(node)
    match = pattern.findall(value)
    dt = "".join(type_tag_pattern.findall(value)) or ""
    value = value.replace(dt, "")
    if match:
        full_value = value
        for g in match:
            default = g[1].split(":", 1)[1] if ":" in g[1] else "N/A"
            full_value = full_value.replace("${" + "".join(g) + "}", VARIABLES.get(g[0], default))
            if dt:
                node.value = full_value
                node.tag = dt.strip()
                return check_tagged(loader, node)
        return full_value
    return value


def check_tagged(loader, node):
    """We hold a tagged number to the grammar of a plain one; PyYAML's int() forgives more."""
    if node.tag == "tag:yaml.org,2002:int" and not isinstance(reread(node.value), int):
        raise Refused("not an integer")
    return loader.yaml_constructors[node.tag](loader, node)


Loader.add_constructor("!ENV", construct_env)
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: tagged_int(loader, node))


def tagged_int(loader, node):
    if reread_tag(node.value) != "tag:yaml.org,2002:int":
        raise Refused("not an integer")
    return loader.construct_yaml_int(node)


def reread_tag(text):
    if text.endswith("\n"):  # where PyYAML's $ would match too early
        return "tag:yaml.org,2002:str"
    return Loader("").resolve(yaml.ScalarNode, text, (True, False))


def reread(text):
    """A quoted scalar is read as a plain one would be."""
    tag = reread_tag(text)
    if tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:bool"):
        return text
    return Loader("").construct_object(yaml.ScalarNode(tag, text))


def names_of(name, value):
    names = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            raise Refused(f"{name}: {value!r}")
        for part in item.split(","):
            part = part.strip(" \t")
            if not re.fullmatch(r"<?[A-Za-z_][!-~]*", part):
                raise Refused(f"{name}: {value!r}")
            if part not in names:
                names.append(part)
    return names


def validate(name, value):
    kind = TYPES[name]
    if kind == "names":
        return names_of(name, value)
    if kind == "path":
        if not isinstance(value, str) or not re.fullmatch(r"[ -~]*", value):
            raise Refused(f"{name}: {value!r}")
        return value
    if kind == "boolean" or isinstance(kind[0], int):
        if isinstance(value, str):
            value = reread(value)
    if kind == "boolean":
        good = isinstance(value, bool)
    elif isinstance(kind[0], int):
        good = type(value) is int and kind[0] <= value <= kind[1]
    elif kind == "signal":
        good = isinstance(value, str) and (
            value in ("none", "SIGUSR1", "SIGUSR2", "SIGRTMIN")
            or bool(re.fullmatch(r"SIGRTMIN\+[0-9]{1,2}", value))
            and int(value[9:]) <= signal.SIGRTMAX - signal.SIGRTMIN)
    else:
        good = isinstance(value, str) and value in kind
    if not good:
        raise Refused(f"{name}: {value!r}")
    return value


def expected(text):
    try:
        document = Loader(text).get_data()
    except yaml.YAMLError as error:
        return "error", repr(error)
    options = dict(DEFAULTS)
    try:
        for name in ("general", "monitoring", "memory_profiling"):
            if document is None:
                break
            if not isinstance(document, dict):
                raise Refused("not a mapping")
            document = document.get(name)
        if document is not None and not isinstance(document, dict):
            raise Refused("not a mapping")
        for name in TYPES:
            if document and name in document:
                options[name] = validate(name, document[name])
    except Refused as error:
        return "error", repr(error)
    return "loaded", {name: spell(name, value) for name, value in options.items()}


def spell(name, value):
    if TYPES[name] == "path":
        return value or "''"
    if value == "SIGRTMIN":
        return "SIGRTMIN+0"
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    if isinstance(value, str) and value.startswith("SIGRTMIN+"):
        return f"SIGRTMIN+{int(value[9:])}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def actual(lines):
    if any(line.startswith("error: ") for line in lines):
        return "error", [line for line in lines if line.startswith("error: ")]
    return "loaded", dict(line.split("=", 1) for line in lines if not line.startswith("warning: "))


WORDS = """yes no on off true false Yes NO On OFF True FALSE tRUE y n ~ null Null nULL 0 1 -1 5 9 10 11
60 +60 1_000 1_ 0b1010 0b1_1_1_1 0b2 0b_ 0x3C 0x3c 0X3C 0x_a 0x 074 0_7_4 08 010 1:30 -1:30 +1:30 1:60
0:30 1:5:9 190:20:30 1_0:30 1:30.5 1.5 1. .5 -.5 1e3 1.5e3 1.5e+3 .inf -.INF .nan 2020-01-01
2020-1-1 31536000 31536001 1000000 1000001 9223372036854775807 9223372036854775808
-9223372036854775809 18446744073709551676 99999999999999999999999 abc 60s auto logging stderr Auto none
SIGUSR1 SIGUSR2 SIGTERM SIGRTMIN SIGRTMIN+0 SIGRTMIN+3 SIGRTMIN+03 SIGRTMIN+30 SIGRTMIN+31 SIGRTMIN-1
= << 6_0 60_ 0_60 00 -0 0b0 1__0 _60 0o74 1,000 2020-01-01T10:00:00Z""".split()
# PyYAML constructs nothing of these; to us they are text.
UNCONSTRUCTED = ("0b_", "=", "<<")
ALPHABET = "0123456789_:.+-xbeEoOnNfFtTrRuUaAyY"
TEMPLATES = ["${SIXTY}", "${UNSET}", "${UNSET:60}", "${YES}", "${YES:x}", "${UNSET:}", "6${UNSET:0}",
             "${EMPTY}60", "${NESTED}", "${NESTED}${SIXTY}", "${WORD}", "tag:yaml.org,2002:int ${SIXTY}",
             "tag:yaml.org,2002:bool ${UNSET:oN}", "tag:yaml.org,2002:str ${SIXTY}",
             "tag:yaml.org,2002:float ${SIXTY}", "tag:yaml.org,2002:int 60", "${A B:60}", "$SIXTY", "60"]


def random_text(choose):
    if choose.random() < 0.75:
        return choose.choice(WORDS)
    return "".join(choose.choice(ALPHABET) for _ in range(choose.randint(1, 6)))


def random_scalar(choose):
    text = random_text(choose)
    style = choose.random()
    if style < 0.12:
        return "!ENV " + choose.choice(("'%s'", '"%s"')) % choose.choice(TEMPLATES)
    if style < 0.4:
        text = choose.choice(("'%s'", '"%s"')) % text
    elif text[0] in "-=<~" and style < 0.5:
        text = "'%s'" % text
    tag = choose.random()
    if tag < 0.12:
        text = choose.choice(("!!int", "!!str", "!!bool", "!!float", "!!null", "!")) + " " + text
    elif tag < 0.14:
        text = choose.choice(("!foo", "!!python/none", "!!timestamp")) + " " + text
    return choose.choice(("[%s]", "{a: %s}")) % text if choose.random() < 0.03 else text


def likely_scalar(choose, name):
    kind = TYPES[name]
    if kind == "path":
        return choose.choice(("a/b", "'/tmp/%p'", "''", "!!str 5", "5", '"a\\n"', "[a]"))
    if choose.random() < 0.35:
        return random_scalar(choose)
    if kind == "boolean":
        return choose.choice(("yes", "no", "On", "'off'", "!!bool TRUE", '"false"'))
    if kind == "signal":
        return choose.choice(("none", "SIGUSR1", "'SIGRTMIN+5'", "SIGRTMIN"))
    if kind == "names":
        items = [choose.choice(("a.B", "'c.D'", "e.f.<locals>.G", "!!str 5", "'a.B, h'", "5", "[a]"))
                 for _ in range(choose.randint(1, 3))]
        return choose.choice((items[0], "[%s]" % ", ".join(items)))
    if isinstance(kind[0], str):
        return choose.choice(kind)
    return choose.choice(("60", "1:30", "'1_0'", "0x3C", "!!int 077", "100", "!!str 20"))


def random_mapping(choose, anchors, size=None):
    pairs = []
    for _ in range(choose.randint(0, 4) if size is None else size):
        name = choose.choice(list(TYPES)) if choose.random() < 0.95 else choose.choice(WORDS[:12])
        if anchors["scalars"] and choose.random() < 0.1:
            value = "*" + choose.choice(anchors["scalars"])
        else:
            value = likely_scalar(choose, name if name in TYPES else "enabled")
        pairs.append(f"{name} : {value}")
    if anchors["mappings"] and choose.random() < 0.5:
        some = choose.choices(anchors["mappings"], k=choose.randint(1, 3))
        merged = "*" + some[0] if choose.random() < 0.5 else "[" + ", ".join("*" + s for s in some) + "]"
        pairs.insert(choose.randint(0, len(pairs)), f"<< : {merged}")
        if choose.random() < 0.1:
            pairs.append("<< : *" + choose.choice(anchors["mappings"]))
    return "{" + ", ".join(pairs) + "}"


def random_document(choose):
    anchors = {"scalars": [], "mappings": []}
    lines = []
    for index in range(choose.choice((0, 0, 1, 2, 3))):
        if choose.random() < 0.4:
            lines.append(f"s{index}: &s{index} {choose.choice(('60', 'yes', 'auto', '1:30', 'none'))}")
            anchors["scalars"].append(f"s{index}")
        else:
            # What is merged must load on its own: PyYAML constructs it where it stands, too.
            pairs = {"interval_seconds": "70", "collect": "no", "output": "stderr", "enabled": "'on'",
                     "top_n_classes": "0x10", "snapshot_signal": "SIGUSR2"}
            names = choose.sample(list(pairs), choose.randint(0, 4))
            text = ", ".join(f"{name}: {pairs[name]}" for name in names)
            if anchors["mappings"] and choose.random() < 0.5:
                text += (", " if text else "") + "<<: *" + choose.choice(anchors["mappings"])
            lines.append(f"m{index}: &m{index} {{{text}}}")
            anchors["mappings"].append(f"m{index}")
    section = random_mapping(choose, anchors)
    shape = choose.random()
    if shape < 0.5:
        lines.append("general:\n  monitoring:\n    memory_profiling: " + section)
    elif shape < 0.7:
        lines.append(f"general: {{other: 1, monitoring: {{memory_profiling: {section}, x: [y]}}}}")
    elif shape < 0.8:
        lines.append(f"p: &p {{memory_profiling: {section}}}\ngeneral: {{monitoring: *p}}")
    elif shape < 0.9:
        lines.append(f"p: &p {{monitoring: {{memory_profiling: {section}}}}}\ngeneral: {{<<: *p, a: b}}")
    elif shape < 0.95:
        lines.append(f"p: &p {section}\ngeneral: {{monitoring: {{memory_profiling: *p}}}}")
    else:
        lines.append("general: " + choose.choice(("", "~", "5", "[]", "{}", "{monitoring: }",
                                                  "{monitoring: {memory_profiling: }}", "abc")))
    return "\n".join(lines) + "\n"


def single_scalar_documents(choose):
    for name in ("interval_seconds", "enabled", "output", "snapshot_signal", "snapshot_file", "retention_classes"):
        for word in WORDS:
            if name == "snapshot_file" and word in UNCONSTRUCTED:
                continue
            for shown in (word, f"'{word}'", f"!!str {word}", f"!!int {word}", f"!!bool '{word}'"):
                yield "general: {monitoring: {memory_profiling: {%s: %s}}}\n" % (name, shown)
        for template in TEMPLATES:
            yield "general: {monitoring: {memory_profiling: {%s: !ENV '%s'}}}\n" % (name, template)
    for _ in range(2000):
        yield "general: {monitoring: {memory_profiling: {top_n_classes: %s}}}\n" % random_scalar(choose)


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    choose = random.Random(seed)
    documents = list(single_scalar_documents(choose))
    documents += [random_document(choose) for _ in range(count)]
    variables = "".join(f"\t{name}={value}" for name, value in VARIABLES.items())
    tally = {"error": 0, "loaded": 0}
    different = 0
    with tempfile.TemporaryDirectory() as directory:
        lines = []
        for index, document in enumerate(documents):
            path = os.path.join(directory, f"{index}.yml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(document)
            lines.append(f"MEMPROF_CONFIG={path}{variables}\n")
        output = subprocess.run([program, "-"], input="".join(lines), text=True, check=True,
                                stdout=subprocess.PIPE).stdout
    blocks = output.split("\n.\n")[:-1] if not output.startswith(".\n") else []
    assert len(blocks) == len(documents), (len(blocks), len(documents))
    for document, block in zip(documents, blocks):
        wanted, got = expected(document), actual(block.splitlines())
        tally[got[0]] += 1
        if wanted[0] != got[0] or (wanted[0] == "loaded" and wanted[1] != got[1]):
            different += 1
            if different <= 10:
                print(f"{document}PyYAML: {wanted}\nours:   {got}\n")
    print(f"{len(documents)} files, {tally['loaded']} loaded, {tally['error']} refused, "
          f"{different} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
