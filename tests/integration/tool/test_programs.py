# SPDX-License-Identifier: Apache-2.0
"""Calls to servers that nobody here wrote."""

import base64
import json
import re
from urllib.parse import quote

import pytest

from rig.check import assert_problem
from rig.programs import Aria2, PythonServer, Supervisord


# supervisord, over TCP with Basic and over its unix socket.

@pytest.fixture(scope="module")
def supervisord(folder):
    server = Supervisord(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def supervised(start_shared, supervisord, folder):
    password = folder / "supervisor.pw"
    password.write_text(supervisord.PASSWORD + "\n")
    tcp = f"http://127.0.0.1:{supervisord.port}"
    in_url = tcp.replace("//", f"//{supervisord.USER}:{quote(supervisord.PASSWORD)}@")
    socket = f"http+unix://{quote(supervisord.socket, safe='')}/RPC2"
    basic = {"scheme": "basic", "username": supervisord.USER}
    right = {**basic, "password": f"${{file:{password}}}"}
    return start_shared.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "tcp": {"url": tcp, "auth": right},
        "in_url": {"url": in_url},
        "socket": {"url": socket, "auth": right},
        "wrong": {"url": tcp, "auth": {**basic, "password": "wrong"}},
    }})


def each_way(function):
    return pytest.mark.parametrize("way", ["tcp", "in_url", "socket"])(function)


@each_way
def test_supervisor_state(supervised, way):
    assert supervised.call(way, "supervisor.getState").result == {
        "statename": "RUNNING", "statecode": 1}
    assert supervised.call(way, "supervisor.getAPIVersion", []).result == "3.0"
    assert "supervisor.getState" in supervised.call(way, "system.listMethods").result


@each_way
def test_supervisor_starts_and_stops_a_process(supervised, way):
    info = supervised.call(way, "supervisor.getAllProcessInfo").result
    assert [process["name"] for process in info] == ["cat"]
    assert info[0]["pid"] == 0 and isinstance(info[0]["now"], int)
    assert supervised.call(way, "supervisor.startProcess", ["cat", True]).result is True
    assert supervised.call(way, "supervisor.getProcessInfo", "cat").result["pid"] > 0
    assert_problem(supervised.call(way, "supervisor.startProcess", ["cat"]), "fault", 500, "yes",
                   fault={"code": 60, "string": "ALREADY_STARTED: cat"})
    assert supervised.call(way, "supervisor.stopProcess", ["cat"]).result is True
    assert supervised.call(way, "supervisor.getProcessInfo", "cat").result["statename"] == "STOPPED"


@each_way
def test_supervisor_faults(supervised, way):
    assert_problem(supervised.call(way, "supervisor.getProcessInfo", ["none"]), "fault", 500, "yes",
                   fault={"code": 10, "string": "BAD_NAME: none"}, upstream=way)
    answer = supervised.call(way, "supervisor.noSuchMethod")
    assert_problem(answer, "fault", 500, fault={"code": 1, "string": "UNKNOWN_METHOD"})


def test_supervisor_wrong_password(supervised):
    document = assert_problem(supervised.call("wrong", "supervisor.getState"), "protocol-error",
                              502, "no")
    assert document["protocol"]["status"] == 401
    assert "wrong" not in document["protocol"]["url"]
    assert "Basic" in document["protocol"]["headers"]["WWW-Authenticate"]


# aria2c.

@pytest.fixture(scope="module")
def aria2(folder):
    server = Aria2(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def downloads(start_shared, aria2):
    return start_shared.gateway({"anonymous": {"allow": ["aria2/*"]},
                                 "upstreams": {"aria2": {"url": aria2.url}}})


def test_aria2(downloads, aria2):
    token = f"token:{aria2.SECRET}"
    version = downloads.call("aria2", "aria2.getVersion", [token]).result
    assert re.match(r"1\.\d+", version["version"]) and "BitTorrent" in version["enabledFeatures"]
    gid = downloads.call("aria2", "aria2.addUri", [
        token, ["http://127.0.0.1:9/file"], {"pause": "true", "out": "f"}]).result
    assert re.fullmatch(r"[0-9a-f]{16}", gid)
    status = downloads.call("aria2", "aria2.tellStatus", [token, gid, ["gid", "status"]]).result
    assert status == {"gid": gid, "status": "paused"}
    assert downloads.call("aria2", "aria2.remove", [token, gid]).result == gid


def test_aria2_faults(downloads, aria2):
    token = f"token:{aria2.SECRET}"
    assert_problem(downloads.call("aria2", "aria2.getVersion", ["token:wrong"]), "fault", 500,
                   fault={"code": 1, "string": "Unauthorized"})
    answer = downloads.call("aria2", "aria2.tellStatus", [token, "0123456789abcdef"])
    assert answer.json["fault"]["code"] == 1 and "is not found" in answer.json["fault"]["string"]


# Python's xmlrpc.server, with every type both ways.

@pytest.fixture(scope="module")
def python_server():
    server = PythonServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def python(start_shared, python_server):
    return start_shared.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "py": {"url": python_server.url},
        "all": {"url": python_server.url, "extensions": ["nil", "i8", "biginteger", "bigdecimal",
                                                         "nonfinite"]},
    }})


BYTES = base64.b64encode(bytes(range(256))).decode()

PLAIN = {
    "boolean": True, "int": -7, "double": 20.0, "string": "R&D <größer>\n",
    "datetime": "1998-07-17T14:08:55", "base64": BYTES, "array": [1, [2.5, "x"], {}],
    "struct": {"a": 1, "b": [], "c": {"d": False}}, "nil": None, "empty": "",
}


def test_types_from_python(python):
    answer = python.call("py", "types")
    assert answer.result == PLAIN
    assert '"double":20.0' in answer.body.decode().replace(": ", ":"), "a double stays one"
    tagged = python.call("py", "types", query="types=tagged").result
    assert tagged == PLAIN | {"datetime": {"$dateTime": "19980717T14:08:55"},
                              "base64": {"$base64": BYTES}}


SENT = [
    (True, "True"), (0, "0"), (-2147483648, "-2147483648"), (2147483647, "2147483647"),
    (1.5, "1.5"), (b"1e2", "100.0"), (b"-0.0", "-0.0"), (b"1e300", "1e+300"), (b"5e-324", "5e-324"),
    ("", "''"), ("R&D <ü> ]]> \n\t\"'", repr("R&D <ü> ]]> \n\t\"'")), ("😀", repr("😀")),
    ("  blanks  ", "'  blanks  '"), ([], "[]"), ({}, "{}"), ([[1], [[]]], "[[1], [[]]]"),
    ({"b": 1, "a": {"c": [True]}}, "{'b': 1, 'a': {'c': [True]}}"),
    ({"": 1, " ": 2}, "{'': 1, ' ': 2}"),
    ({"$dateTime": "1998-07-17T14:08:55"}, "datetime.datetime(1998, 7, 17, 14, 8, 55)"),
    ({"$dateTime": "19980717T14:08:55"}, "datetime.datetime(1998, 7, 17, 14, 8, 55)"),
    ({"$dateTime": "1998-07-17T16:08:55+02:00"}, "datetime.datetime(1998, 7, 17, 14, 8, 55)"),
    ({"$base64": BYTES}, repr(bytes(range(256)))), ({"$base64": "_-8"}, repr(b"\xff\xef")),
    ({"$int": 5}, "5"), ({"$int": "5"}, "5"), ({"$double": 5}, "5.0"), ({"$string": "$x"}, "'$x'"),
    ({"$boolean": True}, "True"), ({"$struct": {"$int": 1}}, "{'$int': 1}"),
]


@pytest.mark.parametrize("value, shown", SENT, ids=range(len(SENT)))
def test_types_to_python(python, value, shown):
    body = b"[" + value + b"]" if isinstance(value, bytes) else json.dumps([value]).encode()
    assert python.call("py", "show", body).result == f"({shown},)"


@pytest.mark.parametrize("value, shown", [
    (None, "None"), ({"$nil": True}, "None"), (2147483648, "2147483648"),
    ({"$i8": "5"}, "5"), (2 ** 70, str(2 ** 70)), ({"$biginteger": "7"}, "7"),
    ({"$bigdecimal": "1.10"}, "Decimal('1.10')"), ({"$double": "Infinity"}, "inf"),
    ({"$double": "NaN"}, "nan")], ids=range(9))
def test_extensions_to_python(python, value, shown):
    assert python.call("all", "show", [value]).result == f"({shown},)"


def test_positions_and_echo(python):
    assert python.call("py", "add", [2, 3]).result == 5
    assert python.call("py", "add", ["a", "b"]).result == "ab"
    assert python.call("py", "show").result == "()"
    deep = [{"a": [{"b": [1, 2.5, "x", True, []]}]}]
    assert python.call("py", "echo", [deep]).result == deep


def test_python_faults(python):
    assert_problem(python.call("py", "fail", [-32602, "bad ü"]), "fault", 400, "yes",
                   fault={"code": -32602, "string": "bad ü"})
    document = assert_problem(python.call("py", "nope"), "fault", 500, "yes")
    assert document["fault"]["code"] == 1 and "nope" in document["fault"]["string"]


def test_python_introspection(python):
    assert "types" in python.call("py", "system.listMethods").result
    assert isinstance(python.call("py", "system.methodHelp", "add").result, str)
