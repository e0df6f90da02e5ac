import { createReadStream, statSync } from "node:fs";
import { factsOfImage } from "../../../src/lint/collect-facts.ts";
import { runRules } from "../../../src/lint/run-rules.ts";
import { digestOf } from "../../../src/oci/digest.ts";

/** A process of its own that holds the image of one layer to the rules, and says how much memory that took beyond what the program itself takes. */
const [file = ""] = process.argv.slice(2);
const before = process.resourceUsage().maxRSS;
const layer = {
  descriptor: {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: digestOf(file),
    size: statSync(file).size,
  },
  async *read() {
    yield* createReadStream(file);
  },
};
const settings = {
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers" as const, diff_ids: [] },
  config: { WorkingDir: "/var/task" },
};
const facts = await factsOfImage({ settings }, [layer], 0, {}, new AbortController().signal);
const findings = await runRules(facts);
const grown = (process.resourceUsage().maxRSS - before) / 1000;
process.stdout.write(
  JSON.stringify({
    paths: facts.files.view.size,
    rules: findings.map(({ rule }) => rule),
    messages: findings.map(({ message }) => message),
    grownMb: grown,
  }),
);
