// SPDX-License-Identifier: Apache-2.0
// What a translator of some sixty lines with Node's http costs, for comparison: POST /v1/NAME/METHOD
// with JSON params becomes a call of UPSTREAM/NAME. Node has no reader of XML: what is here knows the
// types that the benchmark has, no fault, and refuses nothing.
import http from 'node:http';

const upstream = new URL(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096 });
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const CHARACTERS = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const escape = (text) => text.replace(/[&<>]/g, (c) => ESCAPES[c]);
const unescape = (text) => text.includes('&') ? text.replace(/&(\w+);/g, (_, name) => CHARACTERS[name]) : text;

function write(v) {
    if (typeof v === 'number')
        return Number.isInteger(v) ? `<value><int>${v}</int></value>` : `<value><double>${v}</double></value>`;
    if (typeof v === 'string') return `<value><string>${escape(v)}</string></value>`;
    if (typeof v === 'boolean') return `<value><boolean>${Number(v)}</boolean></value>`;
    if (Array.isArray(v)) return `<value><array><data>${v.map(write).join('')}</data></array></value>`;
    const members = Object.entries(v).map(([name, item]) => `<member><name>${escape(name)}</name>${write(item)}</member>`);
    return `<value><struct>${members.join('')}</struct></value>`;
}

const SCALARS = {
    int: Number, i4: Number, double: Number, boolean: (text) => text === '1', string: unescape, value: unescape,
};

// The tags in turn, with the text before each; what is open is on a stack.
function read(xml) {
    const open = [];
    let result, name, value, at = 0;
    for (const tag of xml.matchAll(/<(\/?)([\w.]+)[^>]*>/g)) {
        const text = xml.slice(at, tag.index), [, closes, kind] = tag;
        at = tag.index + tag[0].length;
        if (!closes) {
            if (kind === 'struct') open.push({});
            else if (kind === 'data') open.push([]);
            else if (kind === 'value') value = undefined;
        } else if (kind === 'name') {
            open.push(unescape(text));
        } else if (kind === 'struct' || kind === 'data') {
            value = open.pop();
        } else if (kind === 'member') {
            name = open.pop();
            open.at(-1)[name] = value;
        } else if (kind === 'value') {
            if (value === undefined) value = unescape(text);
            if (Array.isArray(open.at(-1))) open.at(-1).push(value);
            result = value;
        } else if (kind in SCALARS) {
            value = SCALARS[kind](text);
        }
    }
    return result;
}

async function whole(stream) {
    const parts = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString();
}

const server = http.createServer(async (request, response) => {
    const [, , name, method] = request.url.split('/');
    const params = JSON.parse(await whole(request)).map((v) => `<param>${write(v)}</param>`).join('');
    const body = `<?xml version='1.0'?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
    const call = http.request({
        agent, host: upstream.hostname, port: upstream.port, path: `/${name}`, method: 'POST',
        headers: { 'Content-Type': 'text/xml', 'Content-Length': Buffer.byteLength(body) },
    }, async (answer) => {
        const text = JSON.stringify({ result: read(await whole(answer)) });
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
        response.end(text);
    });
    call.end(body);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log(server.address().port));
