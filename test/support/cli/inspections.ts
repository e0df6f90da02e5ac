import type { Inspection } from "../../../src/index.ts";
import { parseDigest } from "../../../src/oci/digest.ts";

const digestOf = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

export interface Sample {
  /** Sizes by path; all in the app's layer but those under `usr` and `var/lang`. */
  readonly files: Readonly<Record<string, number>>;
  readonly reference?: string;
  readonly createdBy?: string;
  readonly env?: readonly string[];
}

/** An inspection of two layers, a base and an app, that has these files. */
export function sampleInspection({ files, reference = "oci:app", createdBy, env = [] }: Sample): Inspection {
  const list = Object.entries(files)
    .map(([path, size]) => ({ path, size, layer: /^(usr|var\/lang)\//.test(path) ? 0 : 1 }))
    .sort((a, b) => b.size - a.size);
  const bytesOf = (layer: number) =>
    list.reduce((sum, file) => sum + (file.layer === layer ? file.size : 0), 0);
  const layer = (index: number) => ({
    digest: digestOf(index === 0 ? "a" : "b"),
    diffId: digestOf("c"),
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    size: Math.round(bytesOf(index) / 3),
    createdBy: createdBy ?? (index === 0 ? "base layer" : "lambda-pack: app"),
    part: index === 0 ? ("base" as const) : ("app" as const),
    contents: {
      bytes: bytesOf(index),
      entries: list.filter((file) => file.layer === index).length,
      files: list.filter((file) => file.layer === index).length,
      fileBytes: bytesOf(index),
      hidden: { files: index === 0 ? 1 : 0, bytes: index === 0 ? 2_000_000 : 0 },
      hides: { files: index, bytes: index * 2_000_000 },
    },
  });
  const bytes = bytesOf(0) + bytesOf(1);
  return {
    reference,
    digest: digestOf("d"),
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    platform: "linux/amd64",
    created: "2026-01-01T00:00:00Z",
    size: Math.round(bytes / 3),
    config: {
      entrypoint: ["/lambda-entrypoint.sh"],
      cmd: ["app.handler"],
      env,
      workdir: "/var/task",
      user: "",
      labels: { "org.opencontainers.image.base.name": "python:3.12" },
    },
    layers: [layer(0), layer(1)],
    contents: {
      bytes,
      limit: 10 * 1024 ** 3,
      seen: { files: list.length, bytes },
      files: list,
      omitted: { files: 0, bytes: 0 },
      waste: {
        hidden: [{ path: "usr/bin/openssl", size: 2_000_000, layer: 0, by: 1, how: "removed" }],
        hiddenTotal: { files: 1, bytes: 2_000_000 },
        duplicatesTotal: { files: 1, bytes: 40_000 },
        duplicates: [{ size: 40_000, copies: 2, paths: ["var/task/a.json", "var/task/b.json"] }],
        caches: [{ path: "var/cache/dnf", what: "package manager's cache", files: 3, bytes: 900_000 }],
      },
    },
  };
}

/** `count` files of different sizes, a hundred in each directory. */
export function manyFiles(count: number): Readonly<Record<string, number>> {
  const path = (index: number) =>
    `var/task/node_modules/package-${Math.floor(index / 100)}/dist/module-${index % 100}.js`;
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [path(index), 200 + ((index * 7919) % 20_011)]),
  );
}
