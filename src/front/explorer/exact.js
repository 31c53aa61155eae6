"use strict";
// SPDX-License-Identifier: Apache-2.0
// JSON as text. What a server says is shown digit by digit: JSON.parse() makes of 9007199254740993
// another number, so it is given no number that it would change.

// One after the other: { kind: "s" string, "n" number, "w" word, or the character; from, to }.
function* tokensOf(text) {
  for (let at = 0; at < text.length;) {
    const c = text[at];
    let to = at + 1, kind = c;
    if (c === " " || c === "\n" || c === "\r" || c === "\t") {
      at++;
      continue;
    }
    if (c === '"') {
      kind = "s";
      to = endOfString(text, at);
    } else if (!"{}[]:,".includes(c)) {
      while (to < text.length && !" \n\r\t{}[]:,\"".includes(text[to])) to++;
      kind = c === "-" || (c >= "0" && c <= "9") ? "n" : "w";
    }
    yield { kind, from: at, to };
    at = to;
  }
}

function endOfString(text, at) {
  for (let to = text.indexOf('"', at + 1); to > 0; to = text.indexOf('"', to + 1)) {
    let slashes = 0;
    while (text[to - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return to + 1;
  }
  return text.length;
}

// Like JSON.parse(), but a number that would not be the same is a string of its digits.
function readExact(text) {
  const parts = [];
  let done = 0;
  for (const { kind, from, to } of tokensOf(text)) {
    if (kind !== "n") continue;
    const digits = text.slice(from, to);
    if (String(Number(digits)) === digits) continue;
    parts.push(text.slice(done, from), JSON.stringify(digits));
    done = to;
  }
  return JSON.parse(parts.join("") + text.slice(done));
}

// What is wrong with a text that should be JSON, or "".
function faultOf(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (e) {
    return "This is no JSON: " + e.message.replace(/^JSON\.parse: /, "");
  }
}

// The texts of an array's items, or null if it is none.
function itemsOf(text) {
  let depth = 0, from = -1;
  const items = [];
  for (const t of tokensOf(text)) {
    if (depth === 0 && t.kind !== "[") return null;
    if (depth === 1 && (t.kind === "," || t.kind === "]")) {
      if (from >= 0) items.push(text.slice(from, t.from).trim());
      from = -1;
    } else if (depth === 1 && from < 0) {
      from = t.from;
    }
    if (t.kind === "[" || t.kind === "{") depth++;
    if (t.kind === "]" || t.kind === "}") depth--;
  }
  return items;
}

const SHORT = 76;       // a list or struct of so many characters stands in one line
const CLIP = 4000;      // and so many are shown of a string
const PART = 3000;      // tokens that are shown at once: more make a browser slow

// Lays out JSON part by part: next() gives the next nodes, or null at the end.
function layoutOf(text) {
  const tokens = tokensOf(text);
  let depth = 0, flat = 0, before = "";

  function shortTo(from) {
    let open = 0;
    for (const t of tokensOf(text.slice(from, from + SHORT))) {
      if (t.kind === "[" || t.kind === "{") open++;
      if ((t.kind === "]" || t.kind === "}") && --open === 0) return from + t.to;
    }
    return 0;
  }

  function piece(t) {
    const all = text.slice(t.from, t.to);
    if (t.kind.length !== 1 || !"snw".includes(t.kind)) return all;
    const span = document.createElement("span");
    let next = t.to;
    while (/\s/.test(text[next] || "")) next++;
    span.className = t.kind === "s" && text[next] === ":" ? "k" : t.kind;
    span.textContent = all.length > CLIP
      ? `${all.slice(0, CLIP)}… (${all.length.toLocaleString("en")} characters)` : all;
    return span;
  }

  const line = () => "\n" + "  ".repeat(depth);

  function place(t, to) {
    const isFlat = flat > t.from;
    if (t.kind === "}" || t.kind === "]") {
      depth--;
      to.push(isFlat ? (t.kind === "}" && before !== "{" ? " " : "") : before === "[" || before === "{" ? "" : line());
    } else if (before === "," ) {
      to.push(isFlat ? " " : line());
    } else if (before === "[" || before === "{") {
      to.push(isFlat ? (before === "{" ? " " : "") : line());
    } else if (before === ":") {
      to.push(" ");
    }
    to.push(piece(t));
    if (t.kind === "{" || t.kind === "[") {
      depth++;
      if (!isFlat) flat = shortTo(t.from);
    }
    before = t.kind;
  }

  return {
    next() {
      const nodes = [];
      for (let n = 0; n < PART; n++) {
        const { value, done } = tokens.next();
        if (done) return { nodes, done: true };
        place(value, nodes);
      }
      return { nodes, done: false };
    },
  };
}
