import { createHash } from "node:crypto";
import type { Inspection } from "../commands/inspect/inspection.ts";
import { pageAssets } from "./assets.ts";
import { bars } from "./bars.ts";
import { fill, type Html, html, jsonHtml, NOTHING, raw } from "./html.ts";
import { configSection, layersSection, mapSection, tiles, wasteSection } from "./sections.ts";
import { treeOf } from "./tree.ts";

/** The most characters for the list of files: enough for all of them unless paths are long. */
const TREE_BUDGET = 2_500_000;

/**
 * Creates an HTML page from an inspection: a map of all files to zoom and search, the share of
 * Lambda's 10 GB that is used, and the waste. The page loads nothing, can be used with the keyboard
 * alone, and is smaller than 3 MB. The same inspection produces the same page.
 */
export function inspectionPage(inspection: Inspection): string {
  const { reference, digest, platform } = inspection;
  const { template, style, script } = pageAssets();
  return fill(template, {
    policy: policyOf(style, script),
    style: raw(style),
    reference,
    platform,
    digest,
    sections: sections(inspection),
    scripts: scripts(inspection, script),
  }).html;
}

function sections(inspection: Inspection): readonly Html[] {
  const { contents } = inspection;
  const known = contents
    ? [tiles(inspection, contents), bars(inspection, contents), mapSection(contents), wasteSection(contents)]
    : [];
  return [...known, layersSection(inspection), configSection(inspection)];
}

function scripts({ layers, contents }: Inspection, script: string): Html {
  if (!contents) return NOTHING;
  const tree = treeOf(contents.files, { omitted: contents.omitted, budget: TREE_BUDGET });
  const parts = layers.map(({ part }) => (part ? ` (${part})` : ""));
  return html`<script type="application/json" id="data">${jsonHtml({ tree, layers: parts })}</script><script>${raw(script)}</script>`;
}

/**
 * Returns a policy that allows only this style and script: the page loads nothing, and no content
 * of an image can run.
 */
function policyOf(style: string, script: string): string {
  return `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
