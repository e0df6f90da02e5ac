import { type ChildProcess, spawn } from "node:child_process";
import { hasCode, LambdaPackError, messageOf } from "../../errors.ts";
import { parseObject } from "../../oci/json.ts";
import { printable, redactText } from "../errors/redact.ts";
import type { Environment } from "../http/agent.ts";
import type { Credentials } from "./credentials.ts";

/** Matches what may follow `docker-credential-`. Anything else could be a program outside PATH. */
const SUFFIX = /^[A-Za-z0-9._-]+$/;
const TIMEOUT_MS = 30_000;
const OUTPUT_LIMIT = 64 * 1024;

interface HelperRequest {
  /** The program is `docker-credential-<suffix>` in PATH. */
  readonly suffix: string;
  /** The registry as docker names it to helpers. */
  readonly server: string;
  readonly environment: Environment;
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs a credential helper (docker-credential-helpers protocol) without a shell. Its stdout, which
 * contains the secret, is never shown. undefined: it has no credentials for this server.
 * @throws CREDENTIALS_HELPER when it is missing, fails, gives an invalid answer or takes longer
 * than 30 s.
 */
export async function askHelper(request: HelperRequest): Promise<Credentials | undefined> {
  const { suffix } = request;
  if (!SUFFIX.test(suffix))
    throw broken(request, "its name may hold only letters, digits, dots, dashes and underscores");
  const { status, stdout, stderr } = await run(request).catch((error: unknown) => {
    throw broken(request, hasCode(error, "ENOENT") ? "it is not in PATH" : messageOf(error));
  });
  if (status === 0) return parseAnswer(request, stdout);
  // Helpers write this text to stdout (docker-credential-helpers, credentials/error.go).
  if (/credentials not found in native keychain/i.test(stdout)) return undefined;
  const words = printable(redactText(stderr), 200);
  throw broken(request, `it ended with ${status}${words === "" ? "" : `: ${words}`}`);
}

/**
 * Runs the helper in its own process group and kills that group when the helper ends, because a
 * process that it leaves behind may keep its output open. Also kills it when it takes too long or
 * writes too much.
 */
async function run({ suffix, server, environment, timeoutMs = TIMEOUT_MS }: HelperRequest) {
  const child = spawn(`docker-credential-${suffix}`, ["get"], {
    env: { ...environment },
    shell: false,
    windowsHide: true,
    detached: process.platform !== "win32",
  });
  const stop = () => killGroup(child);
  const stdout = capture(child.stdout, stop);
  const stderr = capture(child.stderr, stop);
  // A helper that does not read its input causes EPIPE here; only its exit status counts.
  child.stdin.on("error", () => {});
  child.stdin.end(server);
  // When the program is not found, spawn's own timeout keeps running, and with it this process.
  const timer = setTimeout(stop, timeoutMs);
  try {
    const status = await ended(child);
    return { status, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    stop();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** How long the rest of the output is read after the helper has exited. */
const DRAIN_MS = 1_000;

function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    const done = (code: number | null, signal: NodeJS.Signals | null) =>
      resolve(code ?? signal ?? "no status");
    child.once("close", done);
    child.once("exit", (code, signal) => {
      setTimeout(() => done(code, signal), DRAIN_MS).unref();
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid === undefined) return;
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has already ended.
  }
}

function capture(stream: NodeJS.ReadableStream, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
    else onTooMuch();
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function parseAnswer(request: HelperRequest, stdout: string): Credentials | undefined {
  const answer = parseObject(stdout);
  const [username, secret] = [answer?.["Username"], answer?.["Secret"]];
  if (typeof username !== "string" || typeof secret !== "string") {
    throw broken(request, "its answer is not the JSON that docker's helpers give");
  }
  if (secret === "") return undefined;
  const from = `docker-credential-${request.suffix}`;
  if (username === "<token>") return { kind: "identity", token: secret, from };
  return { kind: "basic", username, password: secret, from };
}

function broken({ suffix, server }: HelperRequest, what: string): LambdaPackError {
  const name = `docker-credential-${printable(suffix, 60)}`;
  const log = suffix === "ecr-login" ? "; its own log is ~/.ecr/log/ecr-login.log" : "";
  return new LambdaPackError(
    "CREDENTIALS_HELPER",
    `${name}, asked for the credentials of ${server}: ${what}`,
    {
      hint: `repair the helper, or take it out of credHelpers or credsStore in docker's config.json${log}`,
    },
  );
}
