// SPDX-License-Identifier: Apache-2.0
// Looks at the explorer in Chromium, as a person uses it. test_explorer_browser.py starts it, and says
// by the environment where everything is; it prints what it has found, and for a last line JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { MODULES, CHROMIUM, URL: url, BARE: bare, TOKEN: token, SHOTS: shots, SLOW = "1" } = process.env;
const require = createRequire(`${MODULES}/x.js`);
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const DEADLINE = 10_000 * Number(SLOW);
const WIDE = 1400, NARROW = 360;

const browser = await puppeteer.launch({
  executablePath: CHROMIUM, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server", "--disable-background-networking",
    "--disable-component-update", "--no-first-run", "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});

// What no page may ever do.
const noted = [];

async function open(at, { width = WIDE, scheme = "light", watched = true } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: "reduce" }]);
  if (watched) {
    page.on("console", (m) => {
      // Chromium tells each answer with 4xx or 5xx there: those are the gateway's.
      if (!/^Failed to load resource: the server responded/.test(m.text())) noted.push(`console: ${m.text()}`);
    });
    page.on("pageerror", (e) => noted.push(`error: ${e.message}`));
    page.on("request", (r) => {
      if (new URL(r.url()).protocol !== "data:" && !r.url().startsWith(`${new URL(at).origin}/`)) noted.push(`request: ${r.url()}`);
    });
    await page.evaluateOnNewDocument(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
    });
  }
  await page.goto(at, { waitUntil: "networkidle0" });
  return page;
}

const close = async (page) => {
  const violations = await page.evaluate(() => window.violations || []);
  noted.push(...violations.map((v) => `policy: ${v}`));
  await page.browserContext().close();
};

const textOf = (page, selector) => page.$eval(selector, (e) => e.textContent);
const shows = (page, words) => page.waitForFunction((w) => document.querySelector("main").innerText.includes(w), {}, words);
const visible = (page, selector) => page.$$eval(selector, (all) => all.filter((e) => e.checkVisibility()).map((e) => e.textContent));

async function signIn(page, keep = false) {
  await page.waitForSelector("#token[open]");
  await page.type("#token-text", token);
  if (keep) await page.click("#token-keep");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#list li");
  await page.waitForFunction(() => !document.querySelector("#list").textContent.includes("Asking"));
}

// Opened by its link, as from a bookmark.
async function choose(page, name, title = name) {
  await page.evaluate((n) => [...document.querySelectorAll("#list a")].find((a) => a.textContent.includes(n)).click(), name);
  await page.waitForFunction((n) => document.querySelector("h1")?.textContent.includes(n), {}, title);
}

async function call(page, { asks = true } = {}) {
  await page.click("main button.main");
  if (asks) {
    await page.waitForSelector("#ask[open]");
    await page.click("#ask-go");
  }
  await page.waitForSelector("main section[aria-label=Answer] .status");
}

async function fill(page, ...values) {
  for (const [i, value] of values.entries()) {
    const field = (await page.$$("main .field :is(input:not([type=file]), textarea, select)"))[i];
    await field.evaluate((e, v) => {
      e.value = v;
      e.dispatchEvent(new Event("input", { bubbles: true }));
    }, value);
  }
}

const shown = (page) => textOf(page, "main pre.json");

const checks = {
  async "a token is asked for, forgotten, and kept when asked"() {
    const page = await open(url);
    await page.waitForSelector("#token[open]");
    await page.type("#token-text", "wrong");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#token[open] #token-why")?.textContent.includes("does not know"));
    await page.$eval("#token-text", (e) => { e.value = ""; });
    await signIn(page);
    assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
    await page.reload({ waitUntil: "networkidle0" });
    await signIn(page, true);
    await page.reload({ waitUntil: "networkidle0" });
    await page.waitForSelector("#list li");
    assert.equal(await page.$("#token[open]"), null);
    await page.click("#token-open");
    await page.click("#token-forget");
    await page.waitForSelector("#token[open]");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await close(page);
  },

  async "by the keyboard alone: search, open, fill, call"() {
    const page = await open(url);
    await signIn(page);
    await page.keyboard.press("/");
    await page.keyboard.type("calc add");
    assert.deepEqual(await visible(page, "#list li .name"), ["calc.add"]);
    await page.keyboard.press("Enter");
    await page.waitForSelector("main form");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    const focused = () => page.evaluate(() => document.activeElement.closest(".field")?.querySelector("label").textContent);
    for (let i = 0; i < 6 && !/Param 1/.test(await focused() || ""); i++) await page.keyboard.press("Tab");
    await page.keyboard.type("20");
    await page.keyboard.press("Tab");
    await page.keyboard.type("x");
    const enter = async () => {
      await page.keyboard.down("Control");
      await page.keyboard.press("Enter");
      await page.keyboard.up("Control");
    };
    await enter();
    assert.match(await textOf(page, "main .wrong:not([hidden])"), /whole number/);
    await page.keyboard.press("Backspace");
    await page.keyboard.type("22");
    await enter();
    await page.waitForSelector("#ask[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#ask:not([open])");
    assert.equal(await page.$("main section[aria-label=Answer]"), null);
    await enter();
    await page.waitForSelector("#ask[open]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("main section[aria-label=Answer]");
    assert.equal(await shown(page), "42");
    assert.match(await textOf(page, "main .facts"), /\d ms.*request [0-9a-f]{16}/);
    await close(page);
  },

  async "what is safe does not ask, and what may be called again asks no more"() {
    const page = await open(url);
    await signIn(page);
    await choose(page, "calc.peek");
    await call(page, { asks: false });
    await choose(page, "calc.add");
    await fill(page, "1", "2");
    await page.click("main button.main");
    await page.waitForSelector("#ask[open]");
    await page.click("#ask-no-more");
    await page.click("#ask-go");
    const called = (n) => page.waitForFunction((n) => document.querySelectorAll(".history li").length === n, {}, n);
    await called(2);
    await page.click("main button.main");
    await called(3);
    await close(page);
  },

  async "every digit, and every type"() {
    const page = await open(url);
    await signIn(page);
    await choose(page, "calc.typed");
    await fill(page, "0009007199254740993", "-9223372036854775807", "2", "true", 'a "text"', "2024-02-29T12:00", "eW91", '{"a": 12345678901234567}');
    await page.click("main .choice button[value=json]");
    const body = '[9007199254740993, {"$i8":"-9223372036854775807"}, {"$double":"2"}, true, "a \\"text\\"", {"$dateTime":"2024-02-29T12:00:00"}, {"$base64":"eW91"}, {"a": 12345678901234567}]';
    assert.equal(await page.$eval("#json-text", (e) => e.value), body);
    await call(page);
    const answer = await shown(page);
    for (const part of ["9007199254740993", "-9223372036854775807", "2.0", "12345678901234567", '"2024-02-29T12:00:00"'])
      assert.ok(answer.includes(part), `${part} in ${answer}`);
    await page.select("main .send select[name=types]", "tagged");
    await page.click("main button.main");
    await page.waitForSelector("#ask[open]");
    await page.click("#ask-go");
    await page.waitForFunction(() => document.querySelector("main pre.json")?.textContent.includes("$i8"));
    await close(page);
  },

  async "what servers say is text"() {
    const page = await open(url);
    await signIn(page);
    await choose(page, "odd<img/src=x/onerror=pwned()>");
    assert.match(await textOf(page, "main .help"), /^<script>window\.pwned = 1<\/script>/);
    await call(page);
    await choose(page, "calc.fault");
    await call(page);
    assert.match(await textOf(page, ".problem"), /Executed.*Yes.*Fault code7.*Fault string<img src=x onerror="window\.pwned = 1">/s);
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.$("main img, main script, nav img, nav script"), null);
    await close(page);
  },

  async "a long answer does not stop the page"() {
    const page = await open(url);
    await signIn(page);
    await choose(page, "calc.long");
    await page.evaluate(() => {
      window.longest = 0;
      let last = performance.now();
      setInterval(() => {
        window.longest = Math.max(window.longest, performance.now() - last);
        last = performance.now();
      }, 10);
    });
    await call(page);
    await page.click("main .more button");
    const { longest, length, nodes } = await page.evaluate(() => ({
      longest: window.longest, length: document.querySelector("main pre.json").textContent.length,
      nodes: document.querySelectorAll("main pre.json *").length }));
    assert.ok(longest < 2000 * Number(SLOW), `${longest} ms`);
    assert.ok(length > 10_000 && length < 200_000 && nodes < 10_000, `${length}, ${nodes}`);
    await close(page);
  },

  async "a route by its form, and what is wrong with it"() {
    const page = await open(url);
    await signIn(page);
    await choose(page, "/sums/{a}", "The sum of two");
    await fill(page, "x", "5");
    await page.click("main button.main");
    await shows(page, "path a");
    await fill(page, "2", "5");
    await page.click("main button.main");
    await shows(page, "200 OK");
    assert.equal(await shown(page), "7");
    await choose(page, "/words", "say");
    await fill(page, "héllo\nyou", "", "blue");
    await call(page);
    assert.match(await shown(page), /^\{ "word": "héllo\\nyou", "colour": "blue" \}$/);
    await close(page);
  },

  async "without routes, without rights, without introspection, with a method's name"() {
    const page = await open(bare);
    await page.waitForSelector("#list li");
    assert.equal(await page.$("#token[open]"), null);
    assert.match(await textOf(page, "#list"), /the fault -32601.*Call a method by its name/s);
    assert.doesNotMatch(await textOf(page, "#list"), /Routes/);
    await page.evaluate(() => document.querySelector("#list .other a").click());
    await page.waitForSelector("#method-name");
    await page.type("#method-name", "what/ever");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#json-text");
    await page.$eval("#json-text", (e) => { e.value = "[1, "; });
    await page.click("main button.main");
    assert.match(await textOf(page, "main .wrong:not([hidden])"), /no JSON/);
    await page.$eval("#json-text", (e) => { e.value = "[1]"; });
    await call(page);
    assert.match(await textOf(page, ".problem"), /no such method/);
    await close(page);
  },

  async "nothing that axe-core finds, nothing too wide, in both schemes and widths"() {
    for (const scheme of ["light", "dark"])
      for (const width of [WIDE, NARROW]) {
        const page = await open(url, { scheme, width, watched: false });
        const look = async (name) => {
          await page.evaluate(() => document.activeElement?.blur());
          if (shots) await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png` });
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than ${width}`);
          if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
          const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html + " " + n.failureSummary).join("; ")}`);
          assert.deepEqual(found, [], `${name} ${scheme} ${width}`);
        };
        await page.waitForSelector("#token[open]");
        await look("token");
        await signIn(page);
        await look("home");
        await choose(page, "calc.typed");
        await look("form");
        await choose(page, "calc.add");
        await fill(page, "20", "22");
        await page.click("main button.main");
        await page.waitForSelector("#ask[open]");
        await look("ask");
        await page.click("#ask-go");
        await shows(page, "200 OK");
        await page.click("main .copy summary");
        await look("call");
        await choose(page, "calc.fault");
        await call(page);
        await look("fault");
        await choose(page, "/words", "say");
        await look("route");
        await page.browserContext().close();
      }
  },
};

// The four texts that it gives to copy, of a call with much that has to be quoted.
async function copies() {
  const page = await open(url);
  await signIn(page);
  await choose(page, "calc.echo");
  await fill(page, `it's "a" $HOME \\ \`x\` é\n☃`);
  await page.click("main .copy summary");
  const texts = {};
  for (const [i, name] of (await visible(page, ".copy .choice button")).entries()) {
    await (await page.$$(".copy .choice button"))[i].click();
    texts[name] = await textOf(page, ".copy pre");
    assert.ok(!texts[name].includes(token), "a token in a copied text");
  }
  await close(page);
  return texts;
}

// Would it be noticed?
async function notices() {
  const page = await open(url);
  await page.evaluate(() => { new Image().src = "http://elsewhere.example/x.png"; });
  await page.waitForFunction(() => window.violations.length > 0);
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<b>x</b>";
      return "";
    } catch (e) {
      return e.name;
    }
  });
  assert.equal(refused, "TypeError", "Trusted Types are not asked for");
  await page.browserContext().close();
  assert.ok(noted.splice(0).some((line) => /img-src|elsewhere/.test(line)), "a violation in the console is not noticed");
}

let status = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    assert.deepEqual(noted.splice(0), []);
    console.log(`good: ${name}`);
  } catch (e) {
    status = 1;
    console.log(`BAD: ${name}\n${e.stack}\n${noted.splice(0).join("\n")}`);
  }
}
const texts = await copies();
await notices();
await browser.close();
console.log(JSON.stringify(texts));
process.exit(status);
