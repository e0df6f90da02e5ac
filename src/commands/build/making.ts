import type { LayerHow } from "../../events.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Layer } from "../../oci/image.ts";
import type { Growing } from "../../oci/store.ts";
import type { Session } from "../../session/session.ts";
import type { Previous } from "./previous.ts";

/** What layers are made with. */
export interface Making {
  /** Of the base's family. */
  readonly mediaType: string;
  readonly created: Date;
  readonly level: number;
  /** When the files were looked at; milliseconds since the epoch. */
  readonly seenAt: number;
  readonly previous: Previous;
  readonly session: Session;
  /** Is given each layer that is packed, as soon as there is a place for its bytes. */
  readonly onGrowing: (growing: Growing) => void;
}

export interface Stoppable extends Making {
  readonly signal: AbortSignal;
  /** Whether there was anything to be found before the first layer was packed: then reading all files is worth it. */
  readonly mayBeFound: boolean;
}

/** Where a layer comes from; `from` names the image that it is remembered from. */
export interface Found {
  readonly layer: Layer;
  readonly fingerprint: Digest;
  readonly how: LayerHow;
  readonly from?: string;
}
