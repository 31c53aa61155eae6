// SPDX-License-Identifier: Apache-2.0
// Requests to the gateway that this page came from, and how programs make the same ones. A request:
// { verb, path, body (text of JSON, or undefined), call: [upstream, method, items] of a plain call }.

const BASE = new URL(".", location.href.split("#")[0]);
const addressOf = (path) => new URL(path.replace(/^\//, ""), BASE).href;
// Dots alone would lead elsewhere; with a blank behind them there is no such name.
const segment = (name) => encodeURIComponent(/^\.\.?$/.test(name) ? `${name} ` : name);
const methodPath = (upstream, method) => `/v1/${segment(upstream)}` + (method === undefined ? "" : `/${segment(method)}`);

// Gives { status, text, ms, id, timing, json() }; status 0: there was no answer.
async function send(request, token) {
  const headers = { Accept: "application/json" };
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const began = performance.now();
  try {
    const response = await fetch(addressOf(request.path), {
      method: request.verb, headers, body: request.body, cache: "no-store", credentials: "same-origin",
      redirect: "error", signal: request.signal });
    const answer = await response.text();
    return {
      status: response.status, text: answer, ms: performance.now() - began,
      id: response.headers.get("X-Request-Id") || "", timing: response.headers.get("Server-Timing") || "",
      repaired: response.headers.get("X-Rpcgate-Repaired") || "", retry: response.headers.get("Retry-After") || "",
      isProblem: /problem\+json/.test(response.headers.get("Content-Type") || ""),
      json: () => readExact(answer) };
  } catch (e) {
    const why = e.name === "AbortError" ? "It was stopped here. The gateway may have made the call all the same."
      : "The gateway could not be reached, or the connection was lost. Whether the call was made is not known.";
    return { status: 0, text: "", ms: performance.now() - began, id: "", why };
  }
}

const inShell = (s) => /^[\w.\/:@%+-]+$/.test(s) ? s : `'${s.replace(/'/g, "'\\''")}'`;

function asCurl(request, hasToken) {
  const parts = ["curl"];
  if (request.verb !== "GET" && !(request.verb === "POST" && request.body !== undefined)) parts.push("-X", request.verb);
  if (hasToken) parts.push('-H "Authorization: Bearer $TOKEN"');
  if (request.body !== undefined) parts.push("--json", inShell(request.body));
  parts.push(inShell(addressOf(request.path)));
  return parts.join(" ");
}

// Python reads what JSON.stringify() writes as the same text.
const inPython = (s) => JSON.stringify(s).replace(/\u2028|\u2029/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);

function asPython(request, hasToken) {
  const lines = ["import json", ...(hasToken ? ["import os"] : []), "import urllib.request", ""];
  const headers = [];
  if (request.body !== undefined) headers.push('"Content-Type": "application/json"');
  if (hasToken) headers.push('"Authorization": "Bearer " + os.environ["TOKEN"]');
  lines.push("request = urllib.request.Request(", `    ${inPython(addressOf(request.path))},`, `    method=${inPython(request.verb)},`);
  if (request.body !== undefined) lines.push(`    data=${inPython(request.body)}.encode(),`);
  if (headers.length) lines.push(`    headers={${headers.join(", ")}},`);
  lines.push(")", "with urllib.request.urlopen(request) as answer:", "    print(json.load(answer))");
  return lines.join("\n");
}

function asJavaScript(request, hasToken) {
  const headers = [];
  if (request.body !== undefined) headers.push('"Content-Type": "application/json"');
  if (hasToken) headers.push("Authorization: `Bearer ${process.env.TOKEN}`");
  const lines = [`const answer = await fetch(${JSON.stringify(addressOf(request.path))}, {`, `  method: ${JSON.stringify(request.verb)},`];
  if (headers.length) lines.push(`  headers: { ${headers.join(", ")} },`);
  if (request.body !== undefined) lines.push(`  body: ${JSON.stringify(request.body)},`);
  lines.push("});", "console.log(answer.status, await answer.text());");
  return lines.join("\n");
}

// null: the tool has no such call.
function asTool(request, hasToken) {
  if (!request.call) return null;
  const [upstream, method, items, options] = request.call;
  const words = ["rpcgate call", "--url", inShell(BASE.href.replace(/\/$/, ""))];
  if (hasToken) words.push("--token-file token.txt");
  for (const [name, value] of Object.entries(options)) words.push(`--${name}`, value);
  words.push(inShell(upstream), inShell(method));
  if (items) return [...words, ...items.map(inShell)].join(" ");
  return `printf %s ${inShell(request.body)} | ${words.join(" ")} -`;
}

const COPIES = [["curl", asCurl], ["Python", asPython], ["JavaScript", asJavaScript], ["rpcgate call", asTool]];
