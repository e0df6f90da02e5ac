import type { ErrorCode } from "./errors.ts";
import type { Digest } from "./oci/digest.ts";

/** Where a layer of the image comes from. */
export type LayerHow = "built" | "cached" | "reused" | "base";

/** How a blob got to its destination. */
export type BlobHow = "present" | "mounted" | "uploaded";

/** A package that an image depends on. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-<base64>`; undefined if a package manager checks it. */
  readonly integrity: string | undefined;
  /** Size of its archive in bytes; undefined if the lock does not say and nothing was fetched. */
  readonly size: number | undefined;
}

/**
 * An event of a command. Numbers are absolute (bytes so far, not since the last event), so that a
 * listener may skip events. Sizes are in bytes.
 */
export type BuildEvent =
  | {
      readonly type: "base-resolved";
      readonly reference: string;
      readonly digest: Digest;
      readonly platform: string;
      /** true: files are copied from the image, and it is not the base. */
      readonly isCopied?: true;
    }
  /** `base` (`nodejs:22`) was chosen because of `reason` (`engines.node >=20 in package.json`). */
  | { readonly type: "base-detected"; readonly base: string; readonly reason: string }
  /** The handler of the image, and whether the user named it. */
  | { readonly type: "handler-found"; readonly handler: string; readonly isGiven: boolean }
  /** `leftOut`: virtual environments and files of tools that are left out by default. */
  | {
      readonly type: "files-collected";
      readonly directory: string;
      readonly files: number;
      readonly bytes: number;
      readonly leftOut: readonly string[];
    }
  /** What `--install` will do. `leftOut`: directories of an earlier installation, not packed. */
  | {
      readonly type: "dependencies-planned";
      readonly way: string;
      readonly lockFile: string;
      readonly packages: number;
      readonly leftOut: readonly string[];
    }
  /** In a dry run, each package that the image would have. */
  | { readonly type: "dependency-listed"; readonly dependency: InstalledPackage }
  /** `packages` of `total` (0: not known) are unpacked, for which `received` bytes were fetched. */
  | {
      readonly type: "install-progress";
      readonly packages: number;
      readonly total: number;
      readonly received: number;
      readonly files: number;
      readonly bytes: number;
    }
  /** `reused`: their layers existed already, and nothing was fetched. */
  | {
      readonly type: "dependencies-ready";
      readonly way: string;
      readonly lockFile: string;
      readonly how: "installed" | "reused";
      readonly packages: readonly InstalledPackage[];
    }
  /** `bytes` of `totalBytes` of the files of this layer are packed. */
  | {
      readonly type: "layer-progress";
      readonly name: string;
      readonly bytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly type: "layer-ready";
      readonly name: string;
      readonly digest: Digest;
      readonly size: number;
      readonly files: number;
      readonly bytes: number;
      readonly how: LayerHow;
      /** The image that a reused layer comes from. */
      readonly from?: string;
      readonly ms: number;
    }
  | {
      readonly type: "image-composed";
      readonly digest: Digest;
      readonly layers: number;
      readonly size: number;
    }
  | {
      readonly type: "download-progress";
      readonly digest: Digest;
      readonly received: number;
      readonly size: number;
    }
  /** `sent` may go down when an upload has to start again. */
  | {
      readonly type: "blob-progress";
      readonly destination: string;
      readonly digest: Digest;
      readonly sent: number;
      readonly size: number;
    }
  | {
      readonly type: "blob-done";
      readonly destination: string;
      readonly digest: Digest;
      readonly size: number;
      readonly how: BlobHow;
    }
  | {
      readonly type: "image-published";
      readonly reference: string;
      readonly digest: Digest;
      readonly tags: readonly string[];
    }
  /**
   * What was changed in an image so that Lambda loads it, without a subject:
   * `layer 2 of 5: gzip instead of zstd`.
   */
  | { readonly type: "image-changed"; readonly what: string }
  /** A file that the user requested in addition to the result was written. */
  | { readonly type: "file-written"; readonly path: string; readonly what: string }
  /** A function's process on this machine has started. */
  | {
      readonly type: "function-started";
      readonly handler: string;
      /** Which program runs it, in which sandbox, and with which runtime client. */
      readonly ranWith: string;
    }
  /** A server for functions on this machine is listening. */
  | {
      readonly type: "listening";
      readonly url: string;
      readonly functions: readonly string[];
    }
  /** A line that a function on this machine wrote, or that Lambda would write into its log. */
  | {
      readonly type: "function-log";
      readonly line: string;
    }
  | {
      readonly type: "retrying";
      readonly what: string;
      readonly attempt: number;
      readonly waitMs: number;
      readonly reason: string;
    }
  /**
   * A server has been silent for another 20 seconds: `what`
   * (`registry.example.com gave no answer`). After another `leftMs` the request fails.
   */
  | {
      readonly type: "waiting";
      readonly what: string;
      readonly silentMs: number;
      readonly leftMs: number;
    }
  /** An ECR repository exists, created now or before; `uri` has no tag. */
  | { readonly type: "repository-ready"; readonly uri: string; readonly created: boolean }
  /** A statement is added to or removed from a repository's policy; `statement` is its JSON. */
  | {
      readonly type: "policy-change";
      readonly repository: string;
      readonly change: "added" | "removed";
      readonly sid: string;
      readonly statement: string;
    }
  /** The result of a repository's setting, as a sentence: `the lifecycle policy was added`. */
  | { readonly type: "repository-note"; readonly repository: string; readonly what: string }
  /**
   * A change of a function that is made now or, in a dry run, would be. `what` is an imperative:
   * `create the function`.
   */
  | {
      readonly type: "function-step";
      readonly function: string;
      readonly region: string;
      readonly what: string;
      readonly planned: boolean;
    }
  /** A function or a version (`f:3`) is in another state than before. */
  | {
      readonly type: "function-state";
      readonly function: string;
      readonly region: string;
      readonly state: string;
      readonly reason?: string;
    }
  /** The end of one function's deploy. */
  | {
      readonly type: "function-done";
      readonly function: string;
      readonly region: string;
      readonly how: "created" | "updated" | "unchanged" | "planned" | "failed";
      /** The ARN of what now runs, or the reason of the failure. */
      readonly text: string;
      /** The published version, if there is one. */
      readonly version?: string;
      /** How many changes were made, or would be. */
      readonly steps?: number;
      /** The code of the failure. */
      readonly code?: ErrorCode;
    }
  /** An image that nothing uses was deleted or, in a dry run, would be. */
  | {
      readonly type: "image-pruned";
      readonly reference: string;
      readonly tags: readonly string[];
      readonly size: number;
      /** Digest of the image that this manifest belonged to, if it is not an image itself. */
      readonly owner?: string;
      readonly planned: boolean;
    }
  /** The end of a prune: how many images were (in a dry run: would be) deleted, used and kept. */
  | {
      readonly type: "images-pruned";
      readonly repository: string;
      readonly images: number;
      /** Signatures, SBOMs, other referrers and images of an index that were deleted with them. */
      readonly attached: number;
      /** Compressed bytes of all of them; layers that images share count for each. */
      readonly size: number;
      readonly used: number;
      readonly kept: number;
      readonly planned: boolean;
    }
  /** One HTTP exchange, its URL redacted; `status` 0 where no answer came. */
  | {
      readonly type: "request";
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly ms: number;
    }
  /** The image of one function in a configuration file is at its destination. */
  | { readonly type: "function-ready"; readonly name: string; readonly reference: string }
  | { readonly type: "warning"; readonly message: string; readonly hint?: string };

/** Receives events in the order in which they happen. Must not throw. */
export type OnEvent = (event: BuildEvent) => void;
