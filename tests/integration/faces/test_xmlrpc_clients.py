# SPDX-License-Identifier: Apache-2.0
"""Clients of XML-RPC that nobody here wrote, unmodified, as their documentation shows them: each
finds its caller by a name and a token, gets values, a fault, and the answers to several calls.
Those that are not installed are skipped."""

import shlex
import subprocess

import pytest

from rig.programs import need
from rig.settings import DEADLINE

TOKEN = "0123456789abcdef0123456789abcdef"

#: What each prints.
EXPECTED = """add 3
text grün & <b>
double 0.5
true
array 1,two
member x
fault -7 no such thing
"""


@pytest.fixture(scope="module")
def address(start_shared, shared_upstream):
    async def behave(x):
        if x.method == "add":
            await x.answer(x.params[0] + x.params[1])
        elif x.method == "fail":
            await x.answer_fault(-7, "no such thing")
        elif x.method == "system.multicall":
            await x.answer_fault(-32601, "no such method")
        else:
            await x.answer(x.params[0])
    shared_upstream.behave = behave
    gateway = start_shared.gateway({
        "callers": [{"name": "shop", "token": TOKEN, "allow": ["up/*"]}],
        "upstreams": {"up": {"url": shared_upstream.url, "breaker": {"failures": 0}}}})
    return gateway.tcp


def run(*command, text=None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, timeout=3 * DEADLINE, text=True,
                          check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def has(*command) -> None:
    need(command[0])
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{command[0]} lacks a library: {done.stderr.decode()[:200]}")


PYTHON = r'''
import sys, xmlrpc.client
server = xmlrpc.client.ServerProxy("http://shop:%s@%s:%s/xmlrpc/up" % tuple(sys.argv[1:]))
print("add", server.add(1, 2))
print("text", server.echo("grün & <b>"))
print("double", server.echo(0.5))
print(str(server.echo(True)).lower())
print("array", ",".join(map(str, server.echo([1, "two"]))))
print("member", server.echo({"name": "x"})["name"])
try:
    server.fail()
except xmlrpc.client.Fault as fault:
    print("fault", fault.faultCode, fault.faultString)
calls = xmlrpc.client.MultiCall(server)
calls.add(1, 2)
calls.add(3, 4)
assert list(calls()) == [3, 7]
'''

PERL = r'''
use RPC::XML; use RPC::XML::Client; use utf8; binmode STDOUT, ":utf8";
$RPC::XML::ENCODING = "UTF-8";
my ($token, $host, $port) = @ARGV;
my $client = RPC::XML::Client->new("http://$host:$port/xmlrpc/up");
$client->credentials("rpcgate", "shop", $token);
sub call { my $answer = $client->send_request(@_); die $answer unless ref $answer; return $answer }
print "add ", call("add", 1, 2)->value, "\n";
print "text ", call("echo", "grün & <b>")->value, "\n";
print "double ", call("echo", RPC::XML::double->new(0.5))->value, "\n";
print call("echo", RPC::XML::boolean->new("true"))->value ? "true\n" : "false\n";
print "array ", join(",", @{call("echo", [1, "two"])->value}), "\n";
print "member ", call("echo", {name => "x"})->value->{name}, "\n";
my $fault = call("fail");
die unless $fault->is_fault;
print "fault ", $fault->code, " ", $fault->string, "\n";
my $many = call("system.multicall", [{methodName => "add", params => [1, 2]},
                                     {methodName => "add", params => [3, 4]}])->value;
die unless $many->[0][0] == 3 && $many->[1][0] == 7;
'''

RUBY = r'''
require "xmlrpc/client"
token, host, port = ARGV
server = XMLRPC::Client.new3(host: host, path: "/xmlrpc/up", port: port.to_i, user: "shop",
                             password: token)
puts "add #{server.call("add", 1, 2)}"
puts "text #{server.call("echo", "grün & <b>").force_encoding("UTF-8")}"
puts "double #{server.call("echo", 0.5)}"
puts server.call("echo", true)
puts "array #{server.call("echo", [1, "two"]).join(",")}"
puts "member #{server.call("echo", { "name" => "x" })["name"]}"
ok, fault = server.call2("fail")
raise if ok
puts "fault #{fault.faultCode} #{fault.faultString}"
raise unless server.multicall(["add", 1, 2], ["add", 3, 4]) == [3, 7]
'''

PHP = r'''<?php
[, $token, $host, $port] = $argv;
function call($method, ...$params) {
    global $token, $host, $port;
    $request = xmlrpc_encode_request($method, $params, ["encoding" => "utf-8", "escaping" => "markup"]);
    $context = stream_context_create(["http" => ["method" => "POST", "content" => $request,
        "header" => ["Content-Type: text/xml", "Authorization: Basic " . base64_encode("shop:$token")]]]);
    return xmlrpc_decode(file_get_contents("http://$host:$port/xmlrpc/up", false, $context), "utf-8");
}
echo "add ", call("add", 1, 2), "\n";
echo "text ", call("echo", "grün & <b>"), "\n";
echo "double ", call("echo", 0.5), "\n";
echo call("echo", true) ? "true" : "false", "\n";
echo "array ", implode(",", call("echo", [1, "two"])), "\n";
echo "member ", call("echo", ["name" => "x"])["name"], "\n";
$fault = call("fail");
if (!xmlrpc_is_fault($fault)) exit(1);
echo "fault ", $fault["faultCode"], " ", $fault["faultString"], "\n";
$many = call("system.multicall", [["methodName" => "add", "params" => [1, 2]],
                                  ["methodName" => "add", "params" => [3, 4]]]);
if ($many != [[3], [7]]) exit(2);
'''

C = r'''
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

static xmlrpc_env env;
static xmlrpc_server_info *server;

static void check(void)
{
    if (!env.fault_occurred)
        return;
    fprintf(stderr, "%d %s\n", env.fault_code, env.fault_string);
    exit(1);
}

static xmlrpc_value *call(const char *method, xmlrpc_value *params)
{
    check();
    xmlrpc_value *result = xmlrpc_client_call_server_params(&env, server, method, params);
    xmlrpc_DECREF(params);
    return result;
}

int main(int argc, char *argv[])
{
    char url[200];
    const char *text;
    int number, second;
    double real;
    if (argc != 4)
        return 2;
    xmlrpc_env_init(&env);
    xmlrpc_client_init2(&env, XMLRPC_CLIENT_NO_FLAGS, "test", "1", NULL, 0);
    check();
    snprintf(url, sizeof url, "http://%s:%s/xmlrpc/up", argv[2], argv[3]);
    server = xmlrpc_server_info_new(&env, url);
    xmlrpc_server_info_set_user(&env, server, "shop", argv[1]);
    xmlrpc_server_info_allow_auth_basic(&env, server);
    xmlrpc_read_int(&env, call("add", xmlrpc_build_value(&env, "(ii)", 1, 2)), &number);
    check();
    printf("add %d\n", number);
    xmlrpc_read_string(&env, call("echo", xmlrpc_build_value(&env, "(s)", "gr\303\274n & <b>")), &text);
    check();
    printf("text %s\n", text);
    xmlrpc_read_double(&env, call("echo", xmlrpc_build_value(&env, "(d)", 0.5)), &real);
    check();
    printf("double %g\n", real);
    xmlrpc_read_bool(&env, call("echo", xmlrpc_build_value(&env, "(b)", 1)), &number);
    check();
    printf("%s\n", number ? "true" : "false");
    xmlrpc_decompose_value(&env, call("echo", xmlrpc_build_value(&env, "((is))", 1, "two")), "(is)",
                           &number, &text);
    check();
    printf("array %d,%s\n", number, text);
    xmlrpc_decompose_value(&env, call("echo", xmlrpc_build_value(&env, "({s:s})", "name", "x")),
                           "{s:s,*}", "name", &text);
    check();
    printf("member %s\n", text);
    call("fail", xmlrpc_array_new(&env));
    text = strstr(env.fault_string, "no such thing"); /* behind words of its own */
    printf("fault %d %s\n", env.fault_code, text != NULL ? text : env.fault_string);
    xmlrpc_env_clean(&env);
    xmlrpc_env_init(&env);
    xmlrpc_decompose_value(&env,
                           call("system.multicall",
                                xmlrpc_build_value(&env, "(({s:s,s:(ii)}{s:s,s:(ii)}))", "methodName",
                                                   "add", "params", 1, 2, "methodName", "add",
                                                   "params", 3, 4)),
                           "((i)(i))", &number, &second);
    check();
    return number == 3 && second == 7 ? 0 : 3;
}
'''


def test_python(address):
    host, port = address
    assert run("/usr/bin/python3", "-c", PYTHON, TOKEN, host, str(port)) == EXPECTED


def test_perl(address):
    """RPC::XML, which answers the 401 with its credentials."""
    has("perl", "-MRPC::XML::Client", "-e", "1")
    host, port = address
    assert run("perl", "-", TOKEN, host, str(port), text=PERL) == EXPECTED


def test_ruby(address):
    has("ruby", "-e", 'require "xmlrpc/client"')
    host, port = address
    assert run("ruby", "-Ku", "-", TOKEN, host, str(port), text=RUBY) == EXPECTED


def test_php(address):
    """The extension xmlrpc (xmlrpc-epi) and PHP's own HTTP."""
    has("php", "-r", 'exit(function_exists("xmlrpc_encode_request") ? 0 : 1);')
    host, port = address
    assert run("php", "--", TOKEN, host, str(port), text=PHP) == EXPECTED


def test_xmlrpc_c(address, tmp_path):
    """The C library over libcurl."""
    has("xmlrpc-c-config", "client", "--version")
    flags = shlex.split(run("xmlrpc-c-config", "client", "--cflags", "--libs"))
    (tmp_path / "client.c").write_text(C)
    run(need("cc"), "-o", str(tmp_path / "client"), str(tmp_path / "client.c"), *flags)
    host, port = address
    assert run(str(tmp_path / "client"), TOKEN, host, str(port)) == EXPECTED


def test_tool_of_xmlrpc_c(address):
    need("xmlrpc")
    host, port = address
    told = run("xmlrpc", f"http://{host}:{port}/xmlrpc/up", "-username=shop", f"-password={TOKEN}",
               "add", "i/1", "i/2")
    assert "Integer: 3" in told
