/** How far an installation is. */
export interface Progress {
  readonly packages: number;
  /** Bytes that came from the network. */
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}
