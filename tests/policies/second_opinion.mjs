// Decides requests with another evaluator: one simulation a line of JSON in, one result a line out.
// Usage: node second_opinion.mjs ENTRY, the file that the other evaluator's package names as its entry.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { runSimulation } = await import(pathToFileURL(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
  const found = await runSimulation(JSON.parse(line), { simulationMode: "Strict" });
  const { resultType, overallResult, errors, result } = found;
  console.log(JSON.stringify({ resultType, overallResult, errors, ignored: result?.ignoredContextKeys }));
}
