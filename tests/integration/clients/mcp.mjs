// SPDX-License-Identifier: Apache-2.0
// Lists and calls the tools of a server with one of the two SDKs: node mcp.mjs SDK URL TOKEN,
// where SDK is `sdk` (sessions) or `client` (without). Prints what it was told, as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [sdk, url, token] = process.argv.slice(2);
const require = createRequire(process.cwd() + "/");
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);

const { Client, StreamableHTTPClientTransport } = sdk === "client"
    ? await load("@modelcontextprotocol/client")
    : { ...await load("@modelcontextprotocol/sdk/client/index.js"),
        ...await load("@modelcontextprotocol/sdk/client/streamableHttp.js") };

const lines = { Authorization: `Bearer ${token}` };
const versions = [];
const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: lines },
    fetch: async (where, options) => {
        const version = new Headers(options.headers).get("mcp-protocol-version");
        if (options.method === "POST" && version !== null)
            versions.push(version);
        return fetch(where, options);
    },
});
const client = new Client({ name: "test", version: "1" },
    sdk === "client" ? { versionNegotiation: { mode: "auto" } } : {});
await client.connect(transport);
const { tools } = await client.listTools();
const good = await client.callTool({ name: "up__add", arguments: { a1: 2, a2: 3 } });
const bad = await client.callTool({ name: "partner", arguments: { id: "x" } });
let unknown = null;
try {
    await client.callTool({ name: "nothing", arguments: {} });
} catch (error) {
    unknown = error.code;
}
console.log(JSON.stringify({
    version: versions.at(-1), tools: tools.map((tool) => tool.name), good, bad, unknown,
}));
await client.close();
