// SPDX-License-Identifier: Apache-2.0
// The page: what there is at the left, one call at the right. The address behind # says which.

const at = (id) => document.getElementById(id);
const KEPT = "rpcgate-token";
const MANY_UPSTREAMS = 12;     // with more, one's methods are asked for when they are looked for
const HISTORY_MAX = 20;
const EXECUTED = {
  no: "No. The upstream did not run the call, so it can be sent again.",
  yes: "Yes. The upstream ran the call.",
  unknown: "Not known. The upstream may have run the call.",
};

const state = {
  token: sessionStorage.getItem(KEPT) || "",
  upstreams: [],               // { name, state, methods: null or names, told: sentence, element }
  routes: [],                  // { name, verb, path, operation, item }
  history: [],
  unasked: new Set(),          // what may be called without asking
  turn: 0,                     // which view is the newest: what comes late for another is dropped
};

const get = (path) => send({ verb: "GET", path }, state.token);

// ---- Token ------------------------------------------------------------------------------------

const tokenDialog = at("token");

function showToken() {
  at("token-state").textContent = state.token ? "Token set" : "No token";
  at("token-dot").className = state.token ? "dot up" : "dot";
}

function askToken(why) {
  if (tokenDialog.open) return;
  at("token-why").replaceChildren(...(why ? [why] : ["It goes with every request of this page as ", make("code", {}, "Authorization: Bearer"), ", and nowhere else."]));
  at("token-text").value = state.token;
  at("token-keep").checked = sessionStorage.getItem(KEPT) !== null;
  at("token-forget").hidden = !state.token;
  tokenDialog.showModal();
  at("token-text").focus();
}

function setToken(token, keep) {
  state.token = token.trim();
  if (keep && state.token) sessionStorage.setItem(KEPT, state.token);
  else sessionStorage.removeItem(KEPT);
  tokenDialog.close();
  showToken();
  load();
}

at("token-open").addEventListener("click", () => askToken());
at("token-cancel").addEventListener("click", () => tokenDialog.close());
at("token-forget").addEventListener("click", () => setToken("", false));
tokenDialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(at("token-text").value, at("token-keep").checked);
});

// ---- What there is ----------------------------------------------------------------------------

const sentenceOf = (answer) => {
  if (answer.status === 0) return answer.why;
  try {
    return answer.json().detail || answer.json().title;
  } catch {
    return `The answer has status ${answer.status} and is not the gateway's.`;
  }
};

async function load() {
  const list = at("list");
  state.upstreams = [];
  state.routes = [];
  list.replaceChildren(make("p", { class: "note group" }, "Looking …"));
  const [upstreams, routes] = await Promise.all([get("/v1"), get("/-/routes.json")]);
  if (upstreams.status !== 200) {
    list.replaceChildren(make("div", { class: "alert" }, sentenceOf(upstreams), " ",
      upstreams.status === 401 ? make("button", { type: "button", onclick: () => askToken() }, "Give a token") : null));
    if (upstreams.status === 401) askToken(state.token ? "The gateway does not know this token." : "This gateway wants to know who calls.");
    show();
    return;
  }
  state.upstreams = upstreams.json().upstreams.map((u) => ({ ...u, methods: null, told: "" }));
  if (routes.status === 200) state.routes = routesOf(routes.json());
  list.replaceChildren(...(state.routes.length ? [routeGroup()] : []), ...state.upstreams.map(upstreamGroup));
  if (!state.upstreams.length && !state.routes.length)
    list.replaceChildren(make("p", { class: "note group" }, "There is nothing here that you may use. The administrator allows it with the setting ", make("code", {}, "allow"), "."));
  show();
  if (state.upstreams.length <= MANY_UPSTREAMS) state.upstreams.forEach(learn);
}

function routesOf(document) {
  const found = [];
  for (const [path, verbs] of Object.entries(document.paths))
    for (const [verb, operation] of Object.entries(verbs))
      found.push({ name: operation.operationId, verb: verb.toUpperCase(), path, operation });
  return found;
}

const link = (hash, ...inside) => make("a", { href: hash }, ...inside);
const methodHash = (upstream, method) => `#call/${encodeURIComponent(upstream)}/${encodeURIComponent(method)}`;
const routeHash = (route) => `#route/${encodeURIComponent(route.name)}`;

function routeGroup() {
  return make("section", { class: "group" }, make("h2", {}, "Routes", make("span", { class: "count" }, String(state.routes.length))),
    make("ul", {}, ...state.routes.map((route) => {
      route.item = make("li", {}, link(routeHash(route), make("span", { class: "verb" }, route.verb), make("span", { class: "name" }, route.path)));
      route.item.about = `${route.path} ${route.name} ${route.operation.summary || ""}`;
      return route.item;
    })));
}

function upstreamGroup(upstream) {
  upstream.count = make("span", { class: "count" });
  upstream.dot = make("span");
  upstream.hint = make("span", { class: "hidden" });
  upstream.list = make("ul");
  upstream.say = make("p", { class: "note" });
  upstream.element = make("section", { class: "group" },
    make("h2", {}, upstream.dot, upstream.name, upstream.hint, upstream.count),
    upstream.say, upstream.list);
  fillGroup(upstream);
  return upstream.element;
}

function fillGroup(upstream) {
  const { methods } = upstream;
  const hint = upstream.state === "unknown" ? "not called yet" : upstream.state;
  upstream.dot.className = `dot ${upstream.state}`;
  upstream.dot.title = hint;
  upstream.hint.textContent = `, ${hint}`;
  const items = (methods || []).map((name) => {
    const item = make("li", {}, link(methodHash(upstream.name, name), make("span", { class: "name" }, name)));
    item.about = `${name} ${upstream.name}`;
    return item;
  });
  const other = make("li", { class: "other" }, link(methodHash(upstream.name, ""), methods ? "Another method …" : "Call a method by its name …"));
  other.isOther = true;
  upstream.list.replaceChildren(...items, other);
  upstream.count.textContent = methods ? String(methods.length) : "";
  upstream.say.replaceChildren(...(upstream.told ? [upstream.told] : methods ? [] : [
    make("button", { type: "button", class: "quiet", onclick: () => learn(upstream) }, "List its methods")]));
  markCurrent();
}

async function learn(upstream) {
  if (upstream.methods || upstream.asked) return;
  upstream.asked = true;
  upstream.told = "Asking …";
  fillGroup(upstream);
  const answer = await get(methodPath(upstream.name));
  upstream.told = "";
  if (answer.status !== 200) {
    upstream.told = sentenceOf(answer);
  } else {
    const { methods, reason } = answer.json();
    upstream.methods = methods && methods.map((m) => m.name);
    upstream.state = "up";
    upstream.told = methods ? "" : reason || "This server does not list its methods.";
  }
  fillGroup(upstream);
  search();
}

// ---- Search -----------------------------------------------------------------------------------

const searchField = at("search");

function highlight(element, words) {
  const name = element.querySelector(".name");
  const whole = name.textContent;
  const word = words.find((w) => whole.toLowerCase().includes(w));
  const from = word ? whole.toLowerCase().indexOf(word) : -1;
  name.replaceChildren(...(from < 0 ? [whole] : [whole.slice(0, from), make("mark", {}, whole.slice(from, from + word.length)), whole.slice(from + word.length)]));
}

function search() {
  const words = searchField.value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const group of at("list").querySelectorAll(".group")) {
    let any = false;
    for (const item of group.querySelectorAll("li")) {
      const fits = item.isOther ? !words.length : words.every((w) => item.about.toLowerCase().includes(w));
      item.hidden = !fits;
      if (!fits || item.isOther) continue;
      highlight(item, words);
      any = true;
      n++;
    }
    group.hidden = words.length > 0 && !any;
  }
  at("found").textContent = words.length ? (n === 1 ? "1 fits" : `${n || "Nothing"} ${n === 1 ? "fits" : "fit"}`).replace("Nothing fit", "Nothing fits") : "";
}

searchField.addEventListener("input", () => {
  state.upstreams.forEach(learn);
  search();
});
searchField.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    searchField.value = "";
    search();
  } else if (event.key === "Enter") {
    const first = [...at("list").querySelectorAll("li:not([hidden]) a")].find((a) => !a.closest("[hidden]"));
    if (first && searchField.value) location.hash = first.getAttribute("href");
  }
});
document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  location.hash = matchMedia("(max-width: 760px)").matches ? "" : location.hash;
  setTimeout(() => searchField.focus());
});

// ---- Views ------------------------------------------------------------------------------------

function markCurrent() {
  for (const a of at("list").querySelectorAll("a")) {
    if (a.getAttribute("href") === location.hash) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
}

const chosen = () => location.hash.slice(1).split("/").map((part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
});

async function show() {
  const turn = ++state.turn;
  const [kind, first, second] = chosen();
  document.body.classList.toggle("chosen", kind === "call" || kind === "route");
  markCurrent();
  if (kind === "route") {
    const route = state.routes.find((r) => r.name === first);
    paint(route ? routeView(route) : [make("p", {}, "There is no such route that you may use.")]);
  } else if (kind === "call" && second) {
    const answer = await get(methodPath(first, second));
    if (turn === state.turn) paint(methodView(first, second, answer));
  } else if (kind === "call") {
    paint(nameView(first));
  } else {
    paint(welcome());
  }
}

function paint(nodes) {
  const [kind] = chosen();
  const back = kind === "call" || kind === "route" ? make("a", { class: "back", href: "#" }, "← All methods") : null;
  at("main").replaceChildren(...[back, ...nodes].filter(Boolean));
  document.title = (at("main").querySelector("h1")?.textContent || "explorer") + " – rpcgate";
}

function welcome() {
  const links = [["openapi.json", "all of it in OpenAPI 3.1, for generators"], ["-/routes.json", "the routes alone"], ["v1", "the upstreams and their state"]];
  return [make("div", { class: "welcome" },
    make("h1", {}, "Call what is behind this gateway"),
    make("p", {}, "At the left are the XML-RPC servers that this gateway calls for you, their methods, and its routes. Choose one: the form asks for what it takes, and the answer is shown as it came, every digit of it."),
    make("p", {}, "Press ", make("kbd", {}, "/"), " to search, and ", make("kbd", {}, "Ctrl"), " ", make("kbd", {}, "Enter"), " in a form to call. Every call can be copied as a command or a program."),
    make("p", {}, "For programs there is"),
    make("ul", {}, ...links.map(([path, what]) => make("li", {}, make("a", { href: path }, `/${path}`), `: ${what}`))),
    historyList())];
}

function nameView(upstream) {
  const input = make("input", { id: "method-name", class: "mono", autocomplete: "off", spellcheck: false });
  const go = (event) => {
    event.preventDefault();
    if (input.value.trim()) location.hash = methodHash(upstream, input.value.trim());
  };
  return [make("p", { class: "note trail" }, upstream), make("h1", {}, "A method by its name"),
    make("form", { class: "card", onsubmit: go }, make("div", { class: "inside" },
      make("div", { class: "field" }, make("label", { htmlFor: "method-name" }, "Method"), input),
      make("div", { class: "send" }, make("button", { type: "submit", class: "main" }, "Next"))))];
}

function heading(trail, name, isSafe, look = "mono") {
  return [make("p", { class: "note trail" }, trail), make("div", { class: "head" }, make("h1", { class: look }, name),
    make("span", { class: isSafe ? "badge safe" : "badge unsafe" }, isSafe ? "safe" : "may change something"))];
}

// What a server says is text, whatever stands in it.
const helpOf = (help) => help ? make("p", { class: "help", tabIndex: help.length > 900 ? 0 : -1 }, help) : null;

function methodView(upstream, method, answer) {
  const known = answer.status === 200 ? answer.json() : {};
  const signatures = known.signatures || [];
  const nodes = [...heading(upstream, method, known.safe), helpOf(known.help)];
  if (answer.status !== 200) nodes.push(make("p", { class: "alert" }, sentenceOf(answer)));
  if (answer.status === 401) askToken();
  nodes.push(...callView({
    key: `${upstream}/${method}`, name: method, isSafe: known.safe, signatures,
    fieldsOf: (signature) => signature.slice(1).map((type, i) => makeField(`Param ${i + 1}`, type, typeOf(type))),
    bodyOf: (fields) => `[${fields.map((f) => f.read()).join(", ")}]`,
    start: signatures.length ? "" : "[]",
    request: (body, options) => ({
      verb: "POST", path: methodPath(upstream, method) + queryOf(options), body,
      call: [upstream, method, itemsOf(body), options] }),
  }));
  return nodes;
}

const queryOf = (options) => {
  const query = new URLSearchParams(options).toString();
  return query && `?${query}`;
};

function routeFields(route) {
  const { operation } = route;
  const schema = operation.requestBody?.content["application/json"].schema;
  const fields = (operation.parameters || []).filter((p) => p.name).map((p) => {
    const type = typeOfSchema(p.schema, true);
    return Object.assign(makeField(p.name, nameOfSchema(p.schema), type, { optional: !p.required, note: noteOf(p.schema, p.description) }), { in: p.in, isList: type.list });
  });
  for (const [name, s] of Object.entries(schema?.properties || {}))
    fields.push(Object.assign(makeField(name, nameOfSchema(s), typeOfSchema(s, false), {
      optional: !(schema.required || []).includes(name), note: noteOf(s, s.description) }), { in: "body" }));
  return fields;
}

const nameOfSchema = (schema) => {
  const [kind] = [].concat(schema.type || []);
  return kind === "array" ? `${[].concat(schema.items?.type || "any")[0]}[]` : kind || "any";
};

function noteOf(schema, description) {
  const { minimum, maximum, maxLength, examples } = schema;
  return [description, minimum !== undefined && `At least ${minimum}.`, maximum !== undefined && `At most ${maximum}.`,
    maxLength !== undefined && `At most ${maxLength} characters.`, examples && `For example ${examples.map((e) => typeof e === "string" ? e : JSON.stringify(e)).join(", ")}.`].filter(Boolean).join(" ");
}

function routeView(route) {
  const { operation } = route;
  const info = operation["x-rpcgate"];
  const isTold = operation.description !== "A route of the gateway's configuration.";
  const hasBody = Boolean(operation.requestBody);
  return [...heading(`${route.verb} ${route.path}`, operation.summary || route.name, info.safe, ""),
    make("p", { class: "signature" }, `makes ${info.call}`), helpOf(isTold ? operation.description : ""),
    ...callView({
      key: `@${route.name}`, name: `${route.verb} ${route.path}`, isSafe: info.safe, signatures: [],
      fieldsOf: () => routeFields(route), isRoute: true, hasBody,
      bodyOf: (fields) => `{${fields.filter((f) => f.in === "body").map((f) => [f.name, f.read()]).filter(([, v]) => v !== undefined).map(([n, v]) => `${text(n)}: ${v}`).join(", ")}}`,
      request(body, options, fields) {
        let path = route.path;
        const query = new URLSearchParams();
        for (const f of fields.filter((f) => f.in !== "body")) {
          const value = f.read();
          if (value === undefined) continue;
          if (f.in === "path") path = path.replace(`{${f.name}}`, () => encodeURIComponent(value));
          else for (const one of [].concat(value)) query.append(f.name, one);
        }
        for (const [name, value] of Object.entries(options)) query.append(name, value);
        const asText = query.toString();
        return { verb: route.verb, path: path + (asText && `?${asText}`), body: hasBody ? body : undefined };
      },
    })];
}

// ---- A call -----------------------------------------------------------------------------------

const signatureText = (s) => `(${s.slice(1).join(", ")}) → ${s[0]}`;

function selectOf(label, name, values) {
  const select = make("select", { name }, ...values.map((v) => make("option", { value: v }, v || "as configured")));
  return { select, element: make("label", {}, label, select) };
}

// about: { key, name, isSafe, signatures, fieldsOf, bodyOf, request, start, isRoute, hasBody }
function callView(about) {
  const hasForm = about.isRoute || about.signatures.length > 0;
  const hasText = !about.isRoute || about.hasBody;
  let fields = [], asText = !hasForm;
  const place = make("div");
  const area = make("textarea", { id: "json-text", rows: 4, spellcheck: false, value: about.start || "" });
  const areaWrong = make("p", { class: "wrong", role: "alert", hidden: true });
  const areaField = make("div", { class: "field" }, make("label", { htmlFor: "json-text" }, about.isRoute ? "Body, as JSON" : "Params, as a JSON array"), area, areaWrong,
    make("p", { class: "note" }, about.isRoute ? "" : "Dates are {\"$dateTime\": \"2024-02-29T12:00:00\"}, bytes {\"$base64\": \"…\"}, large integers {\"$i8\": \"…\"}."));
  const types = selectOf("Values", "types", ["", "plain", "tagged"]);
  const integers = selectOf("Integers", "integers", ["", "number", "string", "safe"]);
  const note = make("span", { class: "note" }, about.isSafe ? "" : "Asks before it calls.");
  const button = make("button", { type: "submit", class: "main" }, "Call");
  const outcome = make("div", { "aria-live": "polite" });

  const readText = () => {
    const wrong = faultOf(area.value);
    areaWrong.textContent = wrong;
    areaWrong.hidden = !wrong;
    area.setAttribute("aria-invalid", String(Boolean(wrong)));
    if (wrong) throw Object.assign(new Error(wrong), { field: area });
    return area.value.trim();
  };
  const request = () => about.request(asText ? readText() : about.bodyOf(fields), optionsNow(), fields);
  const optionsNow = () => Object.fromEntries([types, integers].filter((o) => o.select.value).map((o) => [o.select.name, o.select.value]));

  function fill(signature) {
    fields = about.fieldsOf(signature);
    place.replaceChildren(...(fields.length ? fields.map((f) => f.element) : [make("p", { class: "note" }, "It takes nothing.")]));
  }
  function setText(wanted) {
    if (wanted && !asText) {
      try {
        area.value = about.bodyOf(fields);
      } catch {
        area.value = area.value || (about.isRoute ? "{}" : "[]");
      }
    }
    asText = wanted;
    areaField.hidden = !asText;
    for (const f of fields) f.element.hidden = asText && (!about.isRoute || f.in === "body");
    place.hidden = asText && !about.isRoute;
    for (const b of form.querySelectorAll(".choice button")) b.setAttribute("aria-pressed", String((b.value === "json") === asText));
    if (which) which.element.hidden = asText;
  }
  const which = about.signatures.length > 1 ? makeField("Signature", "", {
    choices: about.signatures.map(signatureText), read: (v) => v }) : null;
  which?.input.addEventListener("change", () => fill(about.signatures[which.input.selectedIndex]));

  const choice = hasForm && hasText ? make("div", { class: "choice", role: "group", "aria-label": "How params are given" },
    ...[["form", "Form"], ["json", "JSON"]].map(([value, label]) => make("button", { type: "button", value, onclick: () => setText(value === "json") }, label))) : null;
  const form = make("form", { class: "card", noValidate: true },
    make("div", { class: "bar" }, make("h2", {}, about.isRoute ? "Request" : "Params"), choice),
    make("div", { class: "inside" },
      about.signatures.length === 1 ? make("p", { class: "signature" }, signatureText(about.signatures[0])) : null,
      which?.element, place, areaField, make("div", { class: "send" }, button, types.element, integers.element, note)));
  const copy = copyView(request);
  if (hasForm) fill(about.signatures[0]);
  setText(asText);
  place.classList.add("field");

  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("input", () => copy.stale());
  form.addEventListener("click", () => copy.stale());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    let made;
    try {
      made = request();
    } catch (e) {
      e.field?.focus();
      return;
    }
    if (about.isSafe || await mayCall(about)) await callNow(about, made, button, outcome);
  });
  return [form, outcome, copy.element, make("div", { class: "history-here" }, historyList())];
}

// ---- Before and after a call ------------------------------------------------------------------

const askDialog = at("ask");

function mayCall(about) {
  if (state.unasked.has(about.key)) return true;
  at("ask-name").textContent = about.name;
  at("ask-no-more").checked = false;
  askDialog.returnValue = "";
  askDialog.showModal();
  at("ask-go").focus();
  return new Promise((resolve) => askDialog.addEventListener("close", () => {
    const goes = askDialog.returnValue === "go";
    if (goes && at("ask-no-more").checked) state.unasked.add(about.key);
    resolve(goes);
  }, { once: true }));
}
at("ask-cancel").addEventListener("click", () => askDialog.close(""));
askDialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  askDialog.close("go");
});

async function callNow(about, made, button, outcome) {
  const stop = new AbortController();
  button.setAttribute("aria-disabled", "true");
  outcome.replaceChildren(make("div", { class: "card" }, make("div", { class: "bar" }, make("span", { class: "facts" }, "Calling …"),
    make("button", { type: "button", onclick: () => stop.abort() }, "Stop"))));
  const answer = await send({ ...made, signal: stop.signal }, state.token);
  button.removeAttribute("aria-disabled");
  state.history.unshift({ name: about.name, hash: location.hash, status: answer.status, ms: answer.ms, id: answer.id });
  state.history.length = Math.min(state.history.length, HISTORY_MAX);
  outcome.replaceChildren(outcomeView(answer));
  document.querySelector(".history-here")?.replaceChildren(historyList());
  if (answer.status === 401) askToken(state.token ? "The gateway does not know this token." : "This call wants to know who makes it.");
}

const STATUS = { 0: "No answer", 200: "OK", 201: "Created", 202: "Accepted", 204: "No content", 400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found", 405: "Method not allowed", 413: "Too large", 422: "Unprocessable", 429: "Too many requests", 500: "Fault or error", 502: "Bad gateway", 503: "Unavailable", 504: "Timeout" };
const statusText = (status) => [status || "", STATUS[status] || ""].join(" ").trim();
const msText = (ms) => ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
const sizeText = (n) => n < 1000 ? `${n} characters` : n < 1e6 ? `${(n / 1000).toFixed(1)} k characters` : `${(n / 1e6).toFixed(1)} M characters`;

function outcomeView(answer) {
  const isGood = answer.status >= 200 && answer.status < 300;
  const facts = [msText(answer.ms), answer.text && sizeText(answer.text.length), answer.id && `request ${answer.id}`,
    answer.timing?.replace(/;dur=([\d.]+)/g, " $1 ms"),
    answer.repaired && `${answer.repaired} texts repaired`, answer.retry && `again after ${answer.retry} s`].filter(Boolean);
  const card = make("section", { class: "card", "aria-label": "Answer" }, make("div", { class: "bar" },
    make("h2", {}, isGood ? "Result" : "Answer"), make("span", { class: `status ${isGood ? "good" : "bad"}` }, statusText(answer.status)),
    make("span", { class: "facts" }, ...facts.map((f) => make("span", {}, f)))));
  if (answer.status === 0) card.append(make("p", { class: "problem" }, answer.why));
  else if (answer.isProblem) card.append(problemView(answer), make("details", {}, make("summary", {}, "The whole document"), jsonView(answer.text, "The problem document")));
  else if (answer.text) card.append(jsonView(resultIn(answer.text), "The answer"));
  return card;
}

// What stands in {"result": …}, where the answer is that: a text, for its digits.
function resultIn(whole) {
  const open = '{"result":';
  return whole.startsWith(open) && whole.endsWith("}") ? whole.slice(open.length, -1).trim() : whole;
}

function problemView(answer) {
  const problem = answer.json();
  const rows = [];
  const row = (name, value) => value !== undefined && value !== null && rows.push(make("dt", {}, name), make("dd", {}, value));
  row("Executed", EXECUTED[problem.executed]);
  if (problem.fault) {
    row("Fault code", String(problem.fault.code ?? problem.fault.code_text));
    row("Fault string", problem.fault.string ?? "(none)");
  }
  row("Setting", problem.setting);
  row("Where", problem.pointer);
  row("Upstream said", problem.protocol && [problem.protocol.status, problem.protocol.message, problem.protocol.body].filter(Boolean).join(" "));
  return make("div", { class: "problem" }, make("h3", {}, problem.title || "Problem"), make("p", {}, problem.detail || ""),
    problem.errors ? make("ul", {}, ...problem.errors.map((e) => make("li", {}, make("code", {}, `${e.in} ${e.name}`), `: ${e.detail}`))) : null,
    make("dl", {}, ...rows));
}

// JSON as it came, laid out; a long one part by part.
function jsonView(whole, label) {
  const layout = layoutOf(whole);
  const pre = make("pre", { class: "json", tabIndex: 0, role: "region", "aria-label": label });
  const rest = make("span", { class: "note" });
  const more = make("button", { type: "button", onclick: () => add() }, "Show more");
  function add() {
    const { nodes, done } = layout.next();
    pre.append(...nodes);
    more.hidden = done;
    rest.textContent = done ? "" : "There is more of it.";
  }
  add();
  return make("div", {}, pre, make("div", { class: "more" }, more, rest,
    copyButton("Copy it", () => whole, pre), make("button", { type: "button", onclick: () => save(whole) }, "Save as a file")));
}

function save(whole) {
  const url = URL.createObjectURL(new Blob([whole], { type: "application/json" }));
  make("a", { href: url, download: "answer.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// Where a page may not write to the clipboard, what can be copied by hand is selected.
function copyButton(label, textOf, shown) {
  const button = make("button", { type: "button", onclick: async () => {
    let did = "Copied";
    try {
      await navigator.clipboard.writeText(textOf());
    } catch {
      getSelection().selectAllChildren(shown);
      did = "Selected";
    }
    button.textContent = did;
    setTimeout(() => { button.textContent = label; }, 1500);
  } }, label);
  return button;
}

function copyView(request) {
  let chosenNow = COPIES[0];
  const pre = make("pre", { tabIndex: 0, role: "region", "aria-label": "The call as a program makes it" });
  const note = make("p", { class: "note" });
  const buttons = COPIES.map((one) => make("button", { type: "button", onclick: () => { chosenNow = one; write(); } }, one[0]));
  function write() {
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(COPIES[i] === chosenNow)));
    try {
      pre.textContent = chosenNow[1](request(), Boolean(state.token)) ?? "rpcgate call makes calls of methods; a route is for programs that speak HTTP.";
    } catch (e) {
      pre.textContent = `First the form: ${e.message}`;
    }
    note.textContent = state.token ? (chosenNow[1] === asTool ? "token.txt has your token." : "Your token is not in it: set TOKEN in the environment.") : "";
  }
  const element = make("details", { class: "card copy", ontoggle: () => element.open && write() }, make("summary", {}, "Copy it as a command or a program"),
    make("div", { class: "bar" }, make("div", { class: "choice", role: "group", "aria-label": "Copy as" }, ...buttons)),
    pre, make("div", { class: "more" }, copyButton("Copy it", () => pre.textContent, pre), note));
  return { element, stale: () => element.open && queueMicrotask(write) };
}

function historyList() {
  if (!state.history.length) return null;
  return make("section", { class: "history" }, make("h3", {}, "What you have called"), make("ol", {}, ...state.history.map((h) =>
    make("li", {}, make("a", { href: h.hash, class: "mono" }, h.name), make("span", { class: `status ${h.status >= 200 && h.status < 300 ? "good" : "bad"}` }, statusText(h.status)),
      make("span", { class: "facts" }, `${msText(h.ms)} ${h.id && `request ${h.id}`}`)))));
}

// ---- Begin ------------------------------------------------------------------------------------

addEventListener("hashchange", async () => {
  await show();
  at("main").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
showToken();
load();
