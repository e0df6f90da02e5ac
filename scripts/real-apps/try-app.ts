import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentPath } from "../../test/support/components/components.ts";
import { type Ran, tryRun } from "../../test/support/run.ts";
import type { RealApp } from "./apps.ts";

/** The result of one app, as docs/tested-with.md and the terminal show it. */
export interface Outcome {
  readonly name: string;
  readonly failed: boolean;
  readonly versions: string;
  readonly base: string;
  readonly digest: string;
  readonly size: string;
  readonly check: string;
  readonly answer: string;
}

export interface Place {
  /** The directory in which the app is made; it is removed afterwards. */
  readonly work: string;
  /** `host:port` of the registry that has the base images and receives the images. */
  readonly registry: string;
}

const BIN = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));
const LIMIT_MS = 600_000;

/** Thrown when a step fails; the message is what the program printed. */
class Failed extends Error {}

export async function tryApp(app: RealApp, { work, registry }: Place): Promise<Outcome> {
  const unknown = { versions: "", base: app.base, digest: "", size: "", check: "", answer: "" };
  const missing = app.needs.filter((program) => componentPath(program) === undefined);
  if (missing.length > 0) {
    const answer = `not tried: needs ${missing.join(", ")}`;
    return { ...unknown, name: app.name, failed: false, answer };
  }
  let known = unknown;
  const lambdaPack = (...args: readonly string[]) =>
    tryRun(process.execPath, [BIN, ...args], {
      limitMs: LIMIT_MS,
      env: {
        LAMBDA_PACK_BASE_REGISTRY: `${registry}/lambda`,
        LAMBDA_PACK_CACHE_DIR: join(work, "../cache"),
        LAMBDA_PACK_PROGRESS: "none",
      },
    });
  try {
    const { directory, versions } = await app.make(work);
    known = { ...known, versions: versions.join(", ") };
    const image = `${registry}/app/${app.name}:v1`;
    const to = ["--base", app.base, ...(app.flags ?? []), "--to", image];
    const built = await lambdaPack("build", directory, ...to, "--json");
    known = { ...known, ...imageOf(succeeded(built)) };
    known = { ...known, check: checkOf(await lambdaPack("check", image, "--deep", "--json")) };
    const ran = await lambdaPack("invoke", image, "--timeout", "30", ...app.call.event);
    known = { ...known, answer: answerOf(ran, app.call.answer) };
    return { ...known, name: app.name, failed: false };
  } catch (error) {
    const answer = `failed: ${error instanceof Error ? error.message : String(error)}`;
    return { ...known, name: app.name, failed: true, answer };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function succeeded({ status, stdout, stderr }: Ran): string {
  if (status === 0) return stdout;
  throw new Failed(`exit status ${status}: ${stderr.trim()}`);
}

/** Returns the digest, and the compressed size of the layers above the base. */
function imageOf(json: string): Pick<Outcome, "digest" | "size"> {
  const { digest, layers }: { digest: string; layers: { size: number; how: string }[] } = JSON.parse(json);
  const bytes = layers.reduce((sum, { size, how }) => (how === "base" ? sum : sum + size), 0);
  return { digest, size: bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB` };
}

/** Names the rules with warnings. Throws where a rule has errors. */
function checkOf({ status, stdout, stderr }: Ran): string {
  if (status !== 0) throw new Failed(`check ended with ${status}: ${stdout}${stderr}`);
  const { findings }: { findings: { rule: string; severity: string }[] } = JSON.parse(stdout);
  const warned = findings.filter(({ severity }) => severity === "warning").map(({ rule }) => rule);
  return warned.length === 0 ? "passed" : `passed, warned of ${[...new Set(warned)].join(", ")}`;
}

function answerOf(ran: Ran, expected: string): string {
  const answer = succeeded(ran).trim();
  // Python writes a space after each colon, and the body of a function URL's response is JSON in
  // JSON.
  const plain = answer.replaceAll(/[ \\]/g, "");
  if (plain.includes(expected.replaceAll(" ", ""))) return answer;
  throw new Failed(`the answer lacks ${expected}: ${answer}`);
}
