import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "../http/certificates.ts";
import { ConnectProxy, type ProxyOptions } from "../http/proxy.ts";
import { FakeEcrApi } from "./api.ts";
import { ACCOUNT, FakeEcr, REGION } from "./ecr.ts";
import type { Origin } from "./http/origin.ts";
import type { LogEntry } from "./http/wire.ts";
import type { Quirks } from "./quirks.ts";
import { trustedAuthority } from "./trust.ts";

export interface WorldOptions {
  /** Of the private registry. */
  readonly quirks?: Partial<Quirks>;
  /** Of ECR Public. */
  readonly publicQuirks?: Partial<Quirks>;
  readonly proxy?: ProxyOptions;
  readonly now?: () => number;
  readonly seed?: number;
}

/** Host names under which the world answers; everything else the proxy refuses. */
export const HOSTS = {
  registry: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`,
  api: `api.ecr.${REGION}.amazonaws.com`,
  storage: `prod-${REGION}-starport-layer-bucket.s3.${REGION}.amazonaws.com`,
  public: "public.ecr.aws",
  cdn: "d2glxqk2uabbnd.cloudfront.net",
  uploads: "uploads.example.net",
} as const;

/**
 * AWS as one machine: ECR and its API in one region, the storage behind it, ECR Public and its CDN, each a TLS server of its own
 * under its real name, reached through one proxy. The product is tested as users run it: nothing in it knows of this.
 *
 * A command line runs in it with `runInWorld` (run.ts), which needs no more. Code in the test's own process needs the authority in Node's
 * own trust, which is read when a process starts: write `import "./support/ecr/trusting.ts";` at the top of the test file, and give the code
 * under test {@link EcrWorld.environment} where it takes one.
 */
export interface EcrWorld {
  readonly ecr: FakeEcr;
  readonly api: FakeEcrApi;
  readonly public: FakeEcr;
  readonly proxy: ConnectProxy;
  readonly certificates: CertificateAuthority;
  /** Host of the private registry; `${registry}/app:v1` is a reference. */
  readonly registry: string;
  /** All that a process of this world may know: proxy, authority, AWS credentials, and empty places for HOME and caches. */
  readonly environment: Readonly<Record<string, string>>;
  /** A directory of the world, removed with it. */
  readonly directory: string;
  /** Every secret that exists in the world so far: passwords, tokens, signatures, in each form in which they travel. */
  secrets(): readonly string[];
  /** Which secrets occur in a text. */
  leaks(text: string): readonly string[];
  /** Requests that carried an Authorization header to a host where it does not belong. */
  strayAuthorizations(): readonly LogEntry[];
  stop(): Promise<void>;
}

export async function ecrWorld({
  quirks = {},
  publicQuirks = {},
  proxy,
  now,
  seed,
}: WorldOptions = {}): Promise<EcrWorld> {
  const certificates = new CertificateAuthority(trustedAuthority());
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-world-"));
  const common = { certificates, ...(now && { now }), ...(seed !== undefined && { seed }) };
  const key = { accessKeyId: `AKIA${canary()}`.toUpperCase(), secretAccessKey: `canary${canary()}` };
  const ecr = new FakeEcr({ ...common, quirks });
  const parts = {
    ecr,
    api: new FakeEcrApi(ecr, key, { certificates }),
    public: new FakeEcr({ ...common, mode: "public", quirks: publicQuirks }),
    proxy: new ConnectProxy(proxy),
  };
  const proxyUrl = await opened(parts);
  const secrets = () => secretsOf(parts, key.secretAccessKey, proxy?.credentials?.password);
  return {
    ...parts,
    certificates,
    directory,
    registry: HOSTS.registry,
    environment: environmentOf({ proxyUrl, certificates, directory, ...key }),
    secrets,
    leaks: (text) => secrets().filter((secret) => text.includes(secret)),
    strayAuthorizations: () => strays(parts),
    stop: async () => {
      await Promise.all(Object.values(parts).map((part) => part.stop()));
      certificates.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

type Parts = Pick<EcrWorld, "ecr" | "api" | "public" | "proxy">;

/** Everything listens and the proxy knows where. */
async function opened({ ecr, api, public: ecrPublic, proxy }: Parts): Promise<string> {
  await Promise.all([ecr.start(), api.start(), ecrPublic.start()]);
  ecr.storageUrl = `https://${HOSTS.storage}`;
  ecrPublic.storageUrl = `https://${HOSTS.cdn}`;
  ecr.uploadHost = HOSTS.uploads;
  const origins: readonly (readonly [host: string, origin: Origin])[] = [
    [HOSTS.registry, ecr.origin],
    [HOSTS.uploads, ecr.origin],
    [HOSTS.storage, ecr.storageOrigin],
    [HOSTS.api, api.origin],
    [HOSTS.public, ecrPublic.origin],
    [HOSTS.cdn, ecrPublic.storageOrigin],
  ];
  for (const [host, origin] of origins) proxy.route(host, origin.port);
  return proxy.start();
}

interface Surroundings {
  readonly proxyUrl: string;
  readonly certificates: CertificateAuthority;
  readonly directory: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function environmentOf({ proxyUrl, certificates, directory, accessKeyId, secretAccessKey }: Surroundings) {
  return {
    HTTPS_PROXY: proxyUrl,
    HTTP_PROXY: proxyUrl,
    NO_PROXY: "",
    NODE_EXTRA_CA_CERTS: certificates.file,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: REGION,
    // The SDK must find nothing else, and look nowhere else.
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: join(directory, "no-aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, "no-aws-credentials"),
    HOME: directory,
    DOCKER_CONFIG: join(directory, ".docker"),
    XDG_CACHE_HOME: join(directory, ".cache"),
    XDG_CONFIG_HOME: join(directory, ".config"),
    XDG_RUNTIME_DIR: join(directory, ".run"),
  };
}

function secretsOf(
  { ecr, public: ecrPublic }: Parts,
  ...known: readonly (string | undefined)[]
): readonly string[] {
  const tokens = [...ecr.tokens.issued, ...ecrPublic.tokens.issued];
  const basics = tokens.map((token) => Buffer.from(`AWS:${token}`).toString("base64"));
  const signatures = [...ecr.storage.signatures, ...ecrPublic.storage.signatures];
  const plain = known.filter((secret) => secret !== undefined);
  return [...plain, ...plain.map(encodeURIComponent), ...tokens, ...basics, ...signatures];
}

function strays({ ecr, public: ecrPublic }: Parts): readonly LogEntry[] {
  const elsewhere = ecr.log.filter(({ host }) => host !== HOSTS.registry);
  const all = [...elsewhere, ...ecr.storageOrigin.log, ...ecrPublic.storageOrigin.log];
  return all.filter(({ authorized }) => authorized);
}

function canary(): string {
  return randomBytes(8).toString("hex");
}
