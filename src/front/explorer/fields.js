// SPDX-License-Identifier: Apache-2.0
// Fields of a form. Each has an element, and read(): the text of its JSON, or undefined where it is
// empty and may be. What cannot be sent as it stands is an Error that says what to do.

function make(name, props, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key === "class") e.className = value;
    else if (key in e && key !== "list") e[key] = value;
    else e.setAttribute(key, value);
  }
  e.append(...children.filter((child) => child !== null && child !== undefined));
  return e;
}

const text = (s) => JSON.stringify(s);

function integer(value) {
  const digits = value.trim().replace(/^\+/, "").replace(/^(-?)0+(?=\d)/, "$1");
  if (!/^-?\d+$/.test(digits)) throw new Error("Write a whole number, such as 42.");
  return digits;
}

function decimal(value) {
  const digits = value.trim();
  if (/^(NaN|-?Infinity)$/.test(digits)) return `{"$double":"${digits}"}`;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits)) throw new Error("Write a number, such as 1.5.");
  return `{"$double":${text(digits)}}`;
}

function bytes(value) {
  const digits = value.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(digits)) throw new Error("This is no base64. Choose a file, or write its bytes as base64.");
  return digits;
}

function json(value) {
  const wrong = faultOf(value);
  if (wrong) throw new Error(wrong);
  return value.trim();
}

const when = (value) => value.length === 16 ? value + ":00" : value;

// What XML-RPC calls its types, and how each is written.
const TYPES = {
  int: { read: integer, hint: "42", mode: "numeric" },
  i8: { read: (v) => `{"$i8":"${integer(v)}"}`, hint: "9007199254740993", mode: "numeric" },
  biginteger: { read: (v) => `{"$biginteger":"${integer(v)}"}`, hint: "12345678901234567890", mode: "numeric" },
  bigdecimal: { read: (v) => decimal(v).replace("$double", "$bigdecimal"), hint: "1.5", mode: "decimal" },
  double: { read: decimal, hint: "1.5", mode: "decimal" },
  string: { read: text, emptyIs: '""', rows: 1 },
  boolean: { choices: ["false", "true"], read: (v) => v },
  "dateTime.iso8601": { input: "datetime-local", read: (v) => `{"$dateTime":${text(when(v))}}` },
  base64: { read: (v) => `{"$base64":"${bytes(v)}"}`, emptyIs: '{"$base64":""}', rows: 1, file: true, hint: "base64" },
  array: { read: json, start: "[]", rows: 2 },
  struct: { read: json, start: "{}", rows: 2 },
  nil: { choices: ["null"], read: () => "null" },
  any: { read: json, hint: "any JSON: 42, \"text\", [1, 2], {\"a\": null}", rows: 1 },
};
const OTHER_NAMES = {
  i1: "int", i2: "int", i4: "int", integer: "int", long: "i8", float: "double", bool: "boolean",
  str: "string", date: "dateTime.iso8601", dateTime: "dateTime.iso8601", datetime: "dateTime.iso8601",
  list: "array", dict: "struct", object: "struct", binary: "base64", null: "nil", none: "nil",
};
const typeOf = (name) => TYPES[name] || TYPES[OTHER_NAMES[name]] || TYPES.any;

// Of a route: by the schema that OpenAPI has of it. In path and query there is only text.
function typeOfSchema(schema, isText) {
  const kinds = [].concat(schema.type || []);
  const start = schema.default === undefined ? "" : schema.default;
  if (kinds[0] === "array") {
    if (!isText) return { read: json, rows: 2, hint: "[]" };
    return { rows: 2, note: "One value a line.", list: true, read: (v) => v.split("\n").filter((line) => line !== ""), start: [].concat(start).join("\n") };
  }
  if (schema.enum) return { choices: schema.enum.map(String), read: isText || kinds[0] === "string" ? (isText ? String : text) : String, start: String(start) };
  if (isText) return { read: String, rows: kinds[0] === "string" ? 1 : 0, start: String(start) };
  if (kinds.includes("integer")) return { read: integer, mode: "numeric", start: String(start) };
  if (kinds.includes("boolean")) return { choices: ["false", "true"], read: String, start: String(start) };
  if (schema.contentEncoding) return { read: (v) => text(bytes(v)), rows: 1, file: true, hint: "base64" };
  if (kinds.includes("string")) return { read: text, rows: 1, start: String(start) };
  if (kinds.includes("number")) return { read: (v) => { decimal(v); return v.trim(); }, mode: "decimal", start: String(start) };
  return { ...TYPES.any, start: start === "" ? "" : JSON.stringify(start) };
}

let fieldsMade = 0;

function control(type, id, about, optional) {
  const props = { id, "aria-describedby": about, value: type.start || "", placeholder: type.hint || "", spellcheck: type.rows === 1 && !type.file && type.read === text };
  if (type.choices) {
    const choices = optional ? ["", ...type.choices] : type.choices;
    return make("select", { id, "aria-describedby": about }, ...choices.map((c) =>
      make("option", { value: c, selected: c === type.start }, c === "" ? "(left out)" : c)));
  }
  if (type.rows) return make("textarea", { ...props, rows: type.rows });
  return make("input", { ...props, type: type.input || "text", step: type.input ? 1 : undefined, inputMode: type.mode, autocomplete: "off" });
}

// A file's bytes go into the field as base64.
function filePicker(input, name) {
  return make("input", { type: "file", "aria-label": `File for ${name}`, onchange: async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    const data = new Uint8Array(await file.arrayBuffer());
    let binary = "";
    for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
    input.value = btoa(binary);
  } });
}

// optional: it may be left empty, and is then left out.
function makeField(name, typeName, type, { optional, note } = {}) {
  const id = `field-${++fieldsMade}`;
  const input = control(type, id, `${id}-note ${id}-wrong`, optional);
  const wrong = make("p", { class: "wrong", id: `${id}-wrong`, role: "alert", hidden: true });
  const notes = [note, type.note].filter(Boolean).join(" ");
  const element = make("div", { class: "field" },
    make("label", { htmlFor: id }, name, make("span", { class: "type" }, typeName), optional ? make("span", { class: "type" }, "optional") : null),
    input, type.file ? filePicker(input, name) : null,
    make("p", { class: "note", id: `${id}-note`, hidden: !notes }, notes), wrong);
  function show(message) {
    wrong.textContent = message;
    wrong.hidden = !message;
    input.setAttribute("aria-invalid", String(Boolean(message)));
  }
  input.addEventListener("input", () => show(""));
  return {
    name, element, input,
    read() {
      try {
        if (input.value === "" && optional) return undefined;
        if (input.value === "" && type.emptyIs) return type.emptyIs;
        if (input.value === "" && !type.choices && type.read !== text) throw new Error("A value is missing here.");
        return type.read(input.value);
      } catch (e) {
        show(e.message);
        e.field = input;
        throw e;
      }
    },
  };
}
