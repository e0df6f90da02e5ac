import type { LayerHow, OnEvent } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { Family } from "../oci/media-types.ts";
import type { Architecture } from "../oci/platform.ts";

/** Environment variables as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Deflate level 4 costs 3 % more bytes than 6 and takes 38 % less time (docs/decisions.md). */
export const DEFAULT_LEVEL = 4;

/** What `build` and `push` share. */
export interface CommonOptions {
  /** More tags for every destination, beside the one in the destination itself. */
  readonly tags?: readonly string[];
  /** Blobs in flight at once. Default: LAMBDA_PACK_JOBS, else 6. */
  readonly jobs?: number;
  /** Default: LAMBDA_PACK_CACHE_DIR, else `lambda-pack` in XDG_CACHE_HOME or the system's place for caches. */
  readonly cacheDirectory?: string;
  /** false: nothing is read from or left in the cache. Default true. */
  readonly cache?: boolean;
  /** true: no request leaves this machine; what is not in the cache is an error. Default false. */
  readonly offline?: boolean;
  /** Hosts (`host:port`) that are spoken to over http, beside loopback. */
  readonly insecureRegistries?: readonly string[];
  /** Where DOCKER_CONFIG, AWS_*, HTTPS_PROXY, SOURCE_DATE_EPOCH and their like are looked up. Default: process.env. */
  readonly environment?: Environment;
  readonly onEvent?: OnEvent;
  /** Aborting ends the work within a second and leaves nothing half-written. */
  readonly signal?: AbortSignal;
}

export interface LayerRule {
  /** The layer's name in history and reports. */
  readonly name: string;
  /** Files of the source folder, in .dockerignore syntax. */
  readonly glob: string;
}

export interface BuildOptions extends CommonOptions {
  /** The source folder. */
  readonly directory: string;
  /** `python:3.12` and its like, an image reference, `oci:DIR[:tag]`, `oci-archive:FILE`, `docker-archive:FILE` or `scratch`. */
  readonly base: string;
  /** Default: the base's when it has only one, else x86_64. */
  readonly architecture?: Architecture;
  /** `app.handler`; becomes CMD. Default: found from the usual names. */
  readonly handler?: string;
  /** Destinations. Default: `oci:.lambda-pack/<name of the directory>`. */
  readonly to?: string | readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workdir?: string;
  /** The folder of the image where the files go. Default: the base's WORKDIR, else /var/task. */
  readonly target?: string;
  /** Layers cut by hand, in order; the first that matches takes the file. What is left is cut by itself. */
  readonly layers?: readonly LayerRule[];
  /** Patterns in .dockerignore syntax, after those of the ignore file. */
  readonly exclude?: readonly string[];
  /** Default: `.lambdaignore` of the source folder, else its `.dockerignore`. */
  readonly ignoreFile?: string;
  /** Files of the source folder that look like secrets and belong in the image all the same. */
  readonly allowSecrets?: readonly string[];
  /** Media types of the image. Default `auto`: those of the base. */
  readonly format?: "auto" | Family;
  /** Deflate level, 1 to 9. Default {@link DEFAULT_LEVEL}. */
  readonly level?: number;
  /**
   * The image whose layers are reused where they would come out the same: as {@link BuildOptions.base}.
   * Default: the one with the same tag at the destination, else the newest there.
   */
  readonly reuseFrom?: string;
  /** true: an ECR repository that is missing is created before the image is sent. Default false. */
  readonly createRepo?: boolean;
  /** true: everything but the sending. Default false. */
  readonly dryRun?: boolean;
  /** false: the image is sent whatever the rules of Lambda say of it. Default true: an error stops the build. */
  readonly check?: boolean;
  /** Rules (docs/check.md) that the image may break. */
  readonly allow?: readonly string[];
  /** true: the rules also look at the base's files, which are read for that. Default false: AWS's bases are known. */
  readonly deep?: boolean;
  /** true: the image is made for SnapStart, with the label where its base needs one. Default false. */
  readonly snapstart?: boolean;
  /** What a floating base resolved to is kept there, and obeyed while the file is there. Default: `lambda-pack.lock` in the source folder. */
  readonly lockFile?: string;
  /** true: the lock is written where it does not name the base yet. Default false. */
  readonly lock?: boolean;
  /** true: the base is what its tag names now, and the lock is written. Default false. */
  readonly updateBase?: boolean;
  /** true: a tag that names another image than the lock, or a base that the lock does not name, stops the build. Default false. */
  readonly locked?: boolean;
}

export interface BasesOptions extends CommonOptions {
  /** `python`, `nodejs`, `java`, `dotnet`, `ruby`, `provided` or `go`. Default: all. */
  readonly language?: string;
  /** true: each base is looked up in its registry. Default false: nothing is asked of anybody. */
  readonly resolve?: boolean;
}

/** One of AWS's base images. */
export interface BaseReport {
  /** As `--base` takes it: `python:3.12`. */
  readonly name: string;
  /** Lambda's identifier, where it is also a managed runtime. */
  readonly runtime?: string;
  /** `Amazon Linux 2023`. */
  readonly system: string;
  readonly architectures: readonly Architecture[];
  /** The day (UTC, `2028-10-31`) after which AWS no longer patches it. */
  readonly deprecated: string;
  /** Whether it, and its Amazon Linux, still get security patches today. */
  readonly supported: boolean;
  /** How a handler is written. */
  readonly handler: string;
  /** Where the app's files go, and where the runtime looks for what they depend on. */
  readonly code: string;
  readonly dependencies: string;
  /** What it names now, by architecture, where that was asked for. */
  readonly digests?: Readonly<Record<string, Digest>>;
}

export interface PushOptions extends CommonOptions {
  /** As {@link BuildOptions.base}, or a registry reference. */
  readonly source: string;
  readonly to: string | readonly string[];
  /** Which child of an index. Default: its only one, else x86_64. */
  readonly architecture?: Architecture;
}

export interface Destination {
  /** By digest: `registry/repo@sha256:…` or `oci:DIR@sha256:…`. */
  readonly reference: string;
  readonly digest: Digest;
}

export interface LayerReport {
  readonly name: string;
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Bytes, compressed. */
  readonly size: number;
  /** Entries that are not folders; 0 where the layer was not read (the base's). */
  readonly files: number;
  readonly how: LayerHow;
}

/** Milliseconds. What is done side by side counts for each. */
export interface Spent {
  /** Finding the files. */
  readonly collect: number;
  /** Finding out whether they have changed. */
  readonly fingerprint: number;
  readonly pack: number;
  readonly send: number;
}

/** Sizes in bytes, times in milliseconds. */
export interface Stats {
  readonly files: number;
  readonly bytes: number;
  readonly sent: number;
  readonly received: number;
  readonly ms: number;
  readonly spent: Spent;
}

export interface PushResult {
  readonly digest: Digest;
  /** The first destination, by digest. */
  readonly reference: string;
  readonly destinations: readonly Destination[];
  /** `linux/amd64`. */
  readonly platform: string;
  readonly layers: readonly LayerReport[];
  readonly stats: Stats;
}

export interface BuildResult extends PushResult {
  /** What the base's name meant. `scratch` has no digest. */
  readonly base: { readonly reference: string; readonly digest?: Digest };
}
