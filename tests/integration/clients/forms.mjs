// SPDX-License-Identifier: Apache-2.0
// Calls as Node writes them: node forms.mjs http://HOST:PORT
import assert from 'node:assert';
import http from 'node:http';

const base = process.argv[2];
const { hostname, port } = new URL(base);

async function call(body, headers) {
    const answer = await fetch(`${base}/v1/up/m`, { method: 'POST', body, headers, duplex: 'half' });
    return [answer.status, await answer.json()];
}

const json = { 'Content-Type': 'application/json' };
assert.deepStrictEqual(await call('["ä"]', json), [200, { result: 'ä' }]);
assert.deepStrictEqual(await call('["ä"]', { 'Content-Type': 'application/json;charset=utf8' }),
                       [200, { result: 'ä' }]);
assert.deepStrictEqual(await call('\ufeff["ä"]', json), [200, { result: 'ä' }]);
assert.deepStrictEqual(await call(new Blob(['["ä"]'], { type: 'application/json' })),
                       [200, { result: 'ä' }]);
// Streams go out in chunks, of nothing, too.
assert.deepStrictEqual(await call(new Blob(['["ä"]']).stream(), json), [200, { result: 'ä' }]);
assert.deepStrictEqual(await call(new Blob([]).stream()), [200, { result: '' }]);
assert.deepStrictEqual(await call(undefined), [200, { result: '' }]);
assert.strictEqual((await call('[1]'))[0], 415); // text/plain, as fetch says by itself

// The way of older agents for proxies: the whole URL as the path.
const options = { hostname, port, method: 'POST', path: `${base}/v1/up/m`, headers: json };
const status = await new Promise((resolve, reject) => {
    http.request(options, answer => resolve(answer.resume().statusCode)).on('error', reject)
        .end('[1]');
});
assert.strictEqual(status, 200);
console.log('all is well');
