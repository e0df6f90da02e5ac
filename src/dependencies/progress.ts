/** How far an installation is. */
export interface Progress {
  readonly packages: number;
  /** Bytes that came from the network. */
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** What one package of an installation came to. */
export interface InstalledArchive {
  /** Bytes of the archive. */
  readonly size: number;
  /** Bytes that came from the network. */
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** Adds archives up, and shows the sum after each. */
export function createProgress(onProgress: ((progress: Progress) => void) | undefined): {
  add(archive: InstalledArchive): void;
} {
  let sum: Progress = { packages: 0, received: 0, files: 0, bytes: 0 };
  return {
    add({ received, files, bytes }) {
      sum = {
        packages: sum.packages + 1,
        received: sum.received + received,
        files: sum.files + files,
        bytes: sum.bytes + bytes,
      };
      onProgress?.(sum);
    },
  };
}
