#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imitations of XML-RPC backends' credential and error conventions, in one process (standard library only).

Each backend has its own URL path; /control steers and counts. Conventions follow exchanges recorded with
the real servers where there were some, else the backend's source. Values are small; what matters is who is let in and what refusal looks like.

User `admin`, password `s3cret-pw`, API key or shared secret `k3y-0123456789abcdef` unless changed by /control.

  path                              how the credential goes in                           refusal
{PATHS}
Methods everywhere (in the backend's own wrapping; `one.` before them on opennebula, Odoo's model `rg`, Magento's call(..., 'rg.echo'),
in one struct for bugzilla and testlink):
  rg.echo(...)  the params that arrived after the credentials        rg.count(key)  raises a counter and returns it
  rg.sleep(s)   waits                                                rg.fail(code, text)  a fault (or envelope) of the application
  rg.none()     runs, then fails to answer (odoo: the None fault; elsewhere nil)

GET  /control            everything as JSON: per backend `counts`, `live` sessions, `settings`
GET  /control/NAME       one backend, with `log`: what came in, in order (method, params as received, session, outcome, headers),
                         and `keys`: those of all its sessions since the reset
POST /control/NAME       (NAME or * for all) a JSON object of actions and settings:
  "reset": true            counts, log, sessions and settings as at start
  "expire": true           every live session expires now          "unlock": true   forget bad logins
  "lifetime": s            sessions die so long after login         "idle": s        ... after their last use
  "max_uses": n            ... after n calls                        "max_sessions": n, "evict": true|false  the oldest goes, or login is refused
  "login_delay": s         slow login                               "call_delay": s  slow calls
  "refuse_logins": n|true  the next n (all) logins are refused though the password is right
  "lockout_after": n, "lockout_seconds": s   after n bad logins in a row even the right password is refused
  "expired_calls": n|true  the next n (all) calls are answered as expired, not run, whatever the session
  "lie_expired": n         the next n calls are run and THEN answered as expired (a replay would run them twice)
  "drop_login": n          the next n logins succeed but the connection is closed without an answer
  "logout_fails": true     logout answers a fault                   "cookie_each": true   every answer sets a new session cookie, the old one dies
  "strict_callnum": false  koji: don't check call numbers           "one_at_a_time": true  a second call in flight on one session is refused
  "echo_token": false      cobbler: no token in the fault text      "user", "password", "secret": change what is accepted
  "rate": n, "rate_seconds": s   pypi: n calls a window            "slave_of": "ADDRESS"   xapi: every call answers HOST_IS_SLAVE
Counts: logins, logins_bad, logins_locked, logouts, calls (let in and run), refused, expired, multicalls, faults,
  in_flight_max, session_in_flight_max, sessions_max, callnum_bad, runs: {method: n}.
"""
import argparse, base64, hashlib, html, json, os, re, sys, threading, time, urllib.parse
import xmlrpc.client as X
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "k3y-0123456789abcdef"
DEFAULTS = dict(lifetime=None, idle=None, max_uses=None, max_sessions=None, evict=True, login_delay=0, call_delay=0, refuse_logins=0,
    lockout_after=None, lockout_seconds=60, expired_calls=0, lie_expired=0, drop_login=0, logout_fails=False, cookie_each=False,
    strict_callnum=True, one_at_a_time=False, echo_token=True, user="admin", password="s3cret-pw", secret=SECRET, rate=5, rate_seconds=10, slave_of=None)
COUNTS = ("logins", "logins_bad", "logins_locked", "logouts", "calls", "refused", "expired", "multicalls", "faults",
    "in_flight_max", "session_in_flight_max", "sessions_max", "callnum_bad")

class Fault(Exception):
    def __init__(s, code, text, status=200, extra=None): s.code, s.text, s.status, s.extra = code, text, status, extra
class Expired(Exception): pass      # the credential was good once, or never
class Refused(Exception): pass      # login refused
class Raw(Exception):
    def __init__(s, status, body="", headers=(), ctype="text/html"): s.status, s.body, s.headers, s.ctype = status, body, list(headers), ctype
class Drop(Exception): pass

class I8(int): pass
X.Marshaller.dispatch[I8] = lambda self, v, write: write("<value><i8>%d</i8></value>\n" % v)
def xvalue(v):
    return X.dumps((v,), allow_none=True)[len("<params>\n<param>\n"):-len("</param>\n</params>\n")]
def dumps_ok(v): return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n%s</param>\n</params>\n</methodResponse>\n" % xvalue(v)
def dumps_fault(code, text, extra=None):
    return "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n%s</fault>\n</methodResponse>\n" % xvalue(dict({"faultCode": code, "faultString": text}, **(extra or {})))

class Session:
    n = 0
    def __init__(s, key, **kw):
        Session.n += 1
        s.id, s.key, s.born, s.used, s.uses, s.dead, s.callnum, s.flight, s.__dict__["more"] = Session.n, key, time.monotonic(), time.monotonic(), 0, False, None, 0, kw

class Backend:
    """One upstream. `paths` match by prefix; call() gets a parsed call, returns the result or raises."""
    name = ""; paths = (); about = ""; multicall = "wrapped"; why = ""; http10 = False; headers = (); ctype = "text/xml"
    def __init__(s): s.lock = threading.RLock(); s.reset()
    def reset(s):
        with s.lock:
            s.cfg = dict(DEFAULTS); s.sessions = {}; s.counts = dict.fromkeys(COUNTS, 0); s.runs = {}; s.log = []; s.counters = {}
            s.bad = 0; s.locked_until = 0; s.flight = 0; s.window = []
    # -- the simulated parts every backend shares --
    def bump(s, k, n=1): s.counts[k] += n
    def take(s, k):
        v = s.cfg[k]
        if v is True: return True
        if v: s.cfg[k] = v - 1
        return bool(v)
    def newkey(s): return os.urandom(16).hex()
    def login(s, user, password, **kw):
        """-> Session; raises Refused"""
        if s.cfg["login_delay"]: time.sleep(s.cfg["login_delay"])
        with s.lock:
            if time.monotonic() < s.locked_until: s.bump("logins_locked"); raise Refused("locked")
            if user != s.cfg["user"] or password != s.cfg["password"] or s.take("refuse_logins"):
                s.bump("logins_bad"); s.bad += 1
                if s.cfg["lockout_after"] and s.bad >= s.cfg["lockout_after"]: s.locked_until = time.monotonic() + s.cfg["lockout_seconds"]
                raise Refused("bad")
            s.bad = 0
            live = [x for x in s.sessions.values() if not s.is_dead(x)]
            if s.cfg["max_sessions"] and len(live) >= s.cfg["max_sessions"]:
                if not s.cfg["evict"]: s.bump("logins_locked"); raise Refused("full")
                min(live, key=lambda x: x.used).dead = True
            k = s.newkey(); x = s.sessions[k] = Session(k, **kw)
            s.bump("logins"); s.counts["sessions_max"] = max(s.counts["sessions_max"], sum(not s.is_dead(y) for y in s.sessions.values()))
            if s.take("drop_login"): raise Drop
            return x
    def is_dead(s, x):
        now = time.monotonic(); c = s.cfg
        return x.dead or (c["lifetime"] is not None and now - x.born > c["lifetime"]) or (c["idle"] is not None and now - x.used > c["idle"]) \
            or (c["max_uses"] is not None and x.uses >= c["max_uses"])
    def session(s, key):
        with s.lock:
            x = s.sessions.get(key) if isinstance(key, str) else None
            if x is None or s.is_dead(x): s.bump("expired" if x else "refused"); raise Expired
            if s.take("expired_calls"): s.bump("expired"); raise Expired
            x.used = time.monotonic(); x.uses += 1
            if CURRENT: CURRENT_TLS.rq.sess = x.id
            return x
    def logout(s, key):
        with s.lock:
            if s.cfg["logout_fails"]: raise Fault(-1, "logout failed")
            x = s.sessions.get(key)
            if x is None or s.is_dead(x): raise Expired
            x.dead = True; s.bump("logouts")
    def static(s, ok):
        """a credential that isn't a session"""
        with s.lock:
            if not ok or s.take("expired_calls"): s.bump("refused"); raise Expired
    # -- application --
    def run(s, method, args, sess=None):
        """a call that was let in"""
        with s.lock:
            if sess:
                sess.flight += 1; s.counts["session_in_flight_max"] = max(s.counts["session_in_flight_max"], sess.flight)
                if s.cfg["one_at_a_time"] and sess.flight > 1: sess.flight -= 1; raise Fault(1, "another call of the session is running")
            s.bump("calls"); s.runs[method] = s.runs.get(method, 0) + 1
            lie = s.take("lie_expired")
        try:
            if s.cfg["call_delay"]: time.sleep(s.cfg["call_delay"])
            r = s.app(method, args)
        finally:
            if sess:
                with s.lock: sess.flight -= 1
        if lie: s.bump("expired"); raise Expired
        return r
    def app(s, method, args):
        m = method[method.rfind("rg."):] if "rg." in method else method
        if m == "rg.echo": return list(args)
        if m == "rg.count":
            with s.lock: k = str(args[0] if args else ""); s.counters[k] = s.counters.get(k, 0) + 1; return s.counters[k]
        if m == "rg.sleep": time.sleep(float(args[0])); return True
        if m == "rg.fail": raise Fault(args[0], args[1])
        if m == "rg.none": return s.none()
        return s.natural(method, args)
    def none(s): return None
    def natural(s, method, args): raise s.unknown(method)
    def unknown(s, method): return Fault(-32601, "requested method not found: " + method)
    # -- what refusal looks like --
    def expired(s): return Fault(1, "session expired")
    def refused(s): return Fault(1, "login refused")
    def answer(s, v): return v                       # success envelope
    def problem(s, f): raise f                       # failure envelope: return a value or raise the Fault
    def before(s, rq): pass                          # transport-level check; may raise
    def call(s, rq, method, params): raise NotImplementedError
    def one(s, rq, method, params):
        try:
            try: v = s.answer(s.call(rq, method, params))
            except Expired: raise s.expired()
            except Refused as e: s.why = str(e); raise s.refused()
            s.note(rq, method, params, "ok"); return v
        except Fault as f:
            s.bump("faults"); s.note(rq, method, params, "fault %s" % f.code); return s.problem(f)
        except Raw as r: s.note(rq, method, params, "http %d" % r.status); raise
    def note(s, rq, method, params, outcome):
        with s.lock:
            s.log.append(dict(method=method, params=json.loads(json.dumps(params, default=repr)), path=rq.path, outcome=outcome, session=rq.sess,
                headers={k: v for k, v in rq.headers.items() if k.lower() in ("authorization", "cookie", "referer", "softlayer-session") or k.lower().startswith(("koji-", "x-"))}))
            del s.log[:-500]
    def dispatch(s, rq, method, params):
        if method == "system.multicall" and s.multicall:
            s.bump("multicalls"); out = []
            for c in params[0]:
                try:
                    v = s.one(rq, c["methodName"], list(c.get("params", [])))
                    out.append(v if s.multicall == "bare" else [v])
                except Fault as f: out.append(dict({"faultCode": f.code, "faultString": f.text}, **(f.extra or {})))
            return out
        return s.one(rq, method, params)

def basic(rq):
    h = rq.headers.get("Authorization", "")
    if not h.startswith("Basic "): return None
    try: return tuple(base64.b64decode(h[6:]).decode().split(":", 1))
    except Exception: return None
def cookies(rq):
    return dict(p.strip().split("=", 1) for h in rq.headers.get_all("Cookie", []) for p in h.split(";") if "=" in p)

# ---------------------------------------------------------------- the backends
class Odoo(Backend):
    name = "odoo"; paths = ("/xmlrpc/2/common", "/xmlrpc/2/object", "/xmlrpc/common", "/xmlrpc/object"); multicall = None
    about = "db, uid, secret as params 1-3 of object.*; uid from common.authenticate | fault 3 (v1 paths: string code AccessDenied); login: result false"
    uid = 2
    partners = [{"id": 10, "name": "Deco Addict", "is_company": True}, {"id": 11, "name": "Gemini Furniture", "is_company": True}, {"id": 14, "name": "Azure Interior", "is_company": True}]
    def none(s): raise Fault(1, 'Traceback (most recent call last):\n  File "/odoo/addons/base/controllers/rpc.py", line 148, in xmlrpc_2\nTypeError: cannot marshal None unless allow_none is enabled\n')
    def call(s, rq, method, p):
        v1 = "/2/" not in rq.path; rq.v1 = v1
        if rq.path.endswith("common"):
            if method == "version": return {"server_version": "17.0", "server_version_info": [17, 0, 0, "final", 0, ""], "server_serie": "17.0", "protocol_version": 1}
            if method in ("authenticate", "login"):
                try: s.login(p[1], p[2])
                except Refused: return False
                return s.uid
            raise Fault(1, "Traceback (most recent call last):\nException: Method not found: " + method)
        if method not in ("execute", "execute_kw"): raise Fault(1, "Traceback (most recent call last):\nNameError: Method not available " + method)
        db, uid, pw = p[:3]
        s.static(pw in (s.cfg["password"], s.cfg["secret"]) and uid == s.uid)
        args = list(p[5]) + ([p[6]] if len(p) > 6 and p[6] else []) if method == "execute_kw" else list(p[5:])
        if p[3:5] == ["res.partner", "search_read"]: return s.search_read(p[6] if len(p) > 6 else {})
        if p[3] != "rg": raise Fault(2, "Object %s doesn't exist" % p[3])
        return s.run("rg." + p[4], args)
    def search_read(s, options):
        """whatever the domain is"""
        fields = ["id"] + options.get("fields", ["name", "is_company"])
        return [{f: row[f] for f in fields} for row in s.partners[:options.get("limit")]]
    def expired(s): return Fault(3, "Access Denied")
    def problem(s, f):
        if getattr(CURRENT, "v1", False) and isinstance(f.code, int):
            f = {3: Fault("AccessDenied", f.text), 2: Fault("warning -- UserError\n\n" + f.text, "")}.get(f.code, Fault(f.text.strip().splitlines()[-1], f.text))
        raise f

class Aria2(Backend):
    name = "aria2"; paths = ("/rpc",)
    about = "token:SECRET as first param, in every member of a multicall | fault 1 Unauthorized"
    def call(s, rq, method, p):
        if method in ("system.listMethods", "system.listNotifications"): return ["aria2.getVersion", "system.multicall", "system.listMethods"]
        tok = p[0] if p and isinstance(p[0], str) and p[0].startswith("token:") else None
        s.static(tok == "token:" + s.cfg["secret"])
        return s.run(method, p[1:])
    def dispatch(s, rq, method, params):
        if method == "system.multicall":
            if not (params and isinstance(params[0], list)): raise Fault(1, "The parameter at 0 has wrong type.")
            if any(c.get("methodName") == "system.multicall" for c in params[0]): return [{"faultCode": 1, "faultString": "Recursive system.multicall forbidden."}]
        return super().dispatch(rq, method, params)
    def natural(s, m, a):
        if m == "aria2.getVersion": return {"enabledFeatures": ["XML-RPC"], "version": "1.36.0"}
        raise s.unknown(m)
    def unknown(s, m): return Fault(1, "No such method: " + m)
    def expired(s): return Fault(1, "Unauthorized")

class Bugzilla(Backend):
    name = "bugzilla"; paths = ("/xmlrpc.cgi",); multicall = None
    about = "member of the one struct: Bugzilla_api_key, or Bugzilla_login + Bugzilla_password, or Bugzilla_token (User.login) | 306 bad key, 300 bad login, 410 nothing given, 32000 'cookies or token provide were not valid' dead token; locked out: 32000 too"
    DEAD = "The cookies or token provide were not valid or have expired. You may login again to get new cookies or a new token."
    def call(s, rq, method, p):
        a = dict(p[0]) if p and isinstance(p[0], dict) else {}
        if "." not in method or method.split(".")[0] not in ("Bug", "User", "Group", "Bugzilla", "Product", "rg"): raise Fault("Client", "Can't locate .pm in @INC (@INC contains: ./extensions . lib)")
        if method == "User.login":
            x = s.login(a.get("login"), a.get("password")); return {"id": 1, "token": "1-" + x.key[:10]}
        key, tok, user, pw = (a.pop("Bugzilla_" + k, None) for k in ("api_key", "token", "login", "password")); x = None
        if method == "Bugzilla.version": return {"version": "5.0.6"}
        if key is not None:
            if key != s.cfg["secret"] or s.take("expired_calls"): s.bump("refused"); raise Fault(306, "The API key you specified is invalid. Please check that you typed it correctly.")
        elif user is not None: s.login(user, pw).dead = True
        elif tok is not None: x = s.session(next((k for k in s.sessions if "1-" + k[:10] == tok), None))
        else: s.bump("refused"); raise Fault(410, "You must log in before using this part of Bugzilla.")
        if method == "User.logout":
            if x: s.logout(x.key)
            return ""
        return s.run(method, [a], x)
    def app(s, m, a):
        d = a[0]
        if m.endswith("rg.fail"): raise Fault(d["code"], d["text"])
        if m.endswith("rg.count"): return Backend.app(s, m, [d.get("key")])
        if m.endswith("rg.sleep"): return Backend.app(s, m, [d["seconds"]])
        if m.endswith("rg.echo"): return d
        return Backend.app(s, m, a)
    def natural(s, m, a):
        if m == "Group.get": return {"groups": [{"id": 1, "name": "admin"}]}
        if m == "Bug.get": raise Fault(101, "Bug #99 does not exist.")
        raise s.unknown(m)
    def unknown(s, m): return Fault(-32601, "The requested method '%s' was not found." % m)
    def refused(s):
        if s.why == "locked": return Fault(32000, "Your IP (127.0.0.1) has been locked out of this account until 2026-11-29 14:24 UTC, as you have exceeded the maximum number of login attempts.")
        return Fault(300, "The login or password you entered is not valid.")
    def expired(s): return Fault(32000, s.DEAD)

class Koji(Backend):
    name = "koji"; paths = ("/kojihub",)
    about = "headers Koji-Session-Id, -Key, -Callnum (rising) from login(user, pw) or sslLogin | 1007 expired (renewable), 1002 unknown session or bad login, 1008/1009 call number"
    headers = (("Koji-Version", "1.35.3"),)
    def __init__(s): s.next = 100; super().__init__()
    def newkey(s): s.next += 1; return "%d|%s" % (s.next, "2-" + os.urandom(12).hex()[:19])
    def call(s, rq, method, p):
        sid, key, cn = s.creds(rq)
        p, kw = (list(p[:-1]), {k: v for k, v in p[-1].items() if k != "__starstar"}) if p and isinstance(p[-1], dict) and p[-1].get("__starstar") else (list(p), {})
        if sid is not None and getattr(rq, "koji_seen", None) is None: rq.koji_seen = s.check(sid, key, cn, method)
        x = getattr(rq, "koji_seen", None)
        if method in ("login", "sslLogin"):
            a = dict(zip(("user", "password", "opts", "renew", "exclusive"), p)); a.update(kw)
            if method == "sslLogin": a = dict(user=s.cfg["user"], password=s.cfg["password"], renew=a.get("renew"))
            if x and not s.is_dead(x): raise Fault(1002, "Already logged in")
            n = s.login(a.get("user"), a.get("password")); i, k = n.key.split("|")
            if x and a.get("renew"):                       # the id stays, the key is new
                i = sid
                with s.lock: s.sessions.pop(n.key); s.sessions.pop(x.key, None); n.key = "%s|%s" % (i, k); n.callnum = x.callnum; s.sessions[n.key] = n
            return {"session-id": int(i), "session-key": k, "header-auth": True}
        if method == "logout":
            if not x: raise Fault(1002, "Not logged in")
            x.dead = True; s.sessions.pop(x.key, None); s.bump("logouts"); return None
        if method in ("getAPIVersion", "echo", "system.listMethods") and not x:
            return {"getAPIVersion": 1, "echo": list(p), "system.listMethods": ["login", "logout", "echo"]}[method]
        if not x and method == "getLoggedInUser": return None
        if not x: s.bump("refused"); raise Fault(1004, "you must be logged in for this operation (user not logged in)")
        return s.run(method, p + ([kw] if kw else []), None if getattr(rq, "inner", False) else x)
    def creds(s, rq):
        h = rq.headers
        if "Koji-Session-Id" in h: return h["Koji-Session-Id"], h.get("Koji-Session-Key"), h.get("Koji-Session-Callnum", h.get("Koji-Callnum"))
        q = dict(urllib.parse.parse_qsl(rq.path.partition("?")[2])); return q.get("session-id"), q.get("session-key"), q.get("callnum")
    def check(s, sid, key, cn, method):
        if not (sid or "").isdigit(): raise Fault(1, "<class 'ValueError'>: invalid literal for int() with base 10: %r" % sid)
        with s.lock:
            x = s.sessions.get("%s|%s" % (sid, key))
            if x is None: s.bump("refused"); raise Fault(1002, "Invalid session or bad credentials")
            if s.is_dead(x) or s.take("expired_calls"):
                if method in ("login", "sslLogin"): x.dead = True; return x
                s.bump("expired"); raise Fault(1007, 'session "%s" has expired' % sid)
            if cn is not None and s.cfg["strict_callnum"]:
                try: cn = int(cn)
                except ValueError as e: raise Fault(1, "<class 'ValueError'>: %s" % e)
                if x.callnum is not None and x.callnum > cn: s.bump("callnum_bad"); raise Fault(1008, "%d > %d (session %s)" % (x.callnum, cn, sid))
                if x.callnum == cn: s.bump("callnum_bad"); raise Fault(1009, "unable to retry call %d (method %s) for session %s" % (cn, method, sid))
                if not method.startswith(("get", "list", "echo", "rg.echo")): x.callnum = cn     # only writes commit the number
            x.used = time.monotonic(); x.uses += 1; CURRENT_TLS.rq.sess = x.id
            return x
    def dispatch(s, rq, method, params):
        if method == "multiCall": method = "system.multicall"
        if method == "system.multicall":
            s.bump("multicalls"); out = []
            sid, key, cn = s.creds(rq)
            try:
                if sid is not None: rq.koji_seen = s.check(sid, key, cn, method)
            except Fault as f: s.bump("faults"); s.note(rq, method, params, "fault %s" % f.code); raise
            rq.inner = True
            for c in params[0]:
                try: out.append([s.one(rq, c["methodName"], list(c["params"]))])
                except Fault as f: out.append({"faultCode": f.code, "faultString": f.text, "traceback": ["Traceback (most recent call last):\n", f.text + "\n"]})
            return out
        return super().dispatch(rq, method, params)
    def expired(s): return Fault(1007, 'session "%s" has expired' % s.creds(CURRENT)[0])
    def refused(s): return Fault(1002, "invalid username or password")
    def unknown(s, m): return Fault(1000, "Invalid method: " + m)
    def natural(s, m, a):
        if m == "getLoggedInUser": return {"id": 1, "name": s.cfg["user"], "status": 0, "usertype": 0, "krb_principals": []}
        if m == "echo": return list(a)
        raise s.unknown(m)

class Cobbler(Backend):
    name = "cobbler"; paths = ("/cobbler_api",); multicall = None; http10 = True
    about = "token from login(user, pw): last param of most, 2nd of new_item, save_*, remove_*, copy_*; reads need none | fault 1 \"<class 'cobbler.cexceptions.CX'>:'invalid token: TOKEN'\" (echoes it); HTTP/1.0"
    READS = ("version", "extended_version", "ping", "get_distros", "get_profiles", "get_systems", "get_settings", "get_item", "find_items")
    def newkey(s): return base64.b64encode(os.urandom(25)).decode()
    def call(s, rq, method, p):
        if method == "login": rq.key = p[0]; return s.login(*p[:2]).key
        if method == "token_check":
            try: s.session(p[0]); return True
            except Expired: return False
        if method == "logout":
            try: s.logout(p[0]); return True
            except Expired: return False
        if method in s.READS: return s.run(method, p)
        if not method.startswith(("new_", "save_", "modify_", "remove_", "copy_", "get_", "check", "background_", "rg.")): raise s.unknown(method)
        i = 1 if method in ("new_item", "rg.second") or (method.startswith(("save_", "remove_", "copy_")) and len(p) > 2) else len(p) - 1
        if i < 0 or i >= len(p): raise Fault(1, "<class 'TypeError'>:CobblerXMLRPCInterface.%s() missing 1 required positional argument: 'token'" % method)
        rq.tok = p[i]
        if not isinstance(rq.tok, str) or not rq.tok: raise Fault(1, "<class 'ValueError'>:\"token\" did not have the correct format or type!")
        x = s.session(rq.tok)
        return s.run("rg.echo" if method == "rg.second" else method, p[:i] + p[i + 1:], x)
    def natural(s, m, a):
        if m == "version": return 3.307
        if m == "ping": return True
        if m == "get_item": return "~"
        if m in s.READS: return []
        return "___NEW___system::" + base64.b64encode(os.urandom(25)).decode() if m.startswith("new_") else True
    def cx(s, t): return Fault(1, "<class 'cobbler.cexceptions.CX'>:%r" % t)
    def unknown(s, m): return s.cx("unknown remote method '%s'" % m)
    def expired(s): return s.cx("invalid token: %s" % (getattr(CURRENT, "tok", "") if s.cfg["echo_token"] else "?"))
    def refused(s): return s.cx("login failed (%s)" % CURRENT.key)

class Uyuni(Backend):
    name = "uyuni"; paths = ("/rpc/api",); multicall = None
    about = "session key (<id>x<64 hex>) as first param, from auth.login | fault -1 with text 'Could not find session with id: N'; bad login 2950"
    def __init__(s): s.next = 4000; super().__init__()
    def newkey(s): s.next += 1; return "%dx%s" % (s.next, hashlib.sha256(b"%d:s" % s.next).hexdigest())
    def call(s, rq, method, p):
        if method == "auth.login":
            return s.login(*p[:2]).key
        if method in ("api.getVersion", "api.systemVersion"): return "27"
        k = p[0] if p else None; rq.key = k
        if not (isinstance(k, str) and re.fullmatch(r"[1-9][0-9]*x[a-f0-9]{64}", k)):
            s.bump("refused"); raise Fault(-1, "redstone.xmlrpc.XmlRpcFault: Could not find method: %s in class: com.redhat.rhn.frontend.xmlrpc.Handler with params: [%s]" % (method.split(".")[-1], ", ".join("java.lang.String" if isinstance(v, str) else "java.lang.Integer" for v in p)))
        if method == "auth.logout": s.logout(k); return 1
        return s.run(method, p[1:], s.session(k))
    def expired(s): return Fault(-1, "com.redhat.rhn.common.hibernate.LookupException: Could not find session with id: %s" % str(getattr(CURRENT, "key", "?")).split("x")[0])
    def refused(s): return Fault(2950, "redstone.xmlrpc.XmlRpcFault: Either the password or username is incorrect.")
    def unknown(s, m): return Fault(-1, "redstone.xmlrpc.XmlRpcFault: Could not find method: %s in class: com.redhat.rhn.frontend.xmlrpc.Handler with params: [com.redhat.rhn.domain.user.User]" % m.split(".")[-1])

class OpenNebula(Backend):
    name = "opennebula"; paths = ("/RPC2",)
    about = "'user:password' as first param of every call, also inside multicall | no fault: array [false, text, 256, ...]"
    def call(s, rq, method, p):
        rq.method = method
        s.static(p and p[0] == s.cfg["user"] + ":" + s.cfg["password"])
        return s.run(method, p[1:])
    def natural(s, m, a):
        if m == "one.system.version": return "6.10.0"
        if m == "one.vm.info": raise Fault(1024, "[one.vm.info] Error getting virtual machine [%s]." % (a[0] if a else "?"))
        if m == "one.vm.action": return int(a[1])
        raise Fault(-506, "Method '%s' not defined" % m, extra="real")
    def answer(s, v): return [True, v, 0]
    def expired(s): return Fault(256, "[%s] User couldn't be authenticated, aborting call." % getattr(CURRENT, "method", "?"))
    def problem(s, f):
        if f.extra == "real": f.extra = None; raise f
        return [False, f.text, f.code, -1, I8(-1)]

class Xapi(Backend):
    name = "xapi"; paths = ("/",); multicall = None
    about = "session reference as first param, from session.login_with_password | no fault: {Status: Failure, ErrorDescription: [SESSION_INVALID, ref]}"
    def newkey(s): h = os.urandom(16).hex(); return "OpaqueRef:%s-%s-%s-%s-%s" % (h[:8], h[8:12], h[12:16], h[16:20], h[20:])
    def call(s, rq, method, p):
        if s.cfg["slave_of"]: raise Fault("HOST_IS_SLAVE", [s.cfg["slave_of"]])
        if method.startswith("session.login_with_password"): return s.login(*p[:2]).key
        if not p: raise Raw(500, "<html><body><h1>HTTP 500 internal server error</h1>An unexpected error occurred; please wait a while and try again.</body></html>", [("Connection", "close"), ("Cache-Control", "no-cache, no-store")])
        rq.key = p[0]
        if method == "session.logout": s.logout(p[0]); return ""
        x = s.session(p[0])
        return s.run(method, p[1:], x)
    def natural(s, m, a):
        if m == "host.get_all": return ["OpaqueRef:81547a35-205c-a551-c577-00b982c5fe00"]
        if m == "VM.get_memory_static_max": return "2147483648"
        if m == "VM.start": raise Fault("VM_BAD_POWER_STATE", [a[0] if a else "", "halted", "running"])
        raise Fault("MESSAGE_METHOD_UNKNOWN", [m])
    def answer(s, v): return {"Status": "Success", "Value": "" if v is None else v}
    def expired(s): return Fault("SESSION_INVALID", [getattr(CURRENT, "key", "")])
    def refused(s): return Fault("SESSION_AUTHENTICATION_FAILED", [s.cfg["user"], "Authentication failure"])
    def problem(s, f): return {"Status": "Failure", "ErrorDescription": [str(f.code)] + (f.text if isinstance(f.text, list) else [f.text])}

class DokuWiki(Backend):
    name = "dokuwiki"; paths = ("/lib/exe/xmlrpc.php",); multicall = None
    about = "HTTP Basic, or Authorization: Bearer / X-DokuWiki-Token (the secret) | HTTP 401 with fault -32603; HTTP 403 with fault -32604"
    def before(s, rq):
        if rq.headers.get("Content-Type", "").split(";")[0].strip().lower() not in ("text/xml", "application/xml"):
            raise Fault(-32606, "XML-RPC server accepts XML requests only.")
    def call(s, rq, method, p):
        h = rq.headers.get("Authorization", ""); b = basic(rq)
        if method == "core.login":
            try: x = s.login(*p[:2])
            except Refused: return False
            rq.out += [("Set-Cookie", "DokuWiki=%s; path=/; HttpOnly; SameSite=Lax" % x.key[:26]), ("Set-Cookie", "DW0123456789abcdef=%s; path=/; HttpOnly; SameSite=Lax" % x.key)]; return True
        if method == "core.getAPIVersion": return 14
        if method == "core.logoff": return 1                       # the cookie stays good: it holds the password
        ok = cookies(rq).get("DW0123456789abcdef") in s.sessions or b == (s.cfg["user"], s.cfg["password"]) or h == "Bearer " + s.cfg["secret"] or rq.headers.get("X-DokuWiki-Token") == s.cfg["secret"]
        rq.method = method
        s.static(ok)
        if method == "core.forbidden": raise Fault(-32604, "server error. forbidden to call the method " + method, status=403)
        return s.run(method, p)
    def natural(s, m, a):
        if m == "core.getWikiVersion": return "Release 2026-07-14b"
        raise s.unknown(m)
    def unknown(s, m): return Fault(-32603, "Method does not exist")
    def expired(s): return Fault(-32603, "server error. not authorized to call method " + getattr(CURRENT, "method", "?"), status=401)

class WordPress(Backend):
    name = "wordpress"; paths = ("/wordpress/xmlrpc.php",)
    about = "user, password at 1-2 (wp.*, metaWeblog.*), 2-3 (blogger.*), 0-1 (wp.getUsersBlogs) | fault 403; the rest of a multicall is then refused too"
    def call(s, rq, method, p):
        if method in ("system.listMethods", "demo.sayHello"): return s.run(method, p)
        i = 0 if method == "wp.getUsersBlogs" else 2 if method.startswith("blogger.") and method not in ("blogger.getUsersBlogs", "blogger.getUserInfo") else 1
        u = p[i:i + 2]
        if len(u) < 2: raise Fault(400, "Insufficient arguments passed to this XML-RPC method.")
        if getattr(rq, "failed", False): raise Fault(403, "Incorrect username or password.")
        try: s.static(u == [s.cfg["user"], s.cfg["password"]])
        except Expired: rq.failed = True; raise
        return s.run(method, p[:i] + p[i + 2:])
    def natural(s, m, a):
        if m == "demo.sayHello": return "Hello!"
        if m == "system.listMethods": return ["wp.getPost", "system.multicall"]
        if m == "wp.getUsersBlogs": return [{"isAdmin": True, "url": "http://127.0.0.1/", "blogid": "1", "blogName": "Test", "xmlrpc": "http://127.0.0.1/xmlrpc.php"}]
        if m == "wp.getPosts": return [{"post_title": "Hello world!"}]
        if m == "wp.getPost": raise Fault(404, "Invalid post ID.")
        if m == "wp.newPost": raise Fault(403, "Invalid post type.")      # the code of a bad password
        raise s.unknown(m)
    def unknown(s, m): return Fault(-32601, "server error. requested method %s does not exist." % m)
    def expired(s): return Fault(403, "Incorrect username or password.")

class Tryton(Backend):
    name = "tryton"; paths = ("/tryton/",); multicall = None
    about = "Authorization: Session base64(login:uid:key) from common.db.login, or Basic | HTTP 401, no XML"
    def call(s, rq, method, p):
        h = rq.headers.get("Authorization", "")
        if method == "common.db.login":
            x = s.login(p[0], (p[1] or {}).get("password")); return [1, x.key]
        x = None
        if h.startswith("Session "):
            try: u, i, k = base64.b64decode(h[8:]).decode().split(":", 2)
            except Exception: raise Raw(401, headers=[])
            x = s.session(k)                                       # the name and id beside the key are not looked at
        else: s.static(basic(rq) == (s.cfg["user"], s.cfg["password"]))
        if method == "common.db.logout": s.logout(x.key); return None
        if not method.startswith(("model.", "rg.")): raise Fault(255, "'%s'" % method.split(".")[0])
        return s.run(method, p, x)
    def expired(s): raise Raw(401, "", [("WWW-Authenticate", 'Basic realm="Tryton"'), ("Connection", "close")], "text/plain; charset=utf-8")
    def refused(s):
        if s.why == "locked": raise Raw(429, "<!doctype html>\n<html lang=en>\n<title>429 Too Many Requests</title>\n", [("Connection", "close")], "text/html; charset=utf-8")
        raise Raw(401, "<!doctype html>\n<html lang=en>\n<title>401 Unauthorized</title>\n<h1>Unauthorized</h1>\n", [("Connection", "close")], "text/html; charset=utf-8")
    def natural(s, m, a):
        if m == "model.res.user.read": return [{"id": 1, "login": s.cfg["user"]}]
        if m.endswith(".create") and a[0] == [{}]: raise Fault(1, 'A value is required for field "Name" in "Group". - ')
        if not m.startswith("model.res."): raise Fault(255, "'%s'" % m[6:].rpartition(".")[0])
        raise Raw(403, "<!doctype html>\n<html lang=en>\n<title>403 Forbidden</title>\n<h1>Forbidden</h1>\n", [("Connection", "close")], "text/html; charset=utf-8")

class Ros(Backend):
    name = "ros"; paths = ("/ros",)
    about = "caller_id (any string) as first param | no fault: array [-1 or 0, text, value]; success [1, text, value]"
    def call(s, rq, method, p):
        if not p: raise Fault(-1, "missing required caller_id parameter", extra="env")
        if not isinstance(p[0], str): raise Fault(-1, "caller_id must be a string", extra="env")
        return s.run(method, p[1:])
    def natural(s, m, a):
        if m == "getUri": return "http://127.0.0.1:11311/"
        if m == "lookupNode": raise Fault(-1, "unknown node [%s]" % (a[0] if a else ""), extra="env")
        raise Fault(1, "<class 'Exception'>:method \"%s\" is not supported" % m)
    def answer(s, v): return [1, "", v]
    def problem(s, f):
        if f.extra == "env": return [f.code, f.text, ""]
        f.extra = None; raise f

class FreeSwitch(Backend):
    name = "freeswitch"; paths = ("/freeswitch/RPC2",)
    about = "HTTP Basic | HTTP 401; failures of commands are strings that begin with -ERR or -USAGE"
    def before(s, rq):
        try: s.static(basic(rq) == (s.cfg["user"], s.cfg["password"]))
        except Expired: raise Raw(401, "<html><body>401</body></html>", [("WWW-Authenticate", 'Basic realm="freeswitch"')])
    def call(s, rq, method, p):
        if method != "freeswitch.api": raise Fault(-506, "Method '%s' not defined" % method)
        return s.run(p[0], p[1:2])
    def natural(s, m, a):
        if m == "status": return "UP 0 years, 0 days, 1 hour\nFreeSWITCH is ready\n"
        if m == "uuid_kill": raise Fault("-ERR", "-ERR No such channel!\n")
        return "-ERR %s Command not found!\n" % m
    def problem(s, f):
        if f.code == "-ERR": return f.text
        raise f

class TestLink(Backend):
    name = "testlink"; paths = ("/testlink/lib/api/xmlrpc/v1/xmlrpc.php",)
    about = "member devKey of the one struct | no fault: array of {code: 2000, message}"
    def call(s, rq, method, p):
        rq.method = method
        if not p: raise Raw(500, "", [("Connection", "close")], "text/html; charset=UTF-8")       # PHP 8: no params at all
        if method in ("tl.ping", "tl.sayHello"): return "Hello!"
        a = dict(p[0]) if isinstance(p[0], dict) else {}
        if not method.startswith(("tl.get", "tl.create", "tl.check", "tl.doesUserExist", "rg.")): raise s.unknown(method)
        if "devKey" not in a: s.bump("refused"); raise Fault(100, "No devKey provided.")
        s.static(a.pop("devKey") == s.cfg["secret"])
        return s.run(method, [a])
    app = Bugzilla.app
    def natural(s, m, a):
        if m == "tl.getProjects": return [{"id": "1", "name": "P1", "active": "1"}] if s.counters.get("projects", 1) else ""      # none: an empty string
        if m == "tl.checkDevKey": return True
        if m == "tl.createTestPlan": return [{"operation": "createTestPlan", "additionalInfo": "", "status": True, "id": 2, "message": "Success!"}]
        if m == "tl.getTestPlanPlatforms": raise Fault(3000, "(getTestPlanPlatforms) - The Test Plan ID (9999) provided does not exist!")
        raise s.unknown(m)
    def expired(s): return Fault(2000, ("(checkDevKey) - " if getattr(CURRENT, "method", "") == "tl.checkDevKey" else "") + "Can not authenticate client: invalid developer key")
    def unknown(s, m): return Fault(-32601, "server error. requested method %s does not exist." % m, extra="real")
    def problem(s, f):
        if f.extra == "real": f.extra = None; raise f
        return [{"code": f.code, "message": f.text}]

class Kiwi(Backend):
    name = "kiwi"; paths = ("/xml-rpc/",); ctype = "application/xml"
    about = "cookie sessionid, set by Auth.login(user, pw) | fault -32098 'Authentication failed when calling ...', also for a lack of rights; bad login -32603 'Internal error: Wrong username or password'; strings in results are HTML-escaped"
    def call(s, rq, method, p):
        k = cookies(rq).get("sessionid"); rq.method = method
        if method == "Auth.login":
            if k in s.sessions and not s.is_dead(s.sessions[k]) and list(p[:2]) == [s.cfg["user"], s.cfg["password"]]: x = s.sessions[k]; s.bump("logins")
            else: x = s.login(*p[:2])
            rq.out.append(("Set-Cookie", "sessionid=%s; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax" % x.key)); return x.key
        if method == "Auth.logout":
            try: s.logout(k)
            except Expired: pass
            rq.out.append(("Set-Cookie", 'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax')); return None
        if method == "Bug.details": return {"x": 1}
        x = getattr(rq, "ok", None) or s.session(k); rq.ok = x
        if method == "rg.forbidden": raise Expired                # a lack of rights looks the same
        if s.cfg["cookie_each"] and not rq.out:
            with s.lock: s.sessions.pop(x.key, None); x.key = s.newkey(); s.sessions[x.key] = x
            rq.out.append(("Set-Cookie", "sessionid=%s; HttpOnly; Path=/; SameSite=Lax" % x.key))
        return s.run(method, p, x)
    def esc(s, v):
        if isinstance(v, str): return html.escape(v)
        if isinstance(v, list): return [s.esc(i) for i in v]
        return {k: s.esc(i) for k, i in v.items()} if isinstance(v, dict) else v
    def dispatch(s, rq, method, params): return s.esc(super().dispatch(rq, method, params))
    def unknown(s, m): return Fault(-32601, 'Method not found: "%s"' % m)
    def expired(s): return Fault(-32098, 'Authentication failed when calling "%s"' % getattr(CURRENT, "method", "?"))
    def refused(s): return Fault(-32603, "Internal error: Wrong username or password")

class Supervisor(Backend):
    name = "supervisor"; paths = ("/supervisor/RPC2",); multicall = "bare"
    about = "HTTP Basic | HTTP 401, HTML; multicall results are not wrapped"
    def before(s, rq):
        try: s.static(basic(rq) == (s.cfg["user"], s.cfg["password"]))
        except Expired: raise Raw(401, "<head>\n<title>Error response</title>\n</head>\n<body>\n<h1>Error response</h1>\n<p>Error code 401.\n</body>\n", [("WWW-Authenticate", 'Basic realm="default"')])
    def call(s, rq, method, p): return s.run(method, p)
    def unknown(s, m): return Fault(1, "UNKNOWN_METHOD")
    def natural(s, m, a):
        if m == "supervisor.getState": return {"statecode": 1, "statename": "RUNNING"}
        if m == "supervisor.startProcess": raise Fault(60, "ALREADY_STARTED: " + str(a[0]))
        raise s.unknown(m)

class PyPI(Backend):
    name = "pypi"; paths = ("/pypi",); multicall = None
    about = "nothing | fault -32500 'HTTPTooManyRequests: ... Limit may reset in N seconds.', HTTP 200"
    def call(s, rq, method, p):
        with s.lock:
            now = time.monotonic(); s.window = [t for t in s.window if now - t < s.cfg["rate_seconds"]]
            if len(s.window) >= s.cfg["rate"]:
                s.bump("refused")
                raise Fault(-32500, "HTTPTooManyRequests: The action could not be performed because there were too many requests by the client. Limit may reset in %d seconds." % max(1, round(s.cfg["rate_seconds"] - (now - s.window[0]))))
            s.window.append(now)
        return s.run(method, p)

class Magento(Backend):
    name = "magento"; paths = ("/api/xmlrpc", "/index.php/api/xmlrpc/")
    about = "call(session, 'resource.method', [args]); session from login(user, key) | fault 5 'Session expired. Try to relogin.'; bad login 2"
    def call(s, rq, method, p):
        if method == "login":
            if len(p) < 2: raise Fault(6, 'Required parameter is missing, for more details see "exception.log".')
            return s.login(*p[:2]).key
        if method == "endSession":
            try: s.logout(p[0])
            except Expired: pass
            return True
        if method not in ("call", "multiCall", "resources"): raise s.unknown(method)
        if len(p) < (1 if method == "resources" else 2) or not isinstance(p[0], str): s.bump("refused"); raise Fault(623, "Calling parameters do not match signature")
        x = getattr(rq, "ok", None) or s.session(p[0]); rq.ok = x          # as there: a good member lets later ones in
        if method == "call": return s.run(p[1], (p[2] if isinstance(p[2], list) else [p[2]]) if len(p) > 2 else [], x)
        if method == "resources": return s.run("rg.echo", [], x)
        out = []
        for c in p[1]:
            try: out.append(s.run(c[0], c[1] if len(c) > 1 and isinstance(c[1], list) else [], None))
            except Fault as f: out.append({"isFault": True, "faultCode": str(f.code), "faultMessage": f.text})
        return out
    def unknown(s, m): return Fault(3, "Invalid api path.") if "." in m else Fault(620, 'Method "%s" does not exist' % m)
    def expired(s): return Fault(5, "Session expired. Try to relogin.")
    def refused(s): return Fault(2, "Access denied.")

class Inwx(Backend):
    name = "inwx"; paths = ("/inwx/xmlrpc/",); multicall = None
    about = "cookie domrobot, set by account.login({user, pass}) | no fault: {code: 2200, msg}; success {code: 1000-1500, msg, resData}"
    def call(s, rq, method, p):
        a = p[0] if p else {}
        if method == "account.login":
            x = s.login(a.get("user"), a.get("pass")); rq.out.append(("Set-Cookie", "domrobot=%s; path=/; secure; HttpOnly" % x.key)); return {"customerId": 12345, "tfa": "0"}
        k = cookies(rq).get("domrobot")
        if method == "account.logout": s.logout(k); return None
        return s.run(method, p, s.session(k))
    def answer(s, v): return dict({"code": 1000, "msg": "Command completed successfully", "svTRID": "t"}, **({} if v is None else {"resData": v}))
    def expired(s): return Fault(2200, "Authentication error")
    def refused(s): return Fault(2200, "Authentication error")
    def unknown(s, m): return Fault(2000, "Unknown command")
    def problem(s, f): return {"code": f.code, "msg": f.text, "svTRID": "t"}

class Loopia(Backend):
    name = "loopia"; paths = ("/RPCSERV",)
    about = "user, password as params 0-1 | no fault: the string AUTH_ERROR (or an array that holds it); success OK or data"
    def call(s, rq, method, p):
        rq.method = method
        s.static(p[:2] == [s.cfg["user"], s.cfg["password"]])
        return s.run(method, p[2:])
    def natural(s, m, a):
        if m == "addSubdomain": return "OK"
        if m == "getDomains": return [{"domain": "example.com", "paid": 1}]
        raise Fault(620, "Method \"%s\" does not exist" % m, extra="real")
    def expired(s): return Fault("AUTH_ERROR", "")
    def problem(s, f):
        if f.extra == "real" or isinstance(f.code, int): f.extra = None; raise f
        return [f.code] if CURRENT.method.startswith("get") else f.code

class SoftLayer(Backend):
    name = "softlayer"; paths = ("/xmlrpc/v3.1/",); multicall = None
    about = "first param {headers: {authenticate: {username, apiKey}}} (other headers beside it) or Basic | string fault code SoftLayer_Exception_InvalidLegacyToken"
    def call(s, rq, method, p):
        h = p[0].get("headers", {}) if p and isinstance(p[0], dict) and "headers" in p[0] else None
        a = (h or {}).get("authenticate", {})
        s.static((a.get("username"), a.get("apiKey")) == (s.cfg["user"], s.cfg["secret"]) or basic(rq) == (s.cfg["user"], s.cfg["secret"]))
        return s.run(method, p[1:] if h is not None else p)
    def expired(s): return Fault("SoftLayer_Exception_InvalidLegacyToken", "Invalid authentication token.")
    def unknown(s, m): return Fault("SoftLayer_Exception_NotFound", "Service does not have a method named " + m)

class Ipa(Backend):
    name = "ipa"; paths = ("/ipa/session/",); multicall = None
    about = "cookie ipa_session from a form POST to /ipa/session/login_password; header Referer: https://HOST/ipa on all | HTTP 401, HTML"
    def http(s, rq, body):
        if not rq.path.endswith("/login_password"): return None
        if "Referer" not in rq.headers: raise Raw(400, "<html><body>Bad Request</body></html>")
        q = urllib.parse.parse_qs(body.decode())
        try: x = s.login(q.get("user", [""])[0], q.get("password", [""])[0])
        except Refused: raise Raw(401, "<html><head><title>401 Unauthorized</title></head></html>", [("X-IPA-Rejection-Reason", "invalid-password")])
        raise Raw(200, "", [("Set-Cookie", "ipa_session=MagBearerToken=%s;path=/ipa;httponly;secure;" % x.key)])
    def call(s, rq, method, p):
        if not rq.headers.get("Referer", "").startswith("https://"): raise Fault(911, "Missing or invalid HTTP Referer, missing")
        k = (cookies(rq).get("ipa_session") or "").partition("=")[2]
        x = s.session(k)
        if method == "session_logout": s.logout(k); return {"result": None}
        return {"result": s.run(method, list(p[0]) if p else [], x), "value": "", "summary": None}
    def expired(s): raise Raw(401, "<html><head><title>401 Unauthorized</title></head></html>", [("WWW-Authenticate", "Negotiate")])
    def unknown(s, m): return Fault(905, "unknown command '%s'" % m)

class Ifm(Backend):
    name = "ifm"; paths = ("/api/rpc/v1/com.ifm.efector/",)
    about = "session id in the URL path: .../session_ID/, from requestSession(password, '') at the main path; heartbeat(s) keeps it | fault 100000; another session is active: 101004"
    def call(s, rq, method, p):
        m = re.search(r"/session_([0-9a-z]+)/", rq.path)
        if not m:
            if method == "requestSession":
                if s.cfg["max_sessions"] is None: s.cfg["max_sessions"] = 1; s.cfg["evict"] = False
                return s.login(s.cfg["user"], p[0] or s.cfg["password"]).key
            return s.run(method, p)
        if method == "cancelSession": s.logout(m.group(1)); return ""
        x = s.session(m.group(1))
        if method == "heartbeat": s.cfg["idle"] = float(p[0]); return int(p[0])
        return s.run(method, p, x)
    def natural(s, m, a): return {"Name": "New sensor"} if m == "getAllParameters" else ""
    def expired(s): return Fault(100000, "object not found")
    def refused(s): return Fault(101004, "Wrong password or another session is active")

class OpenSubtitles(Backend):
    name = "opensubtitles"; paths = ("/xml-rpc",); multicall = None
    about = "token as first param, from LogIn(user, pw, lang, agent) | no fault: {status: '401 Unauthorized' or '406 No session', seconds}"
    def call(s, rq, method, p):
        if method == "LogIn": return {"token": s.login(*p[:2]).key}
        if method == "LogOut": s.logout(p[0]); return {}
        if method == "ServerInfo": return {"xmlrpc_version": "0.1"}
        r = s.run(method, p[1:], s.session(p[0])); return r if isinstance(r, dict) else {"data": r}
    def answer(s, v): return dict(v, status="200 OK", seconds=0.01)
    def expired(s): return Fault("406 No session", "")
    def refused(s): return Fault("401 Unauthorized", "")
    def problem(s, f): return {"status": str(f.code), "seconds": 0.01}
    def natural(s, m, a):
        if m == "NoOperation": return {}
        raise Fault("402 Subtitles has invalid format" if m == "SearchSubtitles" else "410 Other or unknown error", "")

class Confluence(Backend):
    name = "confluence"; paths = ("/rpc/xmlrpc",); multicall = None
    about = "token as first param, from confluence2.login(user, pw) | fault 0, text has InvalidSessionException: User not authenticated or session expired"
    def newkey(s): return os.urandom(8).hex()[:10]
    def call(s, rq, method, p):
        if method.endswith(".login"): return s.login(*p[:2]).key
        if method.endswith(".logout"): s.logout(p[0]); return True
        return s.run(method, p[1:], s.session(p[0]))
    def expired(s): return Fault(0, "java.lang.Exception: com.atlassian.confluence.rpc.InvalidSessionException: User not authenticated or session expired. Call login() to open a new session")
    def refused(s): return Fault(0, "java.lang.Exception: com.atlassian.confluence.rpc.AuthenticationFailedException: Attempt to log in user '%s' failed - incorrect username/password combination." % s.cfg["user"])
    def unknown(s, m): return Fault(0, "java.lang.NoSuchMethodException: " + m)

class Moin(Backend):
    name = "moin"; paths = ("/moin",)
    about = "applyAuthToken(token) as the first member of a system.multicall, or the token from getAuthToken | string fault codes INVALID, EXPIRED, as a member of the multicall"
    def call(s, rq, method, p):
        if method == "getAuthToken":
            try: return s.login(*p[:2]).key
            except Refused: return ""
        if method == "applyAuthToken":
            try: rq.ok = s.session(p[0])
            except Expired: raise Fault("EXPIRED" if p[0] in s.sessions else "INVALID", "Expired token." if p[0] in s.sessions else "Invalid token.")
            return "SUCCESS"
        if method == "deleteAuthToken": s.logout(p[0]); return "SUCCESS"
        if not getattr(rq, "ok", None): s.bump("refused"); raise Fault(1, "You are not allowed to do this")
        return s.run(method, p, rq.ok)
    def expired(s): return Fault("INVALID", "Invalid token.")

class Atheme(Backend):
    name = "atheme"; paths = ("/xmlrpc",); multicall = None
    about = "cookie, account as params 0-1 (atheme.command: cookie, account, source ip, service, command...; . . for nobody), from atheme.login(account, pw) | fault 15; bad login 5, no such account 3"
    def newkey(s): return "".join("abcdefghijklmnopqrstuvwxyz"[b % 26] for b in os.urandom(20))
    def call(s, rq, method, p):
        if method == "atheme.login":
            if p[0] != s.cfg["user"]: s.bump("logins_bad"); raise Fault(3, "The account is not registered.")
            return s.login(*p[:2]).key
        if method not in ("atheme.command", "atheme.logout", "atheme.privset") and not method.startswith("rg."): raise Fault(-4, "XMLRPC error: Unknown routine called")
        if len(p) < 2: raise Fault(1, "Insufficient parameters.")
        if p[:2] == [".", "."]: return s.run("rg.echo", p[2:])
        if p[1] != s.cfg["user"]: raise Fault(3, "Unknown user.")
        if method == "atheme.logout": s.logout(p[0]); return "You are now logged out."
        return s.run(method, p[2:], s.session(p[0]))
    def natural(s, m, a): return "" if m == "atheme.privset" else " ".join(map(str, a)) or "ok"
    def expired(s): return Fault(15, "Invalid authcookie for this account.")
    def refused(s): return Fault(5, "The password is not valid for this account.")

CURRENT_TLS = threading.local()
class _Cur:
    def __getattr__(s, k): return getattr(CURRENT_TLS.rq, k)
    def __bool__(s): return getattr(CURRENT_TLS, "rq", None) is not None
CURRENT = _Cur()
BACKENDS = [c() for c in (Odoo, Aria2, Bugzilla, Koji, Cobbler, Uyuni, OpenNebula, DokuWiki, WordPress, Tryton, Ros, FreeSwitch, TestLink, Kiwi,
    Supervisor, PyPI, Magento, Inwx, Loopia, SoftLayer, Ipa, Ifm, OpenSubtitles, Confluence, Moin, Atheme, Xapi)]

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"; server_version = "simulate/1"; sys_version = ""
    disable_nagle_algorithm = True
    def log_message(s, *a):
        if ARGS.verbose: sys.stderr.write("%s\n" % (a[0] % a[1:]))
    def send(s, status, body, ctype, headers=()):
        b = body.encode() if isinstance(body, str) else body
        if status >= 500 or any(k == "Connection" for k, v in headers): s.close_connection = True
        s.send_response(status); s.send_header("Content-Type", ctype); s.send_header("Content-Length", str(len(b)))
        for k, v in headers: s.send_header(k, v)
        s.end_headers(); s.wfile.write(b)
    def find(s):
        p = s.path.split("?")[0]; best = None
        for b in BACKENDS:
            if p.startswith("/" + b.name + "/") or p == "/" + b.name: return b     # /koji/kojihub works too
            for q in b.paths:
                if p == q or (q.endswith("/") and p.startswith(q)) or p.startswith(q + "/"):
                    if best is None or len(q) > best[0]: best = (len(q), b)
        return best and best[1]
    def do_GET(s):
        if s.path.startswith("/control"): return s.control(None)
        s.send(405, "POST only\n", "text/plain", [("Allow", "POST")])
    def control(s, body):
        name = s.path.split("?")[0].split("/")[2] if s.path.count("/") > 1 else ""
        bs = [b for b in BACKENDS if name in ("", "*", b.name)]
        if not bs: return s.send(404, json.dumps({"error": "no such backend", "names": [b.name for b in BACKENDS]}), "application/json")
        if body is not None:
            try: d = json.loads(body or b"{}")
            except ValueError as e: return s.send(400, json.dumps({"error": str(e)}), "application/json")
            bad = [k for k in d if k not in DEFAULTS and k not in ("reset", "expire", "unlock")]
            if bad: return s.send(400, json.dumps({"error": "unknown: " + ", ".join(bad)}), "application/json")
            for b in bs:
                with b.lock:
                    if d.get("reset"): b.reset()
                    if d.get("expire"):
                        for x in b.sessions.values(): x.dead = True
                    if d.get("unlock"): b.bad = 0; b.locked_until = 0
                    b.cfg.update({k: v for k, v in d.items() if k in DEFAULTS})
        out = {}
        for b in bs:
            with b.lock:
                out[b.name] = {"counts": dict(b.counts, runs=b.runs), "live": sum(not b.is_dead(x) for x in b.sessions.values()), "settings": {k: v for k, v in b.cfg.items() if v != DEFAULTS[k]}}
                if len(bs) == 1: out[b.name].update(log=list(b.log), keys=list(b.sessions))
        s.send(200, json.dumps(out[bs[0].name] if len(bs) == 1 else out, indent=1) + "\n", "application/json")
    def do_POST(s):
        try: n = int(s.headers.get("Content-Length", 0))
        except ValueError: return s.send(400, "", "text/plain")
        body = s.rfile.read(n)
        if s.path.startswith("/control"): return s.control(body)
        b = s.find()
        if b is None: return s.send(404, "not found\n", "text/plain")
        s.out = []; s.sess = None; CURRENT_TLS.rq = s
        s.protocol_version = "HTTP/1.0" if b.http10 else "HTTP/1.1"
        if b.http10: s.close_connection = True
        for k in ("koji_seen", "inner", "failed", "ok", "tok", "key", "method", "v1"): s.__dict__.pop(k, None)
        with b.lock: b.flight += 1; b.counts["in_flight_max"] = max(b.counts["in_flight_max"], b.flight)
        try:
            if hasattr(b, "http"): b.http(s, body)
            b.before(s)
            try: params, method = X.loads(body, use_builtin_types=True)
            except Exception as e: raise Fault(-32700, "parse error. not well formed")
            s.send(200, dumps_ok(b.dispatch(s, method or "", list(params))), b.ctype, s.out + list(b.headers))
        except Fault as f: s.send(f.status, dumps_fault(f.code, f.text, f.extra if isinstance(f.extra, dict) else None), b.ctype, s.out + list(b.headers))
        except Raw as r: s.send(r.status, r.body, r.ctype, r.headers)
        except Drop: s.close_connection = True
        except (IndexError, KeyError, TypeError, AttributeError, ValueError) as e:
            b.bump("faults"); s.send(200, dumps_fault(1, "%s: %s" % (type(e).__name__, e)), "text/xml")
        finally:
            with b.lock: b.flight -= 1

class Server(ThreadingHTTPServer):
    daemon_threads = True; request_queue_size = 512

def main():
    global ARGS
    rows = "\n".join("  %-32s  %s" % ("\n  ".join(b.paths), b.about.replace(" | ", "\n  %-32s  refused: " % "")) for b in BACKENDS)
    ap = argparse.ArgumentParser(prog="simulate.py", formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__.replace("{PATHS}", rows))
    ap.add_argument("--port", type=int, default=0, help="0: any free port, printed as the first line")
    ap.add_argument("--address", default="127.0.0.1"); ap.add_argument("--verbose", action="store_true")
    ARGS = ap.parse_args()
    srv = Server((ARGS.address, ARGS.port), Handler)
    print(srv.server_address[1], flush=True)
    try: srv.serve_forever()
    except KeyboardInterrupt: pass
if __name__ == "__main__": main()
