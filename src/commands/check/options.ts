import type { Finding } from "../../lint/run-rules.ts";
import type { Digest } from "../../oci/digest.ts";
import type { BuildOptions, CommonOptions } from "../../session/options.ts";

/** Of an image, or of a folder as {@link BuildOptions} would build it. */
export interface CheckOptions
  extends CommonOptions,
    Partial<
      Pick<
        BuildOptions,
        | "base"
        | "architecture"
        | "handler"
        | "env"
        | "labels"
        | "entrypoint"
        | "cmd"
        | "workdir"
        | "target"
        | "layers"
        | "exclude"
        | "ignoreFile"
        | "allowSecrets"
        | "allow"
        | "deep"
        | "snapstart"
        | "lockFile"
      >
    > {
  /** An image (a registry reference, `oci:DIR[:tag]`, `oci-archive:FILE`, `docker-archive:FILE`), or a folder; that needs `base`. */
  readonly source: string;
  /**
   * Whether the registry of the base is asked if its tag still names what the image was built on. Default: for an image in a
   * registry whose base is AWS's own or in the same registry. With true, any registry that the image's label names, without
   * credentials and only at public addresses where the image's own registry has one. Never offline.
   */
  readonly askBase?: boolean;
}

export interface CheckResult {
  readonly source: string;
  /** Of the image; a folder has none yet. */
  readonly digest?: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** true: no finding is an error. */
  readonly ok: boolean;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** How many rules were asked. */
  readonly rules: number;
  /** How many layers the image has, and how many of them were read. */
  readonly layers: { readonly all: number; readonly read: number };
}
