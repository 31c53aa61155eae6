# SPDX-License-Identifier: Apache-2.0
"""`rpcgate explain --caller`: allowed or not, and the rule and line that decide; the same as the
gateway does."""

import json

import pytest

from rig.tool import CONFIGURATION, DATA_ERROR, NO_INPUT, OK, REFUSED, USAGE, tool

TOKENS = {name: name[0] * 32 for name in ("bot", "ops", "idle")}
CALLERS = f"""callers = (
  {{ name = "bot"; token = "{TOKENS['bot']}";
    allow = ( "up/free.*",
              {{ match = "up/execute"; params = ( {{ at = 1; in = [ "read", "search_*" ]; }} ); }},
              "up/do" );
    deny = ( "*/free.not",
             {{ match = "up/do"; params = ( {{ at = 0; in = [ "drop*" ]; }} ); }} ); }},
  {{ name = "ops"; token = "{TOKENS['ops']}"; allow = [ "*/*" ];
    deny = [ "up/x",
             "up/secret.*" ]; }},
  {{ name = "idle"; token = "{TOKENS['idle']}"; allow = [ "other/*" ]; }}
);
anonymous = {{ allow = [ "up/open" ]; }};
"""

CASES = [  # caller, method, params, rule and line, or none
    ("bot", "free.a", [], "callers[0].allow[0]", 3),
    ("bot", "free.not", [1], "callers[0].deny[0]", 6),
    ("bot", "execute", ["db", "read"], "callers[0].allow[1]", 4),
    ("bot", "execute", ["db", "search_x", {}], "callers[0].allow[1]", 4),
    ("bot", "execute", ["db", "unlink"], None, None),
    ("bot", "execute", ["db", {"$base64": "cmVhZA=="}], None, None),
    ("bot", "execute", [], None, None),
    ("bot", "do", ["select"], "callers[0].allow[2]", 5),
    ("bot", "do", [], "callers[0].allow[2]", 5),
    ("bot", "do", ["drop it"], "callers[0].deny[1]", 7),
    ("bot", "do", [{"$base64": "ZHJvcA=="}], "callers[0].deny[1]", 7),
    ("bot", "do", [5], "callers[0].deny[1]", 7),
    ("bot", "other", [], None, None),
    ("bot", "system.listMethods", [], None, None),
    ("ops", "anything", [None], "callers[1].allow[0]", 8),
    ("ops", "x", [], "callers[1].deny[0]", 9),
    ("ops", "secret.key", [], "callers[1].deny[1]", 10),
    ("idle", "free.a", [], None, None),
    ("anonymous", "open", [1], "anonymous.allow[0]", 13),
    ("anonymous", "closed", [1], None, None),
]


@pytest.fixture(scope="module")
def gateway(start_shared):
    upstream = start_shared.upstream()
    text = CALLERS + f'upstreams = {{ up = {{ url = "{upstream.url}"; extensions = [ "nil" ]; }}; ' \
        f'other = {{ url = "{upstream.url}"; }}; }};\n'
    listen = 'listen = ( { address = "127.0.0.1"; port = 0; } );\n'
    return start_shared.gateway(text + listen)


def explain(gateway, caller: str, method: str, *params, upstream: str = "up", options=()):
    path = gateway.folder / "rpcgate.conf"
    return path, tool("explain", "-c", str(path), "--caller", caller, *options, upstream, method,
                      *[json.dumps(param) for param in params])


@pytest.mark.parametrize("caller, method, params, rule, line", CASES)
def test_the_rule_that_decides(gateway, caller, method, params, rule, line):
    path, done = explain(gateway, caller, method, *params)
    may = rule is not None and ".allow[" in rule
    assert done.status == (OK if may else REFUSED) and not done.err
    first = done.out.splitlines()[0]
    assert first.startswith("allowed: " if may else "refused: ")
    if rule is None:
        assert "no rule of" in first and ".allow" in first
    else:
        # libconfig knows an entry that is a string, or the one that opens its list's line.
        assert first.startswith(f"{'allowed' if may else 'refused'}: {rule}, {path}:{line}: ")
    assert TOKENS["bot"] not in done.out
    headers = {} if caller == "anonymous" else {"Authorization": f"Bearer {TOKENS[caller]}"}
    answer = gateway.call("up", method, params, **headers)
    assert answer.status == (200 if may else 404 if caller == "idle" else 403), answer.body


def test_the_rule_itself_is_shown(gateway):
    _, done = explain(gateway, "bot", "execute", "db", "read")
    assert done.out.endswith(': { match = "up/execute"; params = ( { at = 1; in = [ "read", '
                             '"search_*" ]; } ); }\n')
    _, done = explain(gateway, "ops", "anything")
    assert done.out.endswith(': "*/*"\n')


def test_rules_that_nearly_decide(gateway):
    path, done = explain(gateway, "bot", "execute", "db", "unlink")
    assert done.out.splitlines()[1].startswith(
        f"  about this method, but not with these params: callers[0].allow[1], {path}:4: ")
    _, done = explain(gateway, "idle", "free.a")
    assert "404" in done.out


def test_never_by_name(gateway):
    _, done = explain(gateway, "ops", "system.multicall", [])
    assert done.status == REFUSED and "by name" in done.out


def test_words_that_are_wrong(gateway, tmp_path):
    assert explain(gateway, "nobody", "free.a")[1].status == USAGE
    assert "nobody" in explain(gateway, "nobody", "free.a")[1].err
    assert explain(gateway, "bot", "free.a", upstream="none")[1].status == USAGE
    assert explain(gateway, "bot", "a" * 300)[1].status == DATA_ERROR
    path = str(gateway.folder / "rpcgate.conf")
    assert tool("explain", "-c", path, "--caller", "bot", "up", "do", "{").status == DATA_ERROR
    done = tool("explain", "-c", path, "--caller", "bot", "-s", "up", "execute", "db", "read")
    assert done.status == OK
    assert tool("explain", "-c", path, "--caller", "bot", "up", "do", "-",
                data=b'["drop"]').status == REFUSED
    assert tool("explain", "-c", path, "--caller", "bot", "up", "do", "-",
                data=b'["drop"').status == DATA_ERROR
    assert tool("explain", "-c", str(tmp_path / "none"), "--caller", "a", "up", "m").status == NO_INPUT
    (tmp_path / "bad").write_text("nonsense = 1;")
    done = tool("explain", "-c", str(tmp_path / "bad"), "--caller", "a", "up", "m")
    assert done.status == CONFIGURATION


def test_secrets_stay_closed(tmp_path):
    """No file is opened; a rule that has its text from one is told as not judged."""
    path = tmp_path / "rpcgate.conf"
    path.write_text('callers = ( { name = "a"; token = "${file:none}"; allow = [ "${file:none}", '
                    '"up/x" ]; } );\nupstreams = { up = { url = "http://localhost"; }; };\n')
    done = tool("explain", "-c", str(path), "--caller", "a", "up", "x")
    assert done.status == OK and "allow[1]" in done.out
    done = tool("explain", "-c", str(path), "--caller", "a", "up", "y")
    assert done.status == REFUSED and "not judged, for a secret is in it: callers[0].allow[0]" in done.out
