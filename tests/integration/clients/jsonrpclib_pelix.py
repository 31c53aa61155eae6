# SPDX-License-Identifier: Apache-2.0
"""Calls through jsonrpclib-pelix (Debian's python3-jsonrpclib-pelix): jsonrpclib_pelix.py URL"""

import sys

import jsonrpclib

server = jsonrpclib.ServerProxy(sys.argv[1])
assert server.subtract(42, 23) == 19
assert server.subtract(minuend=42, subtrahend=23) == 19
assert server.echo({"a": [1.5, "ü"]}) == {"a": [1.5, "ü"]}
try:
    server.fail(7, "seven")
    raise AssertionError("no error")
except jsonrpclib.ProtocolError as error:
    assert error.args[0][:2] == (7, "seven"), error.args
try:
    server.foobar()
    raise AssertionError("no error")
except jsonrpclib.ProtocolError as error:
    assert error.args[0][0] == -32601, error.args

batch = jsonrpclib.MultiCall(server)
batch.sum(1, 2, 4)
batch._notify.notify_hello(7)
batch.get_data()
assert list(batch()) == [7, ["hello", 5]]
try:
    server._notify.update(1, 2)
except jsonrpclib.jsonrpc.TransportError as error:  # to it all but 200 is one
    assert error.args[1] == 204, error.args
print("all is well")
