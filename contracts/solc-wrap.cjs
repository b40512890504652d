#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A `solc` for forge, made of solc-js: npm has no native compiler, and forge would download one. forge calls
// `solc --version` and `solc --allow-paths A,B --base-path DIR --standard-json`.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const args = process.argv.slice(2);
if (args.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (args.includes("--standard-json")) {
  const flag = args.indexOf("--base-path");
  const base = flag < 0 ? process.cwd() : args[flag + 1];
  const read = (name) => {
    try {
      return { contents: fs.readFileSync(path.resolve(base, name), "utf8") };
    } catch (err) {
      return { error: err.message };
    }
  };
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8"), { import: read }));
} else {
  process.stderr.write("solc-wrap: --version or --standard-json\n");
  process.exitCode = 1;
}
