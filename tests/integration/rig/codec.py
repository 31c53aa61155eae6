# SPDX-License-Identifier: Apache-2.0
"""The tool's encode and decode, and JSON in which numbers keep their text and objects their order."""

import json
import os
import shlex
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from .settings import DEADLINE, TOP

RPCGATE = Path(os.environ.get("RPCGATE", TOP / "build" / "rpcgate")).resolve()

#: sysexits.h
OK, USAGE, DATA_ERROR, NO_INPUT = 0, 64, 65, 66


@dataclass(frozen=True)
class Number:
    """A number of a JSON text, digit by digit: equal to no text and no other digits."""

    text: str

    def __repr__(self):
        return self.text


class Members(list):
    """The members of a JSON object, as pairs in their order. A name twice is an error."""

    def __init__(self, pairs=()):
        super().__init__(pairs)
        names = [name for name, _ in self]
        assert len(names) == len(set(names)), f"a name twice: {names}"

    def __eq__(self, other):
        return isinstance(other, Members) and list.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None

    def __repr__(self):
        return "{" + ", ".join(f"{name!r}: {value!r}" for name, value in self) + "}"

    def get(self, name, default=None):
        return next((value for key, value in self if key == name), default)


def _refuse_constant(word):
    raise ValueError(f"{word} is no JSON")


def parse_json(text: str):
    """JSON as Number, Members, list, str, bool and None."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant,
                      object_pairs_hook=Members)


def write_json(value) -> str:
    """The opposite of parse_json(); takes dict and int, too."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, (Members, dict)):
        pairs = value.items() if isinstance(value, dict) else value
        inner = (f"{json.dumps(name, ensure_ascii=False)}:{write_json(v)}" for name, v in pairs)
        return "{" + ",".join(inner) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(write_json, value)) + "]"
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"no JSON form here: {value!r}")


def base64_line(document: bytes) -> str:
    """A line for `decode --lines` that carries any bytes."""
    return '{"base64":"' + b64encode(document).decode() + '"}'


@dataclass
class Run:
    """How a run of the tool ended."""

    status: int
    out: bytes
    err: str


def run(command: str, options: str = "", data: bytes = b"", file: str | None = None,
        timeout: float = DEADLINE) -> Run:
    """One run of `rpcgate encode` or `rpcgate decode`."""
    words = [str(RPCGATE), command, *shlex.split(options), *([file] if file else [])]
    done = subprocess.run(words, input=data, capture_output=True, timeout=timeout, check=False)
    return Run(done.returncode, done.stdout, done.stderr.decode("utf-8"))


def run_lines(command: str, lines: list[str | bytes], options: str = "",
              timeout: float = 3 * DEADLINE) -> list[Members]:
    """The answers to many lines, in one run. Nothing may stand on stderr."""
    data = b"\n".join(x.encode("utf-8") if isinstance(x, str) else x for x in lines) + b"\n"
    done = run(command, f"--lines {options}", data, timeout=timeout)
    assert done.err == "", done.err
    answers = [parse_json(line) for line in done.out.decode("utf-8").split("\n")[:-1]]
    assert len(answers) == len(lines), f"{len(answers)} answers to {len(lines)} lines"
    failed = any(answer.get("error") is not None for answer in answers)
    assert done.status == (DATA_ERROR if failed else OK)
    return answers
