import type { InspectedLayer, Inspection } from "../commands/inspect/inspection.ts";
import type { InspectedContents } from "../rootfs/usage.ts";
import { formatBytes, formatCount } from "./format.ts";
import { type Html, html, NOTHING } from "./html.ts";

const MAX_LISTED = 200;
const LARGEST = 20;

export function tiles({ size, layers }: Inspection, { bytes, seen, waste }: InspectedContents): Html {
  const all = [
    [formatBytes(size), "compressed, as it is pulled"],
    [formatBytes(bytes), "unpacked"],
    [formatCount(seen.files, "file"), `${formatBytes(seen.bytes)} total`],
    [formatCount(layers.length, "layer"), "fetched and cached separately"],
    [formatBytes(waste.hiddenTotal.bytes), "in hidden files"],
  ] as const;
  return html`<div class="tiles">${all.map(([value, label]) => html`<div><b>${value}</b><span>${label}</span></div>`)}</div>`;
}

/** Returns the elements that the script fills; without scripts, a list of the largest files. */
export function mapSection({ files }: InspectedContents): Html {
  return html`<section><h2>Files</h2>
<div class="tools"><label><input type="search" id="search" placeholder="Search files, for example: boto3 json" aria-label="Search files" autocomplete="off" spellcheck="false"></label><div id="found" role="status"></div></div>
<ul id="results" aria-label="Files found"></ul>
<nav id="crumbs" aria-label="Directory"></nav>
<svg id="map" role="group" aria-label="Map of the files: the larger the area, the more bytes"></svg>
<p id="detail" class="mono" aria-live="polite"></p>
<p class="soft keys">Click a directory to open it. Keys: <kbd>Tab</kbd> to reach the map, <kbd>←</kbd> <kbd>↑</kbd> <kbd>↓</kbd> <kbd>→</kbd> to move, <kbd>Enter</kbd> to open, <kbd>Esc</kbd> to go back, <kbd>/</kbd> to search.</p>
<noscript><ul class="list">${files.slice(0, LARGEST).map(({ path, size }) => line(formatBytes(size), path))}</ul></noscript></section>`;
}

export function layersSection({ layers }: Inspection): Html {
  const rows = layers.map(layerRow);
  return html`<section><h2>Layers, base first</h2><div class="wide"><table><thead><tr><th>#</th><th class="n">stored</th><th class="n">unpacked</th><th class="n">files</th><th class="n">hides</th><th class="n">wastes</th><th>made by</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function layerRow({ size, digest, createdBy = "", part, contents }: InspectedLayer, index: number): Html {
  const broken = contents?.broken;
  return html`<tr><td class="n"><span class="key l${index % 8}"></span>${index + 1}</td><td class="n">${formatBytes(size)}</td><td class="n">${formatBytes(contents?.bytes ?? 0)}</td><td class="n">${contents?.files ?? 0}</td><td class="n">${bytesOf(contents?.hides.bytes)}</td><td class="n">${bytesOf(contents?.hidden.bytes)}</td><td>${part ? html`<b>${part}</b> ` : NOTHING}<span class="path">${createdBy}</span><div class="mono soft">${digest}</div>${
    broken === undefined ? NOTHING : html`<div class="bad">broken: ${broken}</div>`
  }</td></tr>`;
}

function bytesOf(bytes = 0): string {
  return bytes === 0 ? "–" : formatBytes(bytes);
}

/** Returns the section about files that add to the size without being used. */
export function wasteSection({ waste }: InspectedContents): Html {
  const { hidden, hiddenTotal, duplicates, duplicatesTotal, caches } = waste;
  const cacheBytes = caches.reduce((sum, { bytes }) => sum + bytes, 0);
  const groups = [
    group(
      "Hidden by a higher layer",
      `${formatCount(hiddenTotal.files, "file")}, ${formatBytes(hiddenTotal.bytes)}: replaced or deleted by a later layer, but still stored`,
      hidden.map(({ size, path, layer, by, how }) =>
        line(formatBytes(size), path, `layer ${layer + 1}, ${how} by layer ${by + 1}`),
      ),
    ),
    group(
      "The same content more than once",
      `${formatBytes(duplicatesTotal.bytes)} in copies`,
      duplicates.map(({ size, copies, paths }) =>
        entry(
          formatBytes(size * (copies - 1)),
          paths,
          `${formatCount(copies, "time")}, ${formatBytes(size)} each`,
        ),
      ),
    ),
    group(
      "Caches, logs and temporary files",
      `${formatBytes(cacheBytes)} that a function does not read`,
      caches.map(({ bytes, path, what, files }) =>
        line(formatBytes(bytes), `${path}/`, `${what}, ${formatCount(files, "file")}`),
      ),
    ),
  ].flat();
  if (groups.length === 0)
    return html`<section><h2>Waste</h2><p class="good">None: no file is hidden, stored twice or left in a cache.</p></section>`;
  return html`<section><h2>Waste</h2><div class="waste">${groups}</div></section>`;
}

function group(title: string, label: string, lines: readonly Html[]): readonly Html[] {
  if (lines.length === 0) return [];
  const more = lines.length - MAX_LISTED;
  return [
    html`<div><h3>${title}</h3><p class="soft">${label}</p><ul class="list" tabindex="0" aria-label="${title}">${lines.slice(0, MAX_LISTED)}${
      more > 0 ? html`<li class="soft">and ${more} more</li>` : NOTHING
    }</ul></div>`,
  ];
}

function line(size: string, path: string, note = ""): Html {
  return entry(size, [path], note);
}

function entry(size: string, paths: readonly string[], note: string): Html {
  return html`<li><span class="n soft">${size}</span><span>${paths.map((path) => html`<div class="path">/${path}</div>`)}${
    note === "" ? NOTHING : html`<div class="soft">${note}</div>`
  }</span></li>`;
}

export function configSection({ config, mediaType, created = "" }: Inspection): Html {
  const labels = Object.entries(config.labels).map(([name, value]) => `${name}=${value}`);
  const rows: readonly (readonly [name: string, values: readonly string[]])[] = [
    ["ENTRYPOINT", config.entrypoint],
    ["CMD", config.cmd],
    ["WORKDIR", [config.workdir]],
    ["USER", [config.user]],
    ["ENV", config.env],
    ["LABEL", labels],
    ["created", [created]],
    ["media type", [mediaType]],
  ];
  const shown = rows.filter(([, values]) => values.some((value) => value !== ""));
  return html`<section><h2>Config</h2><dl>${shown.map(([name, values]) => html`<dt>${name}</dt><dd class="mono">${values.map((value) => html`<div>${value}</div>`)}</dd>`)}</dl></section>`;
}
