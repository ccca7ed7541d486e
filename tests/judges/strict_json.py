"""Strict JSON for Python: the parser of its standard library, held to the rules through its hooks."""

import base64
import json
import sys

DEPTH_MAX = 32
INTEGER_MAX = 2**53 - 1


class Members(list):
    """The members of an object, in order."""


def members(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return Members(pairs)


def integer(text):
    if text == "-0" or len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        raise ValueError("not a plain integer")
    return int(text)


def refuse(text):
    raise ValueError(text)


def spell(value, depth=0):
    """What was read, spelt so that two readers can be compared byte for byte."""
    if value is None or value is True or value is False:
        return {None: "n", True: "t", False: "f"}[value]
    if isinstance(value, str):
        return "s" + value.encode("utf-8").hex() + ";"
    if isinstance(value, int):
        return f"i{value};"
    if depth >= DEPTH_MAX:
        raise ValueError("nested too deep")
    if isinstance(value, Members):
        return "{" + "".join(spell(key) + spell(item, depth + 1) for key, item in value) + "}"
    return "[" + "".join(spell(item, depth + 1) for item in value) + "]"


def read(data):
    try:
        text = data.decode("utf-8")
        hooks = {"object_pairs_hook": members, "parse_int": integer, "parse_float": refuse, "parse_constant": refuse}
        return spell(json.loads(text, **hooks))
    except (ValueError, RecursionError):
        return "-"


for line in sys.stdin:
    print(read(base64.b64decode(line)))
