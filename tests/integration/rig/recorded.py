# SPDX-License-Identifier: Apache-2.0
"""Exchanges recorded with real servers (recorded/README.md): played to a gateway, which must ask as was
asked then."""

import json
import xml.etree.ElementTree as ET
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass, field

from .check import assert_failed, assert_problem
from .settings import TOP
from .upstream import Exchange

FOLDER = TOP / "tests/integration/recorded"

#: Lines of a request's head that are the client's own.
_OWN = {"host", "user-agent", "accept", "accept-encoding", "content-length"}


def _plain_type(name: str) -> str:
    return "int" if name == "i4" else name


def _value(value: ET.Element):
    """A value with its type: `["int", "5"]`, `["array", [...]]`, `["struct", {name: value}]`."""
    inner = list(value)
    if not inner:
        return ["string", value.text or ""]
    (typed,) = inner
    if typed.tag == "array":
        return ["array", [_value(item) for item in typed.find("data")]]
    if typed.tag == "struct":
        return ["struct", {member.find("name").text: _value(member.find("value"))
                           for member in typed}]
    return [_plain_type(typed.tag), typed.text or ""]


def _call(body: str):
    """Method and typed params of a methodCall."""
    call = ET.fromstring(body)
    params = call.find("params")
    return [call.find("methodName").text,
            [_value(param.find("value")) for param in (() if params is None else params)]]


def _head(headers, without: tuple) -> list:
    """What of a head is about the call. Cookies come in any order."""
    def text(name, value):
        if name == "cookie":
            return "; ".join(sorted(value.split("; ")))
        return value.partition(";")[0] if name == "content-type" else value

    out = _OWN | {name.lower() for name in without}
    return sorted((name.lower(), text(name.lower(), value)) for name, value in headers
                  if name.lower() not in out)


@dataclass(frozen=True)
class Recorded:
    """One exchange. `change`: texts of it that are others with the gateway, and what they are there.
    `without`, `more`: lines of the request's head that the gateway leaves out, or has besides."""

    line: dict
    change: tuple = ()
    without: tuple = ()
    more: tuple = ()

    def changed(self, text: str) -> str:
        for old, new in self.change:
            text = text.replace(old, new)
        return text

    @property
    def request(self) -> list:
        """Path, method, params, head."""
        asked = self.line["request"]
        head = [tuple(self.changed(": ".join(line)).split(": ", 1)) for line in asked["headers"]]
        return [asked["path"], *_call(self.changed(asked["body"])), _head([*head, *self.more], self.without)]

    @property
    def value(self):
        """What the server answered, as Python's client reads it; several params are a list, and a
        fault is raised."""
        params, _ = xmlrpc.client.loads(self.changed(self.line["response"]["body"]))
        return params[0] if len(params) == 1 else params

    @property
    def fault(self) -> xmlrpc.client.Fault:
        try:
            raise AssertionError(f"no fault: {self.value}")
        except xmlrpc.client.Fault as fault:
            return fault

    @property
    def response(self) -> bytes:
        """As it came; what was sent in chunks comes in one."""
        told = self.line["response"]
        body = self.changed(told["body"]).encode()
        head = f"{told['http']} {told['status']} {told['reason']}\r\n"
        for name, value in told["headers"]:
            head += f"{name}: {len(body) if name.lower() == 'content-length' else value}\r\n"
            if name.lower() == "transfer-encoding":
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return head.encode("latin-1") + b"\r\n" + body

    @property
    def closes(self) -> bool:
        return self.line["response"].get("closed", False)


class Recording:
    """The exchanges of one server, by their steps."""

    def __init__(self, name: str):
        lines = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
        self.steps = {line["step"]: line for line in lines}
        assert len(self.steps) == len(lines), "two steps of one name"

    def step(self, name: str, change: tuple = (), without: tuple = ()) -> Recorded:
        return Recorded(self.steps[name], change, without)


class Player:
    """A behaviour of an upstream: it answers these exchanges in their order, and notes each request
    that is not the recorded one."""

    def __init__(self, exchanges: list[Recorded]):
        self._left = list(exchanges)
        self.wrong: list = []

    async def __call__(self, x: Exchange):
        got = [x.request_line.split(" ")[1], *_call(x.body.decode()), _head(x.headers, ())]
        if not self._left:
            self.wrong.append(("nothing more", got))
            return x.close()
        recorded = self._left.pop(0)
        if got != recorded.request:
            self.wrong.append((recorded.request, got))
        await x.send(recorded.response)
        if recorded.closes:
            x.close()

    def assert_played(self):
        for recorded, got in self.wrong:
            assert got == recorded
        assert not self._left, [recorded.line["step"] for recorded in self._left]


def plain(value):
    """A value of Python's client as the gateway writes it."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "timetuple") or type(value).__name__ == "DateTime":
        text = str(value)
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return value


def at(*path):
    """That element of an element of a value."""
    def read(value):
        for step in path:
            value = value[step]
        return value
    return read


@dataclass(frozen=True)
class Call:
    """What a caller sends, without the credentials, and the step that it is in the recording (with
    those before it, where the gateway asks more than once). It gets the recorded value, or what
    `read` makes of it, or this problem."""

    step: str | tuple
    method: str
    params: tuple = ()
    problem: tuple = ()
    read: Callable | None = None
    change: tuple = ()

    @property
    def steps(self) -> tuple:
        return self.step if isinstance(self.step, tuple) else (self.step,)

    def assert_answer(self, gateway, recorded):
        answer = gateway.call("up", self.method, list(self.params))
        if not self.problem:
            value = recorded.value if self.read is None else self.read(recorded.value)
            assert (answer.status, answer.json.get("result", answer.json)) == (200, plain(value))
            return
        problem = assert_problem(answer, *self.problem)
        if self.problem[0] == "fault" and self.read is None:
            assert problem["fault"]["code"] == recorded.fault.faultCode, problem
            assert problem["fault"]["string"] == recorded.fault.faultString, problem
        elif self.problem[0] == "fault":
            code, text = self.read(recorded.value)
            assert problem["fault"] == {"code": code, "string": text}


@dataclass(frozen=True)
class Batch:
    """Calls that go out as one MultiCall. `results` are those of the recorded items that are
    results, and problems."""

    step: str
    calls: tuple
    results: tuple
    change: tuple = ()

    @property
    def steps(self) -> tuple:
        return (self.step,)

    def assert_answer(self, gateway, recorded):
        results = gateway.batch("up", *self.calls)
        for result, wanted, item in zip(results, self.results, recorded.value, strict=True):
            if not isinstance(wanted, tuple):
                assert result == {"result": plain(wanted(recorded.value))}
                continue
            problem = assert_failed(result, *wanted)
            if wanted[0] == "fault" and isinstance(item, dict):
                assert problem["fault"]["code"] == item["faultCode"], problem


@dataclass(frozen=True)
class Server:
    """How the recording's client reached it. `change`: texts of the recording that are others here,
    and what they are. `without`: headers that the gateway does not send."""

    profile: str
    path: str
    credentials: dict
    recording: str = ""
    login: str = ""
    logout: str = ""
    change: tuple = ()
    without: tuple = ()
    logout_head: tuple = ()  # more than in the recording: cookies that the login has set
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Play:
    """Calls one after the other, with what the gateway asks besides them."""

    server: Server
    name: str
    calls: tuple
    credentials: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    login: bool = True  # one comes first, and a logout last

    @property
    def recording(self) -> str:
        return self.server.recording or self.server.profile

    @property
    def steps(self):
        """Each step with the change that its call makes."""
        server = self.server
        if self.login and server.login:
            yield server.login, ()
        for call in self.calls:
            for step in call.steps:
                yield step, call.change
        if self.login and server.logout:
            yield server.logout, ()
