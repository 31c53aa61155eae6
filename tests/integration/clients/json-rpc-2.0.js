// SPDX-License-Identifier: Apache-2.0
// Calls through json-rpc-2.0, https://www.npmjs.com/package/json-rpc-2.0: node json-rpc-2.0.js URL
'use strict';
const assert = require('assert');
const { JSONRPCClient, createJSONRPCRequest, createJSONRPCNotification } = require('json-rpc-2.0');

const client = new JSONRPCClient(async (request) => {
    const response = await fetch(process.argv[2], {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
    });
    if (response.status === 200)
        client.receive(await response.json());
    else
        assert.strictEqual(response.status, 204);
});

async function main() {
    assert.strictEqual(await client.request('subtract', [42, 23]), 19);
    assert.strictEqual(await client.request('subtract', { minuend: 42, subtrahend: 23 }), 19);
    assert.deepStrictEqual(await client.request('echo', [['ü', {}]]), ['ü', {}]);
    client.notify('update', [1, 2]);
    await assert.rejects(async () => client.request('fail', [7, 'seven']),
                         (error) => error.code === 7 && error.message === 'seven');
    await assert.rejects(async () => client.request('foobar'), (error) => error.code === -32601);
    const answers = await client.requestAdvanced([
        createJSONRPCRequest('a', 'sum', [1, 2, 4]),
        createJSONRPCNotification('notify_hello', [7]),
        createJSONRPCRequest(2, 'get_data'),
    ]);
    assert.deepStrictEqual(answers.filter((a) => a).map((a) => a.result), [7, ['hello', 5]]);
    console.log('all is well');
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
