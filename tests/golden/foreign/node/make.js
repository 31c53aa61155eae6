// SPDX-License-Identifier: Apache-2.0
// Documents of npm's xmlrpc: NODE_PATH=…/node_modules node make.js FOLDER
const fs = require('fs')
const path = require('path')
const serializer = require('xmlrpc/lib/serializer')

const types = {
  boolean: true,
  int: -7,
  large: 1099511627776,
  double: 0.1,
  twenty: 20.0,
  great: 1e300,
  small: 1e-7,
  string: 'R&D <größer> "\'\n\tend ',
  plain: 'two words',
  empty: '',
  bytes: Buffer.concat([Buffer.from([0, 1, 255]), Buffer.from('x'.repeat(60))]),
  array: [1, [], 'two'],
  struct: { a: 1, b: { c: false } },
  nothing: {},
  nil: null
}
const documents = {
  call: serializer.serializeMethodCall('demo.echo', [1, 'é']),
  'no-params': serializer.serializeMethodCall('demo.now', []),
  response: serializer.serializeMethodResponse(types),
  fault: serializer.serializeFault({ faultCode: 4, faultString: 'Too many <parameters>.' }),
  'fault-error': serializer.serializeFault(new Error('an Error object has no members of its own'))
}
for (const [name, document] of Object.entries(documents)) {
  fs.writeFileSync(path.join(process.argv[2], `${name}.xml`), document)
}
