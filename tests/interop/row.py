"""What a judge in Python says: one line for each subject, and its exit code when all are judged."""

import sys

failed = False


def tampered(data, positions=None):
    """Copies of bytes, each with one bit of one byte turned over."""
    for at in range(len(data)) if positions is None else positions:
        yield data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def row(judge, subject, genuine, right, copies, taken):
    """Says what `judge` made of a subject, `right` if as it should, and how many tampered copies it took."""
    global failed
    failed |= not right or taken > 0
    refused = f"refused {copies - taken} of {copies}" if copies else "none made"
    print(judge, subject, genuine if right else f"WRONG: {genuine}", refused, sep="\t")


def end():
    sys.exit(int(failed))
