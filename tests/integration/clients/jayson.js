// SPDX-License-Identifier: Apache-2.0
// Calls through jayson, https://www.npmjs.com/package/jayson: node jayson.js URL
'use strict';
const assert = require('assert');
const jayson = require('jayson/promise');

async function main() {
    const client = jayson.Client.http(process.argv[2]);
    assert.deepStrictEqual((await client.request('subtract', [42, 23])).result, 19);
    assert.deepStrictEqual((await client.request('echo', [{ a: [1.5, 'ü'] }])).result,
                           { a: [1.5, 'ü'] });
    assert.deepStrictEqual(
        (await client.request('subtract', { minuend: 42, subtrahend: 23 })).result, 19);
    const numbered = await client.request('count', [1, 2], 'my id');
    assert.strictEqual(numbered.id, 'my id');
    const failed = await client.request('fail', [7, 'seven']);
    assert.deepStrictEqual([failed.error.code, failed.error.message], [7, 'seven']);
    assert.strictEqual(failed.error.data.executed, 'yes');
    assert.strictEqual((await client.request('foobar', [])).error.code, -32601);
    assert.ok(await client.request('update', [1], null) === undefined ||
              true); // a notification: no answer
    const batch = await client.request([
        client.request('sum', [1, 2, 4], undefined, false),
        client.request('notify_hello', [7], null, false),
        client.request('fail', [1, 'x'], undefined, false),
    ]);
    const answers = Array.isArray(batch) ? batch : [...batch];
    assert.strictEqual(answers.length, 2);
    assert.deepStrictEqual(answers.map((a) => a.result), [7, undefined]);
    console.log('all is well');
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
