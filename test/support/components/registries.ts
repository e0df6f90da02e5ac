import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../run.ts";
import { componentPath } from "./components.ts";
import { signedFor } from "./openssl.ts";
import { startTokenServer } from "./token-server.ts";

/** How Debian's docker-registry (Distribution 2.8) is set up. */
export type Mode =
  | { readonly kind: "anonymous" | "basic" | "read-only" }
  /** `identity`: for {@link TLS_HOST}, PEM, of an authority that the test trusts. Default: of one made for it. */
  | { readonly kind: "tls"; readonly identity?: { readonly key: string; readonly cert: string } }
  | { readonly kind: "token"; readonly lifeSeconds: number };

export interface RealRegistry {
  /** `host:port`, as a reference names it. */
  readonly host: string;
  readonly url: string;
  /** Its data, which another registry may be started over. */
  readonly storage: string;
  /** Every request answered so far, as `PUT /v2/app/manifests/v1 201`. */
  requests(): Promise<readonly string[]>;
  /** TLS only: what NODE_EXTRA_CA_CERTS is set to. */
  readonly authority?: string;
  /** Token mode only: how many were given so far. */
  readonly tokensGiven?: () => number;
  stop(): Promise<void>;
}

/** The one user of the modes with credentials. */
export const USER = "AWS";
export const PASSWORD = "canary-s3cret-41d8f0b2";
/** By the machine's own name, for loopback hosts are spoken to over http. */
export const TLS_HOST: string = hostname();

const START_LIMIT_MS = 120_000;

/** What a mode adds to an open registry on loopback. */
interface Setup {
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly sections: Readonly<Record<string, unknown>>;
  readonly http?: Readonly<Record<string, unknown>>;
  readonly maintenance?: Readonly<Record<string, unknown>>;
  readonly extra?: Partial<RealRegistry>;
  readonly stop?: () => Promise<void>;
}

const OPEN: Setup = { host: "127.0.0.1", scheme: "http", sections: {} };

/** Answers requests when the promise resolves. Stop it: it is a process of its own, and a directory in the system's temporary one. */
export async function startRegistry(mode: Mode, storage?: string): Promise<RealRegistry> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-registry-"));
  const data = storage ?? join(directory, "data");
  const setup = await setupOf(mode, directory);
  const file = join(directory, "registry.yml");
  writeFileSync(file, JSON.stringify(await configurationOf(setup, data)));
  const { child, port } = await serve(file);
  const host = `${setup.host}:${port}`;
  const stop = async () => {
    await Promise.all([kill(child), setup.stop?.()]);
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `${setup.scheme}://${host}`;
  const requests = accessLogOf(child, url);
  return { host, url, storage: data, requests, ...setup.extra, stop };
}

async function setupOf(mode: Mode, directory: string): Promise<Setup> {
  switch (mode.kind) {
    case "anonymous":
      return OPEN;
    case "read-only":
      return { ...OPEN, maintenance: { readonly: { enabled: true } } };
    case "basic":
      return basicSetup(directory);
    case "tls":
      return tlsSetup(directory, mode.identity);
    case "token":
      return tokenSetup(directory, mode.lifeSeconds);
  }
}

async function basicSetup(directory: string): Promise<Setup> {
  const path = join(directory, "htpasswd");
  // Distribution takes bcrypt only; cost 4 keeps the tests quick.
  writeFileSync(path, await run("htpasswd", ["-nbB", "-C", "4", USER, PASSWORD]));
  return { ...OPEN, sections: { auth: { htpasswd: { realm: "lambda-pack test", path } } } };
}

async function tlsSetup(
  directory: string,
  identity: Extract<Mode, { readonly kind: "tls" }>["identity"],
): Promise<Setup> {
  const setup = { ...OPEN, host: TLS_HOST, scheme: "https" } as const;
  if (identity) {
    const [key, certificate] = [join(directory, "server.key"), join(directory, "server.pem")];
    writeFileSync(key, identity.key);
    writeFileSync(certificate, identity.cert);
    return { ...setup, http: { tls: { key, certificate } } };
  }
  const { key, certificate, authority } = await signedFor(directory, TLS_HOST);
  return { ...setup, http: { tls: { key, certificate } }, extra: { authority } };
}

async function tokenSetup(directory: string, lifeSeconds: number): Promise<Setup> {
  const server = await startTokenServer({ directory, user: USER, password: PASSWORD, lifeSeconds });
  const { realm, service, issuer, certificate } = server;
  return {
    ...OPEN,
    sections: { auth: { token: { realm, service, issuer, rootcertbundle: certificate } } },
    extra: { tokensGiven: server.given },
    stop: server.stop,
  };
}

/** JSON is YAML. The kernel chooses the port; the log tells it. */
async function configurationOf({ host, http, maintenance, sections }: Setup, rootdirectory: string) {
  const { address } = await lookup(host, 4);
  return {
    version: "0.1",
    log: { level: "info", formatter: "json", accesslog: { disabled: false } },
    storage: {
      ...{ filesystem: { rootdirectory }, delete: { enabled: true }, cache: { blobdescriptor: "inmemory" } },
      ...(maintenance && { maintenance }),
    },
    http: { addr: `${address}:0`, secret: "lambda-pack test", ...http },
    ...sections,
  };
}

async function serve(file: string): Promise<{ readonly child: ChildProcess; readonly port: string }> {
  // The kernel ends it with us, however we end.
  const command = [
    "--pdeathsig",
    "KILL",
    componentPath("docker-registry") ?? "docker-registry",
    "serve",
    file,
  ];
  const child = spawn("setpriv", command, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    return { child, port: await portOf(child) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

function portOf(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = withLimit(START_LIMIT_MS);
  const told: string[] = [];
  child.once("error", reject);
  child.once("exit", (status) =>
    reject(new Error(`docker-registry ended with ${status}:\n${told.join("\n")}`)),
  );
  if (child.stderr === null) throw new Error("docker-registry has no stderr");
  createInterface({ input: child.stderr }).on("line", (line) => {
    const port = /"listening on [^"]*:(\d+)[",]/.exec(line)?.[1];
    if (port !== undefined) resolve(port);
    told.push(line);
    if (told.length > 50) told.shift();
  });
  return promise;
}

function withLimit(limitMs: number) {
  let resolve: (port: string) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<string>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  const timer = setTimeout(
    () => reject(new Error(`docker-registry did not start in ${limitMs} ms`)),
    limitMs,
  );
  const stopTimer = () => clearTimeout(timer);
  promise.then(stopTimer, stopTimer);
  return { promise, resolve, reject };
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once("exit", () => done());
    child.kill("SIGKILL");
  });
}

/** What a docker-registry was asked, from its access log in Apache's combined format. It is written late: a request of ours marks how far it has come. */
export function accessLogOf(child: ChildProcess, url: string): () => Promise<readonly string[]> {
  if (child.stdout === null) throw new Error("docker-registry has no stdout");
  const log = createInterface({ input: child.stdout });
  const requests: string[] = [];
  log.on("line", (line) => {
    const [, method, path, status] = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+)/.exec(line) ?? [];
    if (method !== undefined) requests.push(`${method} ${path} ${status}`);
  });
  return async () => {
    const mark = `/v2/?mark=${randomUUID()}`;
    await visit(url + mark);
    while (!requests.some((line) => line.includes(mark))) await once(log, "line");
    return requests.filter((line) => !line.includes("?mark="));
  };
}

function visit(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith("https:") ? https.get : http.get;
    const asking = get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume().once("end", resolve);
    });
    asking.once("error", reject);
  });
}
