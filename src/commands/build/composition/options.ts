import { inGroup, type OptionTable, off, optional, withDefault } from "../../options/read.ts";
import { textOrList, textOrToggle } from "../../options/types.ts";

export interface CompositionOptions {
  /**
   * Files of other images: `IMAGE:/source:/target`, by the rules of COPY --from in a Dockerfile.
   */
  readonly copyFrom?: string | readonly string[];
  /** Lambda layers to unpack into /opt: ARNs with a version, or paths of zip files. */
  readonly lambdaLayer?: string | readonly string[];
  /**
   * true: adds the AWS Lambda Web Adapter, so that a web server can be the function. A string is
   * its version, or an image that has it.
   */
  readonly webAdapter?: string | boolean;
  /** Directories of extensions to copy to /opt; each has its programs in `extensions/`. */
  readonly extension?: string | readonly string[];
  /** Other directories, each with its own ignore file and layer: `DIR:/target`. */
  readonly add?: string | readonly string[];
  /**
   * true: adds and starts a runtime interface client, for a base that is not AWS's. Default false.
   */
  readonly runtimeClient?: boolean;
}

/** Options that add files to those of the source directory. */
export const COMPOSITION_OPTIONS = inGroup("Composition", {
  copyFrom: withDefault<readonly string[]>(textOrList, [], "add files of another image", {
    placeholder: "IMAGE:/SOURCE:/TARGET",
  }),
  add: withDefault<readonly string[]>(textOrList, [], "add another directory, with its own ignore file", {
    placeholder: "DIR:/TARGET",
  }),
  lambdaLayer: withDefault<readonly string[]>(textOrList, [], "unpack a Lambda layer into /opt", {
    placeholder: "ARN|ZIP",
  }),
  extension: withDefault<readonly string[]>(
    textOrList,
    [],
    "copy the directory of a Lambda extension into /opt",
    { placeholder: "DIR" },
  ),
  webAdapter: optional<string>(
    textOrToggle,
    "add the AWS Lambda Web Adapter: the function is a web server, which --cmd starts",
    { placeholder: "VERSION|IMAGE", defaultText: "none; without a value: version 1.0.0" },
  ),
  runtimeClient: off("add a runtime interface client, for a Node or Python base that is not AWS's"),
}) satisfies OptionTable & Record<keyof CompositionOptions, unknown>;
