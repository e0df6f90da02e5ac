import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../src/story/options.ts";
import type { FaultPlan } from "../ecr/faults.ts";
import { privateQuirks, type Quirks } from "../ecr/quirks.ts";
import { type EcrWorld, ecrWorld, HOSTS } from "../ecr/world.ts";
import { ACCOUNT, REGION } from "../ecr.ts";
import { type Seen, TestRegistry, type TestRegistryOptions } from "../registry.ts";
import { bytesOf, type TestImage } from "../repository.ts";
import { faultOfPlain, wordOf } from "./plain-faults.ts";

export type StageName = "ecr" | "plain";

/** A registry on which one fault plan is played, with canaries as its credentials. */
export interface Stage {
  readonly name: StageName;
  /** As a reference names it; another one for each stage, for a host's pace is shared within a process. */
  readonly host: string;
  /** All that the product may know. */
  readonly environment: Environment;
  /** Of a stage of ECR. */
  readonly world?: EcrWorld;
  /** Asked for every request, to the registry, its storage and its API, in the words of ecr/routes.ts. */
  play(plan: FaultPlan): void;
  /** Holds the image under `repository:v1` from now on. */
  hold(repository: string, image: TestImage): Promise<void>;
  /** Bytes of blobs that came in, sent twice counted twice. */
  received(): number;
  /** Which secrets occur in a text. */
  leaks(text: string): readonly string[];
  /** Requests with an Authorization header at a host where it does not belong. */
  strays(): number;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly quirks?: Partial<Quirks>;
  readonly plain?: TestRegistryOptions;
}

export function openStage(name: StageName, options: StageOptions = {}): Promise<Stage> {
  return name === "ecr" ? ecrStage(options) : plainStage(options);
}

let accounts = 0;

async function ecrStage({ quirks = {} }: StageOptions): Promise<Stage> {
  const world = await ecrWorld({ quirks: { ...privateQuirks(), ...quirks } });
  accounts += 1;
  const account = String(Number(ACCOUNT) + accounts);
  const host = HOSTS.registry.replace(ACCOUNT, account);
  world.proxy.route(host, world.ecr.origin.port);
  const registry = world.ecr.registry(account, REGION);
  registry.create("app");
  return {
    name: "ecr",
    host,
    environment: world.environment,
    world,
    play(plan) {
      world.ecr.fault = plan;
      world.ecr.storageOrigin.fault = plan;
      world.api.origin.fault = plan;
    },
    async hold(repository, { manifest, config, layers }) {
      const held = registry.create(repository);
      for (const blob of [config, ...layers]) held.blobs.set(blob.descriptor.digest, await bytesOf(blob));
      held.addManifest(await bytesOf(manifest), manifest.descriptor.mediaType, "v1");
    },
    received: () =>
      world.ecr.log
        .filter(({ kind }) => kind === "patch" || kind === "put-blob")
        .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
    leaks: (text) => world.leaks(text),
    strays: () => world.strayAuthorizations().filter((entry) => entry.host !== host).length,
    stop: () => world.stop(),
  };
}

const USER = "canary-user-5d1f";
const PASSWORD = "canary-password-0b9e44c6";

async function plainStage({ plain = {} }: StageOptions): Promise<Stage> {
  const registry = await TestRegistry.start({ auth: "token", user: USER, password: PASSWORD, ...plain });
  const home = mkdtempSync(join(tmpdir(), "lambda-pack-stage-"));
  const auth = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
  const counts = new Map<string, number>();
  return {
    name: "plain",
    host: registry.host,
    environment: { HOME: home, DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry.host]: { auth } } }) },
    play(plan) {
      registry.fault = (seen) => {
        const kind = wordOf(seen.kind);
        const count = (counts.get(kind) ?? 0) + 1;
        counts.set(kind, count);
        const path = `${seen.path}?${seen.query}`;
        return faultOfPlain(plan({ method: seen.method, host: registry.host, path, kind, count }));
      };
    },
    hold: (repository, image) => store(registry, repository, image),
    received: () => registry.bytesReceived,
    leaks: (text) =>
      [PASSWORD, auth, ...bearers(registry.requests)].filter((secret) => text.includes(secret)),
    strays: () =>
      registry.seen("redirected blob").filter(({ headers }) => headers.authorization !== undefined).length,
    async stop() {
      await registry.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function store(
  registry: TestRegistry,
  repository: string,
  { manifest, config, layers }: TestImage,
): Promise<void> {
  for (const blob of [config, ...layers]) registry.addBlob(repository, await bytesOf(blob));
  registry.addManifest(repository, manifest.descriptor.mediaType, await bytesOf(manifest), "v1");
}

/** Every token that a request carried. */
function bearers(requests: readonly Seen[]): readonly string[] {
  const shown = requests.flatMap(({ headers }) => headers.authorization?.split(" ")[1] ?? []);
  return [...new Set(shown)];
}
