// SPDX-License-Identifier: Apache-2.0
// Validates each document of the YAML files that are named against the types of Kubernetes. Wants
// NODE_PATH: npm install kubernetes-models @kubernetes-models/validate yaml
const { readFileSync } = require("node:fs");
const { parseAllDocuments } = require("yaml");

let bad = 0;
for (const file of process.argv.slice(2)) {
    for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
        const value = document.toJS();
        const { [value.kind]: Model } = require(`kubernetes-models/${value.apiVersion}`);
        try {
            new Model(value).validate();
            console.log(`${value.kind} ok`);
        } catch (error) {
            console.log(`${value.kind}: ${error.message}`);
            bad++;
        }
    }
}
process.exit(bad ? 1 : 0);
