import type { Inspection } from "../commands/inspect/inspection.ts";
import type { InspectedContents } from "../rootfs/usage.ts";
import { formatBytes, formatPart } from "./format.ts";
import { type Html, html, NOTHING } from "./html.ts";

interface Slice {
  readonly label: string;
  readonly bytes: number;
  /** A CSS class. */
  readonly color: string;
}

/** Formats the share of Lambda's 10 GB, and the division into base and app, or layers. */
export function bars(inspection: Inspection, contents: InspectedContents): Html {
  return html`<section class="bars"><div>${gauge(contents)}</div><div>${division(inspection, contents)}</div></section>`;
}

function gauge({ bytes, limit }: InspectedContents): Html {
  const over = bytes > limit;
  const verdict = over
    ? html`<span class="bad">more than Lambda allows</span>`
    : html`<span class="${bytes > limit * 0.8 ? "warn" : "good"}">it fits</span>`;
  return html`<h2>${formatPart(bytes, limit)} of Lambda's 10 GB: ${verdict}</h2>
${bar([{ label: "used", bytes, color: over ? "bad" : "used" }], Math.max(limit, bytes), `${formatBytes(bytes)} of 10 GB`)}
<div class="scale"><span>0</span><span>2.5</span><span>5</span><span>7.5</span><span>10 GB</span></div>
<p class="soft">${formatBytes(bytes)} unpacked, in all layers. Hidden files count too.</p>`;
}

/** Divides the size into base and app if these are known, else into layers. */
function division({ layers }: Inspection, { bytes, waste }: InspectedContents): Html {
  const hidden = waste.hiddenTotal.bytes;
  const isSplit = layers.some(({ part }) => part);
  const sum = (part: "base" | "app"): number =>
    layers.reduce((all, layer) => all + (layer.part === part ? (layer.contents?.bytes ?? 0) : 0), 0);
  const slices: readonly Slice[] = isSplit
    ? [
        { label: "base", bytes: sum("base"), color: "l0" },
        { label: "app", bytes: sum("app"), color: "l2" },
      ]
    : layers.map(({ contents }, index) => ({
        label: `layer ${index + 1}`,
        bytes: contents?.bytes ?? 0,
        color: `l${index % 8}`,
      }));
  const title = isSplit ? "Base and app" : "Size of each layer";
  return html`<h2>${title}</h2>
${bar(slices, bytes, slices.map((slice) => `${slice.label} ${formatPart(slice.bytes, bytes)}`).join(", "))}
<ul class="legend">${slices.map((slice) => html`<li><span class="key ${slice.color}"></span>${slice.label} ${formatBytes(slice.bytes)} <span class="soft">${formatPart(slice.bytes, bytes)}</span></li>`)}${
    hidden > 0
      ? html`<li><span class="key bad"></span>${formatBytes(hidden)} <span class="soft">of this in hidden files</span></li>`
      : NOTHING
  }</ul>`;
}

const WIDTH = 1000;

/** Draws slices side by side; `whole` bytes fill the bar. Each slice with bytes is visible. */
function bar(slices: readonly Slice[], whole: number, label: string): Html {
  let x = 0;
  const rects = slices.map(({ bytes, color, label }) => {
    const width = bytes === 0 ? 0 : Math.max(2, (bytes * WIDTH) / Math.max(1, whole));
    const rect = html`<rect class="${color}" x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="22"><title>${label} ${formatBytes(bytes)}</title></rect>`;
    x += width;
    return rect;
  });
  return html`<svg class="bar" role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} 22" preserveAspectRatio="none">${rects}</svg>`;
}
