#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// compile.cjs OUT: compiles with solc-js and the settings of foundry.toml, and writes OUT/NAME.abi.json and OUT/NAME.bin
// (creation code, lower-case hex) for the contract and for those that only the Go tests deploy.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const targets = {
  ReceiptAnchor: "src/ReceiptAnchor.sol",
  LogProofHarness: "test/LogProofHarness.sol",
  OwnerPosts: "test/OwnerPosts.sol",
};
const settings = {
  remappings: ["@openzeppelin/=node_modules/@openzeppelin/"],
  optimizer: { enabled: true, runs: 1000000 },
  viaIR: true,
  evmVersion: "cancun",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};

const out = process.argv[2];
if (!out) {
  process.stderr.write("usage: compile.cjs OUT\n");
  process.exit(2);
}
const read = (name) => {
  try {
    return { contents: fs.readFileSync(path.join(__dirname, name), "utf8") };
  } catch (err) {
    return { error: err.message };
  }
};
const sources = Object.fromEntries(Object.values(targets).map((file) => [file, { content: read(file).contents }]));
const result = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: read }));
const problems = (result.errors ?? []).filter((e) => e.severity !== "info");
if (problems.length > 0) {
  process.stderr.write(problems.map((e) => e.formattedMessage).join("\n"));
  process.exit(1);
}
fs.mkdirSync(out, { recursive: true });
for (const [name, file] of Object.entries(targets)) {
  const { abi, evm } = result.contracts[file][name];
  fs.writeFileSync(path.join(out, `${name}.abi.json`), JSON.stringify(abi, null, 2) + "\n");
  fs.writeFileSync(path.join(out, `${name}.bin`), evm.bytecode.object + "\n");
}
